"""The values that every reader returns: `Row` and `Source`, which has a `Dialect`."""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from auditor.records.dialect import Dialect

DELIMITERS = {"comma": ",", "semicolon": ";", "tab": "\t", "pipe": "|"}
"""Name → the character that separates columns."""


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
class Source:
    """A corpus whose rows can be read."""

    path: Path
    dialect: Dialect
    sha256: str
    """Of the file's bytes; of the list of a folder's sums; of the rows where there is no file."""
    rows: Callable[[], Iterator[Row]]
    """Reads the rows in order, afresh in every call; the iterator raises a CorpusError that names the line."""
