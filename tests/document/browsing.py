"""Debian's Chromium: what a page asks it for, and what is to be found on the page."""

import json
from contextlib import contextmanager

from checkers import DEBIAN, MissingCheckerError

WIDE, NARROW = 1280, 360
LAY_OUT = "document.querySelectorAll('.part').forEach((part) => part.style.contentVisibility = 'visible')"
"""Sections far from the window are not laid out until they come near; what is judged is all of them."""


def launched():
    """A browser; the import is here so that a missing playwright fails a test and not the collection."""
    try:
        from playwright.sync_api import sync_playwright
    except ImportError as error:
        raise MissingCheckerError("playwright is missing: pip install -e '.[dev]'") from error
    manager = sync_playwright().start()
    try:
        (path,) = DEBIAN["chromium"]
        return manager, manager.chromium.launch(executable_path=path, args=["--no-sandbox"])
    except Exception as error:
        manager.stop()
        if "executable doesn't exist" not in str(error):
            raise
        advice = "sudo apt-get install --no-install-recommends chromium"
        raise MissingCheckerError(f"chromium is missing: {advice}") from error


@contextmanager
def opened(browser, report, *, width=WIDE, laid_out=True, **options):
    """A page at its own address, all of it laid out if not told otherwise, and what it asked for or complained of."""
    context = browser.new_context(viewport={"width": width, "height": 900}, **options)
    page, complaints = context.new_page(), []
    page.on("console", lambda message: complaints.append(f"console: {message.text}"))
    page.on("pageerror", lambda error: complaints.append(f"error: {error}"))
    page.on("dialog", lambda dialog: (complaints.append(f"dialog: {dialog.message}"), dialog.dismiss()))
    page.on("request", lambda r: r.url.startswith(("file:", "data:")) or complaints.append(f"request: {r.url[:200]}"))
    try:
        page.goto(report.html.as_uri())
        if laid_out:
            page.evaluate(LAY_OUT)
        yield page, complaints
    finally:
        context.close()


EXTRAS = "#tip, .explorer, .theme, form, button, select, script, style"
"""What may be there only with the script, or say more with it."""
BLOCKS = "p, li, td, th, caption, h1, h2, h3, h4, dt, dd, figcaption"
# Both come as one string: taking a tree of thousands of values over, each by itself, costs more than the page.
TEXTS = """([blocks, extras]) => JSON.stringify(
  [...document.querySelectorAll(blocks)].filter(e => !e.closest(extras)).map(e => {
    const copy = e.cloneNode(true);
    if (copy.matches("caption, td, th, li, dd")) copy.querySelectorAll("#tip").forEach(x => x.remove());
    return copy.textContent.replace(/\\s+/g, " ").trim();
  }))"""
# The page as the browser took it apart: [tag, attributes] of every element, and what is to be read.
ANATOMY = """() => JSON.stringify({
  elements: [...document.querySelectorAll("*")].map(e => [
    e.localName, Object.fromEntries([...e.attributes].map(a => [a.name, a.value]))
  ]),
  text: document.body.textContent,
})"""
LOADED = "performance.getEntriesByType('navigation')[0].loadEventEnd"
PAINTED = "() => new Promise(done => requestAnimationFrame(() => requestAnimationFrame(done)))"


def found_on(browser, report):
    """What is on a page: `without` its script its elements and texts, `with` it how it loads, fits and behaves."""
    with opened(browser, report, java_script_enabled=False) as (page, _):
        without = json.loads(page.evaluate(ANATOMY)) | {"texts": texts(page)}
    with opened(browser, report) as (page, complaints):
        milliseconds = page.evaluate(LOADED)
        scripted = {"milliseconds": milliseconds, "texts": texts(page), "complaints": complaints, "widths": []}
        for width in (WIDE, NARROW):
            page.set_viewport_size({"width": width, "height": 900})
            page.evaluate(PAINTED)
            scripted["widths"].append([width, page.evaluate("document.documentElement.scrollWidth")])
    return {"without": without, "with": scripted}


def texts(page):
    """The text of every block, less what belongs to the script."""
    return json.loads(page.evaluate(TEXTS, [BLOCKS, EXTRAS]))
