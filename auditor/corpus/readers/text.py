"""Reads the lines of a text file.

A line ends at a line feed and nowhere else: U+2028 is text, and so is a carriage return within a line. Only in
CSV, TSV and plain text without line feeds, as old programs for the Mac wrote them, lines end at carriage returns.
"""

import io
import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import IO, Literal

from auditor.corpus.faults import fault
from auditor.corpus.readers.archives import Content

_MARK = "\ufeff"
_LONGEST_LINE = 2**26
"""Characters: a text of this length is no document, but would fill the memory."""
LONGEST_BEGINNING = 2**20
_LINE_ENDS = re.compile(r'"|\r\n|\r|\n')


@dataclass(frozen=True, slots=True)
class Text:
    """A file of text in a known encoding."""

    content: Content
    encoding: str
    line_end: Literal["\n", "\r"] = "\n"
    """The character that ends a line."""

    def lines(self) -> Iterator[tuple[int, str]]:
        """The number, from 1, and the text of every line, with its line end and without a byte order mark.

        Raises:
            CorpusError: a line is longer than 64 Mi characters.
        """
        with self.content.open() as file, self._decoded(file) as text:
            number = 0
            while line := text.readline(_LONGEST_LINE + 1):
                number += 1
                if len(line) > _LONGEST_LINE:
                    what = f"longer than {_LONGEST_LINE:,} characters; expected one document per line or row"
                    raise fault(self.content.path, f"line {number}", what)
                yield number, line.removeprefix(_MARK) if number == 1 else line

    def beginning(self) -> str:
        """The first 1 Mi characters, without a byte order mark."""
        with self.content.open() as file, self._decoded(file) as text:
            return text.read(LONGEST_BEGINNING).removeprefix(_MARK)

    def _decoded(self, file: IO[bytes]) -> io.TextIOWrapper:
        return io.TextIOWrapper(file, self.encoding, errors="strict", newline=self.line_end)


def line_end_of(beginning: str, *, quoted: bool = False) -> Literal["\n", "\r"]:
    r"""The character that ends lines: "\r" where there are lone carriage returns and no line feed, else "\n".

    Args:
        beginning: The first characters of the file.
        quoted: Whether line ends between quotation marks do not count.
    """
    inside = lone = False
    for mark in _LINE_ENDS.findall(beginning):
        if mark == '"':
            inside = not inside and quoted
        elif not inside and "\n" in mark:
            return "\n"
        elif not inside:
            lone = True
    return "\r" if lone else "\n"
