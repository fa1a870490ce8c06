"""What is said of a measurement: a row with a figure, and whether the figure is the one to reach."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal, Self

from tests.benchmarks.measuring import Spread, short


class DisagreementError(AssertionError):
    """Ours and theirs are not the same result: how fast either is means nothing."""


def agree(what: str, difference: float, tolerance: float) -> str:
    """Says how close two results are.

    Raises:
        DisagreementError: They are further apart than that.
    """
    if not difference <= tolerance:
        raise DisagreementError(f"{what} differ by {difference:.2g}, more than {tolerance:g}")
    return f"{what} within {difference:.1g}" if difference else f"{what} identical"


@dataclass(frozen=True)
class Bound:
    """The figure to reach."""

    sign: Literal["≥", "≤"]
    value: float
    unit: str = "×"

    def holds(self, value: float) -> bool:
        return value >= self.value if self.sign == "≥" else value <= self.value

    def __str__(self) -> str:
        return f"{self.sign} {short(self.value)} {self.unit}"


@dataclass(frozen=True)
class Row:
    """One comparison."""

    what: str
    against: str
    theirs: Spread | None
    ours: Spread
    figure: Spread
    bound: Bound | None
    """None where a peer is measured but no figure was promised."""
    remark: str
    """How equal the results are, and what else one should know."""
    as_good: bool = True
    """Whether ours is what was promised beside its cost; without that no cost is low enough."""

    @classmethod
    def peer(cls, what: str, against: str, theirs: Spread, ours: Spread, at_least: float | None, remark: str) -> Self:
        """How many times cheaper than a peer."""
        bound = None if at_least is None else Bound("≥", at_least)
        return cls(what, against, theirs, ours, theirs.over(ours), bound, remark)

    @classmethod
    def limit(cls, what: str, against: str, limit: Spread, ours: Spread, at_most: float, remark: str) -> Self:
        """How many times dearer than the least that the hardware needs."""
        return cls(what, against, limit, ours, ours.over(limit), Bound("≤", at_most), remark)

    @classmethod
    def absolute(cls, what: str, against: str, ours: Spread, at_most: float, remark: str) -> Self:
        """A quantity with a bound of its own."""
        return cls(what, against, None, ours, ours, Bound("≤", at_most, ours.unit), remark)

    @property
    def met(self) -> bool | None:
        """Whether the median reaches the bound; None where there is none."""
        return None if self.bound is None else self.as_good and self.bound.holds(self.figure.median)

    @property
    def verdict(self) -> str:
        return {None: "–", True: "yes", False: "**no**"}[self.met]


HEAD = ("what", "against", "theirs", "ours", "ratio", "target", "met", "remark")


def markdown(rows: Sequence[Row]) -> str:
    """The table; median and (smallest–largest) of the rounds."""
    return _table([HEAD, ["---"] * len(HEAD), *map(_cells, rows)])


def summary(rows: Sequence[Row]) -> str:
    """One line on how many figures are reached, one for each that is not."""
    missed = [row for row in rows if row.met is False]
    judged = [row for row in rows if row.met is not None]
    lines = [f"{len(judged) - len(missed)} of {len(judged)} figures are reached."]
    lines += [f"- Not reached: {row.what}, against {row.against}: {row.figure}, target {row.bound}." for row in missed]
    return "\n".join(lines)


def _cells(row: Row) -> list[str]:
    ratio = "–" if row.theirs is None else str(row.figure)
    theirs = "–" if row.theirs is None else str(row.theirs)
    return [row.what, row.against, theirs, str(row.ours), ratio, str(row.bound or "–"), row.verdict, row.remark]


def _table(lines: Iterable[Sequence[str]]) -> str:
    return "\n".join("| " + " | ".join(line) + " |" for line in lines)


@dataclass(frozen=True)
class Setting:
    """How much to measure, and where things may be put."""

    quick: bool
    folder: Path
    """Models made for this run."""
    cache: Path
    """What is worth keeping between runs: references of 100,000 samples."""

    def rounds(self, full: int, quick: int) -> int:
        return quick if self.quick else full
