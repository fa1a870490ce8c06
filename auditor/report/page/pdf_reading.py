"""Reads a PDF back: the text of its pages, what is attached, and whether it is whole; PDFium is imported here only.

Text is what the PDF says its glyphs stand for, in the order in which it was drawn: cells row by row. What a forger may
draw over it is not seen, but annotations are, of which a report has links only, and a signature.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from auditor.errors import VerificationError

_LINK, _WIDGET = 2, 20
"""Subtypes of annotations in PDFium."""
_END = b"%%EOF"


@dataclass(frozen=True, slots=True)
class Paper:
    """What is in a PDF."""

    pages: tuple[str, ...]
    """The text of each page."""
    attachments: dict[str, bytes]
    annotated: tuple[int, ...]
    """Numbers of the pages with annotations that are neither links nor form fields beside the text."""


def read(content: bytes) -> Paper:
    """The text and attachments of a PDF.

    Raises:
        VerificationError: it is none, is cut off, damaged or encrypted.
    """
    if not content.startswith(b"%PDF-"):
        raise VerificationError("is no PDF")
    if not content.rstrip().endswith(_END):
        raise VerificationError("is cut off: a PDF ends with %%EOF, and this one does not")
    import pypdfium2

    try:
        document = pypdfium2.PdfDocument(content)
    except pypdfium2.PdfiumError as error:
        if "password" in str(error).lower():
            raise VerificationError("is encrypted, as no report is") from error
        raise VerificationError(f"is damaged: {error}") from error
    try:
        pages = [document[i] for i in range(len(document))]
        texts = tuple(page.get_textpage().get_text_range() for page in pages)
        annotated = tuple(number for number, page in enumerate(pages, 1) if _is_annotated(page))
        return Paper(texts, dict(_attachments(document)), annotated)
    except pypdfium2.PdfiumError as error:
        raise VerificationError(f"is damaged: {error}") from error
    finally:
        document.close()


def _attachments(document: Any) -> Iterator[tuple[str, bytes]]:
    for i in range(document.count_attachments()):
        attachment = document.get_attachment(i)
        yield str(attachment.get_name()), bytes(attachment.get_data())


def _is_annotated(page: Any) -> bool:
    from pypdfium2 import raw

    for i in range(raw.FPDFPage_GetAnnotCount(page)):
        annotation = raw.FPDFPage_GetAnnot(page, i)
        subtype, area = raw.FPDFAnnot_GetSubtype(annotation), raw.FS_RECTF()
        raw.FPDFAnnot_GetRect(annotation, area)
        raw.FPDFPage_CloseAnnot(annotation)
        if subtype not in (_LINK, _WIDGET) or (subtype == _WIDGET and _is_written_on(page, area)):
            return True
    return False


def _is_written_on(page: Any, area: Any) -> bool:
    """Whether a page has text within an area."""
    text = page.get_textpage().get_text_bounded(area.left, area.bottom, area.right, area.top)
    return bool(text.strip())
