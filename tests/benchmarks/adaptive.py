"""LIME with `n_samples = "auto"`: what it costs to be as close to the truth as `lime` is with 5,000 samples.

For every text, `lime`'s median error over 20 draws of 5,000 masks is measured first (`tests.benchmarks.references`).
Then the tolerance is tightened, and where the samples run out their number raised, until the median error of "auto"
over several seeds is no larger, and loosened again as far as it stays so; there both are timed. A text on which that
takes more samples than the package had is timed at as many, and the row counts as missed. Trained weights and real
reviews: on random weights no error means anything.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from itertools import count
from statistics import median
from typing import Any

from auditor.probes.contract import Sitting
from auditor.probes.lime.probe import LimeProbe
from auditor.records.explanations import Explanation
from auditor.records.types import Document
from tests.benchmarks import materials
from tests.benchmarks.lime import Package, coefficients, name_of
from tests.benchmarks.measuring import Spread, in_turns
from tests.benchmarks.references import Reference, reference
from tests.benchmarks.results import Row, Setting

N_SAMPLES = 5000
TARGETS = {10: 8.0, 12: 8.0, 20: 4.0, 40: 3.0}
SEEDS = range(5)
LOOSE, TIGHTER, HALVINGS = 2.0, 0.75, 2
"""First tolerance, as a multiple of the error to reach; the step down; how often the last step is halved."""
BUDGETS = (2000, N_SAMPLES)


@dataclass(frozen=True)
class Auto:
    """Ours at one tolerance: as accurate as the package with 5,000 samples, or as near as it comes."""

    tolerance: float
    max_samples: int
    error: float
    """Median over the seeds."""
    lime_error: float
    n_evaluations: float
    exact: bool = False
    """Whether all masks were enumerated, so that the tolerance changes nothing."""

    @property
    def as_accurate(self) -> bool:
        return self.error <= self.lime_error


def rows(setting: Setting) -> Iterator[Row]:
    """Nothing in a quick run: the references take too long."""
    if setting.quick:
        return
    package = Package(materials.answering(materials.SENTIMENT))
    model = materials.ours(materials.SENTIMENT, "text-classification")
    for n_words in TARGETS:
        documents = materials.of_words(n_words, setting.rounds(2, 1), at_least=n_words - 2 if n_words == 40 else None)
        yield _row(setting, package, model, documents, n_words)


def _row(setting: Setting, package: Package, model: Any, documents: list[Document], n_words: int) -> Row:
    lime, ours, autos = [], [], []
    for document in documents:
        auto = _as_accurate(model, document, reference(document, materials.SENTIMENT, setting.cache))
        seeds = {"lime": count(), "ours": count()}
        contenders = {
            "lime": lambda d=document, s=seeds: package.explain(d, N_SAMPLES, 10**6, next(s["lime"])),
            "ours": lambda d=document, s=seeds, a=auto: explain(model, d, a.tolerance, a.max_samples, next(s["ours"])),
        }
        found = in_turns(contenders, setting.rounds(2 if n_words < 20 else 1, 1), warm_up=False)
        lime += found["lime"].cpu
        ours += found["ours"].cpu
        autos.append(auto)
    what = f'LIME "auto", {n_words} words, error of lime with {N_SAMPLES:,} samples'
    times, remark = (Spread(tuple(lime)), Spread(tuple(ours))), "; ".join(map(_remark, autos))
    row = Row.peer(what, name_of("lime"), *times, TARGETS[n_words], remark)
    return replace(row, as_good=all(auto.as_accurate for auto in autos))


def explain(model: Any, document: Document, tolerance: float, max_samples: int, seed: int) -> Explanation:
    """Ours."""
    probe = LimeProbe(n_samples="auto", tolerance=tolerance, max_samples=max_samples, segmenter="lime")
    (found,) = probe.measure(model, [document], Sitting(seed))
    assert isinstance(found, Explanation), found
    return found


def _as_accurate(model: Any, document: Document, known: Reference) -> Auto:
    """The loosest tolerance at which ours is as accurate as the package, or the last that was tried."""
    lime_error = median(known.errors_of_lime(N_SAMPLES))

    def at(tolerance: float, budget: int) -> Auto:
        found = _explanations(model, document, tolerance, budget)
        error = median(known.error(coefficients(one)) for one in found)
        return Auto(
            tolerance,
            budget,
            error,
            lime_error,
            median(one.neighbourhood.n_evaluations for one in found),
            not found[0].is_sampled,
        )

    tolerance = LOOSE * lime_error
    for budget in BUDGETS:
        auto = at(tolerance, budget)
        while not (auto.as_accurate or auto.exact) and auto.n_evaluations < 0.99 * budget:
            tolerance *= TIGHTER
            auto = at(tolerance, budget)
        if auto.exact:
            return auto
        if auto.as_accurate:
            return _loosened(auto, at)
    return auto


def _loosened(auto: Auto, at: Callable[[float, int], Auto]) -> Auto:
    """Between this tolerance and the next looser one, which was not enough."""
    too_loose = auto.tolerance / TIGHTER
    for _ in range(HALVINGS):
        between = at((auto.tolerance * too_loose) ** 0.5, auto.max_samples)
        if between.as_accurate:
            auto = between
        else:
            too_loose = between.tolerance
    return auto


def _explanations(model: Any, document: Document, tolerance: float, max_samples: int) -> list[Explanation]:
    """One for every seed; a single one where all masks are enumerated and the seed changes nothing."""
    first, *others = SEEDS
    found = [explain(model, document, tolerance, max_samples, first)]
    if found[0].is_sampled:
        found += [explain(model, document, tolerance, max_samples, seed) for seed in others]
    return found


def _remark(auto: Auto) -> str:
    how = f"{auto.n_evaluations:,.0f} evaluations, tolerance {auto.tolerance:.3f}, at most {auto.max_samples:,}"
    verdict = "" if auto.as_accurate else ", **not as accurate**"
    return f"error {auto.error:.1%}, lime {auto.lime_error:.1%}{verdict} ({how})"
