"""Two halves of a neighbourhood: against scipy, constructed answers, and a second sample."""

import numpy as np
import pytest
from scipy.stats import pearsonr, spearmanr

from auditor.probes.contract import Sitting
from auditor.probes.lime.probe import LimeProbe
from auditor.probes.lime.stability import Half, stability
from auditor.probes.lime.surrogate import Fit
from auditor.records.explanations import Halves
from auditor.records.types import Document
from tests.probes.stubs import Oracle, sigmoid

WORDS = " ".join(f"w{i}" for i in range(14))


def half(weights: list[float], intercept: float = 0.0) -> Half:
    """A half whose answers are those of its own surrogate."""
    masks = np.concatenate([np.ones((1, len(weights)), dtype=bool), ~np.eye(len(weights), dtype=bool)])
    w = np.array(weights)
    fit = Fit(w, w, w, w != 0, intercept, 1.0, 0.0)
    return Half(masks, (intercept + masks @ w)[:, None], np.ones(len(masks)), [fit])


def halves_of(probe: LimeProbe, score: dict[str, float], noise: float = 0.0) -> Halves | None:
    def answer(text: str) -> list[float]:
        words = text.split()
        shaken = noise * np.sin(1e4 * sum(hash_of(word) for word in words))
        p = sum(score.get(word, 0.0) for word in words) + shaken
        return [1 - p, p]

    found = next(probe.measure(Oracle(("no", "yes"), answer), [Document("d", WORDS)], Sitting(3)))
    return found.targets[0].surrogate.halves


def hash_of(word: str) -> float:
    return 0.1234567 * (1 + int(word[1:])) ** 2


def test_correlations_are_those_of_scipy() -> None:
    a, b = [0.3, -0.1, 0.2, 0.2, 0.0], [0.25, 0.05, 0.2, -0.04, 0.01]
    agreed = stability([half(a), half(b)], 0)
    assert agreed.correlation == pytest.approx(pearsonr(a, b).statistic, abs=1e-12)
    assert agreed.rank_correlation == pytest.approx(spearmanr(a, b).statistic, abs=1e-12)
    assert agreed.top_overlap == pytest.approx(2 / 4)  # {0, 2, 3} and {0, 2, 1}
    assert agreed.sign_flips == pytest.approx(2 / 5)


def test_what_a_half_has_learnt_is_held_against_answers_it_has_not_seen() -> None:
    same, other = half([0.3, 0.1, 0.0]), half([0.0, 0.1, 0.3])
    assert stability([same, same], 0).held_out == pytest.approx(1)
    residuals = other.values[:, 0] - other.masks @ same.fits[0].weights
    spread = other.values[:, 0] - other.values[:, 0].mean()
    assert stability([same, other], 0).held_out == pytest.approx(1 - (residuals @ residuals) / (spread @ spread))


@pytest.mark.parametrize(
    ("a", "b", "expected"), [([0.0] * 4, [0.0] * 4, 1.0), ([0.2] * 4, [0.1] * 4, 1.0), ([0.0] * 4, [1, 2, 3, 4.0], 0.0)]
)
def test_equal_weights_have_no_correlation_of_their_own(a: list[float], b: list[float], expected: float) -> None:
    agreed = stability([half(a), half(b)], 0)
    assert (agreed.correlation, agreed.rank_correlation) == (expected, expected)


@pytest.mark.parametrize("n_samples", [400, "auto"])
def test_one_deciding_word_is_stable_in_its_weights_and_not_in_its_ranks(n_samples: int | str) -> None:
    agreed = halves_of(LimeProbe(n_samples=n_samples), {"w3": 0.8}, noise=0.02)
    assert agreed.correlation > 0.99
    assert agreed.rank_correlation < 0.9
    assert agreed.held_out > 0.95


@pytest.mark.parametrize("n_samples", [400, "auto"])
def test_noise_is_not_stable(n_samples: int | str) -> None:
    agreed = halves_of(LimeProbe(n_samples=n_samples), {}, noise=0.3)
    assert abs(agreed.correlation) < 0.7
    assert agreed.held_out < 0.1


def test_where_nothing_was_drawn_there_are_no_halves() -> None:
    def answer(text: str) -> list[float]:
        p = sigmoid(len(text) / 5 - 1)
        return [1 - p, p]

    few = next(LimeProbe().measure(Oracle(("no", "yes"), answer), [Document("d", "one two three")], Sitting(3)))
    assert few.targets[0].surrogate.halves is None
    scarce = halves_of(LimeProbe(n_samples=30), {"w1": 0.4})
    assert scarce is None, "15 perturbations cannot tell 14 words apart"
