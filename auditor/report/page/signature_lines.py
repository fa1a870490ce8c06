"""Makes every signature line of the report a signature field of the PDF, which anybody's program can sign.

A line is a row with the attribute `data-signature`, whose value names it in words. Its field is the room above its
last two cells, decision and signature; it has an empty appearance, as PDF/A-3 demands, and hangs in the structure tree
as a Form element before the words of the last cell, as PDF/UA-1 demands. Fields are there before anybody signs, so that
a second signature changes nothing that the first one covers.

    Mary Somerville      [Decision and conditions     Date and signature]
    ─────────────────    ──────────────────────────   ──────────────────
"""

import contextlib
from collections.abc import Iterator
from typing import Any

_NAME = "signature-"
"""Before the number of a line, from 1: the name of its field."""
_ATTRIBUTE = "data-signature"
_OURS = "signature lines"
_PRINTED, _SIGNATURES_EXIST = 4, 1
_BELOW, _ABOVE = 1.2, 2.2
"""Between a field and its line, and the words over it, in CSS pixels."""


def is_line(field: str) -> bool:
    """Whether the field of this name is that of a signature line."""
    return field.startswith(_NAME)


@contextlib.contextmanager
def made(document: Any) -> Iterator[None]:
    """Within a `with` block WeasyPrint writes the fields of this document, which it has laid out."""
    from weasyprint import pdf

    number = 0
    for page in document.pages:
        rows = _rows(page._page_box)
        page.forms[_OURS] = list(enumerate(rows, number + 1))
        number += len(rows)
    original = pdf.add_forms
    pdf.add_forms = _adding(original)
    try:
        yield
    finally:
        pdf.add_forms = original


def _rows(page: Any) -> list[Any]:
    return [
        box
        for box in page.descendants()
        if box.element is not None and box.element.get(_ATTRIBUTE) is not None and len(box.children) > 1
    ]


def _adding(original: Any) -> Any:
    """WeasyPrint's function that writes the form fields of a page, which writes these too."""

    def add_forms(forms: Any, matrix: Any, pdf: Any, page: Any, *others: Any) -> None:
        for number, row in forms.pop(_OURS, ()):
            _add(number, row, matrix, pdf, page)
        original(forms, matrix, pdf, page, *others)

    return add_forms


def _add(number: int, row: Any, matrix: Any, pdf: Any, page: Any) -> None:
    import pydyf

    first, last = row.children[-2:]
    bottom = last.border_box_y() - _BELOW
    left, low = matrix.transform_point(first.border_box_x(), bottom)
    top = last.border_box_y() - last.margin_top + _ABOVE
    right, high = matrix.transform_point(last.border_box_x() + last.border_width(), top)
    appearance = pydyf.Stream(
        extra={"Type": "/XObject", "Subtype": "/Form", "BBox": pydyf.Array([0, 0, right - left, high - low])}
    )
    pdf.add_object(appearance)
    field = pydyf.Dictionary({
        "Type": "/Annot", "Subtype": "/Widget", "FT": "/Sig", "F": _PRINTED,
        "T": pydyf.String(f"{_NAME}{number}"),
        "TU": pydyf.String(row.element.get(_ATTRIBUTE)),
        "Rect": pydyf.Array([left, low, right, high]),
        "P": page.reference,
        "AP": pydyf.Dictionary({"N": appearance.reference}),
    })  # fmt: skip
    pdf.add_object(field)
    last.widget_annotation = field
    page.setdefault("Annots", pydyf.Array()).append(field.reference)
    empty = pydyf.Dictionary({"Fields": pydyf.Array(), "SigFlags": _SIGNATURES_EXIST})
    pdf.catalog.setdefault("AcroForm", empty)["Fields"].append(field.reference)
