"""The surrogate: from few evaluations as from all, intervals that hold, and products instead of data."""

import itertools
import math

import numpy as np
import pytest

from auditor.probes.lime.design import draw, next_round, precision, size_shares
from auditor.probes.lime.emulator import REACH, _inverse, _left_out, _projections, _times, estimate
from auditor.probes.lime.surrogate import Fit, enumerate_masks, fit, fit_all, kernel, r_squared, sample_masks
from tests.probes.nonlinear import exact, logistic

WIDTH = 25.0
BITS = np.array(list(itertools.product([True, False], repeat=7)))


def shares_of(masks: np.ndarray) -> np.ndarray:
    """The share of each mask in the limit, 0 for the undisturbed text, from the definition."""
    n_segments = masks.shape[1]
    removed = n_segments - masks.sum(axis=1)
    shares = np.where(removed == 0, 0.0, kernel(masks, WIDTH) / [math.comb(n_segments, int(s)) for s in removed])
    return shares / shares.sum()


def adaptive(n_segments: int, seed: int, tolerance: float, budget: int) -> tuple[int, list[Fit]]:
    answer = logistic(n_segments, seed)
    sample = draw(n_segments, budget, WIDTH, np.random.RandomState(seed))
    n_masks, reached, fits = 0, np.inf, []
    while more := next_round(n_masks, reached, tolerance, budget):
        n_masks += more
        fits = estimate(sample.first(n_masks), answer(sample.masks[:n_masks]), WIDTH)
        reached = precision(fits[0])
    return n_masks, fits


def test_projections_of_the_emulator_are_sums_over_all_masks() -> None:
    anywhere, inside, outside = _projections(7, WIDTH)
    shares = shares_of(BITS)
    for other in BITS[::5]:
        similarity = np.exp(-(other != BITS).sum(axis=1) * REACH / 7)
        kept = int(other.sum())
        assert anywhere[kept] == pytest.approx(shares @ similarity, rel=1e-12)
        for j in range(7):
            own = inside if other[j] else outside
            assert own[kept] == pytest.approx((shares * similarity) @ BITS[:, j], rel=1e-12)


def test_predictions_left_out_have_not_seen_their_unit() -> None:
    sample = draw(9, 60, WIDTH, np.random.RandomState(2))
    masks, units = sample.masks[1:], sample.units[1:]
    values = logistic(9, 2)(masks)
    noise = np.full(59, 0.03)
    inverse = _inverse(masks, noise)
    found = _left_out(inverse, units, _times(inverse, values))
    similarity = np.exp(-(masks[:, None] != masks[None]).sum(axis=2) * REACH / 9)
    for unit in np.unique(units)[::7]:
        own, rest = units == unit, units != unit
        learnt = np.linalg.solve(similarity[np.ix_(rest, rest)] + np.diag(noise[rest]), values[rest])
        assert found[own] == pytest.approx(values[own] - similarity[np.ix_(own, rest)] @ learnt, abs=1e-6)


@pytest.mark.parametrize("n_segments", [2, 3, 8])
def test_all_masks_give_what_enumeration_gives(n_segments: int) -> None:
    answer = logistic(n_segments, 1)
    sample = draw(n_segments, 2**n_segments, WIDTH, np.random.RandomState(0))
    found = estimate(sample, answer(sample.masks), WIDTH)[0]
    wanted = exact(n_segments, answer)
    assert found.weights == pytest.approx(wanted.weights, abs=1e-5)
    assert found.intercept == pytest.approx(wanted.intercept, abs=1e-5)
    assert found.fidelity == pytest.approx(wanted.fidelity, abs=1e-5)
    assert found.half_widths == pytest.approx(0, abs=1e-5)


def test_estimates_are_right_on_average() -> None:
    answer = logistic(9, 5)
    wanted = exact(9, answer).weights
    samples = [draw(9, 60, WIDTH, np.random.RandomState(seed)) for seed in range(150)]
    found = np.array([estimate(sample, answer(sample.masks), WIDTH)[0].weights for sample in samples])
    assert (np.abs(found.mean(axis=0) - wanted) < 3.5 * found.std(axis=0) / np.sqrt(150)).all()


