"""Attention and the answers of a text model, as `auditor.models.capabilities.ShowsAttention` wants it."""

from abc import abstractmethod
from collections.abc import Sequence
from functools import cached_property

from auditor.models.attention.answers import AnswerAttention
from auditor.models.attention.reading import AttentionReader
from auditor.models.inputs import HeadEffects, PartAttention, Pooling, Question, Sequences, Tokens
from auditor.models.text.differentiating import NOWHERE, Differentiating
from auditor.records.types import Document, Span


class Attending(Differentiating):
    """Attention towards the answers of a text model."""

    _reader: AttentionReader

    @property
    @abstractmethod
    def pooling(self) -> Pooling:
        """Where answers are read."""

    @property
    def most_heads(self) -> int | None:
        """See `capabilities.ShowsAttention`."""
        config = self.model.config.get_text_config()
        n_layers, n_heads = (getattr(config, name, None) for name in ("num_hidden_layers", "num_attention_heads"))
        return n_layers * n_heads if isinstance(n_layers, int) and isinstance(n_heads, int) else None

    def attention_of_answers(self, documents: Sequence[Document], *, rolls_out: bool) -> list[PartAttention]:
        """See `capabilities.ShowsAttention`."""
        read = self.read_as(documents)
        flows = self.answer_attention.flow(_encoded(read), self.pooling, rolls_out=rolls_out)
        return [PartAttention(_parts(one), values) for one, values in zip(read, flows, strict=True)]

    def head_effects(
        self, documents: Sequence[Document], questions: Sequence[Question], labels: Sequence[int]
    ) -> list[HeadEffects]:
        """See `capabilities.ShowsAttention`."""
        read = self.read_as(documents)
        texts = _encoded(read)
        received = self.answer_attention.received(texts)
        heads = received[0].shape[:2]
        answers = self.answer_attention.without_heads(texts, questions, labels, heads)
        return [
            HeadEffects(_parts(one), float(row[0]), row[1:].reshape(heads), of_heads)
            for one, row, of_heads in zip(read, answers, received, strict=True)
        ]

    @cached_property
    def answer_attention(self) -> AnswerAttention:
        """Reads it."""
        return AnswerAttention(self, self._reader)


def _encoded(read: Sequence[Tokens]) -> Sequences:
    return Sequences.of([one.encoded for one in read])


def _parts(tokens: Tokens) -> tuple[Span, ...]:
    return tuple(NOWHERE if special else span for span, special in zip(tokens.spans, tokens.special, strict=True))
