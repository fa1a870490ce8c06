"""Means and quantiles of perplexities, computed on their logarithms: exp of the nats of a token overflows, they do not.

With u_d = ℓ_d / N_d the mean negative log-likelihood of a token of document d (nats), its perplexity is exp(u_d), and
    mean       ln((1/n) Σ exp(u_d))             quantile   ln((1 − w) exp(u_(k)) + w exp(u_(k+1)))
are the logarithms of the arithmetic mean and of the quantile between order statistics (linear in the perplexities, as
`numpy.quantile`). Intervals are made in nats: of the mean by bootstrap-t on the logarithm
(`auditor.findings.statistics.intervals`), of the quantile by order statistics. Exponentiated they are those of the
perplexity, since exp is increasing.

The exponentials of the mean are taken of u_d − max u: they cannot overflow, and what underflows beside the largest adds
nothing that could be seen. Where one document is so much larger than all others that resamples without it tell nothing
of it, there is no interval.

Edge cases: what lies beyond 1e300 has no perplexity (None), only its nats.
"""

import math
from collections.abc import Sequence

import numpy as np

from auditor.findings.statistics.intervals import Estimate, bootstrap_log_mean, estimate, quantile_ranks

BEYOND = 300 * math.log(10)
"""Nats of 1e300: from here on a perplexity is printed by its logarithm."""
PRINTED = "> 1e300"
"""What stands for a perplexity beyond that."""


def exponential(nats: float) -> float | None:
    """E to that power; None beyond 1e300."""
    return math.exp(nats) if nats <= BEYOND else None


def mean(nats: Sequence[float], *, seed: int, name: str) -> Estimate:
    """Logarithm of the mean of the exponentials of at least one value."""
    largest = max(nats)
    scaled = bootstrap_log_mean(np.exp(np.asarray(nats, dtype=np.float64) - largest), seed=seed, name=name)
    return scaled.through(lambda logarithm: logarithm + largest)


def median(nats: Sequence[float]) -> Estimate:
    """Logarithm of the median of the exponentials of at least one value, with its exact distribution-free interval."""
    ordered = sorted(nats)
    value, ranks = between(ordered, 0.5), quantile_ranks(len(ordered))
    if ranks is None:
        return estimate(value, None, None, len(ordered))
    return estimate(value, ordered[ranks[0] - 1], ordered[ranks[1] - 1], len(ordered))


def between(ordered: Sequence[float], q: float) -> float:
    """Logarithm of the `q` quantile of the exponentials of at least one sorted value."""
    k, weight = divmod(q * (len(ordered) - 1), 1)
    low, high = ordered[int(k)], ordered[min(int(k) + 1, len(ordered) - 1)]
    if not weight or low == high:
        return low
    return float(np.logaddexp(low + math.log1p(-weight), high + math.log(weight)))


def quarters(ordered: Sequence[float]) -> tuple[float, float, float]:
    """Logarithms of the lower quartile, the median and the upper quartile of at least one sorted value."""
    return between(ordered, 0.25), between(ordered, 0.5), between(ordered, 0.75)
