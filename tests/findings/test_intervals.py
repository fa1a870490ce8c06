import math
import time

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats

from auditor.findings.statistics.intervals import (
    LEAST,
    Estimate,
    bootstrap,
    bootstrap_log_mean,
    bootstrap_mean,
    bootstrap_ratio,
    divide,
    quantile,
    quantile_ranks,
    student,
    wilson,
)
from auditor.findings.statistics.resampling import indices, on_grid, resampled_sums
from tests.simulations.coverage import PAGE, cells, cover


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


def test_the_bootstrap_of_a_mean_is_scipys_of_students_t():
    """T of every resample by `scipy.stats.ttest_1samp`, on the documents that were drawn."""
    x = np.random.default_rng(1).lognormal(size=25)
    drawn = np.concatenate(list(resampled_sums(np.eye(25), 0, "x"))).astype(int)
    t = np.sort([stats.ttest_1samp(np.repeat(x, times), x.mean()).statistic for times in drawn])
    found, out = bootstrap_mean(x, seed=0, name="x"), int(0.025 * (1 - 2.5 / 25) * 1999)
    ends = x.mean() - t[[-1 - out, out]] * stats.sem(x)
    assert (found.low, found.high) == pytest.approx(tuple(ends), rel=1e-9)


def test_the_bootstrap_of_a_ratio_has_the_errors_of_its_linearisation():
    rng = np.random.default_rng(4)
    tokens = rng.integers(5, 200, size=40).astype(float)
    nll = tokens * rng.gamma(9, 1 / 3, size=40)
    t, ratio = [], nll.sum() / tokens.sum()
    for times in np.concatenate(list(resampled_sums(np.eye(40), 0, "x"))).astype(int):
        a, b = np.repeat(nll, times), np.repeat(tokens, times)
        error = math.sqrt(np.sum((a - a.sum() / b.sum() * b) ** 2)) / b.sum()
        t.append((a.sum() / b.sum() - ratio) / error)
    error, out = math.sqrt(np.sum((nll - ratio * tokens) ** 2)) / tokens.sum(), int(0.025 * (1 - 2.5 / 40) * 1999)
    ends = ratio - np.sort(t)[[-1 - out, out]] * error
    found = bootstrap_ratio(nll, tokens, seed=0, name="x")
    assert found.value == pytest.approx(ratio)
    assert (found.low, found.high) == pytest.approx(tuple(ends), rel=1e-9)


@pytest.mark.parametrize("shape", [lambda rng: rng.normal(size=4000), lambda rng: rng.exponential(size=4000)])
def test_on_many_documents_the_bootstrap_is_students_interval_moved_a_little(shape):
    x = shape(np.random.default_rng(5))
    found, theirs = bootstrap_mean(x, seed=0, name="x"), student(x)
    width = theirs.high - theirs.low
    assert (found.low, found.high) == pytest.approx((theirs.low, theirs.high), abs=0.05 * width)


def test_the_bootstrap_of_any_other_function_agrees_with_scipys_bca():
    """Of the root of a mean: at n = 400 the expansion (0.4 %) is less than the noise of resampling."""
    x = np.random.default_rng(1).lognormal(size=400)
    theirs = stats.bootstrap((x,), lambda v, axis=-1: np.sqrt(v.mean(axis=axis)), rng=np.random.default_rng(2))
    features = np.column_stack([x, np.ones(400)])
    found = bootstrap(features, lambda s: np.sqrt(s[..., :1] / s[..., 1:]), seed=0, name="x")[0]
    width = theirs.confidence_interval.high - theirs.confidence_interval.low
    assert found.low == pytest.approx(theirs.confidence_interval.low, abs=0.06 * width)
    assert found.high == pytest.approx(theirs.confidence_interval.high, abs=0.06 * width)


@pytest.mark.parametrize("cell", list(cells()), ids=lambda cell: f"{cell.what}, {cell.documents}")
def test_intervals_of_ten_documents_cover_what_they_say(cell):
    """The first column of the table of tests/simulations, with few draws: one standard error is 2.7 %."""
    held, given = cover(cell, 10, 100)
    assert given == 0 or held >= 0.92 - 2.5 * 0.027


def test_the_table_of_the_simulation_has_the_cells_that_are_simulated():
    rows = [line.split(" | ") for line in PAGE.read_text(encoding="utf-8").splitlines() if line.startswith("| ")]
    assert [(row[0][2:], row[1]) for row in rows[1:]] == [(cell.what, cell.documents) for cell in cells()]


def test_the_wilson_interval_covers_a_small_share_about_95_times_in_100():
    counts = np.random.default_rng(7).binomial(100, 0.06, size=1000)
    covered = [(e := wilson(int(k), 100)).low <= 0.06 <= e.high for k in counts]
    assert 0.92 <= np.mean(covered) <= 0.98


def test_equal_documents_say_nothing_about_others_so_there_is_no_interval():
    """The resampling unit is the document: tokens that differ within documents do not make an interval."""
    sizes = np.arange(1.0, 13)
    assert bootstrap_ratio(10 * sizes, sizes, seed=0, name="x") == Estimate(10.0, None, None, 12)
    assert bootstrap_mean([0.1] * 17, seed=0, name="x") == Estimate(pytest.approx(0.1), None, None, 17)
    assert bootstrap_mean([1.0] * 10, seed=0, name="x") == Estimate(1.0, None, None, 10)  # not known to stop at 1


