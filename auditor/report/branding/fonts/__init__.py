"""The vendored fonts, the same on every machine: for WeasyPrint, for matplotlib, and cut to size inside the HTML.

`fonts.json` lists every file with origin, version and sha256, in the order of fallback: the first family that has a
character draws it. A stylesheet names the families in that order (`stack`), so that a browser, Pango and `embed` agree
on who draws what. `build.py` made the files. A reader's own fonts (`additional.py`) join for one rendering, behind the
face of the text and before all others:

    with fonts.joined_by(own):      Source Sans 3 → own → Noto Sans SC → …
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

from fontTools import subset
from fontTools.ttLib import TTFont

FOLDER = Path(__file__).parent
TEXT = "Source Sans 3"
MONO = "IBM Plex Mono"
# Used through font-variant-numeric; fontTools keeps kerning, marks and ligatures of its own accord.
FEATURES = ("tnum", "lnum")
# Left out of the HTML, where it would carry every ideograph a second time: browsers thicken the regular face instead.
# A part of it would not do: for an ideograph that it lacks they take the next family, not the regular face.
ON_PAPER_ALONE = "NotoSansSC-SemiBold.ttf"

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
    """One file, of one weight and style."""

    path: Path
    family: str
    weight: int
    style: str


_own: ContextVar[tuple[Font, ...]] = ContextVar("fonts of the reader", default=())


@contextlib.contextmanager
def joined_by(own: Sequence[Font]) -> Iterator[None]:
    """Inside, characters that the face of the text lacks are looked for in these fonts first."""
    before = _own.set(tuple(own))
    try:
        yield
    finally:
        _own.reset(before)


@functools.cache
def vendored() -> tuple[Font, ...]:
    """The fonts of the package, in the order of fallback."""
    listed = json.loads((FOLDER / "fonts.json").read_text(encoding="utf-8"))["fonts"]
    return tuple(Font(FOLDER / "files" / f["file"], f["family"], f["weight"], f["style"]) for f in listed)


def _fonts() -> tuple[Font, ...]:
    text = tuple(font for font in vendored() if font.family == TEXT)
    return (*text, *_own.get(), *(font for font in vendored() if font.family != TEXT))


def families() -> dict[str, list[Path]]:
    """The files of each family; the order of the keys is the order of fallback."""
    found: dict[str, list[Path]] = {}
    for font in _fonts():
        found.setdefault(font.family, []).append(font.path)
    return found


def stack(*, mono: bool = False) -> str:
    """The value of `font-family`: every family in the order of fallback; the monospaced one goes first or last."""
    sans = [family for family in families() if family != MONO]
    names, generic = ([MONO, *sans], "monospace") if mono else ([*sans, MONO], "sans-serif")
    return ",".join([f'"{name}"' for name in names] + [generic])


def matplotlib_files() -> list[Path]:
    """The files to register with matplotlib: each of one weight, as it needs them."""
    return [font.path for font in _fonts()]


def activate() -> Path:
    """Makes the fonts of the report the only ones that fontconfig knows in this process and its children.

    To be called before WeasyPrint makes a font configuration. The file lies with its cache in a folder of this
    process alone, removed at exit: processes cannot race, and neither a home nor a writable package is needed.
    Scanning the fonts anew costs 30 ms.

    Returns:
        The fontconfig file, now named by FONTCONFIG_FILE.
    """
    conf = _configured(_fonts())
    os.environ["FONTCONFIG_FILE"] = str(conf)
    return conf


@functools.cache
def workplace() -> Path:
    """A folder of this process alone, removed at exit."""
    folder = Path(tempfile.mkdtemp(prefix="auditor-fonts-"))
    atexit.register(_remove, folder, os.getpid())
    return folder


@functools.cache
def _configured(fonts: tuple[Font, ...]) -> Path:
    """The fontconfig file of a set of fonts."""
    folder = Path(tempfile.mkdtemp(dir=workplace()))
    conf = folder / "fonts.conf"
    conf.write_text(_conf(folder / "cache", fonts), encoding="utf-8")
    return conf


def _conf(cache: Path, fonts: Sequence[Font]) -> str:
    def prefer(value: str) -> str:
        return "".join(f"<family>{escape(name)}</family>" for name in value.replace('"', "").split(",")[:-1])

    folders = "\n".join(
        f"  <dir>{escape(str(folder))}</dir>" for folder in dict.fromkeys(font.path.parent for font in fonts)
    )
    names = {"sans": prefer(stack()), "mono": prefer(stack(mono=True))}
    return _FONTCONFIG.format(folders=folders, cache=escape(str(cache)), **names)


def _remove(folder: Path, owner: int) -> None:
    """Leaves the folder alone in a forked child: it is its parent's."""
    if os.getpid() == owner:
        shutil.rmtree(folder, ignore_errors=True)


