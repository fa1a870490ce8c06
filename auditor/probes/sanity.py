"""Do explanations change when the model forgets what it learnt? Sanity checks by randomisation (Adebayo et al. 2018).

An explanation of a model has to depend on its weights. They are drawn anew, part by part from the output down
(`auditor.models.computing.randomising`), and at each step every explainer of the audit explains the same documents
again, with its own parameters and seed. With a ∈ Rˢ its weights for the model as it is, b those after k parts,

    correlation                  Pearson's r(a, b)
    rank correlation             Spearman's ρ(a, b)
    rank correlation of sizes    Spearman's ρ(|a|, |b|)
    k = 0                        nothing was drawn: how well the explainer repeats itself, 1 unless it draws at random

both for the label that the model as it is predicts: the document is handed over with this label as its reference, of
which every explanation has a target. An explainer is asked for all of it again, also for what it prepares; of probes
that explain nothing it reads no rows, since they are those of the model as it is. Questions stay those put to the model
as it is: a language model does not write another continuation.

Explainers are those whose rows are gathered, whoever wrote them, but those that ask a reference model. Where weights
cannot be exchanged the documents are not measurable; nor are those with fewer than three segments, where two orders are
often equal by chance, or without explanation.

Source: Adebayo, Gilmer, Muelly, Goodfellow, Hardt & Kim 2018, "Sanity checks for saliency maps", section 3. Rank
correlations agree with `scipy.stats.spearmanr`.
"""

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass as plain
from dataclasses import replace
from typing import Any, ClassVar

import numpy as np
from pydantic import Field
from pydantic.dataclasses import dataclass

from auditor.findings.statistics.likeness import pearson, spearman
from auditor.models import Question, Randomises
from auditor.models.inputs import FixedWeightsError, Gradients, Points
from auditor.probes.contract import (
    STRICT,
    AnyProbe,
    Bounded,
    Evaluations,
    Prepares,
    Sitting,
    beyond_blanks,
    gathered,
    predecessors,
)
from auditor.records.explanations import Explanation, Segment
from auditor.records.sanity import MOST_PARTS, Likeness, Part, Sanity
from auditor.records.types import Document, NotMeasurable, Unmeasured

LEAST_SEGMENTS = 3
FEW = f"fewer than {LEAST_SEGMENTS} segments: two orders of them are equal by chance"

Row = Sanity | Unmeasured
Explained = Mapping[str, Mapping[str, Explanation]]
"""Probe → document id → its explanation."""


@dataclass(frozen=True, config=STRICT)
class SanityProbe:
    """Randomises the model step by step, and lets every explainer that runs explain it again.

    Attributes:
        limit: The most documents to explain again: with fewer than ten there is no interval.
    """

    name: ClassVar[str] = "sanity"
    needs: ClassVar[type] = Randomises
    record: ClassVar[type] = Sanity
    gathers: ClassVar[type] = Explanation

    limit: int | None = Field(default=12, ge=1)

    @property
    def model(self) -> None:
        """The audited model itself."""
        return

    def evaluations(
        self, model: Randomises[Any], documents: Sequence[Document], probes: Sequence[AnyProbe]
    ) -> list[Evaluations] | None:
        """What every explainer asks at most, for the model as it is and after each step; None if one does not say."""
        explainers = [probe for probe in gathered(self, probes) if probe.model is None]
        stated = [one.evaluations(model, documents, probes) for one in explainers if isinstance(one, Bounded)]
        known = [of_one for of_one in stated if of_one is not None]
        if len(known) < len(explainers):
            return None
        return [
            Evaluations(
                (1 + MOST_PARTS) * sum(one[i].forward for one in known),
                (1 + MOST_PARTS) * sum(one[i].backward for one in known),
            )
            for i in range(len(documents))
        ]

    def measure(self, model: Randomises[Any], documents: Sequence[Document], sitting: Sitting[object]) -> Iterator[Row]:
        """Yields for each document how its explanations change; not measurable without any, or too few segments."""
        return beyond_blanks(documents, lambda asked: self._measure(model, asked, sitting))

    def _measure(
        self, model: Randomises[Any], documents: Sequence[Document], sitting: Sitting[object]
    ) -> Iterator[Row]:
        explainers = [probe for probe in sitting.gathered if probe.model is None]
        before = _comparable(explainers, sitting)
        tried = [d for d in documents if any(d.id in of_one for of_one in before.values())]
        fault, parts, likenesses, again = "", list[Part](), list[tuple[str, Likeness]](), _Again(model, tried)
        try:
            for part, explained in _cascade(again, explainers, tried, before, sitting.seed):
                likenesses += _compared(before, explained, step=len(parts) + (part is not None))
                parts += [part] if part else []
        except FixedWeightsError as reason:
            fault = str(reason)
        for document in documents:
            of_document = tuple(likeness for name, likeness in likenesses if name == document.id)
            yield _unmeasured(document, explainers, sitting, fault, is_tried=document in tried) or Sanity(
                document.id, tuple(parts), again.n_evaluations[document.id], of_document
            )


