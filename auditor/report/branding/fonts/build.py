"""Builds the vendored fonts: `python -m auditor.report.branding.fonts.build`, with pip and npm at hand.

Each recipe names a registry package, its version and sha256, and one font file inside it. A font whose licence
reserves its name (Source, Plex) is copied unchanged: the Open Font License lets nobody else's change carry the
name. The Noto fonts are cut down to what a report needs:

    variable weight  → the regular instance, because matplotlib draws only the default instance of a variable font
    Noto Sans SC     → the characters of GB 2312, Big5 level 1 and JIS X 0208, with kana, bopomofo and full-width forms;
                       its semibold, for headings, only those of GB 2312 with the punctuation and full-width forms
    Noto Sans        → what Source Sans 3 lacks
    Noto Sans Symbols, Symbols 2, Math → arrows, mathematics, technical signs, shapes, dingbats, Braille

Same packages, same bytes: no clock enters a file. `fonts.json` records origin, version and sha256 of every file.
"""

import hashlib
import io
import json
import subprocess
import sys
import tarfile
import tempfile
import zipfile
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path

from fontTools import subset
from fontTools.ttLib import TTFont
from fontTools.varLib import instancer

HERE = Path(__file__).parent


@dataclass(frozen=True)
class Package:
    """A package of a registry, pinned by the sha256 of the file that its client downloads."""

    registry: str
    name: str
    version: str
    sha256: str
    licence: str  # the member that holds the Open Font License with the copyright line


@dataclass(frozen=True)
class Recipe:
    """How one font file comes about; `keep` is None where the file is copied unchanged."""

    package: Package
    member: str
    family: str
    file: str
    weight: int = 400
    style: str = "normal"
    keep: Callable[[set[int]], set[int]] | None = None
    changes: str = "none"


def _encodable(codec: str, first: int = 0, last: int = 0xFFFFFF) -> set[int]:
    """The signs and ideographs of an old character set, between two of its codes."""
    found = set()
    for code in (*range(0x2000, 0x3400), *range(0x4E00, 0xA000), *range(0xFE30, 0xFFF0)):
        encoded = chr(code).encode(codec, "ignore")
        if encoded and first <= int.from_bytes(encoded) <= last:
            found.add(code)
    return found


def _spans(*spans: tuple[int, int]) -> set[int]:
    """All code points of some inclusive ranges."""
    return {code for first, last in spans for code in range(first, last + 1)}


def _chinese(covered: set[int]) -> set[int]:
    """GB 2312 (6,763 ideographs), Big5 level 1 (5,401), JIS X 0208 (6,355) and the marks around them."""
    listed = _encodable("gb2312") | _encodable("big5", 0xA440, 0xC67E) | _encodable("shift_jis")
    # and, whole: radicals, CJK punctuation, kana, bopomofo, enclosed; box drawing; full-width and vertical forms
    return covered & (listed | _spans((0x2E80, 0x33FF), (0x2500, 0x257F), (0xFE30, 0xFE4F), (0xFF00, 0xFFEF)))


def _simplified(covered: set[int]) -> set[int]:
    """GB 2312, CJK punctuation and full-width forms: nothing that `_chinese` leaves out."""
    return covered & (_encodable("gb2312") | _spans((0x3000, 0x303F), (0xFF00, 0xFFEF)))


def _symbols(covered: set[int]) -> set[int]:
    """Arrows, mathematics, technical, control pictures, shapes, dingbats, Braille: no games or ancient numerals."""
    return covered & _spans((0x2000, 0x2BFF), (0x1D400, 0x1D7FF), (0x1F100, 0x1F1FF), (0x1F780, 0x1F8FF))


def _all(covered: set[int]) -> set[int]:
    """All but the control characters and separators, which some fonts list with an empty glyph."""
    return {code for code in covered if code >= 0x20 and code not in (0x2028, 0x2029)}


