"""The vendored fonts, the same on every machine: for WeasyPrint, for matplotlib, and as subsets inside the HTML.

`fonts.json` lists every file with origin, version and sha256, in the order of fallback: the first family that has a
character draws it. Style sheets name the families in that order (`stack`), so that a browser, Pango and `embed` choose
the same font for every character. `build.py` made the files. A user's fonts (`additional.py`) are added for one
rendering, after the font of the text and before all others:

    with fonts.joined_by(user_fonts):      Source Sans 3 → user_fonts → Noto Sans SC → …
"""

import atexit
import base64
import contextlib
import functools
import io
import json
import os
import shutil
import tempfile
import unicodedata
from collections.abc import Iterator, Sequence
from contextvars import ContextVar
from dataclasses import dataclass
from pathlib import Path
from xml.sax.saxutils import escape

FOLDER = Path(__file__).parent
TEXT = "Source Sans 3"
MONO = "IBM Plex Mono"
# Used through font-variant-numeric; fontTools keeps kerning, marks and ligatures of its own accord.
FEATURES = ("tnum", "lnum")
# Left out of the HTML, which would hold every ideograph a second time: browsers embolden the regular font instead.
# A subset of it would not do: for an ideograph that it lacks they take the next family, not the regular font.
PDF_ONLY = "NotoSansSC-SemiBold.ttf"

_FONTCONFIG = """<?xml version="1.0"?>
<!DOCTYPE fontconfig SYSTEM "urn:fontconfig:fonts.dtd">
<fontconfig>
{folders}
  <cachedir>{cache}</cachedir>
  <config><rescan><int>0</int></rescan></config>
  <alias binding="same"><family>sans-serif</family><prefer>{sans}</prefer></alias>
  <alias binding="same"><family>serif</family><prefer>{sans}</prefer></alias>
  <alias binding="same"><family>system-ui</family><prefer>{sans}</prefer></alias>
  <alias binding="same"><family>monospace</family><prefer>{mono}</prefer></alias>
</fontconfig>
"""


# Characters that need no glyph: white space that lays out text, and Unicode's default-ignorable characters, less the
# few of them that Pango does ask a glyph for (Hangul fillers, shorthand and hieroglyph controls). The line and
# paragraph separators U+2028 and U+2029 are not among them: the first prints as a missing glyph, the second stops
# WeasyPrint with an AssertionError.
_INVISIBLE = frozenset(
    code
    for first, last in (
        (0x09, 0x0A),
        (0x0D, 0x0D),
        (0xAD, 0xAD),
        (0x034F, 0x034F),
        (0x061C, 0x061C),
        (0x17B4, 0x17B5),
        (0x180B, 0x180E),
        (0x200B, 0x200F),
        (0x202A, 0x202E),
        (0x2060, 0x206F),
        (0xFE00, 0xFE0F),
        (0xFEFF, 0xFEFF),
        (0xE0000, 0xE0FFF),
    )
    for code in range(first, last + 1)
)


@dataclass(frozen=True)
class Font:
    """A font file of one weight and style."""

    path: Path
    family: str
    weight: int
    style: str


_user_fonts: ContextVar[tuple[Font, ...]] = ContextVar("fonts of the user", default=())


@contextlib.contextmanager
def joined_by(user_fonts: Sequence[Font]) -> Iterator[None]:
    """Add a user's fonts within a `with` block: they draw characters that the font of the text lacks."""
    token = _user_fonts.set(tuple(user_fonts))
    try:
        yield
    finally:
        _user_fonts.reset(token)


@functools.cache
def vendored() -> tuple[Font, ...]:
    """The fonts of the package, in the order of fallback."""
    listed = json.loads((FOLDER / "fonts.json").read_text(encoding="utf-8"))["fonts"]
    return tuple(Font(FOLDER / "files" / f["file"], f["family"], f["weight"], f["style"]) for f in listed)


def _fonts() -> tuple[Font, ...]:
    """All fonts in the order of fallback, those of the user included."""
    text = tuple(font for font in vendored() if font.family == TEXT)
    return (*text, *_user_fonts.get(), *(font for font in vendored() if font.family != TEXT))


def families() -> dict[str, list[Path]]:
    """Family → its files, in the order of fallback."""
    files: dict[str, list[Path]] = {}
    for font in _fonts():
        files.setdefault(font.family, []).append(font.path)
    return files


def stack(*, mono: bool = False) -> str:
    """The value of `font-family`: all families in the order of fallback; the monospaced one is last, or first."""
    sans = [family for family in families() if family != MONO]
    names, generic = ([MONO, *sans], "monospace") if mono else ([*sans, MONO], "sans-serif")
    return ",".join([f'"{name}"' for name in names] + [generic])


def matplotlib_files() -> list[Path]:
    """The files to register with matplotlib, which needs one file per weight."""
    return [font.path for font in _fonts()]


def activate() -> Path:
    """Make the fonts of the report the only ones that fontconfig knows in this process and its children.

    Must be called before WeasyPrint creates a font configuration. The file and its cache are in a temporary folder of
    this process: processes cannot race, and neither a home nor a writable package is needed. Scanning the fonts again
    costs 30 ms.

    Returns:
        The path of the fontconfig file, which FONTCONFIG_FILE names from now on.
    """
    conf = _configured(_fonts())
    os.environ["FONTCONFIG_FILE"] = str(conf)
    return conf


