"""What the page's script adds, tried in a browser with the policy in force: tips, sorting, filters, theme, place."""

import contextlib
import dataclasses

import pytest
from browsing import opened
from sample_reports import Report

from auditor.report import render_html
from tests.report.invented_classifier import classifier

NARROW = 360
ARABIC = "ar-0013"
LIGHT, DARK = "rgb(255, 255, 255)", "rgb(18, 22, 27)"


def strongly_explained(evidence, document_id):
    """The same evidence, with a clear weight on every word of one document."""
    found = evidence.of("lime")[document_id]
    n = len(found.segments)
    target = dataclasses.replace(
        found.targets[0],
        weights=(0.3, -0.2) * (n // 2) + (0.3,) * (n % 2),
        standard_errors=(0.02,) * n,
        selected=(True,) * n,
    )
    explained = dataclasses.replace(found, targets=(target,))
    rows = {**evidence.rows, "lime": {**evidence.of("lime"), document_id: explained}}
    return dataclasses.replace(evidence, rows=rows)


@pytest.fixture(scope="module")
def findings():
    return classifier()[0]


@pytest.fixture(scope="module")
def marked(once):
    """The classifier's report with marks on every word of an Arabic document."""

    def make(folder):
        findings, evidence = classifier()
        text = render_html(findings, strongly_explained(evidence, ARABIC))
        Report("marked", folder).html.write_text(text, encoding="utf-8")

    return Report("marked", once("marked", make))


@pytest.fixture
def open_page(browser, marked):
    """Opens the page in a fresh profile; at the end nothing may have been asked for or complained of."""
    said = []
    with contextlib.ExitStack() as pages:

        def at(**options):
            page, complaints = pages.enter_context(opened(browser, marked, **{"laid_out": False, **options}))
            said.append(complaints)
            return page

        yield at
    assert not any(said)


@pytest.fixture
def page(open_page):
    """As a reader has it: what is far from the window is laid out when it comes near."""
    return open_page()


def column(page, name):
    """Texts of a column of the visible rows, in their order."""
    return page.evaluate(
        """name => {
          const table = document.querySelector("table.documents");
          const at = [...table.tHead.rows[0].cells].findIndex(cell => cell.textContent === name);
          return [...table.tBodies[0].rows].filter(row => !row.hidden).map(row => row.cells[at].textContent);
        }""",
        name,
    )


def head(page, name):
    return page.locator("table.documents thead th", has_text=name)


def card(page, document_id):
    return page.locator("#lime .card", has_text=document_id)


def tip_of(page):
    """What the tip says; nothing while it is hidden."""
    tip = page.locator("#tip")
    return tip.inner_text().split("\n") if tip.is_visible() else None


def test_every_card_is_one_tab_stop(page):
    stops = page.eval_on_selector_all(
        ".card:has(mark)", "cards => cards.map(card => card.querySelectorAll('mark[tabindex=\"0\"]').length)"
    )
    assert len(stops) > 6
    assert set(stops) == {1}


def test_only_tables_that_scroll_are_tab_stops_and_landmarks(open_page):
    page = open_page(laid_out=True)
    regions = """() => [...document.querySelectorAll(".scroll")].map(area => [
      area.scrollWidth > area.clientWidth, area.tabIndex === 0, area.getAttribute("role") === "region",
      !!area.getAttribute("aria-label")])"""
    stops = {}
    for width in (1280, NARROW, 1280):
        page.set_viewport_size({"width": width, "height": 900})
        page.evaluate("() => new Promise(done => requestAnimationFrame(() => requestAnimationFrame(done)))")
        found = page.evaluate(regions)
        assert all(len(set(area)) == 1 for area in found), found
        stops[width] = sum(scrolls for scrolls, *_ in found)
    assert stops[NARROW] > 10 > stops[1280]


def test_a_mark_says_word_weight_and_interval_when_reached_by_key(page):
    first = card(page, "en-0000").locator("mark").first
    first.focus()
    assert tip_of(page)[0] == "not"
    assert tip_of(page)[1].startswith("weight −0.31, 95% interval −0.3")
    assert first.get_attribute("aria-describedby") == "tip"
    assert page.locator("#tip").get_attribute("role") == "tooltip"


def test_arrows_walk_along_the_marks_and_escape_closes_the_tip(page):
    marks = card(page, "en-0000").locator("mark")
    marks.first.focus()
    seen = []
    for _ in range(marks.count()):
        seen.append(tip_of(page)[0])
        page.keyboard.press("ArrowRight")
    assert seen == [text.split("+")[0].split("−")[0] for text in marks.all_text_contents()]
    assert tip_of(page)[0] == seen[-1]
    page.keyboard.press("Home")
    assert tip_of(page)[0] == seen[0]
    page.keyboard.press("End")
    page.keyboard.press("ArrowLeft")
    assert tip_of(page)[0] == seen[-2]
    page.keyboard.press("Escape")
    assert tip_of(page) is None
    assert marks.nth(len(seen) - 2).get_attribute("aria-describedby") is None


def test_coming_back_to_a_card_finds_the_mark_that_was_left(page):
    marks = card(page, "en-0000").locator("mark")
    marks.first.focus()
    page.keyboard.press("ArrowRight")
    page.keyboard.press("Tab")
    assert tip_of(page) is None or tip_of(page)[0] != marks.nth(1).text_content()
    page.keyboard.press("Shift+Tab")
    assert page.evaluate("document.activeElement.textContent") == marks.nth(1).text_content()


def test_in_a_right_to_left_text_the_left_arrow_leads_on(page):
    marks = card(page, ARABIC).locator("mark")
    assert marks.count() > 3
    marks.first.focus()
    page.keyboard.press("ArrowLeft")
    assert page.evaluate("document.activeElement.textContent") == marks.nth(1).text_content()
    page.keyboard.press("ArrowRight")
    assert page.evaluate("document.activeElement.textContent") == marks.first.text_content()
    assert page.locator("#tip b").evaluate("word => getComputedStyle(word).direction") == "rtl"
    assert page.locator("#tip b").get_attribute("lang") == "ar"
    boxes = [mark.bounding_box() for mark in marks.all()[:2]]
    assert boxes[0]["x"] > boxes[1]["x"]


def test_the_pointer_opens_the_tip_and_may_move_onto_it(page):
    mark = card(page, "en-0000").locator("mark.supports-4").first
    mark.scroll_into_view_if_needed()
    mark.hover()
    box, tip = mark.bounding_box(), page.locator("#tip").bounding_box()
    page.mouse.move(box["x"] + 5, tip["y"] + 2)
    page.mouse.move(tip["x"] + 20, tip["y"] + tip["height"] / 2)
    assert tip_of(page)[0] == "moving"
    page.mouse.move(2, 2)
    assert tip_of(page) is None


def test_a_surprising_token_says_its_bits(page):
    page.locator("#perplexity .card mark").first.focus()
    assert tip_of(page)[1].startswith("surprise ")
    assert tip_of(page)[1].endswith(" bits")


def test_a_tip_never_leaves_a_narrow_window(open_page):
    page = open_page(width=NARROW, laid_out=True)
    outside = page.eval_on_selector_all(
        ".card mark",
        """marks => marks.filter(mark => {
          mark.focus();
          const box = document.getElementById("tip").getBoundingClientRect();
          return box.left < 0 || box.right > innerWidth || box.top < 0 || box.bottom > innerHeight || !box.width;
        }).map(mark => mark.textContent)""",
    )
    assert outside == []
    assert page.evaluate("document.documentElement.scrollWidth") == NARROW


def number_of(text):
    return float(text.replace(",", ""))


def test_numbers_are_sorted_as_numbers_with_what_is_missing_last(page):
    button = head(page, "Perplexity").locator("button")
    before = column(page, "Perplexity")
    for direction in ("ascending", "descending"):
        button.click()
        shown = column(page, "Perplexity")
        numbers = [number_of(text) for text in shown if text != "–"]
        assert shown[len(numbers) :] == ["–"] * before.count("–") != []
        assert numbers == sorted(numbers, reverse=direction == "descending")
        assert head(page, "Perplexity").get_attribute("aria-sort") == direction
    button.click()
    assert column(page, "Perplexity") == before
    assert page.locator("[aria-sort]").count() == 0


def test_sorting_is_stable_and_works_by_key(page):
    head(page, "Document").locator("button").click()
    head(page, "Document").locator("button").click()
    head(page, "Labelled").locator("button").focus()
    page.keyboard.press("Enter")
    pairs = list(zip(column(page, "Labelled"), column(page, "Document"), strict=True))
    labels = [label for label, _ in pairs]
    assert labels == sorted(labels)
    expected = [d for d in sorted((d for _, d in pairs if "…" not in d), reverse=True)]
    for label in set(labels):
        group = [d for own, d in pairs if own == label and "…" not in d]
        assert group == [d for d in expected if d in group]
    assert page.locator("[aria-sort]").count() == 1


def test_filters_narrow_the_rows_together_and_say_how_many_are_left(findings, page):
    count = page.locator(".filters output")
    assert count.text_content() == "60 of 60 documents"
    page.get_by_label("language").select_option(label="zh")
    chinese = [row for row in findings.documents if row.metadata["language"] == "zh"]
    assert count.text_content() == f"{len(chinese)} of 60 documents"
    assert set(column(page, "language")) == {"zh"}
    page.get_by_label("Labelled").select_option(label="negative")
    assert len(column(page, "Document")) == sum(row.reference == ("negative",) for row in chinese)
    page.get_by_role("searchbox").fill("ZH-0010")
    assert column(page, "Document") == ["zh-0010"]
    assert count.text_content() == "1 of 60 documents"
    page.get_by_role("searchbox").fill("nowhere")
    assert count.text_content() == "0 of 60 documents"


def test_a_shortened_name_is_found_by_the_part_left_out(page):
    page.get_by_role("searchbox").fill("that-someone-made")
    assert len(column(page, "Document")) == 1


def test_errors_only_shows_the_rows_whose_prediction_is_wrong(findings, page):
    page.get_by_label("Errors only").check()
    wrong = [row for row in findings.documents if row.predicted and row.predicted != row.reference]
    assert len(column(page, "Document")) == len(wrong) > 0
    assert all(text.startswith("✗ ") for text in column(page, "Predicted"))


def ground(page):
    return page.evaluate("getComputedStyle(document.documentElement).backgroundColor")


@pytest.mark.parametrize(
    ("scheme", "own", "other", "choice"), [("light", LIGHT, DARK, "Dark"), ("dark", DARK, LIGHT, "Light")]
)
def test_the_theme_follows_the_system_until_it_is_chosen(open_page, scheme, own, other, choice):
    page = open_page(color_scheme=scheme)
    assert ground(page) == own
    page.get_by_label(choice).check()
    assert ground(page) == other
    page.reload()
    assert ground(page) == other
    assert page.get_by_label(choice).is_checked()
    page.get_by_label("Automatic").check()
    assert ground(page) == own


def test_the_theme_can_be_chosen_where_nothing_can_be_stored(open_page):
    page = open_page()
    page.add_init_script('Object.defineProperty(window, "localStorage", { get() { throw new DOMException("no"); } });')
    page.reload()
    page.get_by_label("Dark").check()
    assert ground(page) == DARK


def test_paper_is_white_whatever_the_theme(open_page):
    page = open_page(color_scheme="dark")
    page.get_by_label("Dark").check()
    page.emulate_media(media="print")
    assert ground(page) == LIGHT
    assert not page.locator(".side").is_visible()


def test_the_section_being_read_is_marked(page):
    page.locator(".side a[aria-current]", has_text="Summary").wait_for()
    page.evaluate("documents.scrollIntoView()")
    page.locator(".side a[aria-current]", has_text="Documents").wait_for()
    assert page.locator(".side a[aria-current]").count() == 1


def test_without_scripts_nothing_is_lost_but_the_controls(open_page):
    with_scripts, without = open_page(), open_page(java_script_enabled=False)
    for control in (".theme", ".filters", "#tip", "th button"):
        assert without.locator(control).locator("visible=true").count() == 0
    assert without.locator(".card mark[title]").count() == with_scripts.locator(".card mark[tabindex]").count() > 50
    assert said_by(with_scripts) == said_by(without)


def said_by(page):
    """The words of the report, without those of the controls."""
    page.evaluate("document.querySelectorAll('.filters, .explorer').forEach(e => e.remove())")
    return page.locator("main").text_content().split()
