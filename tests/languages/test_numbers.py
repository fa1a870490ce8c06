"""Numbers, lists, dates and intervals as each language writes them."""

from datetime import UTC, datetime, timedelta, timezone

import pytest

from auditor import languages
from auditor.findings.contract.types import Number
from auditor.findings.wording import sentences
from auditor.languages import numbers, plural, say, speaking, spoken, translated
from auditor.report.drawing import formats

NIGHT = datetime(2026, 11, 22, 1, 30, tzinfo=timezone(timedelta(hours=2)))


def _number(low, value, high, unit="share"):
    return Number(name="x", title="X", value=value, low=low, high=high, n=40, unit=unit, protocol="")


@pytest.mark.parametrize("language", languages.LANGUAGES)
def test_numbers_have_the_true_minus_and_group_thousands(language):
    with speaking(language):
        assert numbers.count(1234567) == "1,234,567"
        assert numbers.decimal(-1234.567, 2) == "−1,234.57"
        assert numbers.decimal(0.5, 1, sign=True) == "+0.5"
        assert numbers.decimal(-0.0004, 2) == "0.00"
        assert numbers.decimal(2.5e7, 2) == "2.5 × 10⁷"
        assert numbers.shortest(0.80) == "0.8"
        assert numbers.shortest(25) == "25"


@pytest.mark.parametrize("language", languages.LANGUAGES)
@pytest.mark.parametrize(
    ("declared", "written"),
    [
        (0.9999999, "0.9999999"),
        (1234567, "1,234,567"),
        (1234.5678, "1,234.5678"),
        (0.00002, "0.00002"),
        (0.000000123456, "0.000000123456"),
        (-0.125, "−0.125"),
        (0.1 + 0.2, "0.30000000000000004"),
        (100, "100"),
        (0.0, "0"),
        (-0.0, "0"),
        (2.5e-9, "2.5 × 10⁻⁹"),
        (1.25e20, "1.25 × 10²⁰"),
    ],
)
def test_a_bound_is_written_with_every_digit_it_was_declared_with(language, declared, written):
    with speaking(language):
        assert numbers.shortest(declared) == written


@pytest.mark.parametrize(
    ("language", "expected"), [("en", ["–", "a", "a and b", "a, b and c"]), ("zh", ["–", "a", "a、b", "a、b、c"])]
)
def test_lists_end_as_the_language_ends_them(language, expected):
    with speaking(language):
        assert [numbers.listed("abc"[:n]) for n in range(4)] == expected


@pytest.mark.parametrize(("language", "expected"), [("en", "21 November 2026"), ("zh", "2026年11月21日")])
def test_days_are_written_out_and_in_utc(language, expected):
    with speaking(language):
        assert numbers.day(NIGHT) == expected
        assert formats.day(NIGHT.isoformat()) == expected
    assert NIGHT.astimezone(UTC).day == 21


@pytest.mark.parametrize(("language", "expected"), [("en", "One. Two."), ("zh", "One.Two.")])
def test_sentences_follow_each_other_with_the_space_of_the_language(language, expected):
    with speaking(language):
        assert numbers.paragraph(["One.", "", "Two."]) == expected


@pytest.mark.parametrize(
    ("language", "low", "value", "high", "unit", "interval", "sentence"),
    [
        ("en", 0.71, 0.742, 0.77, "share", "0.71–0.77", "0.74 (95% interval 0.71 to 0.77)"),
        ("zh", 0.71, 0.742, 0.77, "share", "0.71–0.77", "0.74（95% 置信区间 0.71 至 0.77）"),
        ("en", -0.02, 0.031, 0.08, "correlation", "−0.02 to 0.08", "0.03 (95% interval −0.02 to 0.08)"),
        ("zh", -0.02, 0.031, 0.08, "correlation", "−0.02 至 0.08", "0.03（95% 置信区间 −0.02 至 0.08）"),
    ],
)
def test_intervals_are_written_as_the_language_writes_ranges(language, low, value, high, unit, interval, sentence):
    measured = _number(low, value, high, unit)
    with speaking(language):
        assert formats.interval(measured) == interval
        assert sentences.measured(measured) == sentence


def test_a_plural_has_the_count_as_it_is_printed():
    assert plural(1, "{n} document", "{n} documents") == "1 document"
    assert plural(2400, "{n} document", "{n} documents") == "2,400 documents"
    assert plural(0, "{n} document", "{n} documents") == "0 documents"
    with speaking("zh"):
        assert plural(1, "{n} document", "{n} documents") == "1 篇文档"
        assert plural(2400, "{n} document", "{n} documents") == "2,400 篇文档"


def test_a_value_is_never_looked_into():
    assert say("{value}, of {label}", value="{x}", label="{0}") == "{x}, of {0}"


def test_a_text_from_outside_is_translated_only_where_it_is_known_and_never_filled_in():
    with speaking("zh"):
        assert translated("rolling windows") == "滚动窗口"
        assert [translated(text) for text in ("{0} {x} {{", "тест", "")] == ["{0} {x} {{", "тест", ""]


def test_words_are_sorted_as_the_language_sorts_them():
    assert sorted(["Token", "entropy", "Bit"], key=numbers.collation_key) == ["Bit", "entropy", "Token"]
    with speaking("zh"):
        assert sorted(["准确率", "LIME", "标签", "困惑度"], key=numbers.collation_key) == [
            "LIME",
            "标签",
            "困惑度",
            "准确率",
        ]


def test_a_language_is_spoken_inside_its_block_only():
    with speaking("zh"):
        assert spoken() == "zh"
        with speaking("en"):
            assert spoken() == "en"
        assert spoken() == "zh"
    assert spoken() == "en"
