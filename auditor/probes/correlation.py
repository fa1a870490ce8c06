"""Pearson's correlation of two rows of numbers."""

import numpy as np

ROUNDING = 1e-12
"""Share of the largest value below which differences are none."""


def pearson(a: np.ndarray, b: np.ndarray) -> float | None:
    """Their correlation; None where the numbers of either are all the same."""
    if any(np.ptp(x) <= ROUNDING * np.abs(x).max() for x in (a, b)):
        return None
    a, b = a - a.mean(), b - b.mean()
    return float(a @ b / np.sqrt((a @ a) * (b @ b)))
