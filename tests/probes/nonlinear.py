"""Made-up models of masks, with pairs, triples and saturation, and fits made by hand."""

from collections.abc import Callable, Sequence

import numpy as np

from auditor.probes.lime.surrogate import Fit, enumerate_masks, fit_all, kernel


def fit_with(weights: Sequence[float], half_widths: Sequence[float]) -> Fit:
    values, widths = np.array(weights), np.array(half_widths)
    return Fit(values, widths / 2, widths, np.ones(len(values), dtype=bool), 0.0, 1.0, 0.0)


def logistic(n_segments: int, seed: int) -> Callable[[np.ndarray], np.ndarray]:
    """A random classifier of two labels: main effects, pairs and triples in the log-odds, a different mixture each."""
    random = np.random.default_rng(seed)
    main = random.normal(size=n_segments) * random.choice([0.3, 1.0, 3.0], n_segments)
    pairs = np.triu(random.normal(size=(n_segments, n_segments)), 1) * random.uniform(0, 6) / n_segments
    triples = [random.choice(n_segments, min(3, n_segments), replace=False) for _ in range(n_segments)]
    effects = random.normal(size=n_segments) * random.uniform(0, 1.5)
    level = random.normal() - main.sum() / 2

    def answer(masks: np.ndarray) -> np.ndarray:
        z = masks.astype(float)
        together = np.stack([z[:, triple].prod(axis=1) for triple in triples], axis=1)
        odds = level + z @ main + np.einsum("ni,ij,nj->n", z, pairs, z, optimize=True) + together @ effects
        p = 1 / (1 + np.exp(-odds))
        return np.stack([p, 1 - p], axis=1)

    return answer


def exact(n_segments: int, answer: Callable[[np.ndarray], np.ndarray], width: float = 25.0) -> Fit:
    """What LIME tends to when its sampling is repeated for ever."""
    masks, shares = enumerate_masks(n_segments, 10**15)
    return fit_all(masks, answer(masks), kernel(masks, width) * shares, exact=True)[0]
