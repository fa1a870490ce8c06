"""The words that style sheets print: page numbers and references to pages, in the language of the report."""

import pytest

from auditor.languages import speaking
from auditor.report.page import pdf


def test_pages_are_numbered_in_words_and_counters():
    margins = pdf._page_margins(None)
    assert '@page{@bottom-right{content:"Page " counter(page) " of " counter(pages) ""}' in margins
    assert '.see::after{content:" (p. " target-counter(attr(href url), page) ")"}' in margins


def test_no_english_word_is_left_on_a_chinese_page():
    with speaking("zh"):
        margins = pdf._page_margins(None)
    assert "Page" not in margins
    assert "p. " not in margins
    assert '.see::after{content:"（第' in margins  # full-width brackets bring their own space
    assert margins.count("counter(page)") == 1
    assert margins.count("target-counter(attr(href url), page)") == 2


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("plain", '"plain"'),
        ('a"b', '"a\\22 b"'),
        ("a\\b", '"a\\5c b"'),
        ("a\nb", '"a\\a b"'),
        ("</style>", '"\\3c /style>"'),
        ("第", '"第"'),
    ],
)
def test_a_string_of_a_style_sheet_cannot_be_left_nor_its_sheet(text, expected):
    assert pdf._string(text) == expected
