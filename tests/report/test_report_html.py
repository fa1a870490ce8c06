import base64
import hashlib
import itertools
import re
from html.parser import HTMLParser
from pathlib import Path

import pytest
from invented_runs import empty, hostile, language_model, tiny
from invented_texts import HOSTILE

from auditor.errors import RenderError
from auditor.report import render_html
from auditor.report.branding import fonts
from auditor.report.page import html, templates

HERE = Path(__file__).parent
VOID = {"meta", "br", "wbr", "col", "img", "link", "hr", "input"}
SVG_LEAVES = {"path", "rect", "circle"}


class Page(HTMLParser):
    """Elements with their attributes, the visible text, and whether tags are balanced."""

    def __init__(self, text):
        super().__init__(convert_charrefs=True)
        self.elements, self.open, self.words, self.hidden, self.faults = [], [], [], 0, []
        self.feed(text)
        self.close()

    def handle_starttag(self, tag, attributes):
        self.elements.append((tag, dict(attributes)))
        if tag not in VOID:
            self.open.append(tag)
        self.hidden += tag in ("style", "title", "script")

    def handle_startendtag(self, tag, attributes):
        assert tag in SVG_LEAVES
        self.elements.append((tag, dict(attributes)))

    def handle_endtag(self, tag):
        if not self.open or self.open.pop() != tag:
            self.faults.append(tag)
        self.hidden -= tag in ("style", "title", "script")

    def handle_data(self, data):
        if not self.hidden:
            self.words.append(data)

    @property
    def text(self):
        return " ".join(" ".join(self.words).split())

    def all(self, tag):
        return [attributes for name, attributes in self.elements if name == tag]


@pytest.fixture(scope="module")
def page(classifier_html):
    return Page(classifier_html)


@pytest.fixture(scope="module")
def hostile_html():
    return render_html(*hostile())


STYLE = re.compile("<style[^>]*>(.*?)</style>", re.DOTALL)


def policy_of(page):
    return next(m["content"] for m in page.all("meta") if m.get("http-equiv") == "Content-Security-Policy")


def test_page_one_has_the_answer_for_a_person_who_must_sign(classifier_run, classifier_html):
    findings, _ = classifier_run
    first = Page(classifier_html.split('<section id="predictions"')[0]).text
    assert "▲ Pass with conditions" in first
    assert findings.verdict.headline in first
    for one in findings.conclusion:
        assert f"{one.topic} {one.text}" in first
    for number in findings.key_numbers:
        assert number.title in first
    for check in findings.checks:
        assert check.title in first
    assert "≥ 0.75" in first
    assert "✗ fail" in first
    assert "– not judged" in first
    assert "0.751–0.928" not in first or "0.862" in first
    assert "LIME 60 57 1 2 LIME: 1 not measurable: nothing to switch off" in first
    for note in findings.notes[:2]:
        assert note in first
    assert "1 more note under Provenance" in first, "the place of the third is taken by what was not measurable"
    for pointer in findings.pointers[:4]:
        assert pointer.text in first
    assert "Mary Somerville · Independent validator Decision and conditions Date and signature" in first


def test_every_section_states_question_answer_method_and_limits(classifier_html):
    parts = re.findall(r'<section id="([\w-]+)".*?</section>', classifier_html, re.DOTALL)
    assert parts == [
        "predictions",
        "lime",
        "attention",
        "perplexity",
        "failures",
        "slices",
        "documents",
        "methods",
        "regulatory",
        "glossary",
        "provenance",
    ]
    for section in re.findall(r"<section .*?</section>", classifier_html, re.DOTALL):
        assert '<p class="question">' in section
        assert '<p class="answer">' in section
        assert "<dt>Method</dt>" in section or 'id="glossary"' in section
        assert "<dt>Limits</dt>" in section or 'id="glossary"' in section


def test_the_html_is_well_formed_and_its_links_lead_somewhere(page):
    assert page.faults == []
    assert page.open == []
    ids = [attributes["id"] for _, attributes in page.elements if "id" in attributes]
    assert len(ids) == len(set(ids))
    targets = {attributes["href"].removeprefix("#") for attributes in page.all("a")}
    assert targets <= set(ids)
    levels = [int(tag[1]) for tag, _ in page.elements if re.fullmatch(r"h[1-6]", tag)]
    assert levels[0] == 1
    assert all(b <= a + 1 for a, b in itertools.pairwise(levels))


def test_every_table_has_headers_and_every_image_words(page):
    assert len(page.all("table")) > 15
    assert all(attributes.get("scope") in ("col", "row", "colgroup", "rowgroup") for attributes in page.all("th"))
    assert all(attributes["alt"] for attributes in page.all("img"))
    drawings = len(page.all("svg"))
    assert drawings > 50
    assert len(page.all("title")) == drawings + 1


def test_tables_and_figures_are_numbered_in_order(page):
    for word in ("Table", "Figure"):
        numbers = [int(n) for n in re.findall(rf"{word} (\d+)\.", page.text)]
        assert numbers == list(range(1, len(numbers) + 1))


@pytest.mark.parametrize("make", [language_model, tiny, empty, hostile])
def test_nothing_is_styled_or_scripted_in_place_or_fetched(make):
    text = render_html(*make())
    page = Page(text)
    assert page.faults == []
    scripts = re.findall(r"<script[^>]*>", text)
    assert scripts.count("<script>") == 1
    assert all(tag == "<script>" or 'type="application/json"' in tag for tag in scripts)
    for tag, attributes in page.elements:
        assert "style" not in attributes
        assert not any(name.startswith("on") for name in attributes)
        for name in ("src", "href", "xlink:href", "action", "data", "srcset", "poster"):
            value = attributes.get(name)
            assert value is None or value.startswith(("data:image/svg+xml;base64,", "#")), (tag, value)
    for style in STYLE.findall(text):
        assert "@import" not in style
        assert all(url.startswith("data:font/woff2;base64,") for url in re.findall(r"url\(([^)]*)\)", style))


