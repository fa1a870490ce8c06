"""Do the explanations name what the model acts on? Segments leave in their order, and the model is asked again.

ERASER (DeYoung et al. 2020). A document x has S segments, an explanation ranks them by weight, the largest first; x∖k
is the document without the first k, x_k nothing but these. With f the model's answer for the explained label,

    comprehensiveness  f(x) − f(x∖k)   large where the first k carry the answer
    sufficiency        f(x) − f(x_k)   small where they are enough for it
    sizes              k = ⌈share · S⌉ for the shares 1, 5, 10, 20 and 50 %; equal sizes are one, so that the averages
                       over sizes (AOPC) count none twice
    random             f(x) − f(x∖R) for random sets R of a fifth of the segments (as many as k at 20 %), drawn without
                       repetition; all of them where there are no more than `n_random`
    sensitivity        correlation over these sets of Σ_{i ∈ R} w_i and f(x) − f(x∖R): sensitivity-n (Ancona et al.
                       2018), what the weights say of sets that nobody chose
    infidelity         mean over these sets of (β Σ_{i ∈ R} w_i − f(x) + f(x∖R))², β the scale that makes it least (Yeh
                       et al. 2019), so that weights in other units can be compared
    random ranking     one permutation of the segments, with comprehensiveness and sufficiency at the same sizes

Segments are deleted, not masked, as everywhere here; ties in a ranking keep the order of the text. Weights are taken
with their sign: what speaks against the label comes last.

All masks of all explanations of a document that share segments are put together, each distinct one is asked once, and
all documents in one stream. Explanations of other segments of the same document are tried apart.

Edge cases: fewer than three segments leave nothing to choose between, and are not measurable; nor is a document that
has no explanation, or of which the model cannot read some perturbation.

Oracle: the closed form of a logistic bag of words (the tests).
"""

import math
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass as plain
from itertools import combinations
from typing import ClassVar

import numpy as np
from pydantic import Field
from pydantic.dataclasses import dataclass

from auditor.findings.statistics.likeness import pearson
from auditor.models import Answers, Question
from auditor.models.capabilities import B
from auditor.probes.attainable import is_exhaustive, most_asked
from auditor.probes.bounding import Bounds, bound
from auditor.probes.contract import STRICT, AnyProbe, Evaluations, Sitting, beyond_blanks, gathered
from auditor.probes.explained import explanations_of
from auditor.probes.perturbing import Perturbed, distinct, evaluate, seed_for
from auditor.records.explanations import Attainable, Explanation, Faithfulness, Removal, Segment
from auditor.records.types import Document, NotMeasurable, Unmeasured

SHARES = (0.01, 0.05, 0.1, 0.2, 0.5)
FIFTH = 0.2
LEAST_SEGMENTS = 3

Row = Faithfulness | Unmeasured
Named = Mapping[str, Explanation]
"""Probe → its explanation of a document."""


