"""Which share has each word in the answer? SHAP (Lundberg & Lee 2017): Shapley values of the segments.

A document has S segments; v(m) is what the model says for a label when the segments m are kept, the others deleted, as
LIME and occlusion delete them. The weights share out what the answer changes from no segment to all of them,

    Σ_i w_i = v(all) − v(none)          residual = Σ_i w_i − (v(all) − v(none)), kept with every explanation

    exact         where 2^S ≤ max_evaluations, and for S = 1: the closed form of `auditor.probes.shap.values`
    permutation   R = max_evaluations // 2S random orders, each forwards and backwards, by `shap.PermutationExplainer`;
                  the R estimates are independent: w_i is their mean, its standard error their standard deviation / √R,
                  widened as Student's t with R − 1 degrees of freedom asks for. Simulated, 95 % intervals of words
                  that act together hold the exact value in 94 % of the cases at R = 20 and 50, 92 % at 10, 89 % at 4
    partition     Owen values of a balanced tree over the segments in their order, by `shap.PartitionExplainer`: nothing
                  is drawn, but a word shares with its neighbours; where the evaluations end, a group shares evenly

`algorithm = "auto"` is the first of exact and permutation that fits; a name takes that one for every document of two
segments and more. Orders follow from (seed, document) alone, so that all masks of all documents are known beforehand
and asked in one stream, each distinct one once; a partition that cannot be completed asks as it goes.

Segments and labels are those of LIME with the same `segmenter`, `bow` and `top_labels`.

Edge cases: no segment: not measurable. More segments than two orders can be tried of: coarser segments, or a failure.
An answer that is no number, or a perturbation that the model cannot read: no explanation, with the reason.
"""

from collections.abc import Iterator, Mapping, Sequence
from typing import ClassVar, Literal

import numpy as np
from pydantic import Field
from pydantic.dataclasses import dataclass
from scipy.special import stdtrit

from auditor.corpus.segments import Segmenter
from auditor.models import Answers
from auditor.models.capabilities import B
from auditor.probes.contract import STRICT, AnyProbe, Evaluations, Sitting, beyond_blanks
from auditor.probes.game import Game, expected_masks
from auditor.probes.perturbing import (
    Most,
    Perturbed,
    cut,
    distinct,
    evaluate,
    every_mask,
    explained_labels,
    questioned,
    seed_for,
)
from auditor.probes.shap.package import by_partition, by_permutations
from auditor.probes.shap.values import shapley_values
from auditor.records.explanations import Explanation, Shapley, Target
from auditor.records.types import Document, Unmeasured

Z_95 = 1.96
LEAST_PERMUTATIONS = 2
"""Fewer have no standard error."""
Row = Explanation | Unmeasured
Algorithm = Literal["exact", "permutation", "partition"]
Weights = tuple[np.ndarray, np.ndarray]
"""(S, K) weights and (S, K) standard errors."""


