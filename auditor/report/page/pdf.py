"""Renders the report's HTML as a PDF for archives: tagged, dated by the run, the same bytes every time.

WeasyPrint is imported here only, and late: without Pango it raises OSError and prints a banner, and the HTML must have
been written by then. The PDF is PDF/A-3a and PDF/UA-1; `pdf_structure` adds what WeasyPrint lacks for the second. The
only protocol from which a document may load is `data:`.
"""

import contextlib
import io
import logging
import os
import re
import sys
from collections.abc import Callable, Iterator, Mapping
from datetime import datetime
from functools import partial
from hashlib import sha256
from types import ModuleType
from typing import Any

from auditor.errors import PdfUnavailableError
from auditor.findings.contract.types import Findings
from auditor.languages import say
from auditor.report.branding import fonts
from auditor.report.drawing import formats
from auditor.report.page import pdf_links, pdf_reading, pdf_structure, record, signature_lines, templates
from auditor.report.page.said import NOTHING_SAID, Said

_SCREEN_ONLY = re.compile(r"<!--screen-->.*?<!--/screen-->", re.DOTALL)


def render(text: str, findings: Findings, attachments: Mapping[str, bytes], said: Said | None = None) -> bytes:
    """The content of the PDF of a report; where its findings are attached, so is a record of the numbers on its pages.

    Args:
        text: The HTML of the report.
        findings: Those that it was rendered from.
        attachments: Name → content of the files to embed.
        said: What the HTML says, for the record.

    Raises:
        PdfUnavailableError: the system libraries of WeasyPrint are missing.
    """
    late = recording(said or NOTHING_SAID, attachments) if record.FINDINGS in attachments else {}
    return write(text, findings.created, findings.presentation.classification, attachments, late)


def recording(said: Said, attachments: Mapping[str, bytes]) -> dict[str, Callable[[bytes], bytes]]:
    """The record of the numbers of a page, to be embedded by `write`."""
    return {record.FILE: partial(_recorded, said, attachments)}


def _recorded(said: Said, attachments: Mapping[str, bytes], content: bytes) -> bytes:
    """The record of the numbers on the pages of a PDF."""
    return record.write(record.make(pdf_reading.read(content).pages, said, record.parse(attachments)))


def write(
    text: str,
    created: str,
    classification: str | None,
    attachments: Mapping[str, bytes],
    late: Mapping[str, Callable[[bytes], bytes]] = pdf_structure.NOTHING,
) -> bytes:
    """The content of the PDF of a page.

    Args:
        text: The HTML of the page.
        created: ISO 8601: the date of the PDF and of what is attached.
        classification: A marking on every page.
        attachments: Name → content of the files to embed.
        late: Name → content of files to embed that are made of the finished PDF.

    Raises:
        PdfUnavailableError: the system libraries of WeasyPrint are missing.
    """
    weasyprint = load_weasyprint()
    moment = formats.instant(created)
    embedded = {**attachments, **dict.fromkeys(late, b"")}
    files = [_embedded(weasyprint, name, content, moment) for name, content in embedded.items()]
    with _reproducible(str(int(moment.timestamp()))):
        sheet = templates.read("print.css") + _page_margins(classification) + _footer(attachments)
        page = weasyprint.HTML(string=for_paper(text, sheet), url_fetcher=_data_only())
        with _fewer_layouts():
            document = page.render()
        pdf_structure.claim_accessibility(document)
        finisher = partial(pdf_structure.finish, late=late)
        with signature_lines.made(document):
            return bytes(document.write_pdf(finisher=finisher, pdf_variant="pdf/a-3a", attachments=files))


def _embedded(weasyprint: Any, name: str, content: bytes, moment: datetime) -> Any:
    return weasyprint.Attachment(
        string=content,
        name=name,
        description=say("{file} of this report", file=name),
        created=moment,
        modified=moment,
        relationship="Data",
    )


