"""The recipes of the vendored fonts: packages of registries, pinned, and the characters kept of each font.

Each recipe names a registry package, its version and sha256, and one font file inside it. A font whose licence
reserves its name (Source, Plex) is copied unchanged: the Open Font License lets nobody else's change carry the
name. The Noto fonts are reduced to the characters that a report needs:

    variable weight  → the regular instance, because matplotlib draws only the default instance of a variable font
    Noto Sans SC     → the characters of GB 2312, Big5 level 1 and JIS X 0208, with kana, bopomofo and full-width forms;
                       its semibold, for headings, only those of GB 2312 with the punctuation and full-width forms
    Noto Sans        → what Source Sans 3 lacks
    Noto Sans Symbols, Symbols 2, Math → arrows, mathematics, technical signs, shapes, dingbats, Braille
"""

from collections.abc import Callable
from dataclasses import dataclass

from fontTools.ttLib import TTFont

from auditor.report.branding.fonts import FOLDER


@dataclass(frozen=True)
class Package:
    """A package of a registry, pinned by the sha256 of the file that its client downloads."""

    registry: str
    name: str
    version: str
    sha256: str
    licence: str
    """The member with the Open Font License and the copyright line."""


@dataclass(frozen=True)
class Recipe:
    """The origin of one font file and the changes to it."""

    package: Package
    member: str
    """The path of the original file in the package."""
    family: str
    file: str
    """The name of the vendored file."""
    weight: int = 400
    style: str = "normal"
    keep: Callable[[set[int]], set[int]] | None = None
    """Code points of the original → those to keep; None copies the file unchanged."""
    changes: str = "none"
    """The changes in words, for `fonts.json`."""


def _encodable(codec: str, first: int = 0, last: int = 0xFFFFFF) -> set[int]:
    """The symbols and ideographs of an older character set whose codes lie between `first` and `last`."""
    codes = set()
    for code in (*range(0x2000, 0x3400), *range(0x4E00, 0xA000), *range(0xFE30, 0xFFF0)):
        encoded = chr(code).encode(codec, "ignore")
        if encoded and first <= int.from_bytes(encoded) <= last:
            codes.add(code)
    return codes


def _spans(*spans: tuple[int, int]) -> set[int]:
    """All code points in inclusive ranges."""
    return {code for first, last in spans for code in range(first, last + 1)}


def _chinese(covered: set[int]) -> set[int]:
    """GB 2312 (6,763 ideographs), Big5 level 1 (5,401), JIS X 0208 (6,355) and their punctuation."""
    listed = _encodable("gb2312") | _encodable("big5", 0xA440, 0xC67E) | _encodable("shift_jis")
    # and, in full: radicals, CJK punctuation, kana, bopomofo, enclosed; box drawing; full-width and vertical forms
    return covered & (listed | _spans((0x2E80, 0x33FF), (0x2500, 0x257F), (0xFE30, 0xFE4F), (0xFF00, 0xFFEF)))


def _simplified(covered: set[int]) -> set[int]:
    """GB 2312, CJK punctuation and full-width forms: a subset of `_chinese`."""
    return covered & (_encodable("gb2312") | _spans((0x3000, 0x303F), (0xFF00, 0xFFEF)))


def _symbols(covered: set[int]) -> set[int]:
    """Arrows, mathematics, technical, control pictures, shapes, dingbats, Braille: no games or ancient numerals."""
    return covered & _spans((0x2000, 0x2BFF), (0x1D400, 0x1D7FF), (0x1F100, 0x1F1FF), (0x1F780, 0x1F8FF))


def _all(covered: set[int]) -> set[int]:
    """All but control characters and separators, which some fonts list with an empty glyph."""
    return {code for code in covered if code >= 0x20 and code not in (0x2028, 0x2029)}


def _beyond_source(covered: set[int]) -> set[int]:
    """Characters that Source Sans 3 lacks (phonetic letters, rare accents, U+FFFD), combining marks and joiners."""
    source = TTFont(FOLDER / "files" / "SourceSans3-Regular.ttf").getBestCmap()
    return (_all(covered) - set(source)) | (covered & _spans((0x0300, 0x036F), (0x200B, 0x200D), (0x25CC, 0x25CC)))


