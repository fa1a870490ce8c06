"""How often do the intervals of the report hold the true value? `python -m tests.simulations.coverage [--draws 2000]`.

Every cell asks the functions that the report asks, on that many corpora of n documents drawn from a population whose
value is known. It prints a table; with 2,000 draws (six minutes of one core) that is `coverage.md`, beside this file.
"""

import math
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from auditor.findings.analyses.calibration import BINS, EDGES, expected_error
from auditor.findings.analyses.scores import averages
from auditor.findings.statistics import exponentials
from auditor.findings.statistics.intervals import Estimate, bootstrap_mean, bootstrap_ratio, quantile, wilson
from tests.simulations.command import print_table

PAGE = Path(__file__).with_suffix(".md")
SIZES = (10, 30, 100)
DRAWS = 2000
MANY = 1_000_000
"""Documents that stand for the population where its value has no formula."""


@dataclass(frozen=True)
class Cell:
    """One kind of number over one kind of document."""

    what: str
    documents: str
    truth: float
    measure: Callable[[np.random.Generator, int, int], Estimate]
    """Of n documents drawn by the generator, under a seed."""


def cells() -> Iterator[Cell]:
    yield from _means()
    yield from _ratios()
    yield from _shares()
    yield from (_macro_f1(*kind) for kind in _LABELS)
    yield from (_calibration(*kind) for kind in _CLAIMS)


def _means() -> Iterator[Cell]:
    draws = {
        "normal": (0.0, lambda rng, n: rng.normal(size=n)),
        "uniform": (0.5, lambda rng, n: rng.random(n)),
        "bounded, most near 1 (beta 8, 1)": (8 / 9, lambda rng, n: rng.beta(8, 1, n)),
        "bounded, most near 0 (beta ½, 2)": (0.2, lambda rng, n: rng.beta(0.5, 2, n)),
        "exponential": (1.0, lambda rng, n: rng.exponential(size=n)),
        "lognormal, σ = 1": (math.exp(0.5), lambda rng, n: rng.lognormal(size=n)),
    }
    for documents, (truth, draw) in draws.items():
        yield Cell("mean", documents, truth, lambda rng, n, seed, draw=draw: _mean(draw(rng, n), seed))
    nats = lambda rng, n, seed: exponentials.mean(rng.normal(3, 1, n), seed=seed, name="x")  # noqa: E731
    yield Cell("mean perplexity", "lognormal, σ = 1", 3.5, nats)


def _mean(values: np.ndarray, seed: int) -> Estimate:
    return bootstrap_mean(values, seed=seed, name="x")


def _ratios() -> Iterator[Cell]:
    lengths = {
        "5 to 200 tokens, 3 ± 1 nats": lambda rng, n: rng.integers(5, 200, n).astype(float),
        "lognormal lengths, σ = 1; 3 ± 1 nats": lambda rng, n: np.ceil(rng.lognormal(4, 1, n)),
    }
    for documents, draw in lengths.items():
        yield Cell("corpus perplexity", documents, math.exp(3), lambda *at, draw=draw: _perplexity(draw, *at))


def _perplexity(lengths: Callable[..., np.ndarray], rng: np.random.Generator, n: int, seed: int) -> Estimate:
    tokens = lengths(rng, n)
    nats = bootstrap_ratio(tokens * rng.gamma(9, 1 / 3, n), tokens, seed=seed, name="x")
    return nats.through(math.exp)


def _shares() -> Iterator[Cell]:
    for p in (0.8, 0.95):
        yield Cell("accuracy (Wilson)", f"{p:.0%} right", p, lambda rng, n, _, p=p: wilson(rng.binomial(n, p), n))
    mixed = lambda rng, n: np.where(rng.random(n) < 0.9, 1.0, rng.random(n))  # noqa: E731
    yield Cell(
        *("mean of shares", "90% are 1, others uniform", 0.95),
        lambda rng, n, seed: bootstrap_mean(mixed(rng, n), seed=seed, name="x", share=True),
    )
    yield Cell("median", "lognormal, σ = 1", 1.0, lambda rng, n, _: quantile(rng.lognormal(size=n)))


_LABELS = (
    ("2 even labels, 80% right", (1, 1), 0.8),
    ("3 labels as 3:2:1, 80% right", (3, 2, 1), 0.8),
    ("5 labels as 5:4:3:2:1, 75% right", (5, 4, 3, 2, 1), 0.75),
    ("10 even labels, 80% right", (1,) * 10, 0.8),
)


def _macro_f1(documents: str, shares: tuple[int, ...], right: float) -> Cell:
    each = np.array(shares) / sum(shares)
    k = len(each)
    missed = (1 - right) / (k - 1)  # given to every other label alike
    given = right * each + missed * (1 - each)
    truth = float(np.mean(2 * right * each / (given + each)))

    def measure(rng: np.random.Generator, n: int, seed: int) -> Estimate:
        true = rng.choice(k, size=n, p=each)
        answer = np.where(rng.random(n) < right, true, (true + rng.integers(1, k, n)) % k)
        return averages(np.eye(k, dtype=bool)[true], np.eye(k, dtype=bool)[answer], seed)[0]

    return Cell("macro F1", documents, truth, measure)


_CLAIMS = tuple(
    (f"{kind}, {off:.2f} too sure" if off else f"{kind}, calibrated", draw, off)
    for kind, draw in {
        "claims 0.5 to 1": lambda rng, n: rng.uniform(0.5, 1, n),
        "claims near 1": lambda rng, n: 0.5 + 0.5 * rng.beta(5, 1, n),
    }.items()
    for off in (0.0, 0.05, 0.2)
)


def _calibration(documents: str, claims: Callable[..., np.ndarray], off: float) -> Cell:
    def draw(rng: np.random.Generator, n: int) -> tuple[np.ndarray, np.ndarray]:
        p = claims(rng, n)
        return p[:, None], (rng.random(n) < p - off)[:, None]

    p, _ = draw(np.random.default_rng(0), MANY)
    bins = np.searchsorted(EDGES, p[:, 0])
    truth = sum(abs(float(np.sum(p[bins == b, 0] - (p[bins == b, 0] - off)))) for b in range(BINS)) / MANY

    def measure(rng: np.random.Generator, n: int, seed: int) -> Estimate:
        return expected_error(*draw(rng, n), seed)

    return Cell("calibration error", documents, truth, measure)


def cover(cell: Cell, n: int, draws: int) -> tuple[float, float]:
    """The share of intervals that hold the truth, and the share of corpora that have one."""
    rng = np.random.default_rng([n, len(cell.documents), draws])
    found = [cell.measure(rng, n, seed) for seed in range(draws)]
    ends = [(e.low, e.high) for e in found if e.low is not None and e.high is not None]
    held = sum(low <= cell.truth + 1e-9 and cell.truth <= high + 1e-9 for low, high in ends)
    return held / len(ends) if ends else math.nan, len(ends) / draws


def table(draws: int) -> Iterator[str]:
    yield f"| number | documents | {' | '.join(f'n = {n}' for n in SIZES)} |"
    yield "|---|---|" + "--:|" * len(SIZES)
    for cell in cells():
        shown = [_shown(*cover(cell, n, draws)) for n in SIZES]
        yield f"| {cell.what} | {cell.documents} | {' | '.join(shown)} |"


def _shown(held: float, given: float) -> str:
    if not given:
        return "none given"
    return f"{held:.1%}" + (f" (of the {given:.0%} given)" if given < 0.995 else "")


if __name__ == "__main__":
    print_table("tests.simulations.coverage", __doc__, table, DRAWS)
