"""What a language model wrote by itself: the end of each text, the words behind it, and how sure it was."""

import re
from dataclasses import replace

import pytest
from invented_findings import with_analysis
from invented_runs import language_model, with_continuation

from auditor.records.types import Document
from auditor.report.contract import Sources
from auditor.report.page import templates
from auditor.report.page.html import Numbering
from auditor.report.sections import continuations, prediction


def page(run):
    section = prediction.compose(Sources(*run))
    return str(templates.fill(section.template, section=section, numbering=Numbering(), **section.content))


def many(n):
    findings, evidence = language_model()
    made = tuple(Document(f"s{i}", f"text {i}") for i in range(n))
    given = {d.id: with_continuation(d) for d in made}
    rows = {**evidence.rows, "prediction": given}
    return with_analysis(findings, "prediction", least_certain=()), replace(evidence, documents=made, rows=rows)


@pytest.mark.parametrize(
    ("text", "limit", "end"),
    [
        ("", 10, ""),
        ("short", 10, "short"),
        ("two  \n words", 10, "two words"),
        ("the beginning and the end", 8, "…the end"),
        ("x" * 100, 10, "…" + "x" * 9),
    ],
)
def test_the_end_of_a_text_is_on_one_line_and_no_longer_than_asked(text, limit, end):
    assert continuations.ending(text, limit) == end


def test_every_document_is_shown_once_with_its_log_probability():
    html = page(language_model())
    shown = re.findall(r'<bdi translate="no">(speech-\d+)</bdi>', html)
    assert sorted(shown) == [f"speech-{i:02d}" for i in range(12)]
    assert shown[:3] == ["speech-11", "speech-10", "speech-09"]
    assert html.count("−1.23") >= 1


def test_markup_in_a_continuation_is_text():
    html = page(language_model())
    assert "&lt;b&gt;this ground&lt;/b&gt;" in html
    assert "<b>this ground" not in html


def test_paper_has_the_first_and_the_screen_more():
    html = page(many(continuations.MOST + 5))
    paper = re.sub("<!--screen-->.*?<!--/screen-->", "", html, flags=re.DOTALL)
    assert paper.count('class="written"') == continuations.ON_PAPER
    assert html.count('class="written"') == continuations.MOST
    assert "5 more documents are in the evidence of the run." in paper


def test_a_model_that_was_asked_nothing_has_no_prompt():
    findings, evidence = language_model()
    bare = findings.model_copy(update={"model": {"Name": "x"}})
    assert continuations.prompt(Sources(bare, evidence)) == []
    assert "What was asked" not in page((bare, evidence))
