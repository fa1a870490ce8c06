"""Inside the model: what the section says with and without units, outliers and drift."""

import numpy as np
import pytest

from auditor.findings import summarise
from auditor.report import render_html
from auditor.report.contract import Sources
from auditor.report.page import html as pages
from auditor.report.sections import activations
from tests.findings.inside import record
from tests.findings.worked_example import context, evidence, with_rows


@pytest.fixture(autouse=True)
def no_embedded_fonts(monkeypatch):
    monkeypatch.setattr(pages.fonts, "embed", lambda _: "")


def sources(**changes):
    rows = {f"d{i:02}": record(i, outlier=(1, 2) if i < 8 else (), **changes) for i in range(10)}
    whole = with_rows(evidence(), activations=rows)
    return Sources(summarise(whole, context(asked={**context().asked, "activations": 10})), whole)


def test_the_section_answers_for_units_outliers_and_norms():
    section = activations.compose(sources())
    assert section.answer == (
        "No hidden unit is dead: each of 44 is active at some token of 10 documents (100 tokens). 1 dimension of the "
        "hidden states is an outlier: dimension 3, in 8 of 10 documents. The norm of a state goes from 1.00 before the "
        "first layer to 16.0 behind the last."
    )
    assert section.content["layers"].rows[0] == ("0", "1.00", "1.00–1.00", "2.5", "3", "–", "–")
    assert section.content["layers"].rows[4][-2:] == ("0", "0.0%")
    assert section.content["dimensions"].rows == (("3", "8", "0.800", "0.490–0.943", "2.0", "7.0"),)
    assert section.content["drift"] is None


def test_dead_units_are_counted_with_what_may_be_said_of_other_texts():
    awake = np.ones((4, 11), bool)
    awake[2, [4, 9]] = False
    section = activations.compose(sources(awake=awake))
    assert section.answer.startswith(
        "2 of 44 hidden units are active at no token of 10 documents (100 tokens). Such a unit is active in a share of "
        "0.259 at most of texts like these"
    )
    assert section.content["layers"].rows[3][-2:] == ("2", "18.2%")


def test_units_that_could_not_be_seen_are_said_to_be_so_and_are_in_no_table():
    section = activations.compose(sources(n_units=0, active=b"", unseen_units="tokens are sent to experts"))
    assert section.answer.startswith("Hidden units could not be observed: tokens are sent to experts.")
    assert len(section.content["layers"].columns) == 5
    assert [row[0] for row in section.content["numbers"].rows] == ["Documents with an outlier dimension"]


def test_the_page_has_the_section_and_its_figure():
    found = sources()
    html = render_html(found.findings, found.evidence)
    assert '<section id="activations"' in html
    assert "Norms and greatest ratios layer by layer" in html
