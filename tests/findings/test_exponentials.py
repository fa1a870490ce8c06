"""Means and quantiles of perplexities, on their logarithms."""

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from auditor.findings.statistics import exponentials
from auditor.findings.statistics.intervals import bootstrap_mean, quantile

NATS = st.lists(st.floats(0, 30), min_size=1, max_size=40)
HUGE = st.lists(st.floats(0, 1e6), min_size=2, max_size=40)
THOUSANDTHS = st.integers(0, 10**9).map(lambda n: n / 1000)
"""Up to 1e6, and apart by more than the rounding of their sums: 1e-10 and 0 are the same once 101 is added to both."""


@given(NATS)
def test_values_are_those_of_numpy_on_the_perplexities(nats):
    perplexities = np.exp(nats)
    assert exponentials.mean(nats, seed=0, name="m").value == pytest.approx(math.log(perplexities.mean()), abs=1e-12)
    assert exponentials.median(nats).value == pytest.approx(math.log(np.median(perplexities)), abs=1e-12)
    ours = exponentials.quarters(sorted(nats))
    assert ours == pytest.approx(np.log(np.quantile(perplexities, (0.25, 0.5, 0.75))), abs=1e-12)


@given(st.lists(THOUSANDTHS, min_size=2, max_size=40), st.integers(0, 10**5))
def test_a_shift_in_nats_shifts_everything(nats, shift):
    """Perplexities that are all e^shift times as large: nothing depends on whether they can be written."""
    for statistic in (exponentials.median, lambda x: exponentials.mean(x, seed=0, name="m")):
        here, there = statistic(nats), statistic([x + shift for x in nats])
        assert there.value == pytest.approx(here.value + shift, rel=1e-9)
        assert (here.low is None) == (there.low is None)


@given(HUGE)
def test_an_interval_holds_its_value(nats):
    for found in (exponentials.median(nats), exponentials.mean(nats, seed=0, name="m")):
        if found.low is not None:
            assert found.low <= found.value <= found.high
            assert min(nats) - 1e-6 <= found.value <= max(nats) + 1e-6


def test_the_interval_of_the_mean_is_nearly_that_of_the_perplexities_but_positive():
    nats = np.random.default_rng(0).normal(3, 0.5, 80)
    ours = exponentials.mean(list(nats), seed=3, name="m").through(math.exp)
    theirs = bootstrap_mean(list(np.exp(nats)), seed=3, name="m")
    assert ours.value == pytest.approx(theirs.value)
    assert (ours.low, ours.high) == pytest.approx((theirs.low, theirs.high), rel=0.02)
    wide = exponentials.mean([0.0, 9.0, *np.linspace(1, 6, 9)], seed=3, name="m")
    assert wide.low is None or math.exp(wide.low) > 0


def test_the_median_has_the_interval_of_order_statistics():
    nats = list(np.random.default_rng(1).normal(3, 0.5, 31))
    theirs = quantile([math.exp(x) for x in nats])
    assert exponentials.median(nats).through(math.exp).low == pytest.approx(theirs.low)
    assert exponentials.median(nats[:4]).low is None


def test_one_enormous_document_leaves_the_mean_a_value_without_interval():
    """Resamples without it know nothing of how large others may be."""
    found = exponentials.mean([math.log(10)] * 19 + [50.0], seed=0, name="m")
    assert found.value == pytest.approx(50 - math.log(20))
    assert (found.low, found.high) == (None, None)
    apart = exponentials.mean([800.0, 900.0, 2.0, 3.0, 1000.0, 5.0, 6.0] * 2, seed=0, name="m")
    assert apart.value == pytest.approx(1000 - math.log(7))


def test_what_cannot_be_written_has_no_exponential():
    assert exponentials.exponential(math.log(50)) == pytest.approx(50)
    assert exponentials.exponential(exponentials.BEYOND) == pytest.approx(1e300)
    assert exponentials.exponential(691.0) is None
    assert exponentials.exponential(1e38) is None
