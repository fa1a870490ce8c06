"""Draws what a signature shows on its line, as a PDF of one page as large as the field, in the fonts of the report."""

from datetime import datetime
from typing import Any

from markupsafe import Markup

from auditor.languages import HTML_TAGS, spoken
from auditor.report.branding import fonts
from auditor.report.drawing import formats
from auditor.report.page import pdf, templates

_SIZES = (7.0, 6.4, 5.8, 5.2, 4.6)
"""Of the text, in points; it has the first at which it fits."""
_LONGEST = 28
"""Characters of a name that does not fit otherwise."""


def draw(size: tuple[float, float], signer: str, moment: datetime, reason: str | None) -> bytes:
    """The PDF, in the current language: signer, time with its zone, reason.

    Args:
        size: Width and height in points.
        signer: As the certificate names them, which may be anything.
        moment: With a time zone.
        reason: Why it is signed.

    Raises:
        PdfUnavailableError: the system libraries of WeasyPrint are missing.
    """
    name, short = " ".join(signer.split()), formats.middle(" ".join(signer.split()), _LONGEST)
    for text, points in ((text, points) for text in dict.fromkeys((name, short)) for points in _SIZES):
        document = _laid_out(size, points, text, moment.isoformat(sep=" ", timespec="seconds"), reason or "")
        if len(document.pages) == 1:
            break
    return bytes(document.copy(document.pages[:1]).write_pdf())


def _laid_out(size: tuple[float, float], points: float, signer: str, time: str, reason: str) -> Any:
    weasyprint, (width, height) = pdf.load_weasyprint(), size
    page = f"@page{{size:{width}pt {height}pt}}html{{font:{points}pt {fonts.stack()}}}.line{{height:{height}pt}}"
    styles = Markup(page + templates.read("signature.css"))
    values = {"signer": signer, "time": time, "reason": reason, "lang": HTML_TAGS[spoken()]}
    text = str(templates.fill("signature.html.j2", styles=styles, **values))
    return weasyprint.HTML(string=formats.spelled_out(text, fonts.missing(text))).render()
