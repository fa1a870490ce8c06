"""What a reader meets in a browser: Debian's Chromium, with the policy in force unless axe has to be let in."""

from collections import Counter

import pytest
from browsing import WIDE, opened
from checkers import AXE, or_fail, unpacked
from sample_reports import ALL

NARROW = 360
AXE_RULES = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]
THOROUGHLY = ("example", "classifier")
"""Looked at in both widths and both themes; the others wide and light, narrow and dark."""
DIFFERENT = (*THOROUGHLY, "language-model", "chinese", "hostile-classifier")
EXTRAS = "#tip, .explorer, .theme, form, button, select, script, style"
"""What may be there only with the script, or say more with it."""
STOPS = 'a[href], button, select, input, summary, textarea, [tabindex]:not([tabindex^="-"])'
BLOCKS = "p, li, td, th, caption, h1, h2, h3, h4, dt, dd, figcaption"

TEXTS = """([blocks, extras]) => [...document.querySelectorAll(blocks)].filter(e => !e.closest(extras)).map(e => {
  const copy = e.cloneNode(true);
  if (copy.matches("caption, td, th, li, dd")) copy.querySelectorAll("#tip").forEach(x => x.remove());
  return copy.textContent.replace(/\\s+/g, " ").trim();
})"""
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


@pytest.mark.parametrize("name", DIFFERENT)
def test_axe_finds_no_barrier(browser, report, name):
    looks = [(WIDE, "light"), (NARROW, "dark")] + [(WIDE, "dark"), (NARROW, "light")] * (name in THOROUGHLY)
    with opened(browser, report(name), bypass_csp=True) as (page, _):
        page.evaluate(or_fail(lambda: unpacked(AXE)).read_text(encoding="utf-8"))
        found = {}
        for width, theme in looks:
            page.set_viewport_size({"width": width, "height": 900})
            page.emulate_media(color_scheme=theme)
            found[width, theme] = page.evaluate(
                """rules => axe.run(document, {runOnly: rules, resultTypes: ["violations"]}).then(r => r.violations.map(
                v => `${v.id}: ${v.nodes.length} × ${v.nodes[0].target} ${v.nodes[0].failureSummary}`))""",
                AXE_RULES,
            )
    assert {look: faults for look, faults in found.items() if faults} == {}


@pytest.mark.parametrize("name", ALL)
def test_a_page_asks_for_nothing_complains_of_nothing_and_is_no_wider_than_the_window(browser, report, name):
    with opened(browser, report(name)) as (page, complaints):
        for width in (WIDE, NARROW):
            page.set_viewport_size({"width": width, "height": 900})
            page.evaluate("() => new Promise(done => requestAnimationFrame(() => requestAnimationFrame(done)))")
            assert page.evaluate("document.documentElement.scrollWidth") <= width
        assert complaints == []


@pytest.mark.parametrize("name", ALL)
def test_every_text_is_there_without_javascript(browser, report, name):
    texts = []
    for enabled in (False, True):
        with opened(browser, report(name), java_script_enabled=enabled) as (page, _):
            texts.append(Counter(page.evaluate(TEXTS, [BLOCKS, EXTRAS])))
    without, with_it = texts
    assert sum(without.values()) > 50
    assert without == with_it


@pytest.mark.parametrize("name", ["example", "classifier", "language-model", "many", "hostile-classifier"])
def test_a_page_opens_fast(browser, report, name, record_property):
    with opened(browser, report(name)) as (page, _):
        took = page.evaluate("performance.getEntriesByType('navigation')[0].loadEventEnd")
    record_property("milliseconds", took)
    assert took < 5000


@pytest.mark.parametrize("name", ["example", "classifier", "language-model"])
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