def missing(text: str) -> tuple[str, ...]:
    """The characters of a text that no font of the report can draw, each once, in code point order.

    Line feeds, tabs and the characters that renderers never draw (joiners, direction marks, variation selectors)
    are not missing; the other control characters and lone surrogates are, for they come out as a missing glyph.
    """
    wanted = {ord(character) for character in set(text)}
    left = wanted - _INVISIBLE
    for _, drawn in _assign(left):
        left -= drawn
    return tuple(chr(code) for code in sorted(left))


@functools.cache
def _covered(path: Path) -> frozenset[int]:
    with TTFont(path, lazy=True) as font:  # some fonts list control characters and separators, with an empty glyph
        return frozenset(c for c in font.getBestCmap() if unicodedata.category(chr(c)) not in ("Cc", "Zl", "Zp"))


def _assign(codes: set[int]) -> Iterator[tuple[str, set[int]]]:
    """Gives each code point to the first family that has it, and stops before opening a family nobody needs."""
    left = set(codes)
    files = families()
    for family in sorted(files, key=MONO.__eq__):  # the monospaced family last, as in `stack`
        if not left:
            return
        drawn = left & _covered(files[family][0])
        left -= drawn
        if drawn:
            yield family, drawn


def _clings(code: int) -> bool:
    """Whether the character belongs to its neighbour's cluster, and so into every font that may draw the neighbour."""
    return unicodedata.category(chr(code)) in ("Mn", "Mc", "Me", "Cf")


def embed(text: str) -> str:
    r"""Style rules that carry the fonts of a text: one `@font-face` per file needed, cut to the text's characters.

    The same text gives the same bytes. A text in Latin letters costs about 60 KB; a thousand ideographs 170 KB more,
    in one weight (`ON_PAPER_ALONE`). The PDF needs none of this (`activate`).

    Args:
        text: Everything the document shows, in any order.

    Returns:
        CSS with `src:url(data:font/woff2;base64,…)`, without any character that ends a style element.
    """
    codes = {ord(character) for character in set(text)}
    clinging = {code for code in codes if _clings(code)}
    shares = dict(_assign(codes))
    shares[MONO] = codes & _covered(families()[MONO][0])
    rules = []
    for font in _fonts():
        share = shares.get(font.family, set())
        if share and font.path.name != ON_PAPER_ALONE:
            rules.append(_rule(font, share | (clinging & _covered(font.path))))
    return "".join(rules)


def _rule(font: Font, codes: set[int]) -> str:
    data = base64.b64encode(_cut(font.path, frozenset(codes))).decode("ascii")
    return (
        f'@font-face{{font-family:"{font.family}";font-weight:{font.weight};font-style:{font.style};'
        f"src:url(data:font/woff2;base64,{data}) format('woff2')}}\n"
    )


@functools.lru_cache(maxsize=64)
def _cut(path: Path, codes: frozenset[int]) -> bytes:
    """A woff2 of these characters: copyright and licence stay, the name goes, as reserved names ask of a change."""
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
