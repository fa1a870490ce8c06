"""Many comparisons at once: p-values corrected for their number (Holm 1979).

The k-th smallest of m p-values is multiplied by m − k + 1, and never less than those before it: among comparisons in
which nothing differs, any at all falls below α with a probability of at most α, however they depend on each other.
"""

from collections.abc import Sequence


def holm(values: Sequence[float]) -> list[float]:
    """The p-values corrected for their number, in the same order."""
    corrected, least = [0.0] * len(values), 0.0
    for rank, i in enumerate(sorted(range(len(values)), key=values.__getitem__)):
        least = max(least, min(1.0, (len(values) - rank) * values[i]))
        corrected[i] = least
    return corrected
