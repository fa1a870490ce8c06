"""What explainers of a model's parts share: from the parts as which it reads a document to the segments of explainers.

Methods by gradients or attention ask about no perturbed document. Such a method gives φ_t to each of the T parts (the
tokens of a text). A segment i gets

    w_i = Σ φ_t over the parts that belong to it

A part belongs to the segment with which it shares most characters, to the first of these where it shares as many with
another, and to none where it shares none. Equal segments are one (`bow`) and get the parts of all their places. What no
segment gets (special tokens, punctuation) is the remainder, so that w_1 + … + w_S + remainder = Σ_t φ_t always holds.
What the model does not read (the end of a text that is too long) has no part: its segments have weight 0, which is how
much the answer depends on them.

Segments and labels are those of LIME and of occlusion with the same `segmenter`, `bow` and `top_labels`. These methods
cost the same whatever the number of segments, so that no document has too many: `max_segments` is where the segmenter
`auto` turns to coarser ones, as theirs does, so that long documents too are explained by the same segments and compare.

Edge cases: no segment: not measurable. A model without gradients, or one that does not show its attention: not
measurable, with the model's reason, never zeros. A value or an answer that is no number: a failure.
"""

from abc import ABC, abstractmethod
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass as plain
from typing import Any, ClassVar, Generic, TypeVar

import numpy as np
from pydantic import Field
from pydantic.dataclasses import dataclass

from auditor.corpus.segments import Segmenter
from auditor.models import Answers
from auditor.models.inputs import NoGradientError, UnreadableError, UnseenAttentionError
from auditor.probes.contract import STRICT, AnyProbe, Evaluations, Sitting, beyond_blanks, not_finite
from auditor.probes.perturbing import Perturbed, evaluate, explained_labels
from auditor.records.explanations import Explanation, Integral, Segment, Target
from auditor.records.types import Document, Failure, NotMeasurable, Span, Unmeasured

STRETCH = 64
"""Documents whose parts are asked about together."""
Row = Explanation | Unmeasured
M = TypeVar("M", bound=Answers[Any])
"""What the method needs of a model."""


@plain(frozen=True, slots=True, eq=False)
class Asked:
    """A document, what the model says about it, and which labels are explained."""

    perturbed: Perturbed
    segmenter: str
    labels: tuple[int, ...]

    @property
    def document(self) -> Document:
        """What is explained."""
        return self.perturbed.document


@plain(frozen=True, slots=True, eq=False)
class Attribution:
    """What a method gives to the parts of one document for one label."""

    values: np.ndarray
    """(T,) φ."""
    parts: tuple[Span, ...]
    """Where the T parts stand."""
    integral: Integral | None = None

    @property
    def is_finite(self) -> bool:
        """Whether all of it are numbers."""
        facts = [self.integral.baseline_prediction, self.integral.completeness_error] if self.integral else []
        return bool(np.isfinite(self.values).all() and np.isfinite(facts).all())