@pytest.mark.parametrize(("n_segments", "n_masks", "n_texts"), [(9, 120, 100), (12, 200, 60), (12, 600, 10)])
def test_intervals_cover_the_exact_weights(n_segments: int, n_masks: int, n_texts: int) -> None:
    covered = []
    for seed in range(n_texts):
        answer = logistic(n_segments, seed)
        sample = draw(n_segments, n_masks, WIDTH, np.random.RandomState(seed))
        found = estimate(sample, answer(sample.masks), WIDTH)[0]
        covered.append(np.abs(found.weights - exact(n_segments, answer).weights) <= found.half_widths)
    assert 0.93 <= np.mean(covered) <= 0.99


def test_intervals_cover_when_the_rounds_stop_by_their_width() -> None:
    covered, spent = [], []
    for seed in range(40):
        n_masks, fits = adaptive(11, seed, tolerance=0.05, budget=1500)
        wanted = exact(11, logistic(11, seed)).weights
        covered.append(np.abs(fits[0].weights - wanted) <= fits[0].half_widths)
        spent.append(n_masks)
    assert np.mean(covered) >= 0.93
    assert len(set(spent)) > 5
    assert np.median(spent) < 1000


def test_fewer_evaluations_are_as_good_as_five_thousand_of_the_package() -> None:
    ours, theirs = [], []
    for seed in range(10):
        answer = logistic(11, seed)
        wanted = exact(11, answer).weights
        sample = draw(11, 700, WIDTH, np.random.RandomState(seed))
        masks = sample_masks(11, 5000, np.random.RandomState(seed))
        few = estimate(sample, answer(sample.masks), WIDTH)[0]
        many = fit(masks, answer(masks)[:, 0], kernel(masks, WIDTH))
        ours.append(np.abs(few.weights - wanted).max() / np.abs(wanted).max())
        theirs.append(np.abs(many.weights - wanted).max() / np.abs(wanted).max())
    assert np.mean(ours) < np.mean(theirs)


def test_two_labels_of_one_classifier_mirror_each_other() -> None:
    sample = draw(14, 300, WIDTH, np.random.RandomState(0))
    one, other = estimate(sample, logistic(14, 3)(sample.masks), WIDTH)
    assert one.weights == pytest.approx(-other.weights, abs=1e-10)
    assert one.half_widths == pytest.approx(other.half_widths, rel=1e-6)
    assert one.intercept == pytest.approx(1 - other.intercept, abs=1e-10)


def constant_fits(n_segments: int, level: float, num_features: int | None) -> list[Fit]:
    """Of a constant model: estimated from few masks, sampled, and from all masks where they are few."""
    sample = draw(n_segments, 200, WIDTH, np.random.RandomState(0))
    masks = sample_masks(n_segments, 200, np.random.RandomState(1))
    found = estimate(sample, np.full((len(sample.masks), 1), level), WIDTH, num_features)
    found += fit_all(masks, np.full((200, 1), level), kernel(masks, WIDTH), num_features=num_features)
    if n_segments < 10:
        masks, shares = enumerate_masks(n_segments, 200)
        values = np.full((len(masks), 1), level)
        found += fit_all(masks, values, kernel(masks, WIDTH) * shares, num_features=num_features, exact=True)
    return found


@pytest.mark.parametrize("num_features", [None, 2, 7])
@pytest.mark.parametrize("n_segments", [2, 7, 20])
@pytest.mark.parametrize("level", [0.0, 0.1, 0.3, 0.7, 0.9999, -3.3])
def test_a_constant_model_has_no_weights_and_no_doubt(level: float, n_segments: int, num_features: int | None) -> None:
    for found in constant_fits(n_segments, level, num_features):
        assert (found.weights == 0).all()
        assert (found.half_widths == 0).all()
        assert (found.intercept, found.fidelity, precision(found)) == (level, 1.0, 0.0)


def test_values_that_differ_by_rounding_alone_leave_nothing_to_explain() -> None:
    random = np.random.default_rng(0)
    values, weights = 0.3 * (1 + 1e-15 * random.normal(size=50)), random.random(50)
    assert r_squared(values, values - 0.3, weights) == 1.0
    assert r_squared(values, values - 0.2, weights) == 0.0
    real = 0.3 * (1 + 1e-6 * random.normal(size=50))
    mean = weights @ real / weights.sum()
    assert r_squared(real, real - mean, weights) == pytest.approx(0, abs=1e-6)


