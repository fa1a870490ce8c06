"""Comparisons of parts with the whole: which test, corrected how, and what could have been found."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from auditor.findings.contract.numbers import number
from auditor.findings.contract.numbers import perplexity as perplexity_number
from auditor.findings.slicing.comparisons import compare
from auditor.findings.statistics.corrections import holm
from auditor.findings.statistics.intervals import Estimate, bootstrap_mean, estimate, wilson
from tests.simulations.families import COLUMNS, KINDS, PAGE, SIZES, is_false


def share(name, right, n):
    return number(name, name, wilson(right, n), "share", "")


def made(part, whole):
    return compare([(part, whole)])[part.name]


def test_holm_is_the_example_of_the_textbooks():
    assert holm([0.01, 0.04, 0.03, 0.005]) == pytest.approx([0.03, 0.06, 0.06, 0.02])
    assert holm([0.9, 0.8]) == [1.0, 1.0]
    assert holm([]) == []


@given(st.lists(st.floats(0, 1), min_size=1, max_size=60))
def test_holm_corrects_upwards_keeps_the_order_and_spares_more_than_bonferroni(values):
    corrected = holm(values)
    assert all(p <= q <= min(1.0, len(values) * p + 1e-12) for p, q in zip(values, corrected, strict=True))
    assert [corrected[i] for i in np.argsort(values)] == sorted(corrected)


@pytest.mark.parametrize(("right", "n", "of", "total"), [(20, 40, 150, 200), (38, 40, 150, 200), (30, 40, 150, 200)])
def test_proportions_are_compared_by_fishers_exact_test_against_the_rest(right, n, of, total):
    table = [[right, n - right], [of - right, total - n - (of - right)]]
    sides = [stats.fisher_exact(table, alternative=side).pvalue for side in ("less", "greater")]
    assert made(share("a{b=c}", right, n), share("a", of, total)).p == pytest.approx(min(1.0, 2 * min(sides)))


def test_other_numbers_are_compared_by_the_larger_standard_error():
    x = np.random.default_rng(0).normal(size=400)
    part, whole = (bootstrap_mean(values, seed=0, name="x") for values in (x[:40], x))
    found = made(number("x{a=b}", "X", part, "nats", ""), number("x", "X", whole, "nats", ""))
    against_rest = stats.ttest_ind(x[:40], x[40:]).pvalue
    assert found.p == pytest.approx(against_rest, abs=0.1)
    wide = Estimate(part.value, part.value - 1, part.value + 1, 40)
    wider = made(number("x{a=b}", "X", wide, "nats", ""), number("x", "X", whole, "nats", ""))
    assert wider.p > found.p
    assert wider.detectable > found.detectable


def test_perplexities_are_compared_in_nats():
    nats = [(estimate(v, v - w, v + w, n)) for v, w, n in ((3.0, 0.2, 50), (2.0, 0.1, 400))]
    part, whole = (perplexity_number(name, "X", one, "") for name, one in zip(("x{a=b}", "x"), nats, strict=True))
    plain = [number(name, "X", one, "nats", "") for name, one in zip(("x{a=b}", "x"), nats, strict=True)]
    assert made(part, whole) == made(*plain)
    assert made(part, whole).stands_apart


def test_a_part_that_is_the_whole_does_not_differ_and_what_has_no_interval_is_not_compared():
    whole = number("x", "X", estimate(1.0, 0.8, 1.2, 60), "nats", "")
    same = made(whole.model_copy(update={"name": "x{a=b}"}), whole)
    assert (same.p, same.stands_apart, same.detectable) == (1.0, False, None)
    for value in (Estimate(1.0, None, None, 40), Estimate(None, None, None, 0), Estimate(2.0, 2.0, 2.0, 40)):
        part = number("x{a=b}", "X", value, "nats", "")
        assert not compare([(part, whole.model_copy(update={"low": 1.0, "high": 1.0}))])


def test_a_difference_is_harder_to_find_among_many():
    part, whole = share("a{b=c}", 30, 40), share("a", 360, 400)
    alone = made(part, whole)
    others = [(share(f"a{{b={i}}}", 36, 40), whole) for i in range(49)]
    among = compare([(part, whole), *others])["a{b=c}"]
    assert alone.p < among.p
    assert alone.detectable < among.detectable
    assert (alone.stands_apart, among.stands_apart) == (True, False)


def test_a_difference_as_large_as_is_said_is_found_in_about_80_of_100_cases():
    rng, found = np.random.default_rng(4), []
    whole = number("x", "X", estimate(0.0, -0.1, 0.1, 400), "nats", "")
    error = 0.1 / 1.959964 * np.sqrt(400 / 50 - 1)
    size = made(number("x{a=b}", "X", estimate(0.0, -0.1, 0.1, 50), "nats", ""), whole).detectable
    for drawn in rng.normal(size, error, 2000):
        part = number("x{a=b}", "X", estimate(drawn, drawn - 0.1, drawn + 0.1, 50), "nats", "")
        found.append(made(part, whole).stands_apart)
    assert np.mean(found) == pytest.approx(0.8, abs=0.03)


@pytest.mark.parametrize("kind", KINDS, ids=lambda kind: kind.what)
def test_where_nothing_differs_hardly_a_report_sets_a_group_apart(kind):
    """The table of tests/simulations with few draws: 40 reports of ten comparisons."""
    rng = np.random.default_rng(1)
    assert sum(is_false(kind, rng, 10, 30) for _ in range(40)) <= 5  # with 5 %, once in seventy such tests more


def test_the_table_of_false_families_has_the_cells_that_are_simulated_and_none_above_one_in_twenty():
    rows = [line.strip("| ").split(" | ") for line in PAGE.read_text(encoding="utf-8").splitlines() if line[:2] == "| "]
    assert [row[0] for row in rows[1:]] == [kind.what for kind in KINDS]
    assert len(rows[0]) == 1 + len(COLUMNS) * len(SIZES)
    assert all(float(cell.rstrip("%")) <= 6.0 for row in rows[1:] for cell in row[1:])  # one standard error is 1.1 %