def test_the_policy_allows_the_styles_and_the_script_by_their_hash_and_nothing_else(classifier_html, page):
    styles = " ".join(map(source, STYLE.findall(classifier_html)))
    (script,) = re.findall("<script>(.*?)</script>", classifier_html, re.DOTALL)
    assert policy_of(page) == (
        f"default-src 'none'; style-src {styles}; script-src {source(script)}; img-src data:; font-src data:; "
        "base-uri 'none'; form-action 'none'"
    )


def source(text):
    return f"'sha256-{base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()}'"


def test_the_script_is_small_speaks_no_language_and_writes_text_only():
    script = templates.scripts()
    assert script.startswith('"use strict";')
    assert len(templates.read("report.js") + templates.read("sections/documents.js")) < 9_000
    for forbidden in ("innerHTML", "outerHTML", "insertAdjacent", "document.write", "eval", "Function(", "</", "fetch"):
        assert forbidden not in script


def test_paper_has_no_script_no_dark_colours_and_no_controls(classifier_html):
    paper = re.sub("<!--screen-->.*?<!--/screen-->", "", classifier_html, flags=re.DOTALL)
    for screen_only in ("<script", "<style id", "<fieldset", "<input", "<select", "<output", "<aside"):
        assert screen_only in classifier_html
        assert screen_only not in paper


def test_corpus_text_is_not_to_be_translated(classifier_html):
    passages = re.findall(r'<p class="passage"[^>]*>', classifier_html)
    assert passages
    assert all(' translate="no"' in tag for tag in passages)
    assert any('dir="rtl" lang="ar"' in tag for tag in passages)


@pytest.mark.parametrize("attack", HOSTILE)
def test_hostile_text_comes_through_as_text(hostile_html, attack):
    shown = html.formats.visible(attack)
    short = " ".join(shown.split())
    page_text = Page(hostile_html).text
    assert short in page_text or html.formats.middle(short, 600) in page_text
    assert not re.search("[\u202a-\u202e\u2066-\u2069]", hostile_html)


def test_markers_of_the_screen_cannot_be_forged(hostile_html):
    opened = [m.start() for m in re.finditer("<!--screen-->", hostile_html)]
    closed = [m.start() for m in re.finditer("<!--/screen-->", hostile_html)]
    assert len(opened) == len(closed)
    assert all(a < b for a, b in zip(opened, closed, strict=True))
    assert all(b < a for b, a in zip(closed, opened[1:], strict=False))


def test_characters_without_a_glyph_are_listed(hostile_html):
    assert "\U000133f4" in fonts.missing(hostile_html)
    assert "U+133F4" in Page(hostile_html).text


def test_the_same_run_gives_the_same_html(classifier_run, classifier_html):
    assert render_html(*classifier_run) == classifier_html


def test_rows_beyond_the_cap_are_for_the_screen_only(classifier_run, classifier_html):
    findings, _ = classifier_run
    section = classifier_html.split('<section id="documents"')[1].split("</section>")[0]
    paper = re.sub("<!--screen-->.*?<!--/screen-->", "", section, flags=re.DOTALL)
    rows = re.compile(r'<th scope="row" class="id"[ >]')
    assert len(rows.findall(section)) == len(findings.documents) == 60
    printed = len(rows.findall(paper))
    assert 10 <= printed < 40
    assert f"{printed} of 60 documents; the attached findings.json and report.html have all." in paper


def test_two_hundred_documents_stay_under_two_megabytes(classifier_run):
    findings, evidence = classifier_run
    many = findings.model_copy(update={"documents": findings.documents * 4})
    assert len(render_html(many, evidence).encode()) < 2_000_000


def test_a_missing_template_is_named(monkeypatch, tmp_path):
    for path in templates.folder().rglob("*.*"):
        if path.name != "lime.html.j2":
            copy = tmp_path / path.relative_to(templates.folder())
            copy.parent.mkdir(exist_ok=True)
            copy.write_text(path.read_text(encoding="utf-8"), encoding="utf-8")
    monkeypatch.setattr(templates, "folder", lambda: tmp_path)
    with pytest.raises(RenderError, match=r"sections/lime\.html\.j2"):
        render_html(*language_model())


@pytest.mark.parametrize(
    ("template", "complaint"),
    [
        ("{{ nowhere }}", "nowhere"),
        ("{% if %}", "line 1"),
        ("{{ nothing }}", "None"),
    ],
)
def test_a_template_that_asks_for_the_wrong_thing_is_named(template, complaint, monkeypatch, tmp_path):
    (tmp_path / "page.html.j2").write_text(template)
    monkeypatch.setattr(templates, "folder", lambda: tmp_path)
    with pytest.raises(RenderError, match=complaint) as caught:
        templates.fill("page.html.j2", nothing=None)
    assert "page.html.j2" in str(caught.value)


def test_the_style_names_every_vendored_family_in_order(classifier_html):
    assert f"--sans:{fonts.stack()}" in classifier_html
    assert f"--mono:{fonts.stack(mono=True)}" in classifier_html


@pytest.mark.locked
def test_the_golden_page_of_a_tiny_report(golden):
    text = render_html(*tiny())
    body = re.sub("<script>.*?</script>", "<script>…</script>", text[text.index("<body") :], flags=re.DOTALL)
    golden(HERE / "golden" / "tiny.html", "\n".join(line for line in body.splitlines() if line.strip()) + "\n")
