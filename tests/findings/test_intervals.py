import math
import time

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats

from auditor.findings.statistics.intervals import (
    Estimate,
    _indices,
    bootstrap,
    bootstrap_mean,
    bootstrap_ratio,
    divide,
    quantile,
    quantile_ranks,
    student,
    wilson,
)


@pytest.mark.parametrize(
    ("successes", "n", "low", "high"),
    [(81, 263, 0.2553, 0.3662), (15, 148, 0.0624, 0.1605), (0, 20, 0.0, 0.1611), (1, 29, 0.0061, 0.1718)],
)
def test_wilson_gives_the_values_published_by_newcombe_1998(successes, n, low, high):
    found = wilson(successes, n)
    assert (found.low, found.high) == pytest.approx((low, high), abs=5e-5)
    assert found.value == successes / n


@settings(deadline=None)
@given(st.integers(2, 500).flatmap(lambda n: st.tuples(st.integers(0, n), st.just(n))))
def test_wilson_agrees_with_scipy(counts):
    found, theirs = wilson(*counts), stats.binomtest(*counts).proportion_ci(method="wilson")
    assert (found.low, found.high) == pytest.approx((theirs.low, theirs.high), abs=1e-12)
    assert 0 <= found.low <= found.value <= found.high <= 1


@pytest.mark.parametrize("of", [lambda x: bootstrap_mean(x, seed=0, name="x"), quantile, student])
def test_nothing_has_no_value_and_one_document_no_interval(of):
    assert of([]) == Estimate(None, None, None, 0)
    assert of([0.25]) == Estimate(0.25, None, None, 1)
    assert wilson(0, 0) == Estimate(None, None, None, 0)
    assert wilson(1, 1) == Estimate(1.0, None, None, 1)


@pytest.mark.parametrize(("n", "ranks"), [(5, None), (6, (1, 6)), (10, (2, 9)), (20, (6, 15)), (40, (14, 27))])
def test_the_ranks_around_a_median_are_those_of_the_sign_test_tables(n, ranks):
    assert quantile_ranks(n) == ranks


@settings(deadline=None)
@given(st.integers(6, 400), st.sampled_from([0.1, 0.25, 0.5, 0.9]))
def test_ranks_cover_the_quantile_with_at_least_95_percent(n, q):
    ranks = quantile_ranks(n, q)
    if ranks is None:
        assert min(stats.binom.cdf(0, n, q), stats.binom.sf(n - 1, n, q)) > 0 or n < 40
        return
    lower, upper = ranks
    covered = stats.binom.cdf(upper - 1, n, q) - stats.binom.cdf(lower - 1, n, q)
    assert covered >= 0.95
    assert stats.binom.cdf(lower, n, q) > 0.025  # one rank further in would leave too much below


def test_the_median_and_its_interval_agree_with_scipy():
    x = np.random.default_rng(3).lognormal(size=57)
    theirs = stats.quantile_test(x, p=0.5).confidence_interval(0.95)
    found = quantile(x)
    assert (found.value, found.low, found.high) == (np.median(x), theirs.low, theirs.high)


def test_students_interval_agrees_with_scipy():
    x = [0.1, 0.4, 0.2, 0.9]
    theirs = stats.ttest_1samp(x, 0).confidence_interval()
    found = student(x)
    assert (found.low, found.high) == pytest.approx((theirs.low, theirs.high))


def test_the_bootstrap_of_a_skewed_mean_agrees_with_scipys_bca():
    x = np.random.default_rng(1).lognormal(size=60)
    theirs = stats.bootstrap((x,), np.mean, n_resamples=20_000, method="BCa", rng=np.random.default_rng(2))
    found = bootstrap_mean(x, seed=0, name="x")
    width = theirs.confidence_interval.high - theirs.confidence_interval.low
    assert found.low == pytest.approx(theirs.confidence_interval.low, abs=0.06 * width)
    assert found.high == pytest.approx(theirs.confidence_interval.high, abs=0.06 * width)


def test_the_bootstrap_of_a_ratio_agrees_with_scipys_bca():
    rng = np.random.default_rng(4)
    tokens = rng.integers(5, 200, size=80).astype(float)
    nll = tokens * rng.gamma(9, 1 / 3, size=80)

    def ratio(a, b, axis=-1):
        return a.sum(axis=axis) / b.sum(axis=axis)

    theirs = stats.bootstrap((nll, tokens), ratio, n_resamples=20_000, paired=True, rng=np.random.default_rng(5))
    found = bootstrap_ratio(nll, tokens, seed=0, name="x")
    width = theirs.confidence_interval.high - theirs.confidence_interval.low
    assert found.value == pytest.approx(nll.sum() / tokens.sum())
    assert found.low == pytest.approx(theirs.confidence_interval.low, abs=0.06 * width)
    assert found.high == pytest.approx(theirs.confidence_interval.high, abs=0.06 * width)


def test_the_bootstrap_interval_covers_the_mean_of_a_skewed_distribution_about_95_times_in_100():
    rng = np.random.default_rng(6)
    found = [bootstrap_mean(rng.exponential(size=80), seed=i, name="x") for i in range(300)]
    assert 0.90 <= np.mean([e.low <= 1.0 <= e.high for e in found]) <= 0.985


