"""Explanations by gradients: what they ask of a model; see `auditor.probes.attribution` for what becomes of it."""

from collections.abc import Sequence
from typing import Any, ClassVar

import numpy as np
from pydantic.dataclasses import dataclass

from auditor.models import Differentiates
from auditor.models.inputs import Gradients, Points
from auditor.probes.attribution import Asked, Attribution, AttributionProbe
from auditor.probes.contract import STRICT, Evaluations
from auditor.probes.perturbing import most_labels
from auditor.records.types import Document


@dataclass(frozen=True, config=STRICT)
class GradientProbe(AttributionProbe[Differentiates[Any]]):
    """Explains each prediction by gradients; see `AttributionProbe` for the parameters."""

    needs: ClassVar[type] = Differentiates

    @property
    def most_points(self) -> int:
        """At how many points the gradient of one label is taken, at most."""
        return 1

    def evaluations_of_parts(self, model: Differentiates[Any], document: Document) -> Evaluations:
        """Gradients of every label that may be explained."""
        return Evaluations(0, most_labels(model, document, self.top_labels) * self.most_points)


def gradients(model: Differentiates[Any], asked: Sequence[Asked], points: Points, baseline: str = "auto") -> Gradients:
    """Gradients at some points of these documents."""
    perturbed = [one.perturbed for one in asked]
    return model.gradients([one.document for one in perturbed], [one.question for one in perturbed], points, baseline)


def at_documents(model: Differentiates[Any], asked: Sequence[Asked], values: str) -> list[tuple[Attribution, ...]]:
    """One of the numbers of `Gradients`, of each document and label at the document itself."""
    pairs = [(i, label) for i, one in enumerate(asked) for label in one.labels]
    documents, labels = np.array(pairs, dtype=np.int64).T
    slopes = gradients(model, asked, Points(documents, labels, np.ones(len(pairs))))
    ends = np.cumsum([len(slopes.parts[i]) for i in documents])
    rows = np.split(getattr(slopes, values), ends[:-1])
    given = iter(Attribution(row, slopes.parts[i]) for row, (i, _) in zip(rows, pairs, strict=True))
    return [tuple(next(given) for _ in one.labels) for one in asked]
