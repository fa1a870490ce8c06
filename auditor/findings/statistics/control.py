r"""Is a night unlike the nights before? An individuals chart (Shewhart), with limits that follow the process.

Of the values x_1 … x_n of one number, night by night, the limits of night i come from the last `WINDOW` nights before
it that were within their own limits:

    centre  x̄        limits  x̄ ± max(2.66 · MR̄, floor)      MR̄ = mean |x_j − x_{j−1}|

2.66 = 3 / 1.128: three standard deviations, estimated by the mean moving range, which a slow drift or one step does not
inflate as it does the standard deviation.

Edge cases: fewer than `LEAST` nights before it, no limits. Nights that are all equal, as of one model over one corpus,
have MR̄ = 0: the floor keeps rounding from being news. A night without the value is passed over. A night outside is no
basis for the limits after it, unless `RESETS` follow each other on one side: then the process has moved for good, and
they are the new basis.

Source: Montgomery, "Introduction to Statistical Quality Control", section 6.4 (individuals and moving range).
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise
from statistics import fmean

LEAST = 8
WINDOW = 30
RESETS = 4
FACTOR = 3 / 1.128
"""Three standard deviations of a normal process per mean moving range of two."""


@dataclass(frozen=True, slots=True)
class Limits:
    """Between what a value is expected."""

    centre: float
    low: float
    high: float

    def side(self, value: float) -> int:
        """0 within the limits, −1 below, 1 above."""
        return int(value > self.high) - int(value < self.low)


def limits(values: Sequence[float | None], floor: float) -> Iterator[Limits | None]:
    """The limits of each night, from the nights before it.

    Args:
        values: Of one number, oldest first; None where a night has none.
        floor: The least distance of the limits from their centre, in the unit of the values.

    Yields:
        Limits; None for a night before which there are too few.
    """
    basis, beyond = list[float](), list[float]()
    side = 0
    for value in values:
        now = _of(basis[-WINDOW:], floor) if len(basis) >= LEAST else None
        yield now
        if value is None:
            continue
        where = now.side(value) if now else 0
        if where == 0:
            basis.append(value)
            beyond.clear()
        else:
            beyond = [*beyond, value] if where == side else [value]
            if len(beyond) == RESETS:
                basis, beyond = beyond, []
        side = where


def _of(basis: Sequence[float], floor: float) -> Limits:
    centre = fmean(basis)
    reach = max(FACTOR * fmean(abs(b - a) for a, b in pairwise(basis)), floor)
    return Limits(centre, centre - reach, centre + reach)
