"""How often are groups set apart where nothing differs? `python -m tests.simulations.families [--draws 400]`.

Groups of documents drawn at random from one population are compared with the whole by the functions that the report
asks. A family is false where any of its groups stands apart; at most one in twenty may be. It prints a table; with 400
draws (six minutes of one core) that is `families.md`, beside this file.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from auditor.findings.analyses.scores import averages
from auditor.findings.contract.numbers import number
from auditor.findings.contract.types import Number
from auditor.findings.slicing.comparisons import compare
from auditor.findings.statistics.intervals import Estimate, bootstrap_mean, bootstrap_ratio, quantile, wilson
from tests.simulations.command import print_table

PAGE = Path(__file__).with_suffix(".md")
COLUMNS = {2: (1, 2), 10: (2, 5), 50: (10, 5)}
"""Comparisons → columns and the groups of each."""
SIZES = (30,)
"""Documents of a group: the least that are compared, where an approximation is worst."""
DRAWS = 400


@dataclass(frozen=True)
class Kind:
    """A number, and documents whose groups do not differ by it."""

    what: str
    draw: Callable[[np.random.Generator, int], np.ndarray]
    """(n, …), one row for each document."""
    measure: Callable[[np.ndarray], Estimate]


def _mean(rows: np.ndarray) -> Estimate:
    return bootstrap_mean(rows, seed=0, name="x")


def _perplexity(rows: np.ndarray) -> Estimate:
    return bootstrap_ratio(rows[:, 0], rows[:, 1], seed=0, name="x")


def _texts(rng: np.random.Generator, n: int) -> np.ndarray:
    tokens = np.ceil(rng.lognormal(4, 1, n))
    return np.column_stack([tokens * rng.gamma(9, 1 / 3, n), tokens])


def _answers(rng: np.random.Generator, n: int) -> np.ndarray:
    true = rng.choice(3, size=n, p=[1 / 2, 1 / 3, 1 / 6])
    return np.column_stack([true, np.where(rng.random(n) < 0.8, true, (true + rng.integers(1, 3, n)) % 3)])


def _macro_f1(rows: np.ndarray) -> Estimate:
    return averages(np.eye(3, dtype=bool)[rows[:, 0]], np.eye(3, dtype=bool)[rows[:, 1]], 0)[0]


KINDS = (
    Kind("accuracy, 80% right", lambda rng, n: rng.random(n) < 0.8, lambda rows: wilson(int(rows.sum()), len(rows))),
    Kind("accuracy, 97% right", lambda rng, n: rng.random(n) < 0.97, lambda rows: wilson(int(rows.sum()), len(rows))),
    Kind("mean, normal", lambda rng, n: rng.normal(size=n), _mean),
    Kind("mean, exponential", lambda rng, n: rng.exponential(size=n), _mean),
    Kind("mean, lognormal, σ = 1", lambda rng, n: rng.lognormal(size=n), _mean),
    Kind("mean, 90% are 1, others uniform", lambda rng, n: np.where(rng.random(n) < 0.9, 1, rng.random(n)), _mean),
    Kind("median, lognormal, σ = 1", lambda rng, n: rng.lognormal(size=n), quantile),
    Kind("corpus perplexity, lognormal lengths, σ = 1", _texts, _perplexity),
    Kind("macro F1, 3 labels as 3:2:1, 80% right", _answers, _macro_f1),
)


def is_false(kind: Kind, rng: np.random.Generator, m: int, size: int) -> bool:
    """Whether any of m groups of `size` documents stands apart."""
    columns, groups = COLUMNS[m]
    rows = kind.draw(rng, groups * size)
    whole = _number("x", kind.measure(rows))
    parts = [
        _number(f"x{{{column}={group}}}", kind.measure(rows[members]))
        for column in range(columns)
        for group, members in enumerate(np.split(rng.permutation(len(rows)), groups))
    ]
    return any(made.stands_apart for made in compare((part, whole) for part in parts).values())


def _number(name: str, found: Estimate) -> Number:
    return number(name, "", found, "nats", "")


def table(draws: int) -> Iterator[str]:
    cells = [(m, size) for m in COLUMNS for size in SIZES]
    yield f"| number | {' | '.join(f'{m} groups of {size}' for m, size in cells)} |"
    yield "|---|" + "--:|" * len(cells)
    for kind in KINDS:
        false = [_share(kind, m, size, draws) for m, size in cells]
        yield f"| {kind.what} | {' | '.join(f'{share:.1%}' for share in false)} |"


def _share(kind: Kind, m: int, size: int, draws: int) -> float:
    rng = np.random.default_rng([m, size])
    return float(np.mean([is_false(kind, rng, m, size) for _ in range(draws)]))


if __name__ == "__main__":
    print_table("tests.simulations.families", __doc__, table, DRAWS)