SOURCE = Package(
    "npm",
    "source-sans",
    "3.52.0",
    "49cf78ddd79b436591ee696785222b54ff28102922e3d3df297fe382d7fdfa88",
    "package/LICENSE.md",
)
PLEX_MONO = Package(
    "PyPI",
    "fontpkg-ibm-plex-mono",
    "2.3",
    "a4ac4311b1fe40e715a5b93e7bdefb6d23d608217f560e064446b25c1ffa2804",
    "fontpkg_ibm_plex_mono/LICENSE",
)
PLEX_ARABIC = Package(
    "PyPI",
    "fontpkg-ibm-plex-sans-arabic",
    "1.101",
    "8f661814cd9a3e94240cff0421b719aa8dfb5ab23b8ddf2e4845143dea51b140",
    "fontpkg_ibm_plex_sans_arabic/LICENSE",
)
NOTO = Package(
    "PyPI",
    "manimgx-fonts",
    "2026.9.26.post1",
    "e5e21178263ddec3eef9414d2b52a1c90ac01062d3e9067460f3359f854c3e17",
    "manimgx_fonts-2026.9.26.post1.dist-info/licenses/LICENSE",
)
NOTO_SC = Package(
    "npm",
    "@expo-google-fonts/noto-sans-sc",
    "0.4.3",
    "0d69d0f4971d2ff574e3d93cbc218dc950bf3f3f8f8e2c008d97687ed53aee59",
    "package/LICENSE_FONT",
)
SYMBOLS = Package(
    "npm",
    "@expo-google-fonts/noto-sans-symbols-2",
    "0.4.1",
    "3bf3d6333487df36e88d146e032a9ed8246617ca2dfe1513a8a382c3fad12ac4",
    "package/LICENSE_FONT",
)
MATH = Package(
    "npm",
    "@expo-google-fonts/noto-sans-math",
    "0.4.2",
    "652041ca903e7adcc1502a0621350526463e91416757310391370ff5f8fb3ce8",
    "package/LICENSE_FONT",
)


def _regular_instance(family: str, keep: Callable[[set[int]], set[int]] = _all, also: str = "") -> Recipe:
    """The recipe of a family in the Noto package, which has one variable file per family."""
    name = family.replace(" ", "")
    changes = f"regular instance{also}"
    return Recipe(NOTO, f"manimgx_fonts/{name}[wght].ttf", family, f"{name}-Regular.ttf", keep=keep, changes=changes)


# In the order of fallback: the first family that has a character draws it.
RECIPES = (
    Recipe(SOURCE, "package/TTF/SourceSans3-Regular.ttf", "Source Sans 3", "SourceSans3-Regular.ttf"),
    Recipe(SOURCE, "package/TTF/SourceSans3-Semibold.ttf", "Source Sans 3", "SourceSans3-Semibold.ttf", weight=600),
    Recipe(SOURCE, "package/TTF/SourceSans3-It.ttf", "Source Sans 3", "SourceSans3-It.ttf", style="italic"),
    Recipe(
        PLEX_MONO, "fontpkg_ibm_plex_mono/files/IBMPlexMono-Regular.ttf", "IBM Plex Mono", "IBMPlexMono-Regular.ttf"
    ),
    Recipe(
        PLEX_ARABIC,
        "fontpkg_ibm_plex_sans_arabic/files/IBMPlexSansArabic-Regular.ttf",
        "IBM Plex Sans Arabic",
        "IBMPlexSansArabic-Regular.ttf",
    ),
    _regular_instance("Noto Sans Hebrew"),
    _regular_instance("Noto Sans Devanagari"),
    _regular_instance("Noto Sans Thai"),
    Recipe(
        NOTO_SC,
        "package/400Regular/NotoSansSC_400Regular.ttf",
        "Noto Sans SC",
        "NotoSansSC-Regular.ttf",
        keep=_chinese,
        changes="GB 2312, Big5 level 1 and JIS X 0208 with kana, bopomofo, box drawing and full-width forms only",
    ),
    Recipe(  # after the regular font, whose characters stand for the family's
        NOTO_SC,
        "package/600SemiBold/NotoSansSC_600SemiBold.ttf",
        "Noto Sans SC",
        "NotoSansSC-SemiBold.ttf",
        weight=600,
        keep=_simplified,
        changes="GB 2312 with CJK punctuation and full-width forms only",
    ),
    _regular_instance("Noto Sans", _beyond_source, "; only what Source Sans 3 lacks"),
    Recipe(
        SYMBOLS,
        "package/400Regular/NotoSansSymbols2_400Regular.ttf",
        "Noto Sans Symbols 2",
        "NotoSansSymbols2-Regular.ttf",
        keep=_symbols,
        changes="arrows, technical signs, shapes and dingbats only",
    ),
    _regular_instance("Noto Sans Symbols", _symbols, "; arrows, technical signs, shapes and dingbats only"),
    Recipe(
        MATH,
        "package/400Regular/NotoSansMath_400Regular.ttf",
        "Noto Sans Math",
        "NotoSansMath-Regular.ttf",
        keep=_symbols,
        changes="signs and alphabets only, without the table for typesetting formulae",
    ),
    _regular_instance("Noto Emoji"),
)
