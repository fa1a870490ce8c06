"""The chapter on anchors: rules, how precise and how long they are, and their words in the texts."""

import re
from dataclasses import replace
from html import unescape

import pytest

from auditor.findings import summarise
from auditor.records.explanations import Anchor
from auditor.records.types import NotMeasurable
from auditor.report import render_html
from auditor.report.contract import Sources
from auditor.report.sections.anchors import CHAPTER
from tests.findings.worked_example import context, evidence, explanation, with_rows

pytestmark = pytest.mark.usefixtures("no_embedded_fonts")


def found(i: int, **changes: object) -> Anchor:
    """Of a document of the worked example: its first word."""
    base = explanation(i)
    values = {
        "document_id": base.document_id,
        "label": "positive",
        "segmenter": "words",
        "segments": base.segments,
        "rule": (0,),
        "precision": 0.98,
        "low": 0.95,
        "high": 0.99,
        "coverage": 0.5,
        "base_precision": 0.6,
        "n_samples": 200,
        "n_evaluations": 300,
        "stopped": "anchored",
    }
    return Anchor(**{**values, **changes})


EXACT = {"precision": 1.0, "low": 1.0, "high": 1.0, "n_samples": 0, "rule": ()}
SPENT = {"precision": 0.7, "low": 0.6, "high": 0.8, "stopped": "budget"}


def run(*rows: object, asked: int = 0) -> tuple:
    whole = with_rows(evidence(), anchors={row.document_id: row for row in rows})
    return summarise(whole, context(asked={**context().asked, "anchors": asked or len(rows)})), whole


def words(markup: str) -> str:
    return " ".join(unescape(re.sub(r"<[^>]+>", " ", markup)).split())


def test_numbers_are_of_all_rules_but_lengths_of_anchors_alone() -> None:
    findings, _ = run(found(0), found(1, rule=(0, 1, 2)), found(2, **SPENT), found(3, **EXACT))
    numbers = {n.name: (n.value, n.n) for n in findings.numbers if n.name.startswith("anchors") and "{" not in n.name}
    assert numbers == {"anchors.precision": (0.98, 4), "anchors.held_share": (0.75, 4), "anchors.length": (1.0, 3)}
    analysis = findings.analyses["anchors"]
    assert (analysis.n_exact, analysis.stopped) == (1, {"anchored": 3, "budget": 1})


def test_without_an_anchor_there_is_no_length() -> None:
    findings, whole = run(found(0, **SPENT))
    assert "anchors.length" not in {number.name for number in findings.numbers}
    section = CHAPTER.compose(Sources(findings, whole))
    assert section.answer.startswith("In a share of 0.000 of 1 document ")
    assert "median anchor" not in section.answer


def test_the_page_shows_each_rule_its_precision_and_its_words_in_the_text() -> None:
    rows = [found(0), found(2, **SPENT), found(3, **EXACT), NotMeasurable("d04", "no-label", "…")]
    page = render_html(*run(*rows, asked=4))
    section = re.search(r'<section id="anchors".*?</section>', page, re.DOTALL)[0]
    first = explanation(0).segments[0].text
    assert re.search(rf"d00 {first} positive .*0\.98 0\.95–0\.99 0\.60 0\.50", words(section))
    assert "no word" in words(section)
    assert "exact" in words(section)
    cards = re.findall(r'<article class="card".*?</article>', section, re.DOTALL)
    assert len(cards) == 3
    assert re.findall(r'<mark class="supports-3"[^>]*>([^<]*)', cards[0]) == [first]
    assert "no rule was found within the variants that were allowed; this is the best of them" in words(cards[1])
    assert "<mark" not in cards[2]
    assert "no sampling error" in words(cards[2])


def test_words_and_labels_of_a_rule_are_escaped() -> None:
    base = found(0)
    evil = replace(base.segments[0], text="<script>alert(1)</script>")
    page = render_html(*run(replace(base, label="<b>x", segments=(evil, *base.segments[1:]))))
    section = re.search(r'<section id="anchors".*?</section>', page, re.DOTALL)[0]
    assert "<script>alert" not in section
    assert "&lt;b&gt;x" in section
