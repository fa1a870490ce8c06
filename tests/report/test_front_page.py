"""Page one, branding, and the choice of sections."""

import base64
import io
import re
import shutil
import subprocess

import pytest
from invented_classifier import ATTACHMENTS, classifier
from invented_runs import language_model, tiny
from PIL import Image

from auditor.config.report import SECTIONS
from auditor.findings.presentation import Presentation, Reviewer
from auditor.report import render_html, render_pdf

REVIEWERS = (
    Reviewer(name="Ada Lovelace", role="Model owner"),
    Reviewer(name="Mary Somerville", role="Independent validator"),
)


def logo():
    out = io.BytesIO()
    Image.new("RGBA", (400, 120), (11, 87, 164, 128)).save(out, "PNG")
    return "data:image/png;base64," + base64.b64encode(out.getvalue()).decode("ascii")


def presented(run, **settings):
    findings, evidence = run
    return findings.model_copy(update={"presentation": Presentation(**settings)}), evidence


def branded(language, **more):
    everything = {"logo": logo(), "organisation": "Example Bank, Model Risk", "classification": "Internal"}
    return presented(classifier(), language=language, reviewers=REVIEWERS, **everything, **more)


def ids(page):
    return re.findall(r'<section id="([^"]+)"', page)


def broken_links(page):
    return set(re.findall(r'href="#([^"]+)"', page)) - set(re.findall(r'\bid="([^"]+)"', page))


@pytest.fixture(scope="module")
def branded_page():
    return render_html(*branded("en"))


def pages_of(pdf, path):
    if shutil.which("pdftotext") is None:
        pytest.fail("pdftotext is not installed (Debian: poppler-utils)")
    path.write_bytes(pdf)
    text = subprocess.run(["pdftotext", "-layout", path, "-"], capture_output=True, text=True, check=True).stdout
    return text.split("\f")[:-1]


@pytest.mark.parametrize("language", ["en", "zh"])
def test_page_one_with_eight_checks_is_one_page_and_every_page_is_marked(language, tmp_path, weasyprint_log):
    findings, evidence = branded(language)
    assert len(findings.checks) == 8
    html = render_html(findings, evidence)
    pages = pages_of(render_pdf(html, findings, ATTACHMENTS), tmp_path / "report.pdf")
    assert weasyprint_log == []
    assert "Mary Somerville" in pages[0]
    second = html.index("<h2>") + 4
    title = html[second : html.index("</h2>", second)]
    assert title in pages[1], "the first section begins on page two"
    assert all(page.count("Internal") >= 2 for page in pages), "at the head and at the foot"


def test_the_marking_and_the_logo_stand_at_the_top_of_the_html(branded_page):
    top = branded_page[branded_page.index("<header>") : branded_page.index("<h1>")]
    assert '<span class="marking">Internal</span>' in top
    assert re.search(r'<img class="logo" src="data:image/png;base64,[^"]+" alt="Example Bank, Model Risk">', top)


def test_everyone_who_is_to_sign_has_a_line(branded_page):
    lines = re.findall(r'<div class="signatures">\s*<p>(.*?)</p>', branded_page)
    assert lines == ["<b>Ada Lovelace</b> · Model owner", "<b>Mary Somerville</b> · Independent validator"]
    assert "Name and role" in render_html(*tiny())


def test_without_branding_nothing_is_printed_of_it():
    page = render_html(*tiny())
    assert "<img class=" not in page
    assert 'class="marking"' not in page


@pytest.mark.parametrize(
    "chosen",
    [("lime",), ("documents", "predictions"), (), ("provenance", "glossary", "lime"), ("failures", "regulatory")],
)
def test_sections_are_chosen_and_ordered_and_no_link_leads_to_one_left_out(chosen):
    page = render_html(*presented(classifier(), sections=chosen))
    assert ids(page) == [name for name in chosen if name != "provenance"] + ["provenance"]
    assert broken_links(page) == set()
    assert "The sections were chosen in the configuration" in page


def test_a_section_that_this_run_cannot_have_is_left_out():
    assert ids(render_html(*presented(tiny(), sections=("lime", "pseudo_perplexity", "methods")))) in (
        ["lime", "methods", "provenance"],
        ["methods", "provenance"],
    )


@pytest.mark.parametrize("run", [classifier, language_model, tiny])
def test_the_configuration_knows_every_section_in_its_order(run):
    found = ids(render_html(*run()))
    assert [name for name in found if not name.startswith("probe-")] == [name for name in SECTIONS if name in found]
    assert found[-1] == "provenance"


def test_hostile_names_stay_text():
    evil = '"><script>alert(1)</script>'
    page = render_html(
        *presented(
            tiny(), organisation=evil, classification=evil, logo=logo(), reviewers=(Reviewer(name=evil, role=evil),)
        )
    )
    assert "<script>alert" not in page
    assert page.count("&lt;script&gt;alert(1)") >= 3
