"""Page one, branding, and the choice of sections."""

import re
import shutil
import subprocess

import pytest
from invented_branding import logo, presented
from invented_classifier import classifier
from invented_findings import check, number
from invented_runs import language_model, tiny

from auditor.config.report import SECTIONS, known_sections
from auditor.findings import read
from auditor.findings.contract.presentation import Reviewer
from auditor.findings.contract.types import Pointer
from auditor.report import chapters, render_html
from auditor.report.sections import front


def ids(page):
    return re.findall(r'<section id="([^"]+)"', page)


def broken_links(page):
    return set(re.findall(r'href="#([^"]+)"', page)) - set(re.findall(r'\bid="([^"]+)"', page))


def pages_of(path):
    if shutil.which("pdftotext") is None:
        pytest.fail("pdftotext is not installed (Debian: poppler-utils)")
    text = subprocess.run(["pdftotext", "-layout", path, "-"], capture_output=True, text=True, check=True).stdout
    return text.split("\f")[:-1]


@pytest.mark.parametrize("name", ["classifier", "chinese"])
def test_page_one_with_eight_checks_is_one_page_and_every_page_is_marked(name, report):
    assert len(read(report(name).findings.read_bytes()).checks) == 8
    html, pages = report(name).html.read_text(encoding="utf-8"), pages_of(report(name).pdf)
    assert "Mary Somerville" in pages[0]
    second = html.index("<h2>") + 4
    title = html[second : html.index("</h2>", second)]
    assert title in pages[1], "the first section begins on page two"
    assert all(page.count("Internal") >= 2 for page in pages), "at the head and at the foot"


def test_the_marking_and_the_logo_stand_at_the_top_of_the_html(classifier_html):
    top = classifier_html[classifier_html.index("<header>") : classifier_html.index("<h1>")]
    assert '<span class="marking">Internal</span>' in top
    assert re.search(r'<img class="logo" src="data:image/png;base64,[^"]+" alt="Example Bank, Model Risk">', top)


def test_everyone_who_is_to_sign_has_a_line(classifier_html):
    lines = re.findall(r'<div class="signatures" data-signature="[^"]+">\s*<p>(.*?)</p>', classifier_html)
    assert lines == ["<b>Ada Lovelace</b> · Model owner", "<b>Mary Somerville</b> · Independent validator"]
    assert "Name and role" in render_html(*tiny())


@pytest.mark.usefixtures("no_embedded_fonts")
def test_without_branding_nothing_is_printed_of_it():
    page = render_html(*tiny())
    assert "<img class=" not in page
    assert 'class="marking"' not in page


@pytest.mark.usefixtures("no_embedded_fonts")
@pytest.mark.parametrize(
    "chosen",
    [("lime",), ("documents", "prediction"), (), ("provenance", "glossary", "lime"), ("failures", "regulatory")],
)
def test_sections_are_chosen_and_ordered_and_no_link_leads_to_one_left_out(chosen):
    page = render_html(*presented(classifier(), sections=chosen))
    expected = [name if name in SECTIONS else chapters.section_id(name) for name in chosen if name != "provenance"]
    assert ids(page) == [*expected, "provenance"]
    assert broken_links(page) == set()
    assert "The sections were chosen in the configuration" in page


@pytest.mark.usefixtures("no_embedded_fonts")
def test_a_section_that_this_run_cannot_have_is_left_out():
    assert ids(render_html(*presented(tiny(), sections=("lime", "pseudo_perplexity", "methods")))) in (
        ["lime", "methods", "provenance"],
        ["methods", "provenance"],
    )


@pytest.mark.usefixtures("no_embedded_fonts")
@pytest.mark.parametrize("run", [classifier, language_model, tiny])
def test_the_configuration_knows_every_section_in_its_order(run):
    found = ids(render_html(*run()))
    ordered = [*map(chapters.section_id, chapters.chapters()), *SECTIONS]
    assert found == [name for name in ordered if name in found]
    assert {*chapters.chapters(), *SECTIONS} <= {*known_sections()}
    assert found[-1] == "provenance"


@pytest.mark.usefixtures("no_embedded_fonts")
def test_hostile_names_stay_text():
    evil = '"><script>alert(1)</script>'
    page = render_html(
        *presented(
            tiny(), organisation=evil, classification=evil, logo=logo(), reviewers=(Reviewer(name=evil, role=evil),)
        )
    )
    assert "<script>alert" not in page
    assert page.count("&lt;script&gt;alert(1)") >= 3


def with_checks(*checks, **changes):
    findings, _ = classifier()
    verdict = findings.verdict.model_copy(update={"result": changes.pop("result", findings.verdict.result)})
    update = {"checks": checks, "key_numbers": tuple(c.number for c in checks), "verdict": verdict, **changes}
    return front.compose(findings.model_copy(update=update), ())


def test_what_must_be_decided_is_the_first_conclusion(classifier_html):
    first = classifier_html[classifier_html.index('<table class="conclusion"') :]
    row = re.search(r'<tr><th scope="row">.*?watch.*?</span></span>Sign-off</th><td>(.*?)</td></tr>', first)
    assert row
    assert row[1] == "Only with a decision on Recall, neutral and Explanations with R² below 0.5."


def test_pointers_that_page_one_leaves_out_are_counted():
    looks = tuple(Pointer(severity="note", text=f"fact {i}", section="lime") for i in range(9))
    found = with_checks(pointers=looks)
    assert ([look.text for look in found.pointers], found.more_pointers) == ([f"fact {i}" for i in range(4)], 5)


def test_a_number_of_the_reference_model_is_called_so():
    bits = number("perplexity.bits_per_byte", "Bits per byte", 1.67, 1.63, 1.72, unit="bits")
    bound = check(bits.name, bits.title, 2, "watch", bits, "at_most", required=False)
    found = with_checks(bound, result="pass with conditions")
    assert found.key_numbers[0].title == "Bits per byte (reference model)"
    assert found.checks.rows[0][0] == "Bits per byte (reference model) (advisory)"
    assert with_checks(bound, references={}).key_numbers[0].title == "Bits per byte"


def test_a_key_number_with_a_check_has_the_sign_of_its_result(classifier_html):
    tiles = classifier_html[classifier_html.index('<ul class="keys') : classifier_html.index("</ul>")]
    values = re.findall(r'class="value">([^<]+)(<span class="result (\S+)">)?', tiles)
    assert len(values) == 5
    assert [sign for _, _, sign in values] == ["pass"] * 5, values


def test_a_number_is_printed_alike_wherever_it_stands_on_page_one():
    accuracy = number("accuracy", "Accuracy", 0.84, 0.7938, 0.89)
    found = with_checks(check("accuracy", "Accuracy", 0.794, "watch", accuracy))
    (tile,) = found.key_numbers
    assert (tile.value, tile.interval) == found.checks.rows[0][1:3] == ("0.8400", "0.7938–0.8900")


@pytest.mark.parametrize(
    ("title", "is_tall"),
    [
        ("Accuracy", False),
        ("Perplexity, median (reference model)", True),
        ("每字节比特数（参考模型）", True),
        ("准确率", False),
    ],
)
def test_tiles_make_room_for_a_title_of_two_lines(title, is_tall):
    assert with_checks(check("x", "X", 0.5, "pass", number("x", title, 0.8, 0.7, 0.9))).is_tall is is_tall
