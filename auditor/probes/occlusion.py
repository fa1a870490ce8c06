"""What does the answer lose without each word? Occlusion, also leave-one-out (Li, Monroe & Jurafsky 2016).

A document x has S segments; x∖i is the document without segment i (deleted, as LIME deletes it: white space and
punctuation stay). With f(x) what the model says for a label,

    w_i = f(x) − f(x∖i)

positive where the segment supports the label. S + 1 evaluations, nothing drawn, no error: the weights are what they
say, one word at a time. What only two words together do (either alone would be enough) they cannot show.

Segments and labels are those of LIME with the same `segmenter`, `bow` and `top_labels`: the two can be compared.

Edge cases: no segment, nothing to switch off: not measurable. A document of which the model cannot read some
perturbation has a weight that nobody knows: not measurable either. Equal segments are one (`bow`), and leave together.

Agrees with captum's `FeatureAblation` of the same segments.
"""

from collections.abc import Iterator, Sequence
from typing import ClassVar

import numpy as np
from pydantic import Field
from pydantic.dataclasses import dataclass

from auditor.corpus.segments import Segmenter
from auditor.models import Answers
from auditor.models.capabilities import B
from auditor.probes.contract import STRICT, AnyProbe, Evaluations, Sitting, beyond_blanks
from auditor.probes.perturbing import Perturbed, evaluate, explained_labels
from auditor.records.explanations import Explanation, Segment, Target
from auditor.records.types import Document, Failure, NotMeasurable, Unmeasured

Row = Explanation | Unmeasured


@dataclass(frozen=True, config=STRICT)
class OcclusionProbe:
    """Explains each prediction by what it loses without each segment of the document.

    Attributes:
        limit: The most documents to explain.
        segmenter: What a segment is, as for LIME.
        bow: Whether equal segments are one.
        top_labels: How many of the most probable labels to explain, besides those of the references.
        max_segments: Documents with more are explained by coarser segments, or not at all.
    """

    name: ClassVar[str] = "occlusion"
    needs: ClassVar[type] = Answers
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
        model: Answers[B],
        documents: Sequence[Document],
        probes: Sequence[AnyProbe],  # noqa: ARG002
    ) -> list[Evaluations]:
        """S + 1 for each; none where it cannot be explained."""
        return [
            Evaluations() if self._unasked(document, cut) else Evaluations(len(cut[1]) + 1)
            for document, cut in zip(documents, self._segmented(model, documents), strict=True)
        ]

    def measure(self, model: Answers[B], documents: Sequence[Document], sitting: Sitting[object]) -> Iterator[Row]:  # noqa: ARG002
        """Yields an explanation for each document; one that has nothing to switch off is not measurable."""
        return beyond_blanks(documents, lambda asked: self._measure(model, asked))

    def _measure(self, model: Answers[B], documents: Sequence[Document]) -> Iterator[Row]:
        segmented = self._segmented(model, documents)
        unasked = [self._unasked(*one) for one in zip(documents, segmented, strict=True)]
        asked = [document for document, fault in zip(documents, unasked, strict=True) if fault is None]
        of_asked = [segments for (_, segments), fault in zip(segmented, unasked, strict=True) if fault is None]
        perturbed = [
            Perturbed(document, segments, question, one_removed(len(segments)))
            for document, segments, question in zip(asked, of_asked, model.ask(asked) if asked else [], strict=True)
        ]
        evaluate(model, perturbed)
        answers = iter(perturbed)
        for fault, (segmenter, _) in zip(unasked, segmented, strict=True):
            yield fault or self._explanation(next(answers), segmenter)

    def _segmented(self, model: Answers[B], documents: Sequence[Document]) -> list[tuple[str, tuple[Segment, ...]]]:
        return [
            model.segment(document, self.segmenter, merge_equal=self.bow, most=self.max_segments)
            for document in documents
        ]

    def _unasked(self, document: Document, segmented: tuple[str, tuple[Segment, ...]]) -> Unmeasured | None:
        segmenter, segments = segmented
        if not segments:
            return NotMeasurable(document.id, "no-segments", f"cut into {segmenter}, it has nothing to switch off")
        if len(segments) > self.max_segments:
            message = f"{len(segments)} {segmenter} are more than max_segments = {self.max_segments}; raise it"
            return Failure(document.id, "too-many-segments", message)
        return None

    def _explanation(self, perturbed: Perturbed, segmenter: str) -> Row:
        if perturbed.fault:
            return perturbed.fault
        whole, without = perturbed.values[0], perturbed.values[1:]
        labels = explained_labels(whole, perturbed.question, perturbed.document, self.top_labels)
        n_segments = len(perturbed.segments)
        return Explanation(
            document_id=perturbed.document.id,
            method=self.name,
            unit=perturbed.question.unit,
            segmenter=segmenter,
            segments=perturbed.segments,
            targets=tuple(
                Target(
                    label=perturbed.question.labels[label],
                    weights=tuple((whole[label] - without[:, label]).tolist()),
                    standard_errors=(0.0,) * n_segments,
                    selected=(True,) * n_segments,
                    model_prediction=float(whole[label]),
                )
                for label in labels
            ),
        )


def one_removed(n_segments: int) -> np.ndarray:
    """(S + 1, S) bool: the undisturbed document, then without each segment in turn."""
    return np.concatenate([np.ones((1, n_segments), dtype=bool), ~np.eye(n_segments, dtype=bool)])
