"""The explainers of the `shap` package, asked about masks; nothing else imports it.

The package draws from numpy's one random state of the process. What it draws here follows from a seed alone: the state
is set, and put back afterwards, by one thread at a time.
"""

import threading
import warnings
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from types import ModuleType
from typing import Any

import numpy as np

Answer = Callable[[np.ndarray], np.ndarray]
"""(N, S) bool masks → (N, K) float64 answers."""
AT_ONCE = 64
"""Masks in one question of a partition: its 32 most promising groups are divided at a time."""
_LOCK = threading.Lock()


def by_permutations(answer: Answer, n_segments: int, n_permutations: int, seed: int) -> np.ndarray:
    """What every segment adds where the segments come in a random order, and leave again in the same one.

    Args:
        answer: The model; which masks it is asked about does not depend on what it answers.
        n_segments: S, two at least.
        n_permutations: R independent orders.
        seed: Of the orders.

    Returns:
        (R, S, K); each of the R is an unbiased estimate of the Shapley values, and exact where no more than two
        segments act together.
    """
    with _drawing(seed) as shap:
        explainer = shap.PermutationExplainer(_asking(answer), _masked, seed=seed)
        same = np.ones((n_permutations, n_segments))
        return _values(explainer(same, max_evals=2 * n_segments + 1, batch_size=2 * n_segments + 1, silent=True))


def by_partition(answer: Answer, n_segments: int, max_evaluations: int, seed: int) -> np.ndarray:
    """(S, K) Owen values of a balanced tree over the segments in their order, S two at least.

    The groups that add most are divided first; where the evaluations end, the segments of a group share what it adds.
    """
    with _drawing(seed) as shap, np.errstate(invalid="ignore"):
        explainer = shap.PartitionExplainer(_asking(answer), _Tree(n_segments))
        whole = np.ones((1, n_segments))
        return np.asarray(_values(explainer(whole, max_evals=max_evaluations, batch_size=AT_ONCE, silent=True))[0])


class _Tree:
    """What `_masked` does, with the tree that a partition divides along."""

    def __init__(self, n_segments: int) -> None:
        self.clustering = balanced_tree(n_segments)

    def __call__(self, mask: np.ndarray, whole: np.ndarray) -> np.ndarray:
        return _masked(mask, whole)


def balanced_tree(n_segments: int) -> np.ndarray:
    """(S − 1, 4) float64 as `scipy.cluster.hierarchy.linkage` writes it: neighbours in halves, down to single ones."""
    rows: list[list[float]] = []

    def joined(start: int, stop: int) -> int:
        if stop - start == 1:
            return start
        middle = (start + stop + 1) // 2
        size = stop - start
        rows.append([joined(start, middle), joined(middle, stop), size, size])
        return n_segments + len(rows) - 1

    joined(0, n_segments)
    return np.array(rows, dtype=np.float64)


def _masked(mask: np.ndarray, whole: np.ndarray) -> np.ndarray:
    return np.asarray((mask * whole)[None])


def _asking(answer: Answer) -> Answer:
    return lambda masks: answer(masks.astype(bool))


def _values(explanation: Any) -> np.ndarray:
    return np.asarray(explanation.values, dtype=np.float64)


@contextmanager
def _drawing(seed: int) -> Iterator[ModuleType]:
    """The package, while the random state of the process is that of a seed."""
    with _LOCK:
        shap = imported()
        state = np.random.get_state()  # noqa: NPY002
        np.random.seed(seed)  # noqa: NPY002
        try:
            yield shap
        finally:
            np.random.set_state(state)  # noqa: NPY002


def imported() -> ModuleType:
    """The package, which takes seconds to import."""
    with warnings.catch_warnings():
        # shap sets a colour map in a way that matplotlib means to drop; nothing is drawn here.
        warnings.filterwarnings("ignore", "The set_.* function will be deprecated", PendingDeprecationWarning)
        import shap
    return shap  # type: ignore[no-any-return]
