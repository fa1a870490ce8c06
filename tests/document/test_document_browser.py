"""What a reader meets in a browser: Debian's Chromium, with the policy in force unless axe has to be let in."""

from collections import Counter

import pytest
from browsing import NARROW, WIDE, opened
from checkers import AXE, or_fail, unpacked
from sample_reports import ALL, Report

AXE_RULES = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]
COLOURS = ["color-contrast", "link-in-text-block"]
"""The rules of axe that look at colours, which depend on the theme and not on the words."""
BUT_COLOURS = {"rules": {rule: {"enabled": False} for rule in COLOURS}}
LOOKS = [(WIDE, "light"), (NARROW, "dark")]
OTHER_LOOKS = [(WIDE, "dark"), (NARROW, "light")]
STOPS = 'a[href], button, select, input, summary, textarea, [tabindex]:not([tabindex^="-"])'
FOCUSED = """() => {
  const e = document.activeElement, box = e.getBoundingClientRect(), look = getComputedStyle(e);
  if (e === document.body) return null;
  e.dataset.visited = "yes";
  return {
    name: `${e.tagName}.${e.className} ${(e.textContent || "").trim().slice(0, 40)}`,
    skip: e.matches(".skip"),
    seen: box.width > 1 && box.height > 1 && box.bottom > 0 && box.top < innerHeight && box.right > 0
      && box.left < innerWidth && look.visibility === "visible" && look.opacity !== "0",
    marked: look.outlineStyle !== "none" && parseFloat(look.outlineWidth) >= 1 || look.boxShadow !== "none",
  };
}"""
# A group of radio buttons is one stop.
UNVISITED = """(stops) => [...document.querySelectorAll(stops)].filter(e =>
  !e.dataset.visited && !e.disabled && e.getClientRects().length && getComputedStyle(e).visibility === "visible"
  && !(e.type === "radio" && document.querySelector(`input[name="${e.name}"][data-visited]`))
).map(e => e.outerHTML.slice(0, 120))"""


def barriers(browser, report, looks, **options):
    """What axe finds, look → faults, for the looks that have any."""
    found, options = {}, {"runOnly": AXE_RULES, "resultTypes": ["violations"], **options}
    with opened(browser, report, bypass_csp=True) as (page, _):
        page.evaluate(or_fail(lambda: unpacked(AXE)).read_text(encoding="utf-8"))
        for width, theme in looks:
            page.set_viewport_size({"width": width, "height": 900})
            page.emulate_media(color_scheme=theme)
            found[width, theme] = page.evaluate(
                """options => axe.run(document, options).then(r => r.violations.map(
                v => `${v.id}: ${v.nodes.length} × ${v.nodes[0].target} ${v.nodes[0].failureSummary}`))""",
                options,
            )
    return {look: faults for look, faults in found.items() if faults}


@pytest.mark.parametrize("name", ["example", "classifier", "language-model", "chinese", "hostile-classifier"])
def test_axe_finds_no_barrier(browser, report, name):
    assert barriers(browser, report(name), LOOKS, **BUT_COLOURS) == {}


@pytest.mark.parametrize(
    ("name", "looks"), [("classifier", LOOKS + OTHER_LOOKS), ("example", OTHER_LOOKS), ("language-model", LOOKS)]
)
def test_axe_finds_every_text_and_link_in_colours_that_can_be_told_apart(browser, report, name, looks):
    assert barriers(browser, report(name), looks, runOnly=COLOURS) == {}


@pytest.mark.parametrize(
    ("page", "options", "rule"),
    [
        ("<p style='color: #999'>pale</p>", {"runOnly": COLOURS}, "color-contrast"),
        ("<img src='data:,'>", BUT_COLOURS, "image-alt"),
    ],
)
def test_axe_finds_the_barrier_of_a_broken_page(browser, tmp_path, page, options, rule):
    broken = Report("broken", tmp_path)
    broken.html.write_text(f"<html lang=en><title>x</title><main><h1>x</h1>{page}</main>", encoding="utf-8")
    (faults,) = barriers(browser, broken, LOOKS[:1], **options).values()
    assert [fault.split(":")[0] for fault in faults] == [rule]


@pytest.mark.parametrize("name", ALL)
def test_a_page_asks_for_nothing_complains_of_nothing_and_is_no_wider_than_the_window(found, name):
    page = found(name)["with"]
    assert page["complaints"] == []
    assert [window for window, _ in page["widths"]] == [WIDE, NARROW]
    assert all(width <= window for window, width in page["widths"])


@pytest.mark.parametrize("name", ALL)
def test_every_text_is_there_without_javascript(found, name):
    without, with_it = (Counter(found(name)[page]["texts"]) for page in ("without", "with"))
    assert sum(without.values()) > 50
    assert without == with_it


@pytest.mark.parametrize("name", ["example", "classifier", "language-model", "many", "hostile-classifier"])
def test_a_page_opens_fast(found, name, record_property):
    took = found(name)["with"]["milliseconds"]
    record_property("milliseconds", took)
    assert 0 < took < 5000


@pytest.mark.parametrize("name", ["classifier", "language-model"])
@pytest.mark.parametrize("width", [WIDE, NARROW])
def test_the_keyboard_reaches_everything_and_shows_where_it_is(browser, report, name, width):
    with opened(browser, report(name), width=width) as (page, _):
        stops = []
        while len(stops) < 2000:
            page.keyboard.press("Tab")
            if (stop := page.evaluate(FOCUSED)) is None:
                break
            stops.append(stop)
        assert stops[0]["skip"]
        assert [stop["name"] for stop in stops if not stop["seen"]] == []
        assert [stop["name"] for stop in stops if not stop["marked"]] == []
        assert page.evaluate(UNVISITED, STOPS) == []


def test_the_skip_link_leads_to_the_report(browser, report):
    with opened(browser, report("classifier")) as (page, _):
        page.keyboard.press("Tab")
        page.keyboard.press("Enter")
        page.keyboard.press("Tab")
        assert page.evaluate("document.activeElement.closest('main') !== null")


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_the_page_follows_the_theme_of_the_system(browser, report, theme):
    with opened(browser, report("classifier"), color_scheme=theme) as (page, _):
        red = page.evaluate("getComputedStyle(document.body).backgroundColor.match(/[0-9.]+/g).map(Number)")
    paper = sum(red[:3]) if len(red) == 3 or red[3] else 765
    assert (paper < 200) == (theme == "dark")
