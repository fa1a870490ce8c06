"""A task in one file: classifiers, asked one text at a time, by an adapter that shares nothing with auditor's own."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Self

import numpy as np
import torch
from transformers import PreTrainedModel, PreTrainedTokenizerBase

from auditor.corpus.segments import perturb, segment
from auditor.models.adapters import Loaded, Settings
from auditor.models.computing.batching import Batcher
from auditor.models.inputs import Encoded, Identity, Question, Sequences, Text, Tokens
from auditor.records.explanations import Segment
from auditor.records.proof import Proof
from auditor.records.types import Document, Span
from auditor.tasks import Task

SENTENCE_CLASSIFICATION = Task(
    name="sentence-classification",
    title="Sentence classification",
    auto_class="AutoModelForSequenceClassification",
    architectures=("ForSequenceClassification",),
    adapter="auditor_extensions.sentences:SentenceClassification",
    labels="checkpoint",
    default_probes=("prediction", "lime"),
    constant_probes=("prediction",),
)


@dataclass(frozen=True)
class SentenceClassification:
    """Offers `Classifies` and `Answers`."""

    model: PreTrainedModel
    tokenizer: PreTrainedTokenizerBase
    identity: Identity
    batcher: Batcher
    proofs: dict[str, Proof]

    @classmethod
    def adapt(cls, loaded: Loaded, settings: Settings) -> Self:  # noqa: ARG003 - it has none
        return cls(loaded.model, loaded.tokenizer, loaded.identity, loaded.batcher, {})

    def special_tokens(self, texts: Sequence[Text]) -> list[tuple[str, ...]]:
        return [() for _ in texts]

    def tokens(self, texts: Sequence[Text]) -> list[Tokens]:
        return [self._tokens(text) for text, _ in texts]

    def _tokens(self, text: str) -> Tokens:
        read = self.tokenizer(text, truncation=True, max_length=self.identity.max_length, return_offsets_mapping=True)
        ids = tuple(read["input_ids"])
        special = tuple(token in self.tokenizer.all_special_ids for token in ids)
        spans = tuple(Span(*offsets) for offsets in read["offset_mapping"])
        return Tokens(Encoded(ids), tuple(self.tokenizer.convert_ids_to_tokens(ids)), spans, special)

    def ask(self, documents: Sequence[Document]) -> list[Question]:
        return [Question(self.identity.labels)] * len(documents)

    def segment(
        self,
        document: Document,
        how: str,
        *,
        merge_equal: bool = True,
        most: int | None = None,  # noqa: ARG002
    ) -> tuple[str, tuple[Segment, ...]]:
        return segment(document, how, bow=merge_equal)

    def perturbed(self, document: Document, segments: Sequence[Segment], keep: np.ndarray) -> Sequences:
        return self.encode(perturb(document, segments, keep))

    def encode(self, texts: Sequence[Text]) -> Sequences:
        return Sequences.of([one.encoded for one in self.tokens(texts)])

    def outputs(self, sequences: Sequences, questions: Sequence[Question]) -> torch.Tensor:  # noqa: ARG002
        with torch.inference_mode():
            return torch.cat([self.model(torch.tensor([text.ids])).logits.float() for text in sequences])

    def probabilities(self, outputs: torch.Tensor, question: Question) -> torch.Tensor:  # noqa: ARG002
        return outputs.double().softmax(dim=-1)

    def continuation(self, question: Question) -> None:
        """A head does not write."""
