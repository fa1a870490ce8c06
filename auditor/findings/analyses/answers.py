"""A model's answer beside the reference: what accuracy, calibration and the choice of examples are about.

A document's reference is unknown (None), and the document is left out of every score, where the corpus has none; the
labels of a corpus are the model's, or no run starts. In a multi-label corpus with references, a document said to have
no label has the empty set as its reference; one of which nothing is said (`unlabelled`) has none.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from auditor.findings.contract.evidence import Evidence
from auditor.records.types import Document, Prediction

PROBE = "prediction"
"""The probe whose rows are the answers."""


@dataclass(frozen=True, slots=True)
class Answer:
    """One measured document: prediction and reference."""

    document: Document
    prediction: Prediction
    reference: tuple[str, ...] | None
    multi_label: bool

    @property
    def correct(self) -> bool:
        """Whether the predicted labels are exactly the reference; False without a reference."""
        return self.reference is not None and set(self.reference) == set(self.prediction.predicted)

    @property
    def wrong(self) -> bool:
        """Whether there is a reference and it differs."""
        return self.reference is not None and not self.correct

    @property
    def probability(self) -> float | None:
        """Of what was answered; None for free continuations."""
        return answer_probability(self.prediction)

    @property
    def confidence(self) -> float:
        """How sure the model is of its answer: the top probability; for multi-label, of its least sure decision."""
        p = self.prediction.probabilities
        if not p:
            return 0.0
        return min(max(x, 1 - x) for x in p) if self.multi_label else max(p)

    @property
    def error_confidence(self) -> float:
        """How sure the model is of what it got wrong: for multi-label, of its surest wrong decision."""
        if not self.multi_label or self.reference is None:
            return self.confidence
        differ = set(self.reference) ^ set(self.prediction.predicted)
        pairs = zip(self.prediction.labels, self.prediction.probabilities, strict=True)
        return max((max(p, 1 - p) for label, p in pairs if label in differ), default=0.0)


def answer_probability(prediction: Prediction) -> float | None:
    """Probability of the predicted label; of several, the smallest; of none, the largest there is."""
    by_label = dict(zip(prediction.labels, prediction.probabilities, strict=True))
    chosen = [by_label[label] for label in prediction.predicted if label in by_label]
    return min(chosen) if chosen else max(prediction.probabilities, default=None)


def is_labelled(evidence: Evidence) -> bool:
    """Whether any document has a reference label; to be asked of a whole corpus."""
    return any(document.labels for document in evidence.documents)


def pair(evidence: Evidence, multi_label: bool, labelled: bool | None = None) -> tuple[Answer, ...]:
    """The answers to all documents that the prediction probe measured, in the order of the corpus.

    Args:
        evidence: Of a corpus, or of a part of one.
        multi_label: Whether a document may have several labels.
        labelled: Whether any document of the whole corpus has a reference label; None: `evidence` is the whole.
    """
    any_labelled = is_labelled(evidence) if labelled is None else labelled
    predictions = evidence.measured(PROBE, Prediction)
    return tuple(
        Answer(document, prediction, _reference(document, prediction, multi_label, any_labelled), multi_label)
        for document in evidence.documents
        if (prediction := predictions.get(document.id)) is not None
    )


def scored(answers: Sequence[Answer]) -> tuple[Answer, ...]:
    """Those with a reference."""
    return tuple(answer for answer in answers if answer.reference is not None)


def _reference(
    document: Document, prediction: Prediction, multi_label: bool, any_labelled: bool
) -> tuple[str, ...] | None:
    reference = document.labels if multi_label else document.labels[:1]
    given = any_labelled and not document.unlabelled if multi_label else bool(reference)
    return reference if given and prediction.labels else None


def two_labels(answers: Iterable[Answer]) -> tuple[str, ...]:
    """The labels of a model that gives one of two; empty where there are more, none, or several at a time."""
    labels = {() if answer.multi_label else answer.prediction.labels for answer in answers}
    return next(iter(labels)) if len(labels) == 1 and all(len(either) == 2 for either in labels) else ()
