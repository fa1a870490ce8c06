"""How often is a night said to have changed where nothing did, and how often is a true drop found?

`python -m tests.simulations.nights [--draws 1000]`. Every night has twelve numbers of the same documents, most of which
depend on each other, and is compared with the night before by the functions that `auditor diff` asks. A night is false
where any number is said to have changed, whichever way; at most 1.5 % may be. Dropped is the mean of one of the twelve,
by a fifth of the standard deviation of its differences.

The second table is about explanations: weights of documents of S words, measured twice with independent errors whose
standard errors are themselves estimated from 100 draws, and of what share of documents it is said that a weight
changed; then the share of those found in which one weight truly changed, by 0.2, which is 8 of its standard errors.

With 1,000 draws (a quarter of an hour of one core) the tables are those of `nights.md`, beside this file.
"""

from collections.abc import Iterator
from pathlib import Path

import numpy as np

from auditor.findings.comparing.asked import Asked
from auditor.findings.comparing.drift import drift_of
from auditor.findings.comparing.numbers import differences
from auditor.findings.contract.contributions import quotient
from auditor.findings.contract.quantity import Quantity
from auditor.findings.statistics.paired import Pair
from auditor.records.explanations import Explanation, Segment, Target
from auditor.records.types import Span
from tests.simulations.command import print_table

PAGE = Path(__file__).with_suffix(".md")
SIZES = (50, 200, 1000)
DRAWS = 1000
DROP = 0.2
MEASURES = 12
WORDS = (5, 20, 60)
DOCUMENTS = 20
"""Documents of the second table for each draw of the first."""
_LABELS = 3


def night(rng: np.random.Generator, n: int, drop: float = 0.0) -> list[Pair]:
    """Twelve numbers of n documents on two nights that are alike but for noise."""
    common = rng.normal(size=(2, n))

    def noise() -> np.ndarray:  # (2, n), both nights
        return np.sqrt(0.5) * common + np.sqrt(0.5) * rng.normal(size=(2, n))

    means = [rng.normal(size=n) + noise() for _ in range(3)]
    skewed = [np.exp(rng.normal(size=n) + 0.3 * noise()) for _ in range(2)]
    right = [rng.normal(1, 1, size=n) + 0.3 * noise() > 0 for _ in range(3)]
    sizes = np.ceil(rng.lognormal(4, 1, n))
    sums = [sizes * np.exp(rng.normal(1, 0.3, n) + 0.05 * noise()) for _ in range(2)]
    means[0][1] -= drop * (means[0][1] - means[0][0]).std()
    pairs = [_ratio(values, np.ones(n)) for values in (*means, *skewed, *right)]
    return [*pairs, *(_ratio(values, sizes) for values in sums), *_of_labels(rng, n, noise())]


def _ratio(values: np.ndarray, sizes: np.ndarray) -> Pair:
    return Pair(*(np.column_stack([side, sizes]).astype(float) for side in values), quotient)


def _of_labels(rng: np.random.Generator, n: int, noise: np.ndarray) -> Iterator[Pair]:
    """A macro F1, and the recall of one of its labels."""
    truth = np.eye(_LABELS)[rng.choice(_LABELS, size=n, p=[1 / 2, 1 / 3, 1 / 6])]
    wrong = rng.integers(1, _LABELS, n)
    right = rng.normal(1, 1, size=n) + 0.3 * noise > 0
    given = [np.eye(_LABELS)[np.where(side, truth.argmax(1), (truth.argmax(1) + wrong) % _LABELS)] for side in right]
    yield Pair(*(np.column_stack([truth * one, truth + one]) for one in given), _macro_f1)
    yield Pair(*(np.column_stack([(truth * one)[:, 0], truth[:, 0]]) for one in given), quotient)


def _macro_f1(sums: np.ndarray) -> np.ndarray:
    return np.nanmean(2 * sums[..., :_LABELS] / np.maximum(sums[..., _LABELS:], 1), axis=-1)


def changes(pairs: list[Pair], seed: int) -> list[str]:
    """What is said of each number."""
    asked = [_asked(f"number {i}", pair) for i, pair in enumerate(pairs)]
    found = {one.name: one.change for one in differences(asked, {}, seed, is_same_model=False)}
    return [found[one.name] for one in asked]


def _asked(name: str, pair: Pair) -> Asked:
    quantity = Quantity(name=name, title=name, unit="share", compared=True, better="high")
    return Asked(name, name, quantity, "simulated", "high", declared=True, n=len(pair.before), pair=pair)


def is_false(rng: np.random.Generator, n: int, seed: int) -> bool:
    """Whether a night like the last is said to have changed."""
    return any(change != "none" for change in changes(night(rng, n), seed))


def is_found(rng: np.random.Generator, n: int, seed: int) -> bool:
    """Whether the number that dropped is said to be worse."""
    return changes(night(rng, n, DROP), seed)[0] == "worse"


def drifted(rng: np.random.Generator, n_words: int, change: float = 0.0) -> bool:
    """Whether the explanation of a document is said to have drifted."""
    weights, errors = rng.normal(0, 0.2, n_words), change / 8 if change else 0.1 * np.exp(rng.normal(0, 0.3))
    moved = weights + change * (np.arange(n_words) == rng.integers(n_words))
    one, other = (_explanation(w + errors * rng.normal(size=n_words), errors, rng) for w in (weights, moved))
    return drift_of(one, other) is not None


def _explanation(weights: np.ndarray, error: float, rng: np.random.Generator) -> Explanation:
    n = len(weights)
    errors = error * np.sqrt(rng.chisquare(99, n) / 99) * _ALLOWED
    target = Target("label", tuple(weights), tuple(errors), (True,) * n, 0.9)
    segments = tuple(Segment(str(i), (Span(i, i + 1),)) for i in range(n))
    return Explanation("d", "simulated", "probability", "words", segments, (target,))


_ALLOWED = 1.984 / 1.96
"""By which records widen a standard error from 100 draws, so that ± 1.96 of it is the 95 % interval."""


def table(draws: int) -> Iterator[str]:
    yield f"| {MEASURES} numbers | {' | '.join(f'{n:,} documents' for n in SIZES)} |"
    yield "|---|" + "--:|" * len(SIZES)
    for what, happens in (("nothing changed: called changed", is_false), ("one dropped by 0.2 sd: found", is_found)):
        shares = [_share(happens, n, draws) for n in SIZES]
        yield f"| {what} | {' | '.join(f'{share:.1%}' for share in shares)} |"
    yield ""
    yield f"| explanations | {' | '.join(f'{n} words' for n in WORDS)} |"
    yield "|---|" + "--:|" * len(WORDS)
    for what, change in (("another seed: called changed", 0.0), ("one weight moved by 0.2: found", 0.2)):
        rng = np.random.default_rng(0)
        shares = [np.mean([drifted(rng, n, change) for _ in range(DOCUMENTS * draws)]) for n in WORDS]
        yield f"| {what} | {' | '.join(f'{share:.2%}' for share in shares)} |"


def _share(happens, n: int, draws: int) -> float:
    rng = np.random.default_rng(n)
    return float(np.mean([happens(rng, n, seed) for seed in range(draws)]))


if __name__ == "__main__":
    print_table("tests.simulations.nights", __doc__, table, DRAWS)
