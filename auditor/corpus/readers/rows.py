"""The values that every reader returns: `Row`, `Dialect` and `Source`."""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from auditor.corpus.cleaning import REPLACEMENT

DELIMITERS = {"comma": ",", "semicolon": ";", "tab": "\t", "pipe": "|"}
"""Name → the character that separates columns."""
ONE_COLUMN = "none"
"""The name of the delimiter of a file with one column."""
_MOST_NAMES = 8
_LONGEST_NAME = 40


@dataclass(frozen=True, slots=True)
class Row:
    """One row of a file, before it becomes a document."""

    number: int
    """Its line, or its position where the format has no lines; unique within the file."""
    location: str
    """Where it stands, for messages: "line 7", "row 7", "entry 7 (line 12)"."""
    values: Mapping[str, object]
    """Column → value."""


@dataclass(frozen=True, slots=True)
class Dialect:
    """Format, compression, encoding and delimiter that a corpus was read with."""

    format: str
    """A key of `FORMATS`, or "dataset" for a folder of the package datasets and a dataset of the hub."""
    compression: str = ""
    """"gzip", "zstd" or "zip"; empty where there is none."""
    encoding: str = ""
    """As Python names it; empty where the format states it itself."""
    encoding_is_guessed: bool = False
    """Whether the encoding is neither stated by the user or a byte order mark nor UTF-8."""
    delimiter: str = ""
    """A key of `DELIMITERS`, or "none" for one column; empty where the format has no columns or names them."""
    classes: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    """Column → names of its classes (ClassLabel), in the order of their ids, which were read as these names."""

    @property
    def numbered(self) -> dict[str, str]:
        """Column → its first eight classes with their ids, for messages: `0 positive, 1 negative`."""
        return {
            _shown(column): ", ".join(f"{number} {_shown(name)}" for number, name in enumerate(names[:_MOST_NAMES]))
            + (" …" if len(names) > _MOST_NAMES else "")
            for column, names in self.classes.items()
        }

    def as_json(self) -> dict[str, Any]:
        """The fields as a JSON object."""
        return asdict(self)

    def __str__(self) -> str:
        """One line for messages: `csv in gzip, columns separated by semicolon, encoding cp1252 (a guess; …)`."""
        is_single = self.delimiter == ONE_COLUMN
        columns = ["one column" if is_single else f"columns separated by {self.delimiter}"] if self.delimiter else []
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
    """A name from the file, of at most 40 characters, all of them printable."""
    short = name if len(name) <= _LONGEST_NAME else name[: _LONGEST_NAME - 1] + "…"
    return "".join(character if character.isprintable() else REPLACEMENT for character in short)


@dataclass(frozen=True, slots=True)
class Source:
    """A corpus whose rows can be read."""

    path: Path
    dialect: Dialect
    sha256: str
    """Of the file's bytes; of the list of a folder's sums; of the rows where there is no file."""
    rows: Callable[[], Iterator[Row]]
    """Reads the rows in order, afresh in every call; the iterator raises a CorpusError that names the line."""
