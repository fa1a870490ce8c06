r"""Is a night unlike the nights before? An individuals chart (Shewhart), with limits that follow the process.

Of the values x_1 … x_n of one number, night by night, the limits of a night come from the last `WINDOW` before it:

    centre  x̄        limits  x̄ ± max(2.66 · MR̄, floor)      MR̄ = mean |x_j − x_{j−1}|

2.66 = 3 / 1.128: three standard deviations, estimated by the mean moving range, which a slow drift or one step inflates
far less than it does the standard deviation. Limits that are estimated from 30 nights are not those of the process: of
normal nights 0.8 % are outside (0.27 % if the limits were known), 1.7 % of those before the thirtieth.

Nights outside count for the limits after them: leaving them out would make limits that began too narrow stay so. A step
is outside for some nights, and then is the process as it now is.

Edge cases: fewer than `LEAST` nights before it, no limits. Nights that are all equal, as of one model over one corpus,
have MR̄ = 0: the floor keeps rounding from being news. A night without the value is passed over.

Source: Montgomery, "Introduction to Statistical Quality Control", section 6.4 (individuals and moving range).
"""

from collections import deque
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise
from statistics import fmean

LEAST = 12
WINDOW = 30
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
    before: deque[float] = deque(maxlen=WINDOW)
    for value in values:
        yield _of(before, floor) if len(before) >= LEAST else None
        if value is not None:
            before.append(value)


def _of(values: Sequence[float], floor: float) -> Limits:
    centre = fmean(values)
    reach = max(FACTOR * fmean(abs(b - a) for a, b in pairwise(values)), floor)
    return Limits(centre, centre - reach, centre + reach)