def for_paper(text: str, sheet: str) -> str:
    """The HTML for print: with the style sheet, without parts for screens, missing glyphs as code points."""
    paper = _SCREEN_ONLY.sub("", text).replace("</head>", f"<style>{sheet}</style></head>", 1)
    return formats.spelled_out(paper, fonts.missing(paper))


def load_weasyprint() -> ModuleType:
    """Import WeasyPrint with the fonts of the report activated.

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


def css_warnings(sheet: str) -> list[str]:
    """The warnings that WeasyPrint logs about rules of a style sheet, which it would drop.

    Raises:
        PdfUnavailableError: the system libraries of WeasyPrint are missing.
    """
    weasyprint = load_weasyprint()
    warnings: list[str] = []
    handler = logging.Handler(logging.WARNING)
    handler.emit = lambda record: warnings.append(record.getMessage())  # type: ignore[method-assign]
    weasyprint.LOGGER.addHandler(handler)
    try:
        weasyprint.CSS(string=sheet, url_fetcher=_data_only())
    finally:
        weasyprint.LOGGER.removeHandler(handler)
    return warnings


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
    """A fetcher for WeasyPrint that loads `data:` URLs only."""
    from weasyprint.urls import URLFetcher

    return URLFetcher(allowed_protocols={"data"})


def _page_margins(marking: str | None) -> str:
    """CSS for texts outside of the content: marking and page number, and the page numbers beside links."""
    footer = _content(say("Page {page} of {pages}", page=_counted("counter(page)"), pages=_counted("counter(pages)")))
    target_page = _counted("target-counter(attr(href url), page)")
    if marking:
        marking = formats.visible(" ".join(marking.split()))
        footer = f"{_string(f'{marking} · ')} {footer}"
    return (
        f"@page{{@bottom-right{{content:{footer}}}@top-center{{content:{_string(marking or '')}}}}}"
        f".contents a::after{{content:{_content(say('{link} p. {page}', link='', page=target_page))}}}"
        f".see::after{{content:{_content(say('{link} (p. {page})', link='', page=target_page))}}}"
    )


def _counted(counter: str) -> str:
    """A counter of CSS as the value of a placeholder, which `_content` recognises."""
    return f"\0{counter}\0"


def _content(message: str) -> str:
    """A message as a value of the CSS property `content`: text as strings, counters unchanged."""
    return " ".join(part if i % 2 else _string(part) for i, part in enumerate(message.split("\0")))


def _string(text: str) -> str:
    """A string of CSS; characters that could end it, or the style element around it, are escaped."""
    return '"' + re.sub(r'[<"\\\n\r\f]', lambda match: f"\\{ord(match[0]):x} ", text) + '"'


def _footer(attachments: Mapping[str, bytes]) -> str:
    """CSS for the abridged hash of the findings at the foot of every page; "" where they are not attached."""
    if "findings.json" not in attachments:
        return ""
    digest = sha256(attachments["findings.json"]).hexdigest()
    return f'@page{{@bottom-left{{content:string(run) " · findings.json sha256 {digest[:8]}…{digest[-6:]}"}}}}'


@contextlib.contextmanager
def _fewer_layouts() -> Iterator[None]:
    """Within a `with` block WeasyPrint lays out pages with links twice instead of three times."""
    from weasyprint import document

    original = document.TargetCollector
    document.TargetCollector = pdf_links.with_fewer_layouts(original)
    try:
        yield
    finally:
        document.TargetCollector = original


@contextlib.contextmanager
def _reproducible(epoch: str) -> Iterator[None]:
    """Set SOURCE_DATE_EPOCH, from which dates inside embedded fonts are taken, within a `with` block."""
    previous = os.environ.get("SOURCE_DATE_EPOCH")
    os.environ["SOURCE_DATE_EPOCH"] = epoch
    try:
        yield
    finally:
        if previous is None:
            del os.environ["SOURCE_DATE_EPOCH"]
        else:
            os.environ["SOURCE_DATE_EPOCH"] = previous
