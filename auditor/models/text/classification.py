"""`AutoModelForSequenceClassification`: one label, several labels, or a comparison of two sentences."""

from collections.abc import Callable, Sequence

import numpy as np
import torch

from auditor.models.computing.batching import Way
from auditor.models.computing.layout import Rows
from auditor.models.inputs import Encoded, Pooling, Question, Sequences, Text, Tokens
from auditor.models.text.adapter import TextModel
from auditor.models.text.attending import Attending
from auditor.models.text.differentiating import NOWHERE
from auditor.models.text.perturbing import Perturbing
from auditor.records.types import Document

NEVER_A_TOKEN = -1


class TextClassification(TextModel, Perturbing, Attending):
    """A classification head; offers `Answers`, `Classifies`, `Differentiates`, `Attends` and `ShowsAttention`."""

    question_asked = "answers"
    unit = "probability"
    tolerance = 1e-5

    def __post_init__(self) -> None:
        # Heads on causal models pool the last token that is not padding. Without a padding token they refuse batches;
        # batches of equal length need none, and an id that no token has makes them pool the very last position.
        config = self.model.config.get_text_config()
        self.needs_equal_lengths = config.pad_token_id is None
        if self.needs_equal_lengths:
            config.pad_token_id = NEVER_A_TOKEN
        self.question = Question(self.identity.labels)
        super().__post_init__()

    def of_logits(self, text: Encoded, logits: torch.Tensor) -> torch.Tensor:  # noqa: ARG002
        """The logits of the labels (1, K)."""
        return logits[None]

    def answers(self, texts: Sequences) -> torch.Tensor:
        """Logits (B, K)."""
        return self._padded(texts)

    def difference(self, given: torch.Tensor, expected: torch.Tensor) -> float:
        """The greatest difference of a probability."""
        given, expected = (self.probabilities(outputs, self.question) for outputs in (given, expected))
        return float((given - expected).abs().max())

    @property
    def ways(self) -> Sequence[Way]:
        """Without `padded`, where there is no padding token."""
        return [way for way in super().ways if way is not Way.PADDED or not self.needs_equal_lengths]

    @property
    def packed_ways(self) -> Sequence[Callable[[Sequences], torch.Tensor]]:
        """Through the first state, which a shortened last layer computes alone, or the last."""
        if self._short:
            return [self._pooled_first]
        pools_last = self.causal and isinstance(getattr(self.model, "score", None), torch.nn.Linear)
        return [self._pooled_last] if pools_last else []

    def ask(self, documents: Sequence[Document]) -> list[Question]:
        """The same question for every document: which label."""
        return [self.question] * len(documents)

    def encode(self, texts: Sequence[Text]) -> Sequences:
        """Token ids, cut to what the model can see; the prefix token alone for a text without any."""
        batch = self.tokenize(texts)
        return self._readable(Sequences.of([self.encoded(batch, i) for i in range(len(texts))]))

    def outputs(self, sequences: Sequences, questions: Sequence[Question]) -> torch.Tensor:  # noqa: ARG002
        """Logits (B, K), float32, on the host."""
        self.require_proof(sequences)
        return self.fast(sequences) if self.fast and self._fits(sequences) else self._padded(sequences)

    def _padded(self, sequences: Sequences) -> torch.Tensor:
        lengths = sequences.lengths.tolist()

        def forward(batch: list[int]) -> list[torch.Tensor]:
            with self.reading([lengths[i] for i in batch]):
                return [self.logits([sequences[i] for i in batch]).float()]

        return self.batcher.padded(lengths, forward, way=self.way, kinds=self._kinds(sequences))[0]

    def _kinds(self, sequences: Sequences) -> list[int] | None:
        """Heads on encoder-decoders pool the last end token and want as many of them in every text of a batch."""
        if not self.model.config.is_encoder_decoder:
            return None
        ends = np.concatenate([[0], np.cumsum(sequences.ids == self.model.config.eos_token_id)])
        kinds: list[int] = (ends[sequences.starts + sequences.lengths] - ends[sequences.starts]).tolist()
        return kinds

    def probabilities(self, outputs: torch.Tensor, question: Question) -> torch.Tensor:  # noqa: ARG002
        """Softmax over the labels; a sigmoid each where a text may have several. Float64."""
        logits = outputs.double()
        return logits.sigmoid() if self.identity.multi_label else logits.softmax(dim=-1)

    def read_as(self, documents: Sequence[Document]) -> list[Tokens]:
        """The tokens of each document; see `Differentiating`."""
        return [self._read_as((document.text, document.pair)) for document in documents]

    def _read_as(self, text: Text) -> Tokens:
        """Each text by itself: the tokenizer would put an empty second sentence beside one that stands among pairs."""
        tokens = self.tokens([text])[0]
        return tokens if tokens.spans else Tokens(self.encode([text])[0], ("",), (NOWHERE,), (True,))

    def explained(self, texts: Sequence[Encoded], questions: Sequence[Question], labels: Sequence[int]) -> torch.Tensor:
        """The probability of one label of each text; see `DifferentiableModel`."""
        logits = self.logits(texts)
        exact = logits.cpu() if logits.device.type == "mps" else logits  # which has no float64
        chosen = torch.tensor(labels).to(exact.device, non_blocking=True)
        return self.probabilities(exact, questions[0]).gather(-1, chosen[:, None])[:, 0]

    def rehearsal(self, texts: Sequences) -> tuple[Sequences, list[Question], list[int]]:
        """The most probable label of each text of the proof."""
        return texts, [self.question] * len(texts), self.truth.answers.argmax(-1).tolist()

    def kinds_of(self, questions: Sequence[Question]) -> None:  # noqa: ARG002
        """All are of one kind."""
        return

    @property
    def pooling(self) -> Pooling:
        """Found out: heads pool the first state, the last one, or all."""
        return self.answer_attention.pooling

    def continuation(self, question: Question) -> str | None:  # noqa: ARG002
        """None: a classification head does not speak."""
        return None

    def _pooled_first(self, sequences: Sequences) -> torch.Tensor:
        """Logits of heads that read the first state, the only one that the last layer computes."""
        rows = Rows(np.ones(len(sequences), dtype=np.int64), np.zeros(len(sequences), dtype=np.int64))
        return self.packed(sequences, rows, lambda _, packing: self.model(**packing.arguments).logits.float())

    def _pooled_last(self, sequences: Sequences) -> torch.Tensor:
        """Logits of heads on causal models, which read the last state that is not padding's."""
        pad = self.model.config.get_text_config().pad_token_id
        rows = [(_last(np.array(text.ids) != pad),) for text in sequences]
        return self.read(sequences, rows, lambda states, _: self.model.score(states).float())


def _last(flags: np.ndarray) -> int:
    """The last place that is flagged; the first where none is."""
    return int((np.arange(len(flags)) * flags).argmax())
