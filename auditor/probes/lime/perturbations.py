"""Token ids of perturbed documents: assembled where that is exact for the tokenizer, else tokenised one by one."""

from collections.abc import Sequence

import numpy as np

from auditor.corpus.segments import perturb
from auditor.models import Classifies
from auditor.models.inputs import Sequences
from auditor.records.types import Document, Segment

CHECKED = 8
"""Texts of each document that are tokenised all the same, to compare."""


def encoded(model: Classifies, document: Document, segments: Sequence[Segment], keep: np.ndarray) -> Sequences:
    """Token ids of what remains of a document, N texts.

    Args:
        model: Whose tokenizer.
        document: What is perturbed.
        segments: Its S segments.
        keep: (N, S) bool, False where a segment is switched off.
    """
    assembled = model.assemble(document, segments, keep) if len(keep) > CHECKED else None
    if assembled is not None:
        some = np.unique(np.linspace(0, len(keep) - 1, CHECKED).astype(int))
        if _same(assembled.take(some), model.encode(perturb(document, segments, keep[some]))):
            return assembled
    return model.encode(perturb(document, segments, keep))


def _same(a: Sequences, b: Sequences) -> bool:
    def types(own: Sequences) -> np.ndarray:
        return np.zeros(0) if own.type_ids is None else own.type_ids

    return all(np.array_equal(x, y) for x, y in ((a.lengths, b.lengths), (a.ids, b.ids), (types(a), types(b))))
