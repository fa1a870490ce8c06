"""Reads a user's fonts, for scripts that the package has no font for: Hangul, the Traditional forms of Chinese.

Only static TrueType and OpenType outlines are accepted (`.ttf`, `.otf`, `.woff2`): WeasyPrint embeds variable fonts as
broken ones, a collection does not say which of its fonts is meant, fonts in colour and of bitmaps have no outlines, and
a licence may forbid embedding. Accepted files are copied, decompressed, into the folder of this process, so that
fontconfig, matplotlib and the subsetter read the bytes that were checked and hashed.
"""

import hashlib
import io
import struct
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Final

from auditor.errors import RenderError
from auditor.report.branding import fonts
from auditor.report.branding.fonts import Font

if TYPE_CHECKING:
    from fontTools.ttLib import TTFont

_SUFFIXES = (".ttf", ".otf", ".woff2")
_OTHER_SUFFIXES = (".ttc", ".otc", ".woff", ".dfont", ".pfb", ".pfa", ".eot")
_OUTLINES = (b"\0\1\0\0", b"true", b"OTTO", b"wOF2")
_COLOURS = ("COLR", "CBDT", "sbix", "SVG ")
_NEEDED = ("cmap", "head", "hhea", "hmtx", "maxp", "name", "OS/2", "post")
_RESTRICTED = 0x0002
_UNREADABLE = (struct.error, AssertionError, LookupError, ValueError, TypeError, OSError, EOFError)
_SPACE = 0x20


@dataclass(frozen=True)
class UserFonts:
    """The fonts of one folder."""

    fonts: tuple[Font, ...] = ()
    hashes: tuple[tuple[str, str], ...] = ()
    """File name and SHA-256, in the order of the names."""


NONE: Final = UserFonts()


def read(folder: Path) -> UserFonts:
    """The fonts of a folder, checked and copied.

    Raises:
        RenderError: a font cannot be used; one line for each: the file and the reason.
    """
    if not folder.is_dir():
        raise RenderError(f"{folder}: expected a folder of fonts (.ttf, .otf or .woff2), found none")
    files = sorted(path for path in folder.iterdir() if path.suffix.lower() in (*_SUFFIXES, *_OTHER_SUFFIXES))
    faults: list[str] = []
    accepted: list[Font] = []
    hashes = []
    for path in files:
        try:
            data = path.read_bytes()
            accepted.append(_checked(data))
            hashes.append((path.name, hashlib.sha256(data).hexdigest()))
        except _RefusedError as fault:
            faults.append(f"{path}: {fault}")
        except OSError as fault:
            faults.append(f"{path}: cannot be read: {fault.strerror}")
    if faults or not files:
        raise RenderError("\n".join(faults) or f"{folder}: expected fonts (.ttf, .otf or .woff2), found none")
    return UserFonts(tuple(sorted(accepted, key=_fallback_order)), tuple(hashes))


class _RefusedError(Exception):
    """A font is not accepted; its message is the reason."""


def _fallback_order(font: Font) -> tuple[str, bool, int]:
    """Sort key: by family, the regular upright font first, whose characters stand for the family's."""
    return font.family, font.style != "normal", abs(font.weight - 400)


def _checked(data: bytes) -> Font:
    """The font in the bytes of a file, checked and copied.

    Raises:
        _RefusedError: it cannot be used.
    """
    from fontTools.ttLib import TTFont, TTLibError

    if data[:4] == b"ttcf":
        raise _RefusedError("a collection of fonts; give the one face that is meant, as .ttf or .otf")
    if data[:4] not in _OUTLINES:
        raise _RefusedError("neither TrueType, OpenType nor WOFF2; convert the font to one of them")
    try:
        with TTFont(io.BytesIO(data), recalcTimestamp=False) as face:
            for fault in _faults(face, len(data)):
                raise _RefusedError(fault)
            return _copied(face, data)
    except (*_UNREADABLE, TTLibError) as fault:
        raise _RefusedError(f"damaged: {fault or type(fault).__name__}") from fault


def _faults(face: "TTFont", size: int) -> Iterator[str]:
    """Reasons not to accept a font, the most serious first."""
    if "fvar" in face or "CFF2" in face:
        yield "a variable font, which a PDF cannot embed soundly; give static files, one for each weight"
    if any(table in face for table in _COLOURS):
        yield "draws in colour; give a font of plain outlines"
    if not ("glyf" in face or "CFF " in face):
        yield "has no outlines (neither a glyf nor a CFF table)"
    for table in _NEEDED:
        if table not in face:
            yield f"damaged: the table {table.strip()} is missing"
    if face.flavor is None and any(entry.offset + entry.length > size for entry in face.reader.tables.values()):
        yield "damaged: cut off before its end"
    if face["OS/2"].fsType & 0x000F == _RESTRICTED:
        yield "its licence forbids embedding (fsType 2), and a report embeds its fonts"
    if _SPACE not in (face.getBestCmap() or {}):
        yield "lacks a Unicode character map with a space"
    yield from _name_faults(_family(face))


def _name_faults(family: str) -> Iterator[str]:
    """Reasons not to accept the name of a font family."""
    if not 0 < len(family) <= 80 or not family.isprintable() or set(family) & set('"\\<>&,;{}'):
        yield f"the family name {family!r} cannot stand in a style sheet; expected letters, digits and spaces"
    if family in {font.family for font in fonts.vendored()}:
        yield f"the report has the family {family} already; it is not to be replaced"


def _family(face: "TTFont") -> str:
    names = face["name"]
    return str(names.getDebugName(16) or names.getDebugName(1) or "")


def _copied(face: "TTFont", data: bytes) -> Font:
    """A decompressed copy of the font in the folder of this process, named by the hash of its content."""
    for table in face.keys():  # noqa: SIM118 - a TTFont is no mapping; this reads every table once
        face[table]
    is_italic = bool(face["OS/2"].fsSelection & 1)
    weight, family = face["OS/2"].usWeightClass, _family(face)
    if face.flavor is not None:
        unpacked = io.BytesIO()
        face.flavor = None
        face.save(unpacked)
        data = unpacked.getvalue()
    suffix = ".otf" if "CFF " in face else ".ttf"
    path = fonts.process_folder() / "user" / hashlib.sha256(data).hexdigest()[:16] / f"font{suffix}"
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(data)
    return Font(path, family, weight, "italic" if is_italic else "normal")
