"""Shapley values of a function of subsets, from its value for every subset (Shapley 1953).

With v(m) what the model answers when the segments m of S are kept, the share of segment i in v(all) − v(none) is

    w_i = Σ over m without i of |m|! (S − |m| − 1)! / S! · (v(m ∪ {i}) − v(m))

the mean of what i adds, over all orders in which the segments can come. Σ_i w_i = v(all) − v(none) (additivity, also
efficiency or completeness); segments that always add the same have equal weights, one that never adds anything 0.

Edge cases: S = 1 gives w = v(all) − v(none); a constant v gives zeros; NaN anywhere gives NaN.

Agrees with `shap.ExactExplainer` 0.51.0 (the tests). Source: Lundberg & Lee 2017, "A unified approach to interpreting
model predictions", equation 4.
"""

import numpy as np
from scipy.special import comb

from auditor.probes.perturbing import every_mask


def shapley_values(values: np.ndarray) -> np.ndarray:
    """The shares of S segments.

    Args:
        values: (2^S, K) answers to all masks, in the order of `auditor.probes.perturbing.every_mask`.

    Returns:
        (S, K) float64, in the unit of the answers.
    """
    by_code = values[::-1]
    n_segments = len(by_code).bit_length() - 1
    weight_of_size = 1 / (n_segments * comb(n_segments - 1, np.arange(n_segments)))
    n_others = every_mask(n_segments - 1)[::-1].sum(axis=1)
    return np.stack([weight_of_size[n_others] @ _added(by_code, i) for i in range(n_segments)])


def _added(by_code: np.ndarray, segment: int) -> np.ndarray:
    """(2^(S−1), K) what a segment adds to each subset of the others, these in the order of their codes."""
    pairs = by_code.reshape(-1, 2, 2**segment, by_code.shape[-1])
    return np.asarray(pairs[:, 1] - pairs[:, 0]).reshape(-1, by_code.shape[-1])
