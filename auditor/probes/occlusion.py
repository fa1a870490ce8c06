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

import math
from collections.abc import Iterator, Sequence
from typing import ClassVar

import numpy as np
from pydantic import Field
from pydantic.dataclasses import dataclass

from auditor.corpus.segments import Segmenter
from auditor.models import Answers
from auditor.models.capabilities import B
from auditor.probes.contract import STRICT, AnyProbe, Evaluations, Sitting, beyond_blanks
from auditor.probes.perturbing import Cut, Most, Perturbed, cut, evaluate, explained_labels, questioned
from auditor.probes.toys import DOCUMENT, conjunction, linear
from auditor.records.explanations import Explanation, Target
from auditor.records.proof import SelfCheck
from auditor.records.types import Document, Unmeasured

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

    def self_check(self) -> SelfCheck:
        """What it gives of toy models: the weights of a sum; 1 for each part of a conjunction, 0 for all else."""
        n_segments = min(8, self.max_segments)
        weights, added = linear(n_segments)
        cases = ((added, weights), (conjunction(n_segments, 2), np.arange(n_segments) < 2))
        rows = [next(self.measure(toy, [DOCUMENT], Sitting(0))) for toy, _ in cases]
        far = max(
            float(np.abs(np.array(one.targets[0].weights) - truth).max()) if isinstance(one, Explanation) else math.inf
            for one, (_, truth) in zip(rows, cases, strict=True)
        )
        return SelfCheck(self.name, n_segments * len(cases), far, tolerance=1e-12)

    def evaluations(
        self,
        model: Answers[B],
        documents: Sequence[Document],
        probes: Sequence[AnyProbe],  # noqa: ARG002
    ) -> list[Evaluations]:
        """S + 1 for each; none where it cannot be explained."""
        return [
            Evaluations() if one.fault else Evaluations(len(one.segments) + 1) for one in self._cut(model, documents)
        ]

    def measure(self, model: Answers[B], documents: Sequence[Document], sitting: Sitting[object]) -> Iterator[Row]:  # noqa: ARG002
        """Yields an explanation for each document; one that has nothing to switch off is not measurable."""
        return beyond_blanks(documents, lambda asked: self._measure(model, asked))

    def _measure(self, model: Answers[B], documents: Sequence[Document]) -> Iterator[Row]:
        cuts = self._cut(model, documents)
        perturbed = questioned(model, cuts, lambda _, n_segments: one_removed(n_segments))
        evaluate(model, perturbed)
        answers = iter(perturbed)
        for one in cuts:
            yield one.fault or self._explanation(next(answers), one.segmenter)

    def _cut(self, model: Answers[B], documents: Sequence[Document]) -> list[Cut]:
        most = Most(self.max_segments, f"max_segments = {self.max_segments}")
        return [cut(model, document, self.segmenter, most, bow=self.bow) for document in documents]

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
