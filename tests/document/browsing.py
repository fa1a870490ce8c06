"""Debian's Chromium, and what a page asks it for."""

from contextlib import contextmanager

from checkers import DEBIAN, MissingCheckerError

WIDE = 1280
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
def opened(browser, report, *, width=WIDE, **options):
    """A page at its own address, and everything that it asked for or complained of."""
    context = browser.new_context(viewport={"width": width, "height": 900}, **options)
    page, complaints = context.new_page(), []
    page.on("console", lambda message: complaints.append(f"console: {message.text}"))
    page.on("pageerror", lambda error: complaints.append(f"error: {error}"))
    page.on("dialog", lambda dialog: (complaints.append(f"dialog: {dialog.message}"), dialog.dismiss()))
    page.on("request", lambda r: r.url.startswith(("file:", "data:")) or complaints.append(f"request: {r.url[:200]}"))
    try:
        page.goto(report.html.as_uri())
        page.evaluate(LAY_OUT)
        yield page, complaints
    finally:
        context.close()
