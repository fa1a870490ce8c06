"""Whose masks and answers are kept: those of the documents that may be shown on a card of the report.

The cards are chosen when all is measured (`auditor.findings.analyses.explanations.choose_examples`), each document
once:

    2 of the lowest fidelity · 2 of the surest errors · 1 of the surest right answers · 1 of the median number of
    segments · the surest answers, up to six in all

A probe sees a part of the documents at a time. Whatever is among the first k of all is among the first k of its part,
so of each part are kept as many as a rule can reach down to when the documents of the rules before it are taken: the
first 2, 4, 3 and 6. Only the median needs to know all documents; a probe counts their segments before it measures any.
Documents that fail later shift it, all at one end at worst: around it are kept as many as a failing share of 1/20 can
shift it by.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from auditor.records.explanations import Explanation
from auditor.records.types import Document, Prediction, Unmeasured

LOWEST, WRONG, RIGHT, SUREST = 2, 4, 3, 6
BESIDE = 5
"""How far from the median its card can be, and one for the rounding of halves on either side."""
SHIFTED = 40
"""A failing share of 2/SHIFTED shifts the median by 1/SHIFTED of the documents."""

Row = Explanation | Unmeasured


@dataclass(frozen=True, slots=True)
class _Given:
    """A prediction with its reference labels; terms as in `auditor.findings.analyses.answers`."""

    document: Document
    prediction: Prediction
    several: bool

    @property
    def reference(self) -> set[str] | None:
        labels = self.document.labels if self.several else self.document.labels[:1]
        given = not self.document.unlabelled if self.several else bool(labels)
        return set(labels) if given else None

    @property
    def confidence(self) -> float:
        p = self.prediction.probabilities
        return min(max(x, 1 - x) for x in p) if self.several else max(p)

    @property
    def error_confidence(self) -> float:
        if not self.several or self.reference is None:
            return self.confidence
        differ = self.reference ^ set(self.prediction.predicted)
        pairs = zip(self.prediction.labels, self.prediction.probabilities, strict=True)
        return max((max(p, 1 - p) for label, p in pairs if label in differ), default=0.0)


def around_median(lengths: Mapping[str, int]) -> frozenset[str]:
    """Ids of the documents that may have the median number of segments, from id → number in the order of the corpus."""
    by_length = sorted(lengths, key=lengths.__getitem__)
    middle, reach = len(by_length) // 2, BESIDE + len(by_length) // SHIFTED
    return frozenset(by_length[max(0, middle - reach) : middle + reach + 1])


def of_cards(
    documents: Sequence[Document], rows: Sequence[Row], predictions: Mapping[str, object], several: bool
) -> frozenset[str]:
    """The ids of the documents of a part that may be shown on a card, by fidelity or by the model's answer.

    Args:
        documents: The part, in the order of the corpus.
        rows: What was measured of each.
        predictions: Document id → what the model answered; others stand in no score.
        several: Whether a document may have several labels.

    Returns:
        Their ids, at most 15.
    """
    explained = [row for row in rows if isinstance(row, Explanation)]
    ids = {row.document_id for row in explained}
    answers = [
        _Given(document, prediction, several)
        for document in documents
        if document.id in ids
        and isinstance(prediction := predictions.get(document.id), Prediction)
        and prediction.labels
    ]
    wrong = [a for a in answers if a.reference is not None and a.reference != set(a.prediction.predicted)]
    right = [a for a in answers if a.reference is not None and a.reference == set(a.prediction.predicted)]
    chosen = sorted(wrong, key=lambda a: -a.error_confidence)[:WRONG]
    chosen += sorted(right, key=lambda a: -a.confidence)[:RIGHT]
    chosen += sorted(answers, key=lambda a: -a.confidence)[:SUREST]
    fidelity = {row.document_id: top.fidelity for row in explained if (top := row.targets[0].surrogate) is not None}
    lowest = sorted(fidelity, key=fidelity.__getitem__)[:LOWEST]
    return frozenset([*(a.document.id for a in chosen), *lowest])


def without(row: Row) -> Row:
    """The row without masks and answers."""
    if isinstance(row, Unmeasured) or row.neighbourhood is None:
        return row
    bare = replace(row.neighbourhood, masks=None, answers=None, counts=None, units=None)
    return replace(row, neighbourhood=bare)
