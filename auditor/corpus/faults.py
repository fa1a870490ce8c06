"""Errors about a corpus: each names the file and the line, what was expected, what was found and what to do.

Everything quoted comes from the file and is not trusted: it is cleaned, cut short and kept on one line.
"""

import difflib
import json
from collections.abc import Iterable, Sequence
from pathlib import Path

from auditor.corpus.cleaning import plain
from auditor.errors import CorpusError

_LONGEST = 60
_MOST_COLUMNS = 20
_KINDS = {type(None): "null", bool: "a boolean", int: "a number", float: "a number", str: "a string", bytes: "bytes"}
_KINDS |= {list: "a list", dict: "an object"}


def fault(path: Path, location: str, message: str) -> CorpusError:
    """The error to raise: `reviews.csv, line 7: message`; `location` is empty for the file as a whole."""
    return CorpusError(f"{plain(str(path))}{', ' if location else ''}{location}: {message}")


def quote(text: str) -> str:
    """A value from the file, in quotation marks, on one line and at most 60 characters long."""
    shown = plain(text)
    return json.dumps(shown if len(shown) <= _LONGEST else shown[: _LONGEST - 1] + "…", ensure_ascii=False)


def kind(value: object) -> str:
    """The type of a value in the words of JSON: "a string", "null", "an object"; else its Python type."""
    return _KINDS.get(type(value), type(value).__name__)


def suggestion(word: str, choices: Iterable[str]) -> str:
    """`; did you mean "text"?` for the choice nearest to a word, "" where none is near."""
    near = difflib.get_close_matches(word, list(choices), n=1)
    return f"; did you mean {quote(near[0])}?" if near else ""


def no_duplicates(path: Path, location: str, names: Sequence[str]) -> None:
    """Refuses two columns of one name.

    Raises:
        CorpusError: names the first that comes twice.
    """
    seen: set[str] = set()
    for name in names:
        if name in seen:
            raise fault(path, location, f"two columns are called {quote(name)}; rename one")
        seen.add(name)


def unknown_column(path: Path, location: str, purpose: str, name: str, columns: Iterable[str]) -> CorpusError:
    """The error for a column that is not there; `purpose` is the key of `[corpus]` that names it."""
    names = list(columns)
    listed = ", ".join(quote(column) for column in names[:_MOST_COLUMNS])
    more = f" and {len(names) - _MOST_COLUMNS} more" if len(names) > _MOST_COLUMNS else ""
    hint = suggestion(name, names)
    return fault(
        path,
        location,
        f"no column {quote(name)}{hint or ';'} found: {listed or 'no column at all'}{more};"
        f" name the right one in corpus.{purpose}",
    )
