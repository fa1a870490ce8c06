"""What every reader gives: rows, and the dialect in which they were written."""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from auditor.corpus.cleaning import REPLACEMENT

DELIMITERS = {"comma": ",", "semicolon": ";", "tab": "\t", "pipe": "|"}
"""Name → what separates columns."""
ONE_COLUMN = "none"
"""The name of the delimiter of a file with one column."""
_MOST_NAMES = 8
_LONGEST_NAME = 40


@dataclass(frozen=True, slots=True)
class Row:
    """One row of a file, not yet understood."""

    number: int
    """Its line, or its position where the format has no lines; unique within the file."""
    place: str
    """For people: "line 7", "row 7", "entry 7 (line 12)"."""
    values: Mapping[str, object]


@dataclass(frozen=True, slots=True)
class Dialect:
    """How a corpus is written, as it was read."""

    format: str
    """A key of `FORMATS`, or "dataset" for a folder of the package datasets and a dataset of the hub."""
    compression: str = ""
    """"gzip", "zstd" or "zip"; empty where there is none."""
    encoding: str = ""
    """As Python names it; empty where the format states it itself."""
    encoding_is_guessed: bool = False
    """Whether neither the user nor a byte order mark says so and the bytes are not UTF-8."""
    delimiter: str = ""
    """A key of `DELIMITERS`, or "none" for one column; empty where the format has no columns or names them."""
    classes: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    """Column → names of its classes, where the file states them (ClassLabel); its ids were read as these names."""

    @property
    def numbered(self) -> dict[str, str]:
        """Column → the first of its classes behind their ids, for people: `0 positive, 1 negative`."""
        return {
            _shown(column): ", ".join(f"{number} {_shown(name)}" for number, name in enumerate(names[:_MOST_NAMES]))
            + (" …" if len(names) > _MOST_NAMES else "")
            for column, names in self.classes.items()
        }

    def as_json(self) -> dict[str, Any]:
        """For machines."""
        return asdict(self)

    def __str__(self) -> str:
        """For people, on one line: `csv in gzip, columns separated by semicolon, encoding cp1252 (a guess; …)`."""
        one = self.delimiter == ONE_COLUMN
        columns = ["one column" if one else f"columns separated by {self.delimiter}"] if self.delimiter else []
        guess = " (a guess; corpus.encoding or --encoding states another)" if self.encoding_is_guessed else ""
        return ", ".join(
            [
                self.format + (f" in {self.compression}" if self.compression else ""),
                *columns,
                *([f"encoding {self.encoding}{guess}"] if self.encoding else []),
                *(f"classes of {column}: {classes}" for column, classes in self.numbered.items()),
            ]
        )


def _shown(name: str) -> str:
    """A name from the file, cut short, without what would steer a terminal."""
    short = name if len(name) <= _LONGEST_NAME else name[: _LONGEST_NAME - 1] + "…"
    return "".join(character if character.isprintable() else REPLACEMENT for character in short)


@dataclass(frozen=True, slots=True)
class Source:
    """A corpus that can be read."""

    path: Path
    dialect: Dialect
    sha256: str
    """Of the file's bytes, of a folder's files, or of the rows where there is no file."""
    rows: Callable[[], Iterator[Row]]
    """The rows in their order, as often as it is called; raises a CorpusError that names the line."""