@dataclass(frozen=True, config=STRICT)
class ShapProbe:
    """Explains each prediction by Shapley values of the segments of the document.

    Attributes:
        algorithm: `auto` is exact for documents of few segments and random orders for the others; `permutation` and
            `partition` are taken for all.
        max_evaluations: The most perturbations of a document.
        limit: The most documents to explain.
        segmenter: What a segment is, as for LIME.
        bow: Whether equal segments are one.
        top_labels: How many of the most probable labels to explain, besides those of the references.
    """

    name: ClassVar[str] = "shap"
    needs: ClassVar[type] = Answers
    record: ClassVar[type] = Explanation
    requires: ClassVar[Mapping[str, str]] = {"shap": "auditor[shap]"}

    algorithm: Literal["auto", "permutation", "partition"] = "auto"
    max_evaluations: int = Field(default=2000, ge=20, le=100_000)
    limit: int | None = Field(default=None, ge=1)
    segmenter: Segmenter = "auto"
    bow: bool = True
    top_labels: int = Field(default=1, ge=1)

    @property
    def model(self) -> None:
        """The audited model itself."""
        return

    @property
    def most(self) -> Most:
        """As many segments as two orders can be tried of."""
        n_segments = self.max_evaluations // (2 * LEAST_PERMUTATIONS)
        return Most(n_segments, f"max_evaluations = {self.max_evaluations} is enough for")

    def evaluations(
        self,
        model: Answers[B],
        documents: Sequence[Document],
        probes: Sequence[AnyProbe],  # noqa: ARG002
    ) -> list[Evaluations]:
        """All 2^S subsets of each, or as many as may be asked about, beside the document with all segments and none."""
        cuts = [cut(model, document, self.segmenter, self.most, bow=self.bow) for document in documents]
        return [
            Evaluations() if one.fault else Evaluations(min(2 ** min(len(one.segments), 40), self.max_evaluations + 2))
            for one in cuts
        ]

    def measure(self, model: Answers[B], documents: Sequence[Document], sitting: Sitting[object]) -> Iterator[Row]:
        """Yields an explanation for each document; one that has nothing to switch off is not measurable."""
        return beyond_blanks(documents, lambda asked: self._measure(model, asked, sitting.seed))

    def _measure(self, model: Answers[B], documents: Sequence[Document], seed: int) -> Iterator[Row]:
        cuts = [cut(model, document, self.segmenter, self.most, bow=self.bow) for document in documents]
        perturbed = questioned(model, cuts, lambda document, n: self._masks(n, seed_for(seed, document, self.name)))
        evaluate(model, perturbed)
        answers = iter(perturbed)
        for one in cuts:
            yield one.fault or self._explained(model, next(answers), one.segmenter, seed)

    def algorithm_for(self, n_segments: int) -> Algorithm:
        """How a document of S segments is explained."""
        if n_segments == 1:
            return "exact"
        if self.algorithm != "auto":
            return self.algorithm
        return "exact" if 2 ** min(n_segments, 40) <= self.max_evaluations else "permutation"

    def n_permutations(self, n_segments: int) -> int:
        """R, of a document of S segments."""
        return self.max_evaluations // (2 * n_segments)

    def _masks(self, n_segments: int, seed: int) -> np.ndarray:
        """(N, S) distinct: what can be known beforehand of the masks to be asked about."""
        algorithm, ends = self.algorithm_for(n_segments), np.ones((2, n_segments), dtype=bool)
        if algorithm == "exact":
            return every_mask(n_segments)
        ends[1] = False
        return distinct(np.concatenate([ends, self._expected_masks(algorithm, n_segments, seed)]))[0]

    def _expected_masks(self, algorithm: Algorithm, n_segments: int, seed: int) -> np.ndarray:
        if algorithm == "permutation":
            n_permutations = self.n_permutations(n_segments)
            return expected_masks(n_segments, lambda answer: by_permutations(answer, n_segments, n_permutations, seed))
        masks = expected_masks(n_segments, lambda answer: by_partition(answer, n_segments, self.max_evaluations, seed))
        is_complete = len(masks) < self.max_evaluations
        return masks if is_complete else masks[:0]

    def _explained(self, model: Answers[B], perturbed: Perturbed, segmenter: str, seed: int) -> Row:
        if perturbed.fault:
            return perturbed.fault
        game = Game(model, perturbed)
        weights, errors = self._weights(game, seed_for(seed, perturbed.document, self.name))
        return game.fault or self._explanation(game, segmenter, weights, errors)

    def _weights(self, game: Game[B], seed: int) -> Weights:
        n_segments = len(game.perturbed.segments)
        algorithm = self.algorithm_for(n_segments)
        if algorithm == "permutation":
            return mean_estimate(by_permutations(game.answer, n_segments, self.n_permutations(n_segments), seed))
        if algorithm == "partition":
            weights = by_partition(game.answer, n_segments, self.max_evaluations, seed)
        else:
            weights = shapley_values(game.perturbed.values)
        return weights, np.zeros_like(weights)

    def _explanation(self, game: Game[B], segmenter: str, weights: np.ndarray, errors: np.ndarray) -> Explanation:
        asked, n_segments = game.perturbed, len(game.perturbed.segments)
        algorithm, empty = self.algorithm_for(n_segments), game.answer(np.zeros((1, n_segments), dtype=bool))[0]
        labels = list(explained_labels(asked.values[0], asked.question, asked.document, self.top_labels))
        residuals = weights.sum(axis=0) - (asked.values[0] - empty)
        return Explanation(
            document_id=asked.document.id,
            method=self.name,
            unit=asked.question.unit,
            segmenter=segmenter,
            segments=asked.segments,
            targets=tuple(
                Target(
                    label=asked.question.labels[label],
                    weights=tuple(weights[:, label].tolist()),
                    standard_errors=tuple(errors[:, label].tolist()),
                    selected=(True,) * n_segments,
                    model_prediction=float(asked.values[0, label]),
                )
                for label in labels
            ),
            shapley=Shapley(
                algorithm=algorithm,
                n_permutations=self.n_permutations(n_segments) if algorithm == "permutation" else 0,
                n_evaluations=len(asked.masks),
                empty_predictions=tuple(empty[labels].tolist()),
                residuals=tuple(residuals[labels].tolist()),
            ),
        )


def mean_estimate(estimates: np.ndarray) -> Weights:
    """Of R independent estimates (R, S, K), with its standard error; Student's t is allowed for."""
    n = len(estimates)
    errors = estimates.std(axis=0, ddof=1) / np.sqrt(n)
    return estimates.mean(axis=0), errors * float(stdtrit(n - 1, 0.975)) / Z_95