@functools.cache
def process_folder() -> Path:
    """The temporary folder of this process, which is removed at its end."""
    folder = Path(tempfile.mkdtemp(prefix="auditor-fonts-"))
    atexit.register(_remove, folder, os.getpid())
    return folder


@functools.cache
def _configured(fonts: tuple[Font, ...]) -> Path:
    """The path of a fontconfig file for these fonts, with an empty cache beside it."""
    folder = Path(tempfile.mkdtemp(dir=process_folder()))
    conf = folder / "fonts.conf"
    conf.write_text(_conf(folder / "cache", fonts), encoding="utf-8")
    return conf


def _conf(cache: Path, fonts: Sequence[Font]) -> str:
    """The text of the fontconfig file."""

    def prefer(value: str) -> str:
        return "".join(f"<family>{escape(name)}</family>" for name in value.replace('"', "").split(",")[:-1])

    folders = "\n".join(
        f"  <dir>{escape(str(folder))}</dir>" for folder in dict.fromkeys(font.path.parent for font in fonts)
    )
    names = {"sans": prefer(stack()), "mono": prefer(stack(mono=True))}
    return _FONTCONFIG.format(folders=folders, cache=escape(str(cache)), **names)


def _remove(folder: Path, owner: int) -> None:
    """Delete the folder, unless this is a forked child of the process that owns it."""
    if os.getpid() == owner:
        shutil.rmtree(folder, ignore_errors=True)


def missing(text: str) -> tuple[str, ...]:
    """The characters of a text that no font of the report can draw, each once, in code point order.

    Line feeds, tabs and characters that renderers never draw (joiners, direction marks, variation selectors) are not
    missing; other control characters and lone surrogates are, for they are printed as a missing glyph.
    """
    remaining = {ord(character) for character in set(text)} - _INVISIBLE
    for _, drawn in _assign(remaining):
        remaining -= drawn
    return tuple(chr(code) for code in sorted(remaining))


@functools.cache
def _covered(path: Path) -> frozenset[int]:
    """The code points that a font file can draw."""
    from fontTools.ttLib import TTFont

    with TTFont(path, lazy=True) as font:  # some fonts list control characters and separators, with an empty glyph
        return frozenset(c for c in font.getBestCmap() if unicodedata.category(chr(c)) not in ("Cc", "Zl", "Zp"))


def _assign(codes: set[int]) -> Iterator[tuple[str, set[int]]]:
    """Pairs of a family and the code points that it draws; ends, and opens no more files, once all are drawn."""
    remaining = set(codes)
    files = families()
    for family in sorted(files, key=MONO.__eq__):  # the monospaced family last, as in `stack`
        if not remaining:
            return
        drawn = remaining & _covered(files[family][0])
        remaining -= drawn
        if drawn:
            yield family, drawn


def _is_combining(code: int) -> bool:
    """Whether a character joins its neighbour's cluster, so that every font that may draw the neighbour needs it."""
    return unicodedata.category(chr(code)) in ("Mn", "Mc", "Me", "Cf")


def embed(text: str) -> str:
    r"""Style rules with the fonts of a text: one `@font-face` per file that it needs, subset to its characters.

    The same text gives the same bytes. A text in Latin letters costs about 60 KB; a thousand ideographs 170 KB more,
    in one weight (`PDF_ONLY`). The PDF needs none of this (`activate`).

    Args:
        text: All characters that the document shows, in any order.

    Returns:
        CSS with `src:url(data:font/woff2;base64,…)`, without `<`, which could end a style element.
    """
    codes = {ord(character) for character in set(text)}
    combining = {code for code in codes if _is_combining(code)}
    codes_of = dict(_assign(codes))
    codes_of[MONO] = codes & _covered(families()[MONO][0])
    rules = []
    for font in _fonts():
        drawn = codes_of.get(font.family, set())
        if drawn and font.path.name != PDF_ONLY:
            rules.append(_rule(font, drawn | (combining & _covered(font.path))))
    return "".join(rules)


def _rule(font: Font, codes: set[int]) -> str:
    """The `@font-face` of a font, subset to these code points."""
    data = base64.b64encode(_subset(font.path, frozenset(codes))).decode("ascii")
    return (
        f'@font-face{{font-family:"{font.family}";font-weight:{font.weight};font-style:{font.style};'
        f"src:url(data:font/woff2;base64,{data}) format('woff2')}}\n"
    )


@functools.lru_cache(maxsize=64)
def _subset(path: Path, codes: frozenset[int]) -> bytes:
    """A subset as woff2, with copyright and licence but no name, for licences reserve the names of their fonts."""
    from fontTools import subset
    from fontTools.ttLib import TTFont

    options = subset.Options()
    options.layout_features = [*options.layout_features, *FEATURES]
    options.hinting = False
    options.glyph_names = False
    options.notdef_outline = True
    options.name_IDs = [0, 13, 14]
    options.drop_tables = [*options.drop_tables, "meta"]
    with TTFont(path, recalcTimestamp=False, lazy=True) as font:
        subsetter = subset.Subsetter(options)
        subsetter.populate(unicodes=codes)
        subsetter.subset(font)
        font.flavor = "woff2"
        out = io.BytesIO()
        font.save(out)
    return out.getvalue()
