r"""The linear surrogate of LIME: neighbourhood, kernel, weighted ridge regression, its standard errors.

A document has S segments; a mask z ∈ {0, 1}^S says which are kept. The conventions are those of the `lime` package
0.2.0.1 (Ribeiro, Singh & Guestrin 2016):

    sampling     row 0 is z = 1; for the others the number removed is s ~ U{1..S}, then a uniform subset of size s
    distance     D(z) = 100 · (1 − cos(z, 1)) = 100 · (1 − √(k/S)) with k = Σ z_j; for k = 0 it is 100
    kernel       π(z) = √exp(−D² / width²), width 25
    surrogate    minimise Σ_i π_i (f_i − β₀ − z_i·β)² + α‖β‖², α = 1, the intercept not penalised
    selection    up to 6 features by forward selection, more by the largest |β| of a ridge fit with α = 0.01
    fidelity     R² weighted by π

Where 2^S is no larger than the number of samples, all masks are enumerated instead. Each then carries the probability
that the sampling above gives it, so that the fit, without a penalty, is what LIME tends to when its sampling is
repeated for ever: row 0 has the share 1/n of its one row among n, a mask with s removed (1 − 1/n) / (S · C(S, s)). The
penalty would shrink such short texts (to 0.2 of the true effect for S = 1), so it is left out. There is no sampling
error, and the standard errors are 0.

For sampled masks the standard errors are those of the sandwich estimator (White 1980, HC1), which needs no assumption
about the residuals: with X the mask columns centred at their weighted means, W = diag(π), r the residuals and p the
number of coefficients with the intercept,

    V = n/(n − p) · (X'WX + αI)⁻¹ (Σ_i π_i² r_i² x_i x_i') (X'WX + αI)⁻¹

Without penalty and selection, and for n → ∞, the coefficients have the closed form of Mardaoui & Garreau (AISTATS
2021), which the tests use. Edge cases: a constant f has β = 0 and, as in scikit-learn, R² = 1; n ≤ p leaves no degrees
of freedom and is refused by the probe before it comes here.

Agrees with lime 0.2.0.1 on coefficients, intercept, score and selected features within 1e-6.
"""

from dataclasses import dataclass

import numpy as np
from scipy.special import comb

ALPHA = 1.0
SELECTION_ALPHA = 0.01
FORWARD_SELECTION_UP_TO = 6


@dataclass(frozen=True, slots=True)
class Fit:
    """A fitted surrogate; S coefficients, 0 where a segment was not selected."""

    weights: np.ndarray
    standard_errors: np.ndarray
    selected: np.ndarray
    intercept: float
    fidelity: float
    local_prediction: float


def sample_masks(n_segments: int, n_samples: int, random: np.random.RandomState) -> np.ndarray:
    """Draws masks as the package does, from the same stream of random numbers.

    Returns:
        (N, S) bool, True where a segment is kept; row 0 keeps all.
    """
    masks = np.ones((n_samples, n_segments), dtype=bool)
    sizes = random.randint(1, n_segments + 1, n_samples - 1)
    for row, size in enumerate(sizes, start=1):
        masks[row, random.choice(n_segments, size, replace=False)] = False
    return masks


def enumerate_masks(n_segments: int, n_samples: int) -> tuple[np.ndarray, np.ndarray]:
    """All 2^S masks, and the probability with which `sample_masks` draws each.

    Returns:
        (2^S, S) bool with the undisturbed text in row 0, and (2^S,) float64 that sum to 1.
    """
    codes = np.arange(2**n_segments)[::-1, None]
    masks = (codes >> np.arange(n_segments)[None] & 1).astype(bool)
    removed = n_segments - masks.sum(1)
    share = 1.0 / n_samples
    drawn = (1 - share) / (n_segments * comb(n_segments, removed))
    return masks, np.where(removed == 0, share, drawn)


def kernel(masks: np.ndarray, width: float) -> np.ndarray:
    """Proximity π of each mask (N, S) to the undisturbed text: (N,) float64 in (0, 1]."""
    distance = 100 * (1 - np.sqrt(masks.mean(axis=1)))
    weights: np.ndarray = np.exp(-(distance**2) / (2 * width**2))
    return weights