def _beyond_source(covered: set[int]) -> set[int]:
    """What Source Sans 3 lacks (phonetic letters, rare accents, U+FFFD), and the marks and joiners that go with it."""
    source = TTFont(HERE / "files" / "SourceSans3-Regular.ttf").getBestCmap()
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
    """A family of the package that holds one variable file of each."""
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
    Recipe(  # behind the regular face, which is asked what the family covers
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


def download(package: Package, folder: Path) -> dict[str, bytes]:
    """The members of a package, fetched by its registry's own client and checked against the pinned sha256."""
    folder.mkdir()
    if package.registry == "npm":
        command = ["npm", "pack", "--silent", f"{package.name}@{package.version}"]
    else:
        command = [sys.executable, "-m", "pip", "download", "-q", "--no-deps", f"{package.name}=={package.version}"]
    subprocess.run(command, cwd=folder, check=True, stdout=subprocess.DEVNULL)
    (archive,) = folder.iterdir()
    data = archive.read_bytes()
    found = hashlib.sha256(data).hexdigest()
    if found != package.sha256:
        sys.exit(f"{package.name} {package.version}: expected sha256 {package.sha256}, found {found}")
    return _members(data)


def _members(data: bytes) -> dict[str, bytes]:
    if zipfile.is_zipfile(io.BytesIO(data)):
        with zipfile.ZipFile(io.BytesIO(data)) as wheel:
            return {name: wheel.read(name) for name in wheel.namelist()}
    with tarfile.open(fileobj=io.BytesIO(data)) as tarball:
        files = {member.name: tarball.extractfile(member) for member in tarball}
        return {name: file.read() for name, file in files.items() if file is not None}


def cut(data: bytes, recipe: Recipe) -> bytes:
    """The instance of a font that has the recipe's weight, only with the characters that it keeps, named plainly."""
    assert recipe.keep is not None
    font = TTFont(io.BytesIO(data), recalcTimestamp=False)
    if "fvar" in font:
        axes = {
            axis.axisTag: recipe.weight if axis.axisTag == "wght" else axis.defaultValue for axis in font["fvar"].axes
        }
        font = instancer.instantiateVariableFont(font, axes)
    options = subset.Options()
    options.layout_features = [*subset.Options._layout_features_default, "tnum", "lnum"]
    options.hinting = False
    options.glyph_names = False
    options.notdef_outline = True
    options.name_IDs = [0, 1, 2, 3, 4, 5, 6, 13, 14]
    # nothing is set vertically, nor as a formula
    options.drop_tables = [*options.drop_tables, "STAT", "vhea", "vmtx", "BASE", "MATH"]
    subsetter = subset.Subsetter(options)
    covered = set(font.getBestCmap())
    # Pango draws a space in the font of the character before it: without one, every such space is a missing glyph
    subsetter.populate(unicodes=recipe.keep(covered) | (covered & {0x20, 0xA0}))
    subsetter.subset(font)
    _rename(font, recipe)
    font.flavor = None
    out = io.BytesIO()
    font.save(out)
    return out.getvalue()


def _rename(font: TTFont, recipe: Recipe) -> None:
    """One family name: an instance cut from a variable font keeps the name of that font's default weight otherwise."""
    name = Path(recipe.file).stem
    style = name.partition("-")[2]
    plain = {1: recipe.family, 2: style, 4: f"{recipe.family} {style}".removesuffix(" Regular"), 6: name}
    for record in font["name"].names:
        if record.nameID in plain:
            record.string = plain[record.nameID]
    font["OS/2"].usWeightClass = recipe.weight


def _entry(recipe: Recipe, data: bytes) -> dict[str, object]:
    """What fonts.json says of one file."""
    font = TTFont(io.BytesIO(data))
    return {
        "file": recipe.file,
        "family": recipe.family,
        "weight": recipe.weight,
        "style": recipe.style,
        "version": font["name"].getDebugName(5).removeprefix("Version ").split(";")[0],
        "origin": f"{recipe.package.registry} {recipe.package.name} {recipe.package.version}",
        "origin_sha256": recipe.package.sha256,
        "member": recipe.member,
        "changes": recipe.changes,
        "licence": f"OFL-{recipe.family.replace(' ', '')}.txt",
        "characters": len(font.getBestCmap()),
        "bytes": len(data),
        "sha256": hashlib.sha256(data).hexdigest(),
    }


def build(recipes: Iterable[Recipe] = RECIPES) -> None:
    """Downloads, cuts and writes every font with its licence, then the list."""
    (HERE / "files").mkdir(exist_ok=True)
    (HERE / "licences").mkdir(exist_ok=True)
    entries, packages = [], {}
    with tempfile.TemporaryDirectory() as scratch:
        for recipe in recipes:
            package = recipe.package
            if package not in packages:
                packages[package] = download(package, Path(scratch) / package.name.replace("/", "-"))
            members = packages[package]
            data = members[recipe.member] if recipe.keep is None else cut(members[recipe.member], recipe)
            (HERE / "files" / recipe.file).write_bytes(data)
            entry = _entry(recipe, data)
            (HERE / "licences" / str(entry["licence"])).write_bytes(members[package.licence])
            entries.append(entry)
    (HERE / "fonts.json").write_text(json.dumps({"fonts": entries}, indent=1) + "\n", encoding="utf-8")


if __name__ == "__main__":
    build()
