"""How far two rows of weights of the same segments are alike.

    τ_b = (C − D) / √((P − T_x)(P − T_y))                                             (Kendall 1945)

over all P = S(S−1)/2 pairs of segments, C of them ordered alike by x and y, D ordered oppositely, T_x and T_y tied.
Agrees with `scipy.stats.kendalltau` (1.17).
"""

import numpy as np

TOP = 3
"""Segments of largest |weight| that are compared."""
ROUNDING = 1e-12
"""Share of the largest value below which differences are none."""
_CELLS = 1 << 19
"""Pairs of segments that are compared at a time."""


def is_flat(weights: np.ndarray) -> bool:
    """Whether the weights are all the same, up to rounding."""
    return bool(np.ptp(weights) <= ROUNDING * np.abs(weights).max())


def pearson(a: np.ndarray, b: np.ndarray) -> float | None:
    """Their correlation; None where the weights of either are all the same."""
    if is_flat(a) or is_flat(b):
        return None
    a, b = a - a.mean(), b - b.mean()
    return float(a @ b / np.sqrt((a @ a) * (b @ b)))


def spearman(a: np.ndarray, b: np.ndarray) -> float | None:
    """Their rank correlation, ties share their mean rank; None where the weights of either are all the same."""
    return None if is_flat(a) or is_flat(b) else pearson(mean_ranks(a), mean_ranks(b))


def mean_ranks(weights: np.ndarray) -> np.ndarray:
    """(S,) from 1, the smallest first; equal weights share the mean of their ranks."""
    _, group, sizes = np.unique(weights, return_inverse=True, return_counts=True)
    last = np.cumsum(sizes)
    return np.asarray((last - (sizes - 1) / 2)[group.reshape(-1)])


def top(weights: np.ndarray) -> set[int]:
    """The segments of largest |weight|, three or all; of equal ones the first."""
    return set(np.argsort(-np.abs(weights), kind="stable")[:TOP].tolist())


def top_shared(a: np.ndarray, b: np.ndarray) -> float:
    """Of the segments of largest |weight| in each: those in both, over those in either."""
    return len(top(a) & top(b)) / len(top(a) | top(b))


def kendall_tau_b(x: np.ndarray, y: np.ndarray) -> float | None:
    """Kendall's τ_b of two sequences of equal length; None where one is constant."""
    return kendall_tau_bs(x[None], y[None])[0]


def kendall_tau_bs(x: np.ndarray, y: np.ndarray) -> list[float | None]:
    """Kendall's τ_b of each of N pairs of sequences, (N, S) and (N, S); None where one is constant."""
    n, length = x.shape
    concordance, untied_x, untied_y = np.zeros(n), np.zeros(n), np.zeros(n)
    step = max(1, _CELLS // (n * length)) if n and length else 1
    for start in range(0, length, step):
        dx = np.sign(x[:, start : start + step, None] - x[:, None, :])
        dy = np.sign(y[:, start : start + step, None] - y[:, None, :])
        concordance += np.einsum("nij,nij->n", dx, dy)
        untied_x += np.count_nonzero(dx, axis=(1, 2))
        untied_y += np.count_nonzero(dy, axis=(1, 2))
    is_defined = (untied_x > 0) & (untied_y > 0)
    taus = concordance / np.where(is_defined, np.sqrt(untied_x) * np.sqrt(untied_y), 1)
    return [tau if there else None for tau, there in zip(taus.tolist(), is_defined.tolist(), strict=True)]
