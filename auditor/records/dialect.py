"""How the file of a corpus was read, as readers of the corpus find it and the plan keeps it."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from typing import Any, Final

ONE_COLUMN: Final = "none"
"""The name of the delimiter of a file with one column."""
_MOST_NAMES = 8
_LONGEST_NAME = 40


@dataclass(frozen=True, slots=True)
class Dialect:
    """Format, compression, encoding and delimiter that a corpus was read with."""

    format: str
    """Such as "csv", or "dataset" for a folder of the package datasets and a dataset of the hub."""
    compression: str = ""
    """"gzip", "zstd" or "zip"; empty where there is none."""
    encoding: str = ""
    """As Python names it; empty where the format states it itself."""
    encoding_is_guessed: bool = False
    """Whether the encoding is neither stated by the user or a byte order mark nor UTF-8."""
    delimiter: str = ""
    """Such as "comma"; `ONE_COLUMN` for one column; empty where the format has no columns or names them."""
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
    return "".join(character if character.isprintable() else "\ufffd" for character in short)
