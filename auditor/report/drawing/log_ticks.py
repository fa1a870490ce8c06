"""Round values for the ticks of a logarithmic axis."""

import itertools
import math

from auditor.languages import numbers
from auditor.report.drawing import formats

_DECADE = math.log(10)
_MOST_TICKS = 8
_MOST_DECADES = 40
"""An axis of more decades has ticks at powers of ten only."""


def log_ticks(low: float, high: float) -> dict[float, str]:
    """Logarithm in nats → label, for round values in a range of logarithms.

    1, 2 and 5 of each decade; fewer where there are many decades, more where there are few.
    """
    first, last = math.floor(low / _DECADE), math.ceil(high / _DECADE)
    if last - first > _MOST_DECADES:
        rounds = (step * 10**zeros for zeros in itertools.count() for step in (1, 2, 5))
        every = next(step for step in rounds if step * _MOST_TICKS >= last - first)
        powers = range(every * math.ceil(low / _DECADE / every), last + 1, every)
        return {power * _DECADE: numbers.power_of_ten(power) for power in powers if power * _DECADE <= high}
    for steps in ((1,), (1, 3), (1, 2, 5), (1, 1.5, 2, 3, 4, 5, 6, 7, 8, 9), tuple(x / 10 for x in range(10, 100))):
        candidates = [(math.log(s) + d * _DECADE, f"{s}e{d}") for d in range(first, last + 1) for s in steps]
        ticks = [tick for tick in candidates if low <= tick[0] <= high]
        if len(ticks) >= 4:
            thinned = ticks[:: max(1, len(ticks) // 7)]
            return {position: numbers.shortest(float(text)) for position, text in thinned}
    return {(low + high) / 2: formats.perplexity((low + high) / 2)}
