"""Texts of which segments are switched off: assembled where that is exact for the tokenizer, else tokenised each."""

from abc import ABC, abstractmethod
from collections.abc import Sequence

import numpy as np

from auditor.corpus.segments import perturb, segment
from auditor.models.inputs import Sequences, Text, Tokens
from auditor.records.explanations import Segment
from auditor.records.types import Document

CHECKED = 8
"""Texts of each document that are tokenised all the same, to compare."""


class Perturbing(ABC):
    """Segments and perturbed texts, as `auditor.models.capabilities.Answers` wants them, of whatever reads texts."""

    @abstractmethod
    def tokens(self, texts: Sequence[Text]) -> list[Tokens]:
        """Tokens with their places in the text, cut to what the model can see."""

    @abstractmethod
    def encode(self, texts: Sequence[Text]) -> Sequences:
        """Token ids of each text; see `auditor.models.capabilities.Classifies`."""

    @abstractmethod
    def assemble(self, document: Document, segments: Sequence[Segment], keep: np.ndarray) -> Sequences | None:
        """Token ids of the texts that remain of a document when segments are switched off, without tokenising each.

        Args:
            document: What is perturbed.
            segments: Its S segments.
            keep: (N, S) bool, False where a segment is switched off.

        Returns:
            The N texts as `encode` would give them, empty ones included; None where that is not certain for this
            tokenizer and document.
        """

    def segment(
        self, document: Document, how: str, *, merge_equal: bool = True, most: int | None = None
    ) -> tuple[str, tuple[Segment, ...]]:
        """Divides a text by one of `auditor.corpus.segments.SEGMENTERS`; `auto` falls back on sentences.

        Raises:
            ConfigError: There is no such segmenter.
        """
        spans = None
        if how == "tokens":
            tokens = self.tokens([(document.text, document.pair)])[0]
            spans = [span for span, special in zip(tokens.spans, tokens.special, strict=True) if not special]
        name, segments = segment(document, how, bow=merge_equal, tokens=spans)
        if how == "auto" and most is not None and len(segments) > most:
            return segment(document, "sentences", bow=merge_equal)
        return name, segments

    def perturbed(self, document: Document, segments: Sequence[Segment], keep: np.ndarray) -> Sequences:
        """Token ids of the N texts that remain; those that are assembled agree with the tokenizer on a sample."""
        assembled = self.assemble(document, segments, keep) if len(keep) > CHECKED else None
        if assembled is not None:
            some = np.unique(np.linspace(0, len(keep) - 1, CHECKED).astype(int))
            if _same(assembled.take(some), self.encode(perturb(document, segments, keep[some]))):
                return assembled
        return self.encode(perturb(document, segments, keep))


def _same(a: Sequences, b: Sequences) -> bool:
    def types(sequences: Sequences) -> np.ndarray:
        return np.zeros(0) if sequences.type_ids is None else sequences.type_ids

    return all(np.array_equal(x, y) for x, y in ((a.lengths, b.lengths), (a.ids, b.ids), (types(a), types(b))))
