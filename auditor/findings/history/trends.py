"""How the numbers of an audit went over its nights, with control limits; nights that are missing; the first bad one.

A night is bad for a number where its check failed, or where the number lies beyond its control limits
(`auditor.findings.statistics.control`) on the bad side: below where the check asks for at least, above where it asks
for at most; without a check on either side. The first bad night is the first of the unbroken series that lasts until
now; None where the last night is good.

A gap is a pause between two nights of more than one and a half times the usual one, the median of all and a day at
least, for runs that somebody starts within a day are no nights: one night that is missing makes it about twice as long.
Of fewer than four nights nobody knows what is usual.
"""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from itertools import pairwise
from statistics import median

from auditor.findings.comparing.numbers import FLOORS
from auditor.findings.contract.types import Result, Unit
from auditor.findings.history.nights import Night
from auditor.findings.statistics import control

LEAST_FOR_GAPS = 4
DAY = 86_400.0
"""Seconds."""
LATE = 1.5
"""Times the usual pause, beyond which nights are missing."""


@dataclass(frozen=True, slots=True)
class Point:
    """A number on one night."""

    run_id: str
    created: str
    value: float | None
    low: float | None
    high: float | None
    """95 % interval."""
    limits: control.Limits | None
    """Control limits, from the nights before; None where these are too few."""
    result: Result | None
    """Of the check; None without one."""
    is_bad: bool


@dataclass(frozen=True, slots=True)
class Trend:
    """A number over all nights."""

    name: str
    title: str
    unit: Unit
    direction: str | None
    """Of the check, as the last night that had one states it."""
    bound: float | None
    points: tuple[Point, ...]
    """One for each night, oldest first."""

    @property
    def first_bad(self) -> Point | None:
        """The first night of the unbroken series of bad ones that lasts until now."""
        first = None
        for point in reversed(self.points):
            if not point.is_bad:
                break
            first = point
        return first


@dataclass(frozen=True, slots=True)
class Gap:
    """A pause that was too long."""

    after: str
    before: str
    """ISO 8601: the nights on both sides."""
    n_missing: int


@dataclass(frozen=True, slots=True)
class History:
    """All nights of an audit."""

    nights: tuple[Night, ...]
    """Oldest first."""
    trends: tuple[Trend, ...]
    """Numbers with a check first, as the last night lists them."""
    gaps: tuple[Gap, ...]

    @property
    def checked(self) -> tuple[Trend, ...]:
        """Those with a check."""
        return tuple(trend for trend in self.trends if trend.direction)


def history(nights: Sequence[Night]) -> History:
    """Trends and gaps of the nights of one audit, oldest first."""
    checked = dict.fromkeys(name for night in reversed(nights) for name in night.checks)
    names = [*checked, *(name for name in _names(nights) if name not in checked)]
    return History(tuple(nights), tuple(_trend(name, nights) for name in names), tuple(_gaps(nights)))


def _names(nights: Sequence[Night]) -> Iterable[str]:
    return dict.fromkeys(name for night in reversed(nights) for name in night.numbers)


def _trend(name: str, nights: Sequence[Night]) -> Trend:
    known = next((night.numbers[name] for night in reversed(nights) if name in night.numbers), None)
    judged = next((night.checks[name] for night in reversed(nights) if name in night.checks), None)
    unit: Unit = known.unit if known else "count"
    values = [night.numbers[name].value if name in night.numbers else None for night in nights]
    limits = control.limits(values, FLOORS[unit])
    direction = judged.direction if judged else None
    points = tuple(_point(name, night, of_night, direction) for night, of_night in zip(nights, limits, strict=True))
    return Trend(name, known.title if known else name, unit, direction, judged.bound if judged else None, points)


def _point(name: str, night: Night, limits: control.Limits | None, direction: str | None) -> Point:
    number, check = night.numbers.get(name), night.checks.get(name)
    value = number.value if number else None
    side = limits.side(value) if limits and value is not None else 0
    bad_sides = {"at_least": (-1,), "at_most": (1,)}.get(direction or "", (-1, 1))
    return Point(
        run_id=night.run_id,
        created=night.created,
        value=value,
        low=number.low if number else None,
        high=number.high if number else None,
        limits=limits,
        result=check.result if check else None,
        is_bad=side in bad_sides or (check is not None and check.result == "fail"),
    )


def _gaps(nights: Sequence[Night]) -> Iterator[Gap]:
    if len(nights) < LEAST_FOR_GAPS:
        return
    moments = [datetime.fromisoformat(night.created) for night in nights]
    pauses = [(later - earlier).total_seconds() for earlier, later in pairwise(moments)]
    usual = max(median(pauses), DAY)
    for i, pause in enumerate(pauses):
        if pause > LATE * usual:
            yield Gap(nights[i].created, nights[i + 1].created, max(round(pause / usual) - 1, 1))