@dataclass(frozen=True, config=STRICT)
class FaithfulnessProbe:
    """Takes away what explanations name, and asks the model again; reads those of every explainer that runs.

    Attributes:
        limit: The most documents to try.
        n_random: Random sets of segments that each document is tried without, for comparison.
        bounded_share: Share of the documents of which the attainable bounds are sought.
        beam: How many sets of segments of one size are extended in search of them.
    """

    name: ClassVar[str] = "faithfulness"
    needs: ClassVar[type] = Answers
    record: ClassVar[type] = Faithfulness
    gathers: ClassVar[type] = Explanation

    limit: int | None = Field(default=None, ge=1)
    n_random: int = Field(default=40, ge=20, le=10_000)
    bounded_share: float = Field(default=0.2, ge=0, le=1)
    beam: int = Field(default=1, ge=1, le=100)

    @property
    def model(self) -> None:
        """The audited model itself."""
        return

    def evaluations(
        self, model: Answers[B], documents: Sequence[Document], probes: Sequence[AnyProbe]
    ) -> list[Evaluations]:
        """All masks of all explanations of each; explainers with one way of segmenting share those of no ranking."""
        ways = Counter((getattr(p, "segmenter", "auto"), getattr(p, "bow", True)) for p in gathered(self, probes))
        return [
            Evaluations(
                sum(
                    self._most(len(model.segment(document, how, merge_equal=merges)[1]), n, self.is_bounded(document))
                    for (how, merges), n in ways.items()
                )
            )
            for document in documents
        ]

    def _most(self, n_segments: int, n_explanations: int, is_bounded: bool) -> int:
        """Masks of one document: itself, two per size of each ranking and a random one, the sets, the bounds'."""
        if n_segments < LEAST_SEGMENTS:
            return 0
        if is_bounded and is_exhaustive(n_segments):
            return int(2**n_segments)
        sizes = sizes_of(n_segments)
        of_rankings, of_bounds = 2 * len(sizes) * (1 + n_explanations), 2 * most_asked(n_segments, sizes, self.beam)
        random = min(self.n_random, math.comb(n_segments, fifth_of(n_segments)))
        return int(min(2**n_segments, 1 + of_rankings + random + of_bounds * is_bounded))

    def is_bounded(self, document: Document) -> bool:
        """Whether the attainable bounds of a document are sought."""
        return seed_for(0, document, "attainable") < self.bounded_share * 2**32

    def measure(self, model: Answers[B], documents: Sequence[Document], sitting: Sitting[object]) -> Iterator[Row]:
        """Yields for each document what its explanations come to; not measurable without any, or too few segments."""
        return beyond_blanks(documents, lambda asked: self._measure(model, asked, sitting))

    def _measure(self, model: Answers[B], documents: Sequence[Document], sitting: Sitting[object]) -> Iterator[Row]:
        explained = {document.id: explanations_of(document, sitting) for document in documents}
        tried = [document for document in documents if _judged(explained[document.id])]
        questions = model.ask(tried) if tried else []
        trials = {
            document.id: [
                self._trial(document, segments, named, question, sitting.seed)
                for segments, named in _by_segments(_judged(explained[document.id]))
            ]
            for document, question in zip(tried, questions, strict=True)
        }
        everything = [trial for of_one in trials.values() for trial in of_one]
        evaluate(model, [trial.perturbed for trial in everything])
        self._bound(model, everything)
        for document in documents:
            yield _row(document, explained[document.id], trials.get(document.id, []))

    def _bound(self, model: Answers[B], trials: Sequence["_Trial"]) -> None:
        """Seeks the bounds of the documents that are chosen for it."""
        chosen = [t for t in trials if self.is_bounded(t.perturbed.document) and not t.perturbed.fault]
        sought = [Bounds(model, trial.perturbed, trial.labels[0], trial.sizes, self.beam) for trial in chosen]
        bound(sought)
        for trial, bounds in zip(chosen, sought, strict=True):
            same = [i for i, label in enumerate(trial.labels) if label == trial.labels[0]]
            rankings = trial.curves(trial.labels[0])[[0, *(i + 1 for i in same)]]
            trial.attainable, trial.n_sought = bounds.attainable(rankings), bounds.n_asked

    def _trial(
        self, document: Document, segments: tuple[Segment, ...], named: Named, question: Question, seed: int
    ) -> "_Trial":
        n = len(segments)
        random = np.random.RandomState(seed_for(seed, document, self.name))
        sizes, size = sizes_of(n), fifth_of(n)
        rankings = [random.permutation(n), *map(ranking, named.values())]
        curves = np.concatenate([curve(order, sizes) for order in rankings])
        sets = removals(n, size, self.n_random, random)
        masks, positions = distinct(np.concatenate([np.ones((1, n), dtype=bool), curves, sets]))
        return _Trial(named, sizes, size, len(sets), positions, Perturbed(document, segments, question, masks))


@plain(eq=False)
class _Trial:
    """The masks of the explanations of one document that share segments, and where the answers to each are."""

    named: Named
    sizes: tuple[int, ...]
    size: int
    n_sets: int
    positions: np.ndarray
    """Which distinct mask each is: the document, two per size of each ranking (the first is random), random sets."""
    perturbed: Perturbed
    attainable: Attainable | None = None
    """For the label of the first explanation."""
    n_sought: int = 0
    """Masks that were evaluated for that beside all others."""

    @property
    def labels(self) -> tuple[int, ...]:
        """Which label each explanation is about."""
        names = self.perturbed.question.labels
        return tuple(names.index(explanation.targets[0].label) for explanation in self.named.values())

    def curves(self, label: int) -> np.ndarray:
        """(R, 2, sizes) what a label loses by each ranking: the random one, then those of the explanations."""
        lost = self._lost(label)
        return lost[: len(lost) - self.n_sets].reshape(-1, 2, len(self.sizes))

    def removals(self) -> Iterator[Removal]:
        """One for each explanation."""
        for i, (probe, explanation, label) in enumerate(zip(self.named, self.named.values(), self.labels, strict=True)):
            curves, random = self.curves(label), self._lost(label)[-self.n_sets :]
            weighed = self._weights_of_sets(explanation)
            yield Removal(
                probe=probe,
                label=explanation.targets[0].label,
                n_segments=len(self.perturbed.segments),
                sizes=self.sizes,
                comprehensiveness=tuple(curves[i + 1, 0].tolist()),
                sufficiency=tuple(curves[i + 1, 1].tolist()),
                random_comprehensiveness=tuple(curves[0, 0].tolist()),
                random_sufficiency=tuple(curves[0, 1].tolist()),
                size=self.size,
                random=tuple(random.tolist()),
                exhaustive=self.n_sets == math.comb(len(self.perturbed.segments), self.size),
                sensitivity=pearson(weighed, random),
                infidelity=infidelity(weighed, random),
                attainable=self.attainable if label == self.labels[0] else None,
            )

    def _lost(self, label: int) -> np.ndarray:
        values = self.perturbed.values[self.positions, label]
        return np.asarray(values[0] - values[1:])

    def _weights_of_sets(self, explanation: Explanation) -> np.ndarray:
        sets = self.perturbed.masks[self.positions[-self.n_sets :]]
        return np.asarray(~sets @ np.asarray(explanation.targets[0].weights))