@pytest.mark.parametrize(("n_segments", "width"), [(1, 2.5), (3, 0.3), (3, 0.01), (8, 0.1)])
def test_a_kernel_that_sees_only_the_undisturbed_text_gives_no_weights(n_segments: int, width: float) -> None:
    masks, shares = enumerate_masks(n_segments, 200)
    values = logistic(n_segments, 3)(masks)
    for label, found in enumerate(fit_all(masks, values, kernel(masks, width) * shares, exact=True)):
        assert (found.weights == 0).all()
        assert found.intercept == values[0, label]
        assert found.fidelity == 1.0  # it meets all that has weight


@pytest.mark.parametrize("width", [1.0, 2.0, 5.0])
def test_a_kernel_that_barely_sees_more_is_fitted_to_the_masks_with_one_segment_removed(width: float) -> None:
    """What weighs next to nothing still decides where nothing else does."""
    masks, shares = enumerate_masks(3, 200)
    values = logistic(3, 3)(masks)[:, 0]
    found = fit(masks, values, kernel(masks, width) * shares, exact=True)
    removed = [int(np.flatnonzero((masks.sum(axis=1) == 2) & ~masks[:, j])[0]) for j in range(3)]
    assert found.weights == pytest.approx(values[0] - values[removed], rel=1e-4)
    assert found.intercept + found.weights.sum() == pytest.approx(values[0])
    assert found.fidelity == pytest.approx(1)


@pytest.mark.parametrize("num_features", [3, 8])
def test_the_selected_features_are_those_of_enumeration(num_features: int) -> None:
    answer = logistic(11, 7)
    sample = draw(11, 2**11, WIDTH, np.random.RandomState(0))
    found = estimate(sample, answer(sample.masks), WIDTH, num_features)[0]
    masks = sample.masks[1:]
    wanted = fit(masks, answer(masks)[:, 0], shares_of(masks), num_features=num_features, exact=True)
    assert found.selected.sum() == num_features
    assert (found.selected == wanted.selected).all()
    assert found.weights == pytest.approx(wanted.weights, abs=5e-5)


def test_blocks_of_a_large_sample_agree_with_enumeration(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("auditor.probes.lime.emulator.BLOCK", 250)
    covered = []
    for seed in range(20):
        answer = logistic(12, seed)
        sample = draw(12, 900, WIDTH, np.random.RandomState(seed))
        found = estimate(sample, answer(sample.masks), WIDTH)[0]
        covered.append(np.abs(found.weights - exact(12, answer).weights) <= found.half_widths)
    assert 0.93 <= np.mean(covered) <= 0.995


def test_masks_are_drawn_from_the_stream_of_the_package() -> None:
    ours, theirs = np.random.RandomState(8), np.random.RandomState(8)
    masks = sample_masks(13, 200, ours)
    sizes = theirs.randint(1, 14, 199)
    for row, size in zip(masks[1:], sizes, strict=True):
        removed = theirs.choice(13, size, replace=False)
        assert set(np.flatnonzero(~row)) == set(removed)
    assert ours.randint(2**31) == theirs.randint(2**31)


@pytest.mark.parametrize("num_features", [None, 4, 9])
def test_labels_fitted_together_are_labels_fitted_alone(num_features: int | None) -> None:
    masks = sample_masks(15, 400, np.random.RandomState(0))
    values = logistic(15, 0)(masks)
    together = fit_all(masks, values, kernel(masks, WIDTH), num_features=num_features)
    for label, found in enumerate(together):
        alone = fit(masks, values[:, label], kernel(masks, WIDTH), num_features=num_features)
        assert found.weights == pytest.approx(alone.weights, abs=1e-12)
        assert found.half_widths == pytest.approx(alone.half_widths, rel=1e-9)


def test_forward_selection_takes_the_segment_that_explains_most_each_time() -> None:
    masks = sample_masks(12, 300, np.random.RandomState(1))
    values, weights = logistic(12, 9)(masks)[:, 0], kernel(masks, WIDTH)
    root = np.sqrt(weights)

    def left(chosen: list[int]) -> float:
        columns = np.c_[np.ones(300), masks[:, chosen]] * root[:, None]
        return float(np.linalg.lstsq(columns, values * root, rcond=None)[1][0])

    wanted: list[int] = []
    for _ in range(5):
        wanted.append(min(set(range(12)) - set(wanted), key=lambda j: left([*wanted, j])))
    assert set(np.flatnonzero(fit(masks, values, weights, num_features=5).selected)) == set(wanted)


def test_size_shares_are_those_of_the_kernel() -> None:
    assert size_shares(7, WIDTH) == pytest.approx(
        [shares_of(BITS)[BITS.sum(axis=1) == 7 - size].sum() for size in range(1, 8)]
    )
