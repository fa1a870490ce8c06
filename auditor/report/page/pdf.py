"""From the report's HTML to a PDF that can be archived: tagged, dated by the run, the same bytes every time.

WeasyPrint is imported here only, and late: without Pango it raises OSError and prints a banner, and the HTML must
have been written by then. The PDF is PDF/A-3a and PDF/UA-1 at once; what WeasyPrint leaves open for the second is
closed by `pdf_structure`. The only protocol a document may fetch is `data:`.
"""

import contextlib
import io
import logging
import os
import re
import sys
from collections.abc import Iterator, Mapping
from hashlib import sha256
from types import ModuleType

from auditor.errors import PdfUnavailableError
from auditor.findings.types import Findings
from auditor.languages import say
from auditor.report.branding import fonts
from auditor.report.drawing import formats
from auditor.report.page import pdf_links, pdf_structure, templates

_SCREEN_ONLY = re.compile(r"<!--screen-->.*?<!--/screen-->", re.DOTALL)


def render(text: str, findings: Findings, attachments: Mapping[str, bytes]) -> bytes:
    """The HTML of a report as PDF bytes.

    Raises:
        PdfUnavailableError: the system libraries of WeasyPrint are missing.
    """
    weasyprint = load_weasyprint()
    moment = formats.instant(findings.created)
    files = [
        weasyprint.Attachment(
            string=content,
            name=name,
            description=say("{file} of this report", file=name),
            created=moment,
            modified=moment,
            relationship="Data",
        )
        for name, content in attachments.items()
    ]
    with _reproducible(str(int(moment.timestamp()))):
        sheet = templates.read("print.css") + _words(findings.presentation.classification) + _footer(attachments)
        page = weasyprint.HTML(string=for_paper(text, sheet), url_fetcher=_data_only())
        with _settled_links():
            document = page.render()
        pdf_structure.claim_accessibility(document)
        return bytes(document.write_pdf(finisher=pdf_structure.finish, pdf_variant="pdf/a-3a", attachments=files))


def for_paper(text: str, sheet: str) -> str:
    """The HTML with the rules of paper, without what only a screen needs, and with the codes of glyphs no font has."""
    paper = _SCREEN_ONLY.sub("", text).replace("</head>", f"<style>{sheet}</style></head>", 1)
    return formats.spelled_out(paper, fonts.missing(paper))


def load_weasyprint() -> ModuleType:
    """WeasyPrint, with the vendored fonts in force and without its banner.

    Raises:
        PdfUnavailableError: its system libraries are missing; names the command that installs them.
    """
    fonts.activate()
    try:
        with contextlib.redirect_stdout(io.StringIO()):
            import weasyprint
    except OSError as fault:
        raise PdfUnavailableError(
            f"the PDF needs the Pango libraries, which were not found ({_first_line(fault)}); the HTML was written. "
            f"Install them: {install_command()}"
        ) from fault
    return weasyprint  # type: ignore[no-any-return]


def complaints(sheet: str) -> list[str]:
    """What WeasyPrint says about a style sheet that it would drop in part.

    Raises:
        PdfUnavailableError: the system libraries of WeasyPrint are missing.
    """
    weasyprint = load_weasyprint()
    said: list[str] = []
    handler = logging.Handler(logging.WARNING)
    handler.emit = lambda record: said.append(record.getMessage())  # type: ignore[method-assign]
    weasyprint.LOGGER.addHandler(handler)
    try:
        weasyprint.CSS(string=sheet, url_fetcher=_data_only())
    finally:
        weasyprint.LOGGER.removeHandler(handler)
    return said


def install_command() -> str:
    """The command that installs Pango on this platform."""
    if sys.platform == "darwin":
        return "brew install pango"
    if sys.platform == "win32":
        return "pacman -S mingw-w64-x86_64-pango (in MSYS2)"
    return "apt-get install -y --no-install-recommends libpango-1.0-0 libpangoft2-1.0-0 libharfbuzz-subset0"


def _first_line(fault: OSError) -> str:
    return str(fault).strip().splitlines()[0] if str(fault).strip() else type(fault).__name__


def _data_only() -> object:
    from weasyprint.urls import URLFetcher

    return URLFetcher(allowed_protocols={"data"})


def _words(marking: str | None) -> str:
    """What a page says beside its text: its marking, its number, and the numbers of the pages that links lead to."""
    own = _content(say("Page {page} of {pages}", page=_counted("counter(page)"), pages=_counted("counter(pages)")))
    there = _counted("target-counter(attr(href url), page)")
    if marking:
        marking = formats.visible(" ".join(marking.split()))
        own = f"{_string(f'{marking} · ')} {own}"
    return (
        f"@page{{@bottom-right{{content:{own}}}@top-center{{content:{_string(marking or '')}}}}}"
        f".contents a::after{{content:{_content(say('{link} p. {page}', link='', page=there))}}}"
        f".see::after{{content:{_content(say('{link} (p. {page})', link='', page=there))}}}"
    )


def _counted(counter: str) -> str:
    return f"\0{counter}\0"


def _content(message: str) -> str:
    """A message as the value of CSS's `content`: its words as strings, what is counted as it is."""
    return " ".join(part if i % 2 else _string(part) for i, part in enumerate(message.split("\0")))


def _string(text: str) -> str:
    """A string of CSS; what could end it, or the style element it stands in, is written by its code."""
    return '"' + re.sub(r'[<"\\\n\r\f]', lambda found: f"\\{ord(found[0]):x} ", text) + '"'


def _footer(attachments: Mapping[str, bytes]) -> str:
    """The short hash of the findings, for the foot of every page; a hex digest needs no escaping."""
    if "findings.json" not in attachments:
        return ""
    digest = sha256(attachments["findings.json"]).hexdigest()
    return f'@page{{@bottom-left{{content:string(run) " · findings.json sha256 {digest[:8]}…{digest[-6:]}"}}}}'


@contextlib.contextmanager
def _settled_links() -> Iterator[None]:
    """Pages with links are laid out twice instead of three times."""
    from weasyprint import document

    before = document.TargetCollector
    document.TargetCollector = pdf_links.settled(before)
    try:
        yield
    finally:
        document.TargetCollector = before


@contextlib.contextmanager
def _reproducible(epoch: str) -> Iterator[None]:
    """Dates inside embedded fonts come from SOURCE_DATE_EPOCH: the time of the run, for as long as it is rendered."""
    before = os.environ.get("SOURCE_DATE_EPOCH")
    os.environ["SOURCE_DATE_EPOCH"] = epoch
    try:
        yield
    finally:
        if before is None:
            del os.environ["SOURCE_DATE_EPOCH"]
        else:
            os.environ["SOURCE_DATE_EPOCH"] = before
