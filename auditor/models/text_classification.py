"""`AutoModelForSequenceClassification`: one label, several labels, or a comparison of two sentences."""

from collections.abc import Callable, Sequence

import numpy as np
import torch

from auditor.models.contract import Question, Sequences, Text
from auditor.models.layout import Rows
from auditor.models.text import MISFITS, TextModel
from auditor.records.types import Document

NEVER_A_TOKEN = -1


class TextClassification(TextModel):
    """A classification head over a text model; offers `Classifies` and `Attends`."""

    def __post_init__(self) -> None:
        super().__post_init__()
        # Heads on causal models pool the last token that is not padding. Without a padding token they refuse batches;
        # batches of equal length need none, and an id that no token has makes them pool the very last position.
        config = self.model.config.get_text_config()
        self.needs_equal_lengths = config.pad_token_id is None
        if self.needs_equal_lengths:
            config.pad_token_id = NEVER_A_TOKEN
        self.question = Question(self.identity.labels)
        ways = [self._pooled_first] if self._short else []
        if self._causal and isinstance(getattr(self.model, "score", None), torch.nn.Linear):
            ways = [self._pooled_last]
        self._fast = next((way for way in ways if self.packs and self._proven(way)), None)

    def ask(self, documents: Sequence[Document]) -> list[Question]:
        """The same question for every document: which label."""
        return [self.question] * len(documents)

    def encode(self, texts: Sequence[Text]) -> Sequences:
        """Token ids, cut to what the model can see; the prefix token alone for a text without any."""
        batch = self.tokenize(texts)
        return self._readable(Sequences.of([self.encoded(batch, i) for i in range(len(texts))]))

    def outputs(self, sequences: Sequences, questions: Sequence[Question]) -> torch.Tensor:  # noqa: ARG002
        """Logits (B, K), float32, on the host."""
        return self._fast(sequences) if self._fast and self._fits(sequences) else self._padded(sequences)

    def _padded(self, sequences: Sequences) -> torch.Tensor:
        def forward(batch: list[int]) -> list[torch.Tensor]:
            texts = [sequences[i] for i in batch]
            with self.computing():
                return [self.model(**self.arguments(texts)).logits.float()]

        lengths = sequences.lengths.tolist()
        return self.batcher.padded(lengths, forward, equal_lengths=self.needs_equal_lengths)[0]

    def probabilities(self, outputs: torch.Tensor, question: Question) -> torch.Tensor:  # noqa: ARG002
        """Softmax over the labels; a sigmoid each where a text may have several. Float64."""
        logits = outputs.double()
        return logits.sigmoid() if self.identity.multi_label else logits.softmax(dim=-1)

    def continuation(self, question: Question) -> str | None:  # noqa: ARG002
        """None: a classification head does not speak."""
        return None

    def _pooled_first(self, sequences: Sequences) -> torch.Tensor:
        """Logits of heads that read the first state, the only one that the last layer computes."""
        rows = Rows(np.ones(len(sequences), dtype=np.int64), np.zeros(len(sequences), dtype=np.int64))
        return self._packed(sequences, rows, lambda _, packing: self.model(**packing.arguments).logits.float())

    def _pooled_last(self, sequences: Sequences) -> torch.Tensor:
        """Logits of heads on causal models, which read the last state."""
        rows = [(n - 1,) for n in sequences.lengths.tolist()]
        return self.read(sequences, rows, lambda states, _: self.model.score(states).float())

    def _proven(self, way: Callable[[Sequences], torch.Tensor]) -> bool:
        with self.batcher.uncounted():
            try:
                found = way(self.proof)
            except MISFITS:
                return False
            return self.close(found, self._padded(self.proof))