def test_one_document_that_differs_moves_the_end_by_five_times_its_share():
    """A third of the resamples miss it, and have no spread of their own."""
    found = bootstrap_mean([3.0] * 39 + [5.0], seed=0, name="x")
    assert (found.value, found.high) == pytest.approx((3.05, 3.05 + 5 * 0.05))


def test_fewer_than_ten_documents_have_a_value_and_no_interval():
    x = list(np.random.default_rng(3).normal(size=LEAST))
    assert bootstrap_mean(x[:-1], seed=0, name="x") == Estimate(pytest.approx(np.mean(x[:-1])), None, None, 9)
    assert bootstrap_mean(x, seed=0, name="x").low is not None
    features = np.column_stack([x, np.ones(LEAST)])
    for n in (LEAST - 1, LEAST):
        found = bootstrap(features[:n], lambda s: s[..., :1] / s[..., 1:], seed=0, name="x")[0]
        assert (found.low is None) is (n < LEAST)


@pytest.mark.parametrize("n", [2, 10, 300])
@pytest.mark.parametrize(("value", "successes"), [(0.0, 0), (1.0, 1), (1 - 1e-15, 1), (1 + 1e-15, 1)])
def test_a_share_at_its_end_is_as_uncertain_as_a_plain_proportion(n, value, successes):
    theirs = wilson(n * successes, n)
    of_mean = bootstrap_mean([value] * n, seed=0, name="x", share=True)
    features = np.column_stack([[value] * n, np.ones(n)])
    of_sums = bootstrap(features, lambda s: s[..., :1] / s[..., 1:], seed=0, name="x", share=True)[0]
    for found in (of_mean, of_sums):
        assert (found.value, found.n) == (pytest.approx(value, abs=1e-14), n)
        assert (found.low, found.high) == pytest.approx((theirs.low, theirs.high), abs=1e-6)
        assert found.high - found.low > 0.01


def test_a_mean_of_shares_that_are_all_alike_is_as_uncertain_as_a_proportion():
    found = bootstrap_mean([0.9] * 10, seed=0, name="x", share=True)
    theirs = wilson(9, 10)
    assert (found.low, found.high) == pytest.approx((theirs.low, theirs.high))


def test_a_share_that_varies_has_the_interval_of_any_other_mean():
    values = list(np.random.default_rng(0).beta(8, 1, 20))
    assert bootstrap_mean(values, seed=0, name="x", share=True) == bootstrap_mean(values, seed=0, name="x")
    tiny = [i * 1e-20 for i in range(1, 12)]  # a probability, not a rounded 0
    assert bootstrap_mean(tiny, seed=0, name="x", share=True).high < 5e-19


def test_the_same_seed_and_name_give_the_same_digits_and_others_do_not():
    x = np.random.default_rng(8).normal(size=50)
    first = bootstrap_mean(x, seed=0, name="a")
    assert first == bootstrap_mean(x, seed=0, name="a")
    assert first != bootstrap_mean(x, seed=0, name="b")
    assert first != bootstrap_mean(x, seed=1, name="a")


def test_the_index_stream_is_frozen():
    assert indices(np.random.PCG64(1), 12, 100).tolist() == [47, 75, 3, 82, 24, 86, 51, 95, 14, 94, 31, 42]
    values = [0.3, 1.2, 2.7, 4.1, 0.2, 0.9, 1.6, 0.4, 2.2, 3.3, 0.8, 1.1]
    found = bootstrap_mean(values, seed=0, name="frozen")
    assert (found.low, found.high) == pytest.approx((0.8650997478002, 2.6773816808971), abs=1e-9)


def test_sums_on_the_grid_are_the_same_in_every_order():
    x = on_grid(np.random.default_rng(2).lognormal(size=(500, 3)))
    orders = [np.random.default_rng(i).permutation(500) for i in range(20)]
    assert {tuple(np.add.reduce(x[order], axis=0)) for order in orders} == {tuple(x.sum(axis=0))}


def test_the_logarithm_of_a_mean_shifts_with_the_unit_and_stays_above_nothing():
    x = np.random.default_rng(7).lognormal(size=12)
    found, shifted = (bootstrap_log_mean(scale * x, seed=0, name="x") for scale in (1, 1000))
    assert found.value == pytest.approx(math.log(x.mean()))
    moved = [end + math.log(1000) for end in (found.value, found.low, found.high)]
    assert (shifted.value, shifted.low, shifted.high) == pytest.approx(tuple(moved))
    assert bootstrap_log_mean([0.0] * 12, seed=0, name="x") == Estimate(None, None, None, 12)


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
def test_an_interval_is_finite_and_holds_the_mean(values):
    found = bootstrap_mean(values, seed=0, name="x")
    if found.low is None or found.high is None:
        return
    assert len(values) >= LEAST
    assert -math.inf < found.low <= found.value <= found.high < math.inf


def test_ten_thousand_documents_take_about_half_a_second():
    x = np.random.default_rng(9).normal(size=10_000)
    start = time.process_time()
    found = bootstrap_mean(x, seed=0, name="x")
    assert time.process_time() - start < 2.5
    assert found.high - found.low == pytest.approx(2 * 1.96 / 100, rel=0.1)