def infidelity(weighed: np.ndarray, lost: np.ndarray) -> float | None:
    """Mean squared error of the losses by the best multiple of the weights; None where all weights are zero."""
    size = float(weighed @ weighed)
    if not size:
        return None
    return float(np.mean((weighed * (weighed @ lost) / size - lost) ** 2))


def _judged(explanations: Named) -> dict[str, Explanation]:
    return {probe: one for probe, one in explanations.items() if len(one.segments) >= LEAST_SEGMENTS}


def _by_segments(explanations: Named) -> list[tuple[tuple[Segment, ...], Named]]:
    groups: dict[tuple[Segment, ...], dict[str, Explanation]] = {}
    for probe, explanation in explanations.items():
        groups.setdefault(explanation.segments, {})[probe] = explanation
    return list(groups.items())


def _row(document: Document, explanations: Named, trials: Sequence[_Trial]) -> Row:
    if not explanations:
        return NotMeasurable(document.id, "no-explanation", "no explainer explained the document")
    if not trials:
        message = f"fewer than {LEAST_SEGMENTS} segments: there is nothing to choose between"
        return NotMeasurable(document.id, "few-segments", message)
    if fault := next((trial.perturbed.fault for trial in trials if trial.perturbed.fault), None):
        return fault
    return Faithfulness(
        document_id=document.id,
        unit=trials[0].perturbed.question.unit,
        n_evaluations=sum(len(trial.perturbed.masks) + trial.n_sought for trial in trials),
        removals=tuple(removal for trial in trials for removal in trial.removals()),
    )


def ranking(explanation: Explanation) -> np.ndarray:
    """(S,) the segments by the weight of the first target, the largest first; ties in the order of the text."""
    return np.argsort(-np.asarray(explanation.targets[0].weights), kind="stable")


def sizes_of(n_segments: int) -> tuple[int, ...]:
    """The distinct numbers of segments that are taken away at once, ascending."""
    return tuple(sorted({_at_least_one(share, n_segments) for share in SHARES}))


def fifth_of(n_segments: int) -> int:
    """A fifth of the segments, rounded up: one of the sizes."""
    return _at_least_one(FIFTH, n_segments)


def _at_least_one(share: float, n_segments: int) -> int:
    return max(1, math.ceil(round(share * n_segments, 9)))


def curve(order: np.ndarray, sizes: Sequence[int]) -> np.ndarray:
    """(2·sizes, S) bool: the masks without the first k segments of a ranking, then those of nothing but these."""
    rank = np.argsort(order)
    without = rank >= np.asarray(sizes)[:, None]
    return np.concatenate([without, ~without])


def removals(n_segments: int, size: int, n_sets: int, random: np.random.RandomState) -> np.ndarray:
    """(N, S) bool: masks without `size` segments each, all distinct; every one where there are at most `n_sets`."""
    if math.comb(n_segments, size) <= n_sets:
        sets = np.array(list(combinations(range(n_segments), size)))
    else:
        sets = np.empty((0, size), dtype=int)
        while len(sets) < n_sets:
            drawn = np.sort(random.random_sample((n_sets, n_segments)).argsort(axis=1)[:, :size], axis=1)
            both = np.concatenate([sets, drawn])
            sets = both[np.sort(np.unique(both, axis=0, return_index=True)[1])][:n_sets]
    masks = np.ones((len(sets), n_segments), dtype=bool)
    np.put_along_axis(masks, sets, values=False, axis=1)
    return masks
