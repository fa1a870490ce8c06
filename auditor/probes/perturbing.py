"""What explainers of perturbed documents share: the labels that are explained, and one stream of evaluations."""

import hashlib
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import TypeVar

import numpy as np

from auditor.models import Answers, Question
from auditor.models.capabilities import B
from auditor.models.inputs import UnreadableError
from auditor.probes.contract import not_finite
from auditor.probes.overlap import overlapped
from auditor.probes.readable import Answered, answered
from auditor.records.explanations import Segment
from auditor.records.types import Document, Failure, NotMeasurable, Unmeasured

T = TypeVar("T")
STRETCH = 2048
"""Perturbations, at least, that are made at once and pooled into batches."""


@dataclass(frozen=True, slots=True)
class Most:
    """How many segments of a document an explainer can take."""

    n_segments: int
    reason: str
    """The parameter that it follows from, and its value."""


@dataclass(frozen=True, slots=True)
class Cut:
    """A document divided into segments, or why it cannot be explained by them."""

    document: Document
    segmenter: str
    segments: tuple[Segment, ...]
    most: Most

    @property
    def fault(self) -> Unmeasured | None:
        """Why nothing is asked about it."""
        if not self.segments:
            message = f"cut into {self.segmenter}, it has nothing to switch off"
            return NotMeasurable(self.document.id, "no-segments", message)
        if len(self.segments) > self.most.n_segments:
            message = f"{len(self.segments)} {self.segmenter} are more than {self.most.reason}; raise it"
            return Failure(self.document.id, "too-many-segments", message)
        return None


@dataclass(eq=False, slots=True)
class Perturbed:
    """One document with masks to try, and what the model says to them once `evaluate` has asked it."""

    document: Document
    segments: tuple[Segment, ...]
    question: Question
    masks: np.ndarray
    """(N, S) bool, False where a segment is switched off; all distinct, row 0 is the undisturbed document."""
    values: np.ndarray = field(default_factory=lambda: np.empty((0, 0)))
    """(N, K) float64, in the unit of the question; NaN where the model cannot read the perturbation."""
    faults: dict[int, str] = field(default_factory=dict)
    """Mask → what the model says, for those that it cannot read."""

    @property
    def fault(self) -> Unmeasured | None:
        """Why not every mask has a number."""
        if 0 in self.faults:
            return Failure(self.document.id, UnreadableError.kind, self.faults[0])
        if not np.isfinite(np.delete(self.values, list(self.faults), axis=0)).all():
            return not_finite(self.document)
        if self.faults:
            message = f"the model cannot read {len(self.faults)} of {len(self.masks)} perturbed documents"
            reason = next(iter(self.faults.values()))
            return NotMeasurable(self.document.id, "unreadable-perturbations", f"{message}: {reason}")
        return None


def cut(model: Answers[B], document: Document, segmenter: str, most: Most, *, bow: bool) -> Cut:
    """Divides a document, more coarsely where `segmenter` leaves that open and there would be too many segments."""
    name, segments = model.segment(document, segmenter, merge_equal=bow, most=most.n_segments)
    return Cut(document, name, segments, most)


def questioned(model: Answers[B], cuts: Sequence[Cut], masks: Callable[[Document, int], np.ndarray]) -> list[Perturbed]:
    """What is to be asked about the documents that have no fault.

    Args:
        model: Which words the questions.
        cuts: All documents.
        masks: Those (N, S) to try of a document with S segments.
    """
    asked = [one for one in cuts if one.fault is None]
    questions = model.ask([one.document for one in asked]) if asked else []
    return [
        Perturbed(one.document, one.segments, question, masks(one.document, len(one.segments)))
        for one, question in zip(asked, questions, strict=True)
    ]


def evaluate(model: Answers[B], perturbed: Sequence[Perturbed]) -> None:
    """Asks the model about all masks of all documents in one stream of batches, and fills in `values` and `faults`."""

    def perturb(stretch: Sequence[Perturbed]) -> B:
        parts = [model.perturbed(one.document, one.segments, one.masks) for one in stretch]
        return type(parts[0]).join(parts)

    def answer(stretch: Sequence[Perturbed], inputs: B) -> Answered:
        return answered(model, inputs, [one.question for one in stretch for _ in one.masks])

    def keep(stretch: Sequence[Perturbed], answers: Answered) -> None:
        done = 0
        for one in stretch:
            n = len(one.masks)
            one.values = model.probabilities(answers.outputs[done : done + n], one.question).numpy()
            one.faults = {i - done: text for i, text in answers.faults.items() if done <= i < done + n}
            done += n

    overlapped(list(stretches(perturbed, lambda one: len(one.masks))), perturb, answer, keep)


def stretches(items: Iterable[T], size: Callable[[T], int]) -> Iterator[list[T]]:
    """Items in runs of at least `STRETCH` perturbations, the last perhaps shorter.

    Args:
        items: Documents, or what is asked about them.
        size: How many perturbations are asked about one.
    """
    stretch, n = list[T](), 0
    for one in items:
        stretch.append(one)
        n += size(one)
        if n >= STRETCH:
            yield stretch
            stretch, n = [], 0
    if stretch:
        yield stretch


def every_mask(n_segments: int) -> np.ndarray:
    """(2^S, S) bool: row r keeps segment i where bit i of 2^S − 1 − r is set; row 0 is the undisturbed document."""
    codes = np.arange(2**n_segments)[::-1, None]
    return (codes >> np.arange(n_segments)[None] & 1).astype(bool)


def distinct(masks: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """The distinct rows in order of appearance, and for each row which of them it is."""
    packed = np.packbits(masks, axis=1)
    _, first, inverse = np.unique(packed, axis=0, return_index=True, return_inverse=True)
    rank = np.argsort(np.argsort(first))
    return masks[np.sort(first)], rank[inverse.reshape(-1)]


def explained_labels(values: np.ndarray, question: Question, document: Document, top: int) -> tuple[int, ...]:
    """Which labels are explained: the most probable, then those of the document's references that are not among them.

    Args:
        values: (K,) what the model says for the undisturbed document.
        question: With the names of the K labels.
        document: With its reference labels.
        top: How many of the most probable.
    """
    chosen: list[int] = np.argsort(-values, kind="stable")[:top].tolist()
    references = document.labels
    return tuple(chosen + [i for i, name in enumerate(question.labels) if name in references and i not in chosen])


def most_labels(model: Answers[B], document: Document, top: int) -> int:
    """How many labels `explained_labels` chooses at most."""
    labels = model.identity.labels
    return min(len(labels) or 1, top + len(set(document.labels) & set(labels)))


def seed_for(seed: int, document: Document, probe: str) -> int:
    """32 bits that depend on nothing but the run's seed, the document's content and the probe."""
    parts = (str(seed), document.id, document.text, document.pair or "", probe)
    digest = hashlib.sha256("\0".join(parts).encode("utf-8", "surrogatepass")).digest()
    return int.from_bytes(digest[:4], "little")
