"""Computes, writes, parses and compares the `SHA256SUMS` of a run folder, in the format of `sha256sum -c`.

The sums cover the plan, what the models are made of, the evidence and the artefacts derived from it. They leave out the
manifest and the lock, which hold clock times, and `SHA256SUMS` itself.
"""

import hashlib
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from auditor.errors import StoreError
from auditor.records import disk

DOCUMENTS = ("documents.html", "documents.parquet")
"""Files with the table of all documents; written where it is too large for the report."""
STRUCTURE = "structure.json"
"""What the models are made of; runs of before have no such file."""
BASELINE = "baseline.json"
"""Which run it is compared with, settled when it began; runs of before have no such file."""
COMPARISON, COMPARISON_PAGE = "comparison.json", "comparison.html"
"""What changed since the baseline, where a night was compared with it."""
ARTEFACTS = ("findings.json", "report.html", "report.pdf", COMPARISON, COMPARISON_PAGE, *DOCUMENTS)
_LINE = re.compile(r"([0-9a-f]{64}) [ *](.+)")


@dataclass(frozen=True, slots=True)
class Fault:
    """A file of a run that is not as the run's sums list it, and the problem with it."""

    path: str
    problem: str

    def __str__(self) -> str:
        return f"{self.path}: {self.problem}"


def covered(folder: Path) -> Iterator[Path]:
    """The existing files that the sums cover, sorted by relative path."""
    evidence = (path for path in (folder / "evidence").rglob("*") if path.is_file() and not is_leftover(path))
    artefacts = (folder / name for name in ("plan.json", STRUCTURE, BASELINE, *ARTEFACTS))
    present = [*evidence, *(path for path in artefacts if path.is_file())]
    yield from sorted(present, key=lambda path: path.relative_to(folder).as_posix())


def is_leftover(path: Path) -> bool:
    """Whether a file is a temporary one of `disk.write`, left by a killed process."""
    return path.name.startswith(".") and path.suffix == ".tmp"


def compute(folder: Path) -> dict[str, str]:
    """Relative path → SHA-256 in hexadecimal, of every file that the sums cover.

    Raises:
        DiskError: a file cannot be read.
    """
    return {path.relative_to(folder).as_posix(): sha256(disk.read(path)) for path in covered(folder)}


def sha256(content: bytes) -> str:
    """SHA-256 in hexadecimal."""
    return hashlib.sha256(content).hexdigest()


def render(digests: Mapping[str, str]) -> bytes:
    """The content of `SHA256SUMS`, sorted by path."""
    return "".join(f"{digest}  {name}\n" for name, digest in sorted(digests.items())).encode()


def parse(content: bytes) -> dict[str, str]:
    """Relative path → SHA-256, from the content of `SHA256SUMS`.

    Raises:
        StoreError: a line is not a checksum and a name.
    """
    digests = {}
    for number, line in enumerate(content.decode("utf-8", "replace").removesuffix("\n").split("\n"), start=1):
        match = _LINE.fullmatch(line)
        if match is None:
            raise StoreError(f"line {number} is not a checksum and a name")
        digests[match[2]] = match[1]
    return digests


def compare(expected: Mapping[str, str], actual: Mapping[str, str]) -> list[Fault]:
    """One fault for every file that is missing, additional or changed, sorted by path."""
    faults = []
    for name in sorted(expected.keys() | actual.keys()):
        if name not in actual:
            faults.append(Fault(name, "is missing"))
        elif name not in expected:
            faults.append(Fault(name, "was added: SHA256SUMS does not list it"))
        elif expected[name] != actual[name]:
            faults.append(Fault(name, "was changed: its checksum is not the one in SHA256SUMS"))
    return faults
