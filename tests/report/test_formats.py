import pytest
from hypothesis import given
from hypothesis import strategies as st
from invented_findings import check, number

from auditor.report.drawing import formats


@pytest.mark.parametrize(
    ("low", "value", "high", "unit", "expected"),
    [
        (0.900, 0.912, 0.923, "share", "0.912 (0.900–0.923)"),
        (0.71, 0.742, 0.77, "correlation", "0.74 (0.71–0.77)"),
        (-0.02, 0.031, 0.08, "correlation", "0.03 (−0.02 to 0.08)"),
        (0.2, 0.5, 0.9, "share", "0.50 (0.20–0.90)"),
        (17.9, 18.42, 19.0, "perplexity", "18.4 (17.9–19.0)"),
        (90.0, 131.4, 180.0, "perplexity", "131 (90–180)"),
        (0.55, 0.61, 0.67, "nats", "0.61 nats (0.55–0.67)"),
        (-1.4, -1.21, -1.02, "log-probability", "−1.21 (−1.40 to −1.02)"),
        (1.0e7, 2.5e7, 4.0e7, "perplexity", "2.5 × 10⁷ (1.0 × 10⁷–4.0 × 10⁷)"),
    ],
)
def test_digits_follow_the_width_of_the_interval(low, value, high, unit, expected):
    measured = number("x", "X", value, low, high, unit=unit)
    assert f"{formats.value(measured)} ({formats.interval(measured)})" == expected


@pytest.mark.parametrize(
    ("value", "unit", "expected"),
    [
        (None, "share", "–"),
        (0.0417, "share", "0.042"),
        (18.42, "perplexity", "18.4"),
        (1.234, "perplexity", "1.23"),
        (1240.7, "perplexity", "1,241"),
        (12345.0, "count", "12,345"),
        (0.0, "perplexity", "0.00"),
        (-0.001, "correlation", "0.00"),
    ],
)
def test_without_an_interval_each_unit_has_its_own_digits(value, unit, expected):
    assert formats.quantity(value, unit) == expected


def test_a_number_without_an_interval_prints_a_dash_for_it():
    measured = number("x", "X", 0.5, None, None)
    assert formats.interval(measured) == "–"


@pytest.mark.parametrize(
    ("bound", "direction", "expected"),
    [
        (0.8, "at_least", "≥ 0.8"),
        (0.885, "at_least", "≥ 0.885"),
        (25, "at_most", "≤ 25"),
        (-0.5, "at_most", "≤ −0.5"),
        (0.9999999, "at_least", "≥ 0.9999999"),
        (1234567, "at_most", "≤ 1,234,567"),
    ],
)
def test_a_bound_is_printed_as_it_was_declared(bound, direction, expected):
    assert formats.bound(check("x", "X", bound, "pass", number("x", "X", 0.9, 0.85, 0.95), direction)) == expected


def test_a_value_never_rounds_onto_a_bound_that_it_does_not_touch():
    measured = number("x", "X", 0.7996, 0.7, 0.9)
    failing = check("x", "X", 0.8, "watch", measured)
    assert formats.quantity(0.7996, "share", formats.check_digits(failing)) == "0.7996"
    plain = check("x", "X", 0.5, "pass", measured)
    assert formats.quantity(0.7996, "share", formats.check_digits(plain)) == "0.80"


@given(st.floats(0.0, 1.0), st.floats(0.0, 1.0), st.floats(0.0, 1.0), st.floats(0.0, 1.0))
def test_a_checked_number_is_printed_on_the_side_of_the_bound_where_it_lies(a, b, c, bound):
    low, value, high = sorted((a, b, c))
    checked = check("x", "X", bound, "watch", number("x", "X", value, low, high))
    digits = formats.check_digits(checked)
    for x in (low, value, high):
        if abs(x - bound) > 1e-9:
            assert (round(x, digits) < bound) is (x < bound)


def test_without_an_interval_a_checked_perplexity_keeps_its_usual_digits():
    plain = check("x", "X", 5.0, "not judged", number("x", "X", 18.42, None, None, unit="perplexity"))
    assert formats.value(plain.number, formats.check_digits(plain)) == "18.4"


@given(st.floats(-1e9, 1e9), st.integers(0, 4))
def test_no_number_carries_a_hyphen_or_a_negative_zero(value, digits):
    text = formats.decimal(value, digits)
    assert "-" not in text
    assert text.strip("−0.,") or not text.startswith("−")


@given(st.floats(0.0, 1.0), st.floats(0.0, 1.0), st.floats(0.0, 1.0))
def test_intervals_are_ordered_as_printed(a, b, c):
    low, value, high = sorted((a, b, c))
    digits = formats.digits_for(low, high, "share")
    shown = [float(formats.decimal(x, digits)) for x in (low, value, high)]
    assert shown == sorted(shown)


def test_dates_are_printed_in_full_and_in_utc():
    assert formats.moment("2026-11-21T23:30:00+02:00") == "21 November 2026, 21:30 UTC"
    assert formats.day("2026-01-02T03:04:05") == "2 January 2026"


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("Hello", "ltr"),
        ("  123 שלום", "rtl"),
        ("الفيلم good", "rtl"),
        ("film الفيلم", "ltr"),
        ("😀 123 …", "ltr"),
        ("", "ltr"),
    ],
)
def test_direction_is_that_of_the_first_strong_character(text, expected):
    assert formats.direction(text) == expected


def test_controls_that_reorder_text_are_printed_by_their_code():
    assert formats.visible("a\u202eb\u2066c\u200f") == "a[U+202E]b[U+2066]c\u200f"


def test_long_texts_say_what_is_left_out():
    assert formats.excerpt("one  two\nthree", 50) == "one two three"
    assert formats.excerpt("word " * 100, 20) == "word word word word…"
    assert formats.middle("a" * 1000, 40) == "a" * 16 + "…(968 more)…" + "a" * 16
    assert formats.middle("short", 40) == "short"


def test_lists_read_as_english():
    assert formats.listed(["a", "b", "c"]) == "a, b and c"
    assert formats.listed(["a"]) == "a"
    assert formats.listed([]) == "–"