def test_the_wilson_interval_covers_a_small_share_about_95_times_in_100():
    counts = np.random.default_rng(7).binomial(100, 0.06, size=1000)
    covered = [(e := wilson(int(k), 100)).low <= 0.06 <= e.high for k in counts]
    assert 0.92 <= np.mean(covered) <= 0.98


def test_equal_documents_say_nothing_about_others_so_there_is_no_interval():
    """The resampling unit is the document: tokens that differ within documents do not make an interval."""
    assert bootstrap_ratio([10.0, 30.0, 20.0], [1.0, 3.0, 2.0], seed=0, name="x") == Estimate(10.0, None, None, 3)
    for share in (False, True):
        found = bootstrap_mean([0.1] * 7, seed=0, name="x", share=share)
        assert found == Estimate(pytest.approx(0.1), None, None, 7)
    assert bootstrap_mean([1.0] * 10, seed=0, name="x") == Estimate(1.0, None, None, 10)  # not known to stop at 1


@pytest.mark.parametrize("n", [2, 10, 300])
@pytest.mark.parametrize(("value", "successes"), [(0.0, 0), (1.0, 1), (1 - 1e-15, 1), (1 + 1e-15, 1)])
def test_a_share_at_its_end_is_as_uncertain_as_a_plain_proportion(n, value, successes):
    found, theirs = bootstrap_mean([value] * n, seed=0, name="x", share=True), wilson(n * successes, n)
    assert (found.value, found.n) == (pytest.approx(value, abs=1e-14), n)
    assert (found.low, found.high) == pytest.approx((theirs.low, theirs.high))
    assert found.high - found.low > 0.01


def test_a_share_that_varies_has_the_interval_of_any_other_mean():
    values = [1.0] * 9 + [0.0]
    assert bootstrap_mean(values, seed=0, name="x", share=True) == bootstrap_mean(values, seed=0, name="x")
    tiny = [1e-20, 2e-20, 3e-20, 4e-20]  # a probability, not a rounded 0
    assert bootstrap_mean(tiny, seed=0, name="x", share=True).high < 5e-20


def test_the_same_seed_and_name_give_the_same_digits_and_others_do_not():
    x = np.random.default_rng(8).normal(size=50)
    first = bootstrap_mean(x, seed=0, name="a")
    assert first == bootstrap_mean(x, seed=0, name="a")
    assert first != bootstrap_mean(x, seed=0, name="b")
    assert first != bootstrap_mean(x, seed=1, name="a")


def test_the_index_stream_is_frozen():
    assert _indices(np.random.PCG64(1), 12, 100).tolist() == [47, 75, 3, 82, 24, 86, 51, 95, 14, 94, 31, 42]
    found = bootstrap_mean([0.3, 1.2, 2.7, 4.1, 0.2, 0.9], seed=0, name="frozen")
    assert (found.low, found.high) == pytest.approx((0.6333333333333, 2.9990833410389), abs=1e-9)


def test_a_statistic_undefined_in_most_resamples_has_no_interval():
    features = np.zeros((40, 2))
    features[0] = 1.0
    some, none = (
        bootstrap(f, lambda s: divide(s[..., :1], s[..., 1:]), seed=0, name="x")[0]
        for f in (features, np.zeros((40, 2)))
    )
    assert (some.value, some.low, some.n) == (1.0, None, 40)  # drawn at least once in 64 % of the resamples, always 1
    assert (none.value, none.low, none.high, none.n) == (None, None, None, 40)


def test_values_that_are_not_finite_give_no_number():
    assert bootstrap_mean([1.0, math.nan, 2.0], seed=0, name="x") == Estimate(None, None, None, 3)
    assert bootstrap_mean([math.inf], seed=0, name="x") == Estimate(None, None, None, 1)


def test_an_increasing_function_takes_value_and_ends_along():
    found = Estimate(1.0, 0.5, 2.0, 9).through(math.exp)
    assert found == Estimate(math.e, math.exp(0.5), math.exp(2), 9)
    assert Estimate(None, None, None, 0).through(math.exp) == Estimate(None, None, None, 0)


@settings(deadline=None)
@given(st.lists(st.floats(-1e6, 1e6), min_size=2, max_size=30))
def test_the_interval_holds_the_mean_and_stays_among_the_values(values):
    found = bootstrap_mean(values, seed=0, name="x")
    slack = 1e-9 * max(map(abs, values))
    if found.low is None or found.high is None:
        assert max(values) - min(values) <= slack
        return
    assert min(values) - slack <= found.low <= found.value <= found.high <= max(values) + slack


def test_ten_thousand_documents_take_about_half_a_second():
    x = np.random.default_rng(9).normal(size=10_000)
    start = time.process_time()
    found = bootstrap_mean(x, seed=0, name="x")
    assert time.process_time() - start < 2.5
    assert found.high - found.low == pytest.approx(2 * 1.96 / 100, rel=0.1)