@dataclass(frozen=True, config=STRICT)
class AttributionProbe(ABC, Generic[M]):
    """Explains each prediction by what a method gives to the parts of a document.

    Attributes:
        limit: The most documents to explain.
        segmenter: What a segment is, as for LIME.
        bow: Whether equal segments are one.
        top_labels: How many of the most probable labels to explain, besides those of the references.
        max_segments: Documents with more are explained by coarser segments, where `segmenter` leaves that open.
    """

    name: ClassVar[str]
    needs: ClassVar[type]
    record: ClassVar[type] = Explanation

    limit: int | None = Field(default=None, ge=1)
    segmenter: Segmenter = "auto"
    bow: bool = True
    top_labels: int = Field(default=1, ge=1)
    max_segments: int = Field(default=1000, ge=1, le=100_000)

    @property
    def model(self) -> None:
        """The audited model itself."""
        return

    def evaluations(
        self,
        model: M,
        documents: Sequence[Document],
        probes: Sequence[AnyProbe],  # noqa: ARG002
    ) -> list[Evaluations]:
        """The answer to each, and what the method asks besides; none without segments."""
        cut = [self._segments(model, document)[1] for document in documents]
        of_parts = [self.evaluations_of_parts(model, document) for document in documents]
        return [
            Evaluations(1 + one.forward, one.backward) if segments else Evaluations()
            for one, segments in zip(of_parts, cut, strict=True)
        ]

    def evaluations_of_parts(self, model: M, document: Document) -> Evaluations:  # noqa: ARG002
        """How often the method asks about the parts of one document, at most."""
        return Evaluations(1)

    @abstractmethod
    def attribute(self, model: M, asked: Sequence[Asked]) -> list[tuple[Attribution, ...]]:
        """What each document's parts get, for each of its labels.

        Raises:
            NoGradientError: The method needs gradients, and the model has none.
            UnseenAttentionError: The method needs attention, and the model does not show it.
            UnreadableError: The model fails on one of the documents.
        """

    def measure(
        self,
        model: M,
        documents: Sequence[Document],
        sitting: Sitting[object],  # noqa: ARG002
    ) -> Iterator[Row]:
        """Yields an explanation for each document; one without segments is not measurable."""
        return beyond_blanks(documents, lambda asked: self._measure(model, asked))

    def _measure(self, model: M, documents: Sequence[Document]) -> Iterator[Row]:
        for start in range(0, len(documents), STRETCH):
            yield from self._explained(model, documents[start : start + STRETCH])

    def _explained(self, model: M, documents: Sequence[Document]) -> Iterator[Row]:
        asked = self._asked(model, documents)
        attributed = iter(self._attributed(model, [one for one in asked if isinstance(one, Asked)]))
        for one in asked:
            yield self._explanation(one, next(attributed)) if isinstance(one, Asked) else one

    def _asked(self, model: M, documents: Sequence[Document]) -> list[Asked | Unmeasured]:
        """The answers to the documents themselves; what cannot be measured in the place of those without."""
        cut = [self._segments(model, document) for document in documents]
        perturbed = [
            Perturbed(document, segments, question, np.ones((1, len(segments)), dtype=bool))
            for document, (_, segments), question in zip(documents, cut, model.ask(documents), strict=True)
        ]
        evaluate(model, [one for one in perturbed if one.segments])
        return [self._asked_one(one, segmenter) for one, (segmenter, _) in zip(perturbed, cut, strict=True)]

    def _segments(self, model: M, document: Document) -> tuple[str, tuple[Segment, ...]]:
        return model.segment(document, self.segmenter, merge_equal=self.bow, most=self.max_segments)

    def _asked_one(self, perturbed: Perturbed, segmenter: str) -> Asked | Unmeasured:
        document = perturbed.document
        if not perturbed.segments:
            return NotMeasurable(document.id, "no-segments", f"cut into {segmenter}, it has nothing to explain")
        labels = () if perturbed.fault else perturbed.values[0]
        return perturbed.fault or Asked(
            perturbed, segmenter, explained_labels(np.asarray(labels), perturbed.question, document, self.top_labels)
        )

    def _attributed(self, model: M, asked: Sequence[Asked]) -> list[tuple[Attribution, ...] | Unmeasured]:
        """`attribute`; where the model fails, documents are halved until those are found on which it does."""
        if not asked:
            return []
        try:
            return list(self.attribute(model, asked))
        except (NoGradientError, UnseenAttentionError) as reason:
            if len(asked) == 1 or reason.of_model:
                return [NotMeasurable(one.document.id, reason.kind, str(reason)) for one in asked]
        except UnreadableError as fault:
            if len(asked) == 1:
                return [Failure(asked[0].document.id, fault.kind, str(fault))]
        middle = len(asked) // 2
        return [*self._attributed(model, asked[:middle]), *self._attributed(model, asked[middle:])]

    def _explanation(self, asked: Asked, attributed: tuple[Attribution, ...] | Unmeasured) -> Row:
        if isinstance(attributed, Unmeasured):
            return attributed
        if not all(one.is_finite for one in attributed):
            return not_finite(asked.document)
        perturbed = asked.perturbed
        return Explanation(
            document_id=asked.document.id,
            method=self.name,
            unit=perturbed.question.unit,
            segmenter=asked.segmenter,
            segments=perturbed.segments,
            targets=tuple(_target(perturbed, label, one) for label, one in zip(asked.labels, attributed, strict=True)),
        )


def owners(parts: Sequence[Span], segments: Sequence[Segment]) -> np.ndarray:
    """(T,) int64: which segment each part belongs to, −1 for none."""
    stops: dict[str, int] = {}
    for span in (*parts, *(span for one in segments for span in one.spans)):
        stops[span.field] = max(stops.get(span.field, 0), span.stop)
    of_characters = {field: np.full(stop, -1) for field, stop in stops.items()}
    for i, one in enumerate(segments):
        for span in one.spans:
            of_characters[span.field][span.start : span.stop] = i
    return np.array([_owner(of_characters[part.field][part.start : part.stop]) for part in parts], dtype=np.int64)


def _owner(segments: np.ndarray) -> int:
    """The segment of most characters, the first of several; −1 where none has any."""
    shared = Counter(segments[segments >= 0].tolist())
    return max(shared, key=lambda segment: shared[segment], default=-1)


def _target(perturbed: Perturbed, label: int, attribution: Attribution) -> Target:
    n_segments = len(perturbed.segments)
    owner = owners(attribution.parts, perturbed.segments)
    remainder, *weights = np.bincount(owner + 1, weights=attribution.values, minlength=n_segments + 1).tolist()
    return Target(
        label=perturbed.question.labels[label],
        weights=tuple(weights),
        standard_errors=(0.0,) * n_segments,
        selected=(True,) * n_segments,
        model_prediction=float(perturbed.values[0][label]),
        remainder=remainder,
        integral=attribution.integral,
    )
