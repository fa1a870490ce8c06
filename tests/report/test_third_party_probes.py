"""A probe of a third party has what ours have: numbers, checks, slices, cards, formulas, glossary, legal references."""

import re
from html import unescape

import pytest
from third_party.summary import Length, LengthFindings

from auditor.findings import Bound, Evidence, read, schema, summarise, write
from auditor.report import render_html
from auditor.report.regulations import FRAMEWORKS
from tests.findings import worked_example

BOTH = {
    "auditor.summaries": {"length": "third_party.summary:SUMMARY"},
    "auditor.chapters": {"length": "third_party.chapter:CHAPTER"},
}
pytestmark = pytest.mark.usefixtures("no_embedded_fonts")
N = worked_example.N
LONGEST = "d39"


def run():
    """Predictions, and texts of 100 to 178 characters that a third party counted; a bound that they are beyond."""
    worked = worked_example.evidence()
    lengths = {document.id: Length(document.id, 100 + 2 * i) for i, document in enumerate(worked.documents)}
    evidence = Evidence(worked.documents, {"prediction": worked.of("prediction"), "length": lengths})
    context = worked_example.context(
        checks={
            "length.characters": Bound(at_most=50),
            "length.characters{length=short}": Bound(at_least=50, required=False),
        },
        asked={"prediction": N, "length": N},
        parameters={"length": {"unit": "character", "least": "3"}},
        references={},
    )
    return summarise(evidence, context), evidence


@pytest.fixture
def page(install):
    install(BOTH, {})
    return render_html(*run())


def words(markup):
    return " ".join(unescape(re.sub(r"<(style|title)>.*?</\1>|<[^>]+>", " ", markup, flags=re.DOTALL)).split())


def section(page, name):
    return re.search(rf'<section id="{name}".*?</section>', page, re.DOTALL)[0]


def test_its_section_has_the_id_that_its_summary_gives_and_stands_in_its_order(page):
    assert re.findall(r'<section id="([\w-]+)"', page)[:3] == ["predictions", "lengths", "failures"]
    assert f"{LONGEST} is the longest." in words(section(page, "lengths"))


def test_page_one_judges_its_number_points_at_its_section_and_shows_it(page):
    front = page.split("<section")[0]
    text = words(front)
    assert "Characters of a text is 139" in text, "the failed check is the first pointer"
    assert f"{LONGEST} is the longest text" in text
    assert front.count('href="#lengths"') >= 3, "contents, check and pointer"
    keys = words(front[front.index('<ul class="keys') : front.index("</ul>", front.index('<ul class="keys'))])
    assert keys.startswith("Characters of a text"), "the lowest rank is the first key number"


def test_its_number_is_one_of_every_slice_and_a_check_may_bound_it_there(page):
    text = words(section(page, "slices"))
    assert "Characters of a text" in text
    assert re.search(r"length short – 20 138 ", text)
    findings, _ = run()
    by_name = {check.name: check for check in findings.checks}
    check = by_name["length.characters{length=short}"]
    assert (check.number.value, check.number.n, check.result) == (138.0, 20, "not judged")


def test_its_formulas_come_from_its_own_template_and_may_use_ours(page):
    methods = section(page, "methods")
    assert "<h3>Length of a text</h3>" in methods
    assert '<span><i>c</i><sub><i>d</i></sub> = <span class="sum">Σ</span><sub><i>i</i></sub>' in methods
    assert "<i>c</i><sub><i>d</i></sub> counts the characters of document <i>d</i>." in methods
    assert "This is not printed." not in methods


def test_its_parameters_say_what_they_came_to_and_its_number_where_it_is_printed(page):
    text = words(section(page, "methods"))
    assert "Lengths of texts unit character a character of Unicode" in text
    assert "least 3 character are counted from 3 on" in text
    assert "Lengths length.characters" in text


def test_the_gallery_says_its_reason_and_leads_to_its_card(page):
    gallery = section(page, "failures")
    text = words(gallery)
    assert "The longest texts 2 40" in text
    assert "d39 has 178 characters." in text
    assert f'<a class="see" href="#lengths-{N - 1}">All its characters</a>' in gallery
    assert f'<article id="lengths-{N - 1}">' in section(page, "lengths")
    assert gallery.count("All its characters") == 1, "the second longest has no card"


def test_a_rule_that_no_chapter_explains_is_printed_by_its_name_with_the_value(page):
    text = words(section(page, "failures"))
    assert "shortest 1 40" in text
    assert re.search(r"d00 .*?shortest: 100", text)


def test_the_glossary_has_the_terms_of_its_numbers_that_are_printed(page):
    text = words(section(page, "glossary"))
    assert "Character A letter, a digit or a sign." in text
    assert "Paragraph" not in text


def test_what_it_answers_is_linked_where_the_number_for_it_was_measured(page):
    regulatory = section(page, "regulatory")
    assert '<a class="see" href="#lengths">Lengths</a>' in regulatory
    assert "explanations: needs the probe lime" not in regulatory
    asked = {item.reference: set(item.evidence) for framework in FRAMEWORKS for item in framework.items}
    rows = re.findall(r"<tr[^>]*><th[^>]*>(.*?)</th>(.*?)</tr>", regulatory, re.DOTALL)
    linked = {words(reference) for reference, cells in rows if 'href="#lengths"' in cells}
    assert linked == {reference for reference, evidence in asked.items() if "explanations" in evidence}
    assert any("calibration" in evidence for evidence in asked.values()), "which its other number would answer"


def test_the_table_of_documents_has_its_column(page):
    text = words(section(page, "documents"))
    assert "Chars are characters." in text
    assert re.search(r"<th[^>]*>Chars</th>", re.sub(r"<button[^>]*>|</button>", "", section(page, "documents")))


def test_what_it_came_to_is_kept_and_read_back_and_stands_in_the_schema(install):
    install(BOTH, {})
    findings, _ = run()
    again = read(write(findings))
    assert again == findings
    assert again.analysis("length", LengthFindings).longest == LONGEST
    assert "LengthFindings" in schema()["$defs"]


def test_without_its_chapter_the_numbers_of_its_summary_stand_in_a_plain_table(install):
    install({"auditor.summaries": BOTH["auditor.summaries"]}, {})
    page = render_html(*run())
    text = words(section(page, "lengths"))
    assert "40 of 40 documents were measured." in text
    assert "Characters of a text 139" in text
    assert "length length.characters" in words(section(page, "methods")), "named under its section"
    assert "longest: 178" in words(section(page, "failures"))
