"""Heads that matter: their section, and what the chapter on attention says with and without that evidence."""

import pytest

from auditor.findings import summarise
from auditor.records.heads import HeadAblation, HeadAgreement
from auditor.report import render_html
from auditor.report.contract import Sources
from auditor.report.page import html as pages
from auditor.report.sections import attention, head_ablation
from tests.findings.acted_upon import bare
from tests.findings.worked_example import context, evidence, with_rows


@pytest.fixture(autouse=True)
def no_embedded_fonts(monkeypatch):
    monkeypatch.setattr(pages.fonts, "embed", lambda _: "")


def sources(effects=(0.2, 0.0, -0.05, 0.001)):
    """The worked example with ten documents of which every head was switched off."""
    tau = (HeadAgreement("occlusion", (0.5, 0.1, None, -0.2)),)
    rows = {
        f"d{i:02}": HeadAblation(
            f"d{i:02}", "positive", "probability", 2, 2, 0.9, tuple(e * (1 + i / 20) for e in effects), tau
        )
        for i in range(10)
    }
    whole = with_rows(evidence(), head_ablation=rows, occlusion={f"d{i:02}": bare(i) for i in range(10)})
    asked = {**context().asked, "head_ablation": 10, "occlusion": 10}
    return Sources(summarise(whole, context(asked=asked)), whole)


def test_the_section_says_how_many_heads_matter_and_which_most():
    section = head_ablation.compose(sources())
    assert section.answer.startswith(
        "2 of 4 heads matter to the answer when they are switched off one by one. Of these L0 H0 changes most: without "
        "it the answer loses 0.245 ("
    )
    table = section.content["table"]
    assert [row[0] for row in table.rows] == ["L0 H0", "L1 H0", "L1 H1", "L0 H1"]
    assert [row[-1] for row in table.rows] == ["yes", "yes", "not shown", "not shown"]
    assert table.rows[1][1] == "−0.061"
    assert [row[4] for row in table.rows] == ["0.50", "–", "−0.20", "0.10"]
    grid = section.content["grid"]
    assert grid.finding == "2 heads that matter are marked"
    assert ">0.24</text>" in grid.drawing or ">0.25</text>" in grid.drawing


def test_that_no_head_matters_is_said_without_naming_one():
    section = head_ablation.compose(sources((0.0, 0.002, 0.0, 0.0)))
    assert section.answer.startswith("0 of 4 heads matter")
    assert "changes most" not in section.answer
    assert section.content["grid"].finding == "no head matters by itself"


def test_the_chapter_on_attention_opens_with_the_heads_that_matter_where_that_is_known():
    assert attention.compose(sources()).answer.startswith("2 of 4 heads matter to the answer")
    without = summarise(evidence(), context())
    answer = attention.compose(Sources(without, evidence())).answer
    assert answer.startswith("Whether any head matters to the answers is not known: none was switched off in this run")
    assert " matters to the answer when" not in answer


def test_the_page_has_the_section_before_that_on_attention():
    found = sources()
    html = render_html(found.findings, found.evidence)
    assert 0 < html.index('<section id="head_ablation"') < html.index('<section id="attention"')
    assert "p, corrected" in html
