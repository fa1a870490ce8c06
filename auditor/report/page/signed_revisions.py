"""Whether a PDF that was signed has changed since in nothing but further signatures.

A PDF is changed by appending: objects anew under their old number, and others. What was signed stays readable as one of
its revisions. Of the objects that it had, those may be there anew that a signature needs:

    a signature field     that was empty and is filled: value and appearance
    the form              that it has signatures
    the catalog           the form, metadata, extensions, what proves certificates (DSS)
    metadata              of the file: programs write there when they changed it

Everything else that is on a page or hangs in the structure tree is as it was, and new objects are reached by these
changes only. pyHanko's own analysis allows more, and takes minutes for the structure tree of a report.
"""

import io
from typing import Any

_OF_CATALOG = {"/AcroForm", "/Metadata", "/DSS", "/Extensions", "/Version"}
_OF_FORM = {"/SigFlags", "/DR", "/DA"}
_OF_FIELD = {"/V", "/AP"}


def forbidden_change(reader: Any, signed: int) -> str | None:
    """What was changed after a revision that may not be; None where nothing was.

    Args:
        reader: pyHanko's, of the PDF.
        signed: The number of the revision.
    """
    old, xrefs = reader.get_historical_resolver(signed), reader.xrefs
    later = range(signed + 1, xrefs.total_revisions)
    if any(xrefs.refs_freed_in_revision(revision) for revision in later):
        return "objects of the file were deleted"
    if old.trailer_view.raw_get("/Root").reference.idnum != reader.trailer_view.raw_get("/Root").reference.idnum:
        return "the file was given another catalog"
    allowed = _allowed(old, reader)
    changed = {ref.idnum for revision in later for ref in xrefs.explicit_refs_in_revision(revision)}
    existing = {ref.idnum for revision in range(signed + 1) for ref in xrefs.explicit_refs_in_revision(revision)}
    if strange := (changed & existing) - allowed:
        return f"object {min(strange)} of the file was changed"
    if not _same(old.root, reader.root, _OF_CATALOG) or not _same(_form(old), _form(reader), _OF_FORM):
        return "the catalog or the form of the file was changed"
    return None


def _allowed(old: Any, new: Any) -> set[int]:
    """Numbers of the objects that may be there anew: catalog, form, metadata, fields that were filled and no more."""
    holders = (
        (old.trailer_view, "/Root"),
        (old.trailer_view, "/Info"),
        (old.root, "/Metadata"),
        (old.root, "/AcroForm"),
    )
    return {number for holder, key in holders if (number := _number(holder, key))} | _filled(old, new)


def _filled(old: Any, new: Any) -> set[int]:
    """Numbers of the signature fields that were empty and are signed."""
    numbers = set()
    for _, value, reference in _fields(old):
        now = new.get_object(_reference(reference, new))
        if value is None and "/V" in now and _same(reference.get_object(), now, _OF_FIELD):
            numbers.add(reference.idnum)
    return numbers


def _fields(handler: Any) -> Any:
    from pyhanko.sign.fields import enumerate_sig_fields

    return enumerate_sig_fields(handler)


def _reference(reference: Any, handler: Any) -> Any:
    from pyhanko.pdf_utils.generic import Reference

    return Reference(reference.idnum, reference.generation, pdf=handler)


def _form(handler: Any) -> Any:
    return handler.root.get("/AcroForm", {})


def _number(holder: Any, key: str) -> int | None:
    """The number of the object to which a key refers; None where the value stands in place, or is not there."""
    value = holder.raw_get(key) if key in holder else None
    return getattr(getattr(value, "reference", None), "idnum", None)


def _same(before: Any, after: Any, beside: set[str]) -> bool:
    """Whether two dictionaries have the same entries, but for those."""
    return _entries(before, beside) == _entries(after, beside)


def _entries(dictionary: Any, beside: set[str]) -> dict[str, bytes]:
    entries = {}
    for key in dictionary:
        if key not in beside:
            out = io.BytesIO()
            dictionary.raw_get(key).write_to_stream(out, None)
            entries[str(key)] = out.getvalue()
    return entries
