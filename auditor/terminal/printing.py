"""What is printed, and where: results on stdout, complaints on stderr; no text of a corpus steers the terminal."""

import json
import re
import sys
from collections.abc import Iterable, Sequence
from typing import Any

_UNPRINTABLE = re.compile("[\x00-\x09\x0b-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069\ud800-\udfff]")

_WIDE = 180
"""Columns where nobody says how many there are."""


def to_json(content: Any) -> str:  # whatever JSON can say
    """JSON of a line for every value, without NaN."""
    return json.dumps(content, indent=1, allow_nan=False)


def print_lines(lines: str | Iterable[str]) -> None:
    """One line or several, on stdout."""
    for line in [lines] if isinstance(lines, str) else lines:
        print(_clean(line))


def print_table(columns: Sequence[str], rows: Iterable[Sequence[str]]) -> None:
    """A table on stdout, as wide as it needs to be where it is no terminal; `>` before a title aligns to the right."""
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    table = Table(box=None, pad_edge=False, show_edge=False, header_style="bold")
    for title in columns:
        head = Text(_clean(title.removeprefix(">")))  # names of numbers have brackets, which are no markup
        table.add_column(head, justify="right" if title.startswith(">") else "left", no_wrap=title != "")
    for row in rows:
        table.add_row(*(Text(_clean(cell)) for cell in row))
    width = None if sys.stdout.isatty() else _WIDE
    Console(file=sys.stdout, width=width, highlight=False, soft_wrap=False).print(table)


def complain(text: str) -> None:
    """What is wrong, on stderr: every line behind the name of this program."""
    for line in text.split("\n"):
        print(f"auditor: {_clean(line)}", file=sys.stderr)


def print_notes(notes: Iterable[str]) -> None:
    """What belongs to a complaint and is meant to be copied, on stderr: without our name before its lines."""
    for line in "\n".join(notes).splitlines():
        print(_clean(line), file=sys.stderr)


def _clean(text: str) -> str:
    """Text from corpora, labels and file names must not steer the terminal."""
    return _UNPRINTABLE.sub("\ufffd", text)
