"""The section on the sanity of explainers, and what the sections of explainers say of their self-check."""

import base64

import pytest

from auditor.findings import summarise
from auditor.findings.analyses.sanity import UNCHANGED
from auditor.languages.numbers import shortest
from auditor.records.proof import SelfCheck
from auditor.report import render_html
from auditor.report.contract import Sources
from auditor.report.drawing.figures import Curve, Panel, draw_panels
from auditor.report.sections import sanity
from auditor.report.sections.self_checks import self_checked
from tests.findings.randomised import REACTING, STUCK, both
from tests.findings.worked_example import context, evidence

pytestmark = pytest.mark.usefixtures("no_embedded_fonts")


def sources(rows, **changes):
    asked = {**context().asked, "sanity": 10}
    return Sources(summarise(rows, context(asked=asked, **changes)), rows)


def test_the_answer_names_who_does_not_react_and_how_far_the_first_one_changes():
    section = sanity.compose(sources(both(10)))
    assert section.answer.startswith("Explanations by occlusion do not react to the model, and say nothing about it.")
    assert "The explanations by LIME correlate at 0.000 (" in section.answer
    assert sanity.compose(sources(both(10, occlusion=REACTING))).answer.startswith("Each of 2 methods reacts")
    stuck_first = sanity.compose(sources(both(10, lime=STUCK)))
    assert stuck_first.answer.startswith("Explanations by LIME and occlusion do not")
    assert "correlate" not in stuck_first.answer
    assert "9 documents were explained again: too few" in sanity.compose(sources(both(9))).answer


def test_every_method_has_its_reaction_and_every_step_a_row():
    (reactions, _), (steps, _) = sanity.compose(sources(both(10))).content["tables"]
    assert [(row[0], row[-2], row[-1]) for row in reactions.rows] == [
        ("LIME", "10", "reacts"),
        ("occlusion", "10", "does not react"),
    ]
    assert f"above {shortest(UNCHANGED)}" in reactions.caption
    assert [row[1] for row in steps.rows] == ["nothing: explained twice", "the head", "layers 1 to 2"] * 2
    assert [row[0] for row in steps.rows] == ["LIME", "", "", "occlusion", "", ""]


def test_cost_and_steps_are_stated():
    method = sanity.compose(sources(both(10))).method
    assert "the same 10 documents again" in method
    assert "in 2 steps (145 texts in all" in method


def test_the_page_holds_the_figure_and_the_rule():
    of = sources(both(10))
    page = render_html(of.findings, of.evidence)
    section = page[page.index('<section id="sanity"') :]
    assert section.index("Figure") < section.index("does not react")
    assert 'src="data:image/svg+xml;base64,' in section


def test_panels_are_drawn_alike_each_time_and_hold_no_markup_of_a_name():
    curve = Curve((1.0, None, 0.2), (None, None, (-0.1, 0.5)))
    panels = [Panel("<script>" if i == 3 else f"method {i}", curve, curve) for i in range(4)]
    drawn = [draw_panels(panels, ("none", "head", "emb."), 0.5, ("one", "two")) for _ in range(2)]
    assert drawn[0] == drawn[1]
    assert b"<script>" not in base64.b64decode(drawn[0].partition(",")[2])


def test_a_self_check_is_a_sentence_of_the_method_and_of_nobody_else():
    check = SelfCheck("lime", 54, 1.27e-15, tolerance=1e-6, deviation=2.23, most_deviation=5.0)
    findings = sources(evidence(), self_checks=(check,)).findings
    assert self_checked(findings, "lime") == (
        "Self-check before the run: over 54 weights of toy models the greatest difference from the known ones is "
        "1.3 × 10⁻¹⁵. Where weights are estimated from some of the variants they are at most 2.2 standard errors off."
    )
    assert self_checked(findings, "occlusion") == ""
    page = render_html(findings, evidence())
    assert "over 54 weights of toy models" in page[page.index('<section id="lime"') :]