def _comparable(explainers: Sequence[AnyProbe], sitting: Sitting[object]) -> Explained:
    """The explanations of the model as it is whose weights can be compared."""
    return {
        probe.name: {
            name: row
            for name, row in sitting.earlier.get(probe.name, {}).items()
            if isinstance(row, Explanation) and row.targets and len(row.segments) >= LEAST_SEGMENTS
        }
        for probe in explainers
    }


def _unmeasured(
    document: Document, explainers: Sequence[AnyProbe], sitting: Sitting[object], fault: str, *, is_tried: bool
) -> NotMeasurable | None:
    rows = [sitting.earlier.get(probe.name, {}).get(document.id) for probe in explainers]
    if not any(isinstance(row, Explanation) and row.targets for row in rows):
        return NotMeasurable(document.id, "no-explanation", "no explainer explained the document")
    if not is_tried:
        return NotMeasurable(document.id, "few-segments", FEW)
    return NotMeasurable(document.id, FixedWeightsError.kind, fault) if fault else None


def _cascade(
    model: "_Again", explainers: Sequence[AnyProbe], documents: Sequence[Document], before: Explained, seed: int
) -> Iterator[tuple[Part | None, Explained]]:
    """What is explained when nothing is drawn anew (None), then part by part."""
    if not documents:
        return
    with model.randomising(seed) as parts:
        yield None, _explained(model, explainers, documents, before, seed)
        for part in parts:
            yield part, _explained(model, explainers, documents, before, seed)


def _explained(
    model: "_Again", explainers: Sequence[AnyProbe], documents: Sequence[Document], before: Explained, seed: int
) -> Explained:
    """What every explainer says of the documents that it explained before, for the label of before."""
    rows: dict[str, dict[str, Any]] = {}
    for probe in explainers:
        known = before[probe.name]
        asked = [replace(d, labels=(known[d.id].targets[0].label,)) for d in documents if d.id in known]
        prepared = probe.prepare(model, asked, seed) if isinstance(probe, Prepares) and asked else None
        earlier = {name: rows.get(name, {}) for name in predecessors(probe, explainers)}
        sitting = Sitting(seed, earlier, prepared, gathered(probe, explainers))
        rows[probe.name] = {row.document_id: row for row in probe.measure(model, asked, sitting)} if asked else {}
    return {
        probe: {name: row for name, row in of_one.items() if isinstance(row, Explanation)}
        for probe, of_one in rows.items()
    }


def _compared(before: Explained, after: Explained, *, step: int) -> list[tuple[str, Likeness]]:
    """Document id, and how like its explanations are; nothing of one that has other segments, or another label."""
    pairs = []
    for probe, explained in after.items():
        for name, explanation in explained.items():
            pair = _weights(before[probe][name], explanation)
            if pair is not None:
                pairs.append((name, likeness(probe, step, *pair)))
    return pairs


def _weights(before: Explanation, after: Explanation) -> tuple[np.ndarray, np.ndarray] | None:
    first = before.targets[0]
    same = next((target for target in after.targets if target.label == first.label), None)
    if same is None or before.segments != after.segments:
        return None
    return np.asarray(first.weights), np.asarray(same.weights)


def likeness(probe: str, step: int, a: np.ndarray, b: np.ndarray) -> Likeness:
    """How like the weights (S,) of two explanations are."""
    return Likeness(probe, step, pearson(a, b), spearman(a, b), spearman(np.abs(a), np.abs(b)))


@plain(eq=False)
class _Again:
    """A model of which is asked what it was asked before anything was drawn anew; counts what it computes."""

    model: Any
    documents: Sequence[Document]

    def __post_init__(self) -> None:
        asked = self.model.ask(self.documents) if self.documents else []
        self.questions = {document.id: question for document, question in zip(self.documents, asked, strict=True)}
        self.n_evaluations = Counter[str]()

    def __getattr__(self, name: str) -> Any:
        return getattr(self.model, name)

    def ask(self, documents: Sequence[Document]) -> list[Question]:
        """The questions of before."""
        return [self.questions[document.id] for document in documents]

    def perturbed(self, document: Document, segments: Sequence[Segment], keep: np.ndarray) -> Any:
        """See `Answers`."""
        self.n_evaluations[document.id] += len(keep)
        return self.model.perturbed(document, segments, keep)

    def attention_of_answers(self, documents: Sequence[Document], *, rolls_out: bool) -> Any:
        """See `ShowsAttention`."""
        self.n_evaluations.update(document.id for document in documents)
        return self.model.attention_of_answers(documents, rolls_out=rolls_out)

    def gradients(
        self, documents: Sequence[Document], questions: Sequence[Question], points: Points, *baseline: str
    ) -> Gradients:
        """See `Differentiates`."""
        for document, n in Counter(points.documents.tolist()).items():
            self.n_evaluations[documents[document].id] += n
        gradients: Gradients = self.model.gradients(documents, questions, points, *baseline)
        return gradients