def fit(
    masks: np.ndarray,
    values: np.ndarray,
    proximity: np.ndarray,
    *,
    num_features: int | None = None,
    exact: bool = False,
) -> Fit:
    """Fits the surrogate of one label.

    Args:
        masks: (N, S) bool, the undisturbed text in row 0.
        values: (N,) what the model said, float64.
        proximity: (N,) kernel weights, times the probability of each mask where all are enumerated.
        num_features: How many segments the surrogate may use; None for all.
        exact: Whether `masks` are all there are: no penalty, no sampling error.
    """
    data = masks.astype(np.float64)
    n_segments = data.shape[1]
    chosen = _select(data, values, proximity, num_features)
    alpha = 0.0 if exact else ALPHA
    beta, intercept, gram = _ridge(data[:, chosen], values, proximity, alpha)
    residuals = values - intercept - data[:, chosen] @ beta
    weights, errors = np.zeros(n_segments), np.zeros(n_segments)
    weights[chosen] = beta
    if not exact:
        errors[chosen] = _standard_errors(data[:, chosen], residuals, proximity, gram)
    return Fit(
        weights=weights,
        standard_errors=errors,
        selected=np.isin(np.arange(n_segments), chosen),
        intercept=intercept,
        fidelity=_r_squared(values, residuals, proximity),
        local_prediction=intercept + float(beta.sum()),
    )


def _centred(data: np.ndarray, weights: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    means = weights @ data / weights.sum()
    return data - means, means


def _ridge(
    data: np.ndarray, values: np.ndarray, weights: np.ndarray, alpha: float
) -> tuple[np.ndarray, float, np.ndarray]:
    """Coefficients, intercept, and the matrix X'WX + αI that was solved."""
    centred, means = _centred(data, weights)
    mean = float(weights @ values / weights.sum())
    gram = (centred * weights[:, None]).T @ centred + alpha * np.eye(data.shape[1])
    beta = np.linalg.solve(gram, (centred * weights[:, None]).T @ (values - mean))
    return beta, mean - float(means @ beta), gram


def _standard_errors(data: np.ndarray, residuals: np.ndarray, weights: np.ndarray, gram: np.ndarray) -> np.ndarray:
    n, p = data.shape[0], data.shape[1] + 1
    centred, _ = _centred(data, weights)
    scores = centred * (weights * residuals)[:, None]
    bread = np.linalg.inv(gram)
    variance = bread @ (scores.T @ scores) @ bread * (n / (n - p))
    errors: np.ndarray = np.sqrt(np.diag(variance).clip(min=0))
    return errors


def _r_squared(values: np.ndarray, residuals: np.ndarray, weights: np.ndarray) -> float:
    mean = weights @ values / weights.sum()
    left, total = weights @ residuals**2, weights @ (values - mean) ** 2
    if total == 0:
        return 1.0 if left == 0 else 0.0
    return float(1 - left / total)


def _select(data: np.ndarray, values: np.ndarray, weights: np.ndarray, num_features: int | None) -> np.ndarray:
    n_segments = data.shape[1]
    if num_features is None or num_features >= n_segments:
        return np.arange(n_segments)
    if num_features <= FORWARD_SELECTION_UP_TO:
        return _forward(data, values, weights, num_features)
    beta, _, _ = _ridge(data, values, weights, SELECTION_ALPHA)
    return np.argsort(-np.abs(beta), kind="stable")[:num_features]


def _forward(data: np.ndarray, values: np.ndarray, weights: np.ndarray, num_features: int) -> np.ndarray:
    """Adds the segment that raises R² most, again and again: a Gram-Schmidt sweep over the weighted, centred columns.

    The gain of column x, orthogonal to those chosen, is (x·r)² / (x·x) with r what is left of the values.
    """
    root = np.sqrt(weights)[:, None]
    columns = _centred(data, weights)[0] * root
    left = (values - weights @ values / weights.sum()) * root[:, 0]
    chosen: list[int] = []
    for _ in range(num_features):
        norms = (columns**2).sum(axis=0)
        gains = np.where(norms > 1e-12, (columns.T @ left) ** 2 / norms.clip(min=1e-12), 0.0)
        gains[chosen] = -1.0
        best = int(gains.argmax())
        chosen.append(best)
        if norms[best] > 1e-12:
            direction = columns[:, best] / np.sqrt(norms[best])
            left = left - direction * (direction @ left)
            columns = columns - np.outer(direction, direction @ columns)
    return np.array(chosen)
