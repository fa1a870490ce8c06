"""The table of all documents in a browser, with its policy in force: pages, sorting, filters, hostile texts."""

import contextlib

import pytest
from browsing import NARROW, WIDE, opened
from invented_large import HOSTILE, of_many
from sample_reports import Report
from test_document_browser import BUT_COLOURS, LOOKS, OTHER_LOOKS, barriers

from auditor.findings import abridgement
from auditor.report import render_pages

N = 1250


class Page(Report):
    """The file beside the report."""

    @property
    def html(self):
        return self.folder / "documents.html"


def written(once, name, **how):
    """The page of all documents of an invented run."""

    def make(folder):
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(abridgement, "MOST_ROWS", 1000)
            (folder / "documents.html").write_bytes(render_pages(*of_many(N, **how)).documents["documents.html"])

    return Page(name, once(name, make))


@pytest.fixture
def open_page(browser, once):
    """Opens the page; at the end nothing may have been asked for or complained of."""
    said = []
    with contextlib.ExitStack() as pages:

        def at(name="documents", how=(), **options):
            page, complaints = pages.enter_context(opened(browser, written(once, name, **dict(how)), **options))
            said.append(complaints)
            return page

        yield at
    assert not any(said)


def column(page, i):
    """Texts of one column of the rows that are drawn."""
    return page.eval_on_selector_all("tbody tr", f"rows => rows.map(row => row.cells[{i}].textContent)")


def press(page, to):
    page.locator(f".pages button[data-to={to}]").first.click()


def test_a_hundred_rows_are_drawn_at_a_time_and_every_row_can_be_reached(open_page):
    page = open_page()
    seen = [column(page, 0)]
    while page.locator(".pages button[data-to=next]").first.is_enabled():
        press(page, "next")
        seen.append(column(page, 0))
    assert max(map(len, seen)) == 100
    assert [name for names in seen for name in names] == [f"doc-{i}" for i in range(N)]
    assert page.locator(".range").first.inner_text() == "Rows 1,201 to 1,250 of 1,250"
    press(page, "first")
    assert column(page, 0) == seen[0]


def test_a_head_sorts_all_rows_by_their_values_up_then_down_then_back(open_page):
    page = open_page()
    head = page.locator("thead th", has_text="Prob.")
    place = page.locator("thead th").all_inner_texts().index("Prob.")
    head.locator("button").click()
    up = [float(text) for text in column(page, place)]
    assert up == sorted(up)
    assert head.get_attribute("aria-sort") == "ascending"
    press(page, "last")
    assert set(column(page, place)[-25:]) == {"–"}  # 25 of 1,250 failed
    head.locator("button").click()
    down = [float(text) for text in column(page, place)]
    assert down == sorted(down, reverse=True)
    assert min(down) > max(up)
    head.locator("button").click()
    assert column(page, 0)[:3] == ["doc-0", "doc-1", "doc-2"]


def test_ids_are_sorted_as_numbers_are_read(open_page):
    page = open_page()
    button = page.locator("thead th button").first
    button.click()
    button.click()
    assert column(page, 0)[:3] == ["doc-1249", "doc-1248", "doc-1247"]


def test_filters_count_what_they_leave_and_begin_at_the_first_page(open_page):
    page = open_page()
    press(page, "last")
    page.get_by_label("source").select_option(label="b")
    assert page.locator("output").inner_text() == "417 of 1,250 documents"
    assert set(column(page, page.locator("thead th").all_inner_texts().index("source"))) == {"b"}
    page.fill("[type=search]", "doc-12")
    assert page.locator(".range").first.inner_text().startswith("Rows 1 to ")
    assert all("doc-12" in name for name in column(page, 0))
    page.fill("[type=search]", "nowhere")
    assert column(page, 0) == []
    assert page.locator(".range").first.inner_text() == "Rows 0 to 0 of 0"


def test_errors_alone_can_be_shown(open_page):
    page = open_page()
    page.get_by_label("Errors only").check()
    assert page.locator("tbody tr:not(.wrong)").count() == 0
    assert page.locator("tbody tr .fail").count() == 100


def test_hostile_texts_are_shown_as_they_are_and_do_nothing(open_page):
    page = open_page("hostile-documents", (("hostile", True),))
    page.fill("[type=search]", "</script><script>")
    assert page.locator("output").inner_text() == "1,250 of 1,250 documents"
    assert page.locator("tbody script, tbody img").count() == 0
    sources = set(column(page, page.locator("thead th").all_inner_texts().index("source")))
    assert all(source.startswith(HOSTILE[:20]) for source in sources)


def test_a_page_without_scripts_says_where_the_rows_are(open_page):
    page = open_page(java_script_enabled=False, laid_out=False)
    assert "documents.parquet, beside this file, has all of them" in page.locator("body").inner_text()


@pytest.mark.parametrize("width", [WIDE, NARROW])
def test_the_page_is_no_wider_than_the_window(open_page, width):
    page = open_page(width=width)
    assert page.evaluate("document.documentElement.scrollWidth") <= width


def test_axe_finds_no_barrier(browser, once):
    assert barriers(browser, written(once, "documents"), LOOKS, **BUT_COLOURS) == {}


def test_axe_finds_all_colours_told_apart(browser, once):
    assert barriers(browser, written(once, "documents"), LOOKS + OTHER_LOOKS, runOnly=["color-contrast"]) == {}
