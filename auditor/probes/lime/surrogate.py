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
error, and the standard errors are 0. Between both lies `auditor.probes.lime.emulator`: the same limit, from few masks.

For sampled masks the standard errors are those of the sandwich estimator (White 1980, HC1), which needs no assumption
about the residuals: with X the mask columns centred at their weighted means, W = diag(π), r the residuals and p the
number of coefficients with the intercept,

    V = n/(n − p) · (X'WX + αI)⁻¹ (Σ_i π_i² r_i² x_i x_i') (X'WX + αI)⁻¹

Without penalty and selection, and for n → ∞, the coefficients have the closed form of Mardaoui & Garreau (AISTATS
2021), which the tests use.

Edge cases: a constant f has β = 0, standard errors 0 and, as in scikit-learn, R² = 1. It is fitted as its differences
from f₁ (exact zeros), and counts as constant where they are at most 1e-12 of the largest |f|: what 0.1 and its mean
differ by is rounding, no variance to explain. A kernel so narrow that masks weigh nothing leaves coefficients open;
enumerated, the shortest β is taken, 0 where only the undisturbed text has weight (sampled, the penalty does the same).
n ≤ p leaves no degrees of freedom and is refused by the probe before it comes here.

All of it needs the masks only through X'WX and X'W(f − f̄), so that the labels of a document share one product, and
forward selection is a sweep over an S × S matrix.

Agrees with lime 0.2.0.1 on coefficients, intercept, score and selected features within 1e-6.
"""

from dataclasses import dataclass

import numpy as np
from scipy.special import comb, stdtrit

from auditor.probes.perturbing import every_mask

ALPHA = 1.0
SELECTION_ALPHA = 0.01
FORWARD_SELECTION_UP_TO = 6
ROUNDING = 1e-12
"""Share of the largest value below which differences are none."""


@dataclass(frozen=True, slots=True)
class Fit:
    """A fitted surrogate; S coefficients, 0 where a segment was not selected."""

    weights: np.ndarray
    standard_errors: np.ndarray
    half_widths: np.ndarray
    """Of the 95 % intervals."""
    selected: np.ndarray
    intercept: float
    fidelity: float
    local_prediction: float


def sample_masks(n_segments: int, n_samples: int, random: np.random.RandomState) -> np.ndarray:
    """Draws masks as the package does, from the same stream of random numbers.

    The package's `random.choice(S, s, replace=False)` is the beginning of one permutation.

    Returns:
        (N, S) bool, True where a segment is kept; row 0 keeps all.
    """
    sizes = random.randint(1, n_segments + 1, n_samples - 1)
    order = np.empty((n_samples - 1, n_segments), dtype=np.intp)
    order[:] = np.arange(n_segments)
    for row in order:
        random.shuffle(row)
    masks = np.ones((n_samples, n_segments), dtype=bool)
    np.put_along_axis(masks[1:], order, np.arange(n_segments) >= sizes[:, None], axis=1)
    return masks


def enumerate_masks(n_segments: int, n_samples: int) -> tuple[np.ndarray, np.ndarray]:
    """All 2^S masks, and the probability with which `sample_masks` draws each.

    Returns:
        (2^S, S) bool with the undisturbed text in row 0, and (2^S,) float64 that sum to 1.
    """
    masks = every_mask(n_segments)
    removed = n_segments - masks.sum(1)
    share = 1.0 / n_samples
    drawn = (1 - share) / (n_segments * comb(n_segments, removed))
    return masks, np.where(removed == 0, share, drawn)


def kernel(masks: np.ndarray, width: float) -> np.ndarray:
    """Proximity π of each mask (N, S) to the undisturbed text: (N,) float64 in (0, 1]."""
    return np.asarray(np.exp(proximity_exponent(masks.mean(axis=1), width)))


def proximity_exponent(kept: np.ndarray, width: float) -> np.ndarray:
    """Logarithm of π where the share `kept` of the segments is kept."""
    distance = 100 * (1 - np.sqrt(kept))
    return np.asarray(-(distance**2) / (2 * width**2))


def fit(
    masks: np.ndarray,
    values: np.ndarray,
    proximity: np.ndarray,
    *,
    num_features: int | None = None,
    exact: bool = False,
) -> Fit:
    """Fits the surrogate of one label, values (N,); the rest as in `fit_all`."""
    return fit_all(masks, values[:, None], proximity, num_features=num_features, exact=exact)[0]


def fit_all(
    masks: np.ndarray,
    values: np.ndarray,
    proximity: np.ndarray,
    *,
    num_features: int | None = None,
    exact: bool = False,
) -> list[Fit]:
    """Fits the surrogates of K labels from one matrix of products.

    Args:
        masks: (N, S) bool, the undisturbed text in row 0.
        values: (N, K) what the model said, float64.
        proximity: (N,) kernel weights, times the probability of each mask where all are enumerated.
        num_features: How many segments the surrogate may use; None for all.
        exact: Whether `masks` are all there are: no penalty, no sampling error.
    """
    centred = masks.astype(np.float64)
    total = proximity.sum()
    moved = values - values[0]
    means, mean_moved = proximity @ centred / total, proximity @ moved / total
    centred -= means
    weighted = centred * proximity[:, None]
    gram, moments = weighted.T @ centred, weighted.T @ (moved - mean_moved)
    fits = []
    for label, moment in enumerate(moments.T):
        chosen = select(gram, moment, num_features)
        block = gram[np.ix_(chosen, chosen)]
        bread = shortest_inverse(block) if exact else np.linalg.inv(block + ALPHA * np.eye(len(chosen)))
        beta = bread @ moment[chosen]
        intercept = float(values[0, label] + mean_moved[label] - means[chosen] @ beta)
        residuals = moved[:, label] - mean_moved[label] - centred[:, chosen] @ beta
        errors = np.zeros(len(chosen))
        if not exact:
            errors = _standard_errors(weighted[:, chosen] * residuals[:, None], bread)
        widest = stdtrit(max(len(masks) - len(chosen) - 1, 1), 0.975) * errors
        fidelity = r_squared(values[:, label], residuals, proximity)
        fits.append(spread(masks.shape[1], chosen, (beta, errors, widest), intercept, fidelity))
    return fits


def spread(
    n_segments: int,
    chosen: np.ndarray,
    estimates: tuple[np.ndarray, np.ndarray, np.ndarray],
    intercept: float,
    fidelity: float,
) -> Fit:
    """Puts coefficients, standard errors and half-widths of the chosen segments in their places among all."""
    places = np.zeros((3, n_segments))
    places[:, chosen] = estimates
    return Fit(
        weights=places[0],
        standard_errors=places[1],
        half_widths=places[2],
        selected=np.isin(np.arange(n_segments), chosen),
        intercept=intercept,
        fidelity=fidelity,
        local_prediction=intercept + float(estimates[0].sum()),
    )


def shortest_inverse(gram: np.ndarray) -> np.ndarray:
    """The inverse; of what leaves coefficients open, the one that gives the shortest."""
    return np.asarray(np.linalg.pinv(gram, rcond=1e-10, hermitian=True))


def _standard_errors(scores: np.ndarray, bread: np.ndarray) -> np.ndarray:
    n, p = scores.shape[0], scores.shape[1] + 1
    variance = bread @ (scores.T @ scores) @ bread * (n / (n - p))
    errors: np.ndarray = np.sqrt(np.diag(variance).clip(min=0))
    return errors


def r_squared(values: np.ndarray, residuals: np.ndarray, weights: np.ndarray) -> float:
    """Weighted share of the variance explained; 1 for a constant that is met, 0 for one that is not."""
    counts = weights > 0
    moved = values - values[0]
    negligible = ROUNDING * np.abs(values).max()
    mean = weights @ moved / weights.sum()
    left, total = weights @ residuals**2, weights @ (moved - mean) ** 2
    if np.ptp(moved[counts]) <= negligible or total == 0:
        return 1.0 if np.abs(residuals[counts]).max() <= negligible else 0.0
    return float(1 - left / total)


def select(gram: np.ndarray, moment: np.ndarray, num_features: int | None) -> np.ndarray:
    """The segments the surrogate may use.

    Args:
        gram: (S, S) weighted products of the centred mask columns.
        moment: (S,) their weighted products with the values.
        num_features: How many; None for all.
    """
    n_segments = len(gram)
    if num_features is None or num_features >= n_segments:
        return np.arange(n_segments)
    if num_features <= FORWARD_SELECTION_UP_TO:
        return _forward(gram, moment, num_features)
    beta = np.linalg.solve(gram + SELECTION_ALPHA * np.eye(n_segments), moment)
    return np.argsort(-np.abs(beta), kind="stable")[:num_features]


def _forward(gram: np.ndarray, moment: np.ndarray, num_features: int) -> np.ndarray:
    """Adds the segment that raises R² most, again and again: a Gram-Schmidt sweep on the products alone.

    The gain of column x, orthogonal to those chosen, is (x·r)² / (x·x) with r what is left of the values; taking the
    best out of the others takes its outer product out of the matrix.
    """
    chosen: list[int] = []
    negligible = 1e-12 * gram.diagonal().max(initial=0.0)
    for _ in range(num_features):
        norms = gram.diagonal()
        gains = np.where(norms > negligible, moment**2 / norms.clip(min=1e-300), 0.0)
        gains[chosen] = -1.0
        best = int(gains.argmax())
        chosen.append(best)
        if norms[best] > negligible:
            direction = gram[best] / norms[best]
            moment = moment - direction * moment[best]
            gram = gram - np.outer(direction, gram[best])
    return np.array(chosen)
