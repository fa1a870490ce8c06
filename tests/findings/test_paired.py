"""Differences of the same documents measured twice: exact where all ways can be tried, as scipy has it."""

import itertools

import numpy as np
import pytest
from scipy import stats

from auditor.findings.contract.contributions import median_of, quotient
from auditor.findings.contract.quantity import Quantity
from auditor.findings.statistics import paired
from auditor.findings.statistics.paired import Pair, shifts

QUANTITY = Quantity(name="x", title="x", unit="nats")


def pair_of(before, after, weights=None):
    ones = np.ones(len(before)) if weights is None else np.asarray(weights, dtype=float)
    return Pair(*(np.column_stack([np.asarray(side, dtype=float), ones]) for side in (before, after)), quotient)


def shift_of(*args, **kwargs):
    return shifts([pair_of(*args, **kwargs)], seed=0, name="x")[0]


def test_the_p_of_a_mean_is_that_of_the_sign_flip_test():
    rng = np.random.default_rng(1)
    before = rng.normal(size=11)
    after = before + rng.normal(0.4, 1, size=11)
    expected = stats.permutation_test((after - before,), np.mean, permutation_type="samples", n_resamples=np.inf)
    assert shift_of(before, after).p == pytest.approx(expected.pvalue, abs=1e-12)


def test_the_p_of_a_ratio_counts_all_ways_to_exchange_the_two_times_of_each_document():
    x, y, sizes = [3.0, 1.0, 4.0, 1.5, 9.0, 2.0], [2.5, 2.0, 6.0, 2.5, 9.5, 2.0], [2, 1, 3, 1, 4, 2]
    ways = [
        abs(sum(b if swap else a for a, b, swap in zip(x, y, swaps, strict=True))
            - sum(a if swap else b for a, b, swap in zip(x, y, swaps, strict=True))) / sum(sizes)
        for swaps in itertools.product([False, True], repeat=6)
    ]  # fmt: skip
    expected = np.mean([way >= ways[0] - 1e-12 for way in ways])
    assert shift_of(x, y, weights=sizes).p == pytest.approx(expected)


@pytest.mark.parametrize(("n_changed", "p"), [(0, 1.0), (1, 1.0), (2, 0.5), (6, 2 / 64), (10, 2 / 1024)])
def test_documents_that_answer_as_before_do_not_matter(n_changed, p):
    shift = shift_of([1] * 200, [0] * n_changed + [1] * (200 - n_changed))
    assert shift.p == pytest.approx(p)
    assert shift.n_changed == n_changed
    assert shift.difference.value == pytest.approx(-n_changed / 200)


def test_drawn_signs_come_near_the_exact_p():
    rng = np.random.default_rng(2)
    before = rng.normal(size=400)
    after = before + rng.normal(0.08, 1, size=400)
    z = (after - before).mean() / np.sqrt(np.mean((after - before) ** 2) / 400)
    assert shift_of(before, after).p == pytest.approx(2 * stats.norm.sf(abs(z)), abs=0.012)
    assert shift_of(before, after) == shift_of(before, after)


def test_the_interval_of_a_mean_is_that_of_paired_differences():
    rng = np.random.default_rng(3)
    before = rng.normal(0, 10, size=300)
    after = before + rng.normal(0.5, 1, size=300)
    low, high = stats.t.interval(0.95, 299, (after - before).mean(), stats.sem(after - before))
    found = shift_of(before, after).difference
    assert (found.low, found.high) == pytest.approx((low, high), abs=0.02)


def test_no_change_is_no_difference_without_an_interval():
    shift = shift_of([1.0, 2.0] * 20, [1.0, 2.0] * 20)
    assert (shift.difference.value, shift.difference.low, shift.p) == (0.0, None, 1.0)


def test_an_undefined_number_has_no_p():
    assert shift_of([1.0, 2.0], [1.0, 3.0], weights=[0, 0]).p is None


def test_numbers_of_the_same_documents_are_compared_together_as_each_alone():
    rng = np.random.default_rng(4)
    pairs = [pair_of(rng.normal(size=50), rng.normal(size=50)) for _ in range(3)]
    together = shifts(pairs, seed=0, name="x")
    assert [one.p for one in together] == [shifts([pair], seed=0, name="x")[0].p for pair in pairs]
    assert shifts([], seed=0, name="x") == []


def test_a_median_moves_by_the_difference_of_medians_and_as_surely_as_they_do():
    rng = np.random.default_rng(5)
    errors, widths = [], []
    for _ in range(150):
        before = rng.lognormal(size=200)
        after = before * rng.lognormal(0.05, 0.3, size=200)
        one, other = (median_of(QUANTITY, dict(enumerate(x))) for x in (before, after))
        pair = Pair(one.settle(one.features), other.settle(other.features), quotient)
        found = shifts([pair], seed=0, name="x")[0]
        assert found.difference.value == pytest.approx(np.median(after) - np.median(before))
        errors.append(found.difference.value)
        widths.append((found.difference.high - found.difference.low) / 2 / 1.96)
    assert np.mean(widths) == pytest.approx(np.std(errors), rel=0.25)


def test_every_document_is_exchanged_in_half_of_the_cases():
    kept = np.concatenate(list(paired._exchanges(33, 0, "x")))
    assert kept.shape == (paired.FLIPS, 33)
    assert set(np.unique(kept)) == {0.0, 1.0}
    assert np.abs(kept.mean(axis=0) - 0.5).max() < 0.02
