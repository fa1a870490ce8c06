"""Rows that are JSON objects: one per line, or entries of one array."""

import json
import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import cast

from auditor.corpus.faults import fault, kind
from auditor.corpus.readers.rows import Row
from auditor.corpus.readers.text import Text

_JSON_SPACE = re.compile(r"[ \t\n\r]*")


def read_json_lines(text: Text) -> Iterator[Row]:
    """One object per line; blank lines are skipped.

    Raises:
        CorpusError: names the line that holds something else.
    """
    path = text.content.path
    for number, line in text.lines():
        if line.strip():
            place = f"line {number}"
            try:
                value = json.loads(line.rstrip())
            except (ValueError, RecursionError) as error:
                raise fault(path, place, f"not JSON ({_reason(error)}); expected one object per line") from error
            yield Row(number, place, _object(path, place, value))


def are_json_lines(beginning: str) -> bool:
    """Whether a file begins with a line that is an object by itself, whatever its name says."""
    line = beginning.lstrip().partition("\n")[0]
    try:
        return isinstance(json.loads(line), dict)
    except (ValueError, RecursionError):
        return False


def read_json(text: Text) -> Iterator[Row]:
    """The entries of an array of objects; they count from 1.

    Raises:
        CorpusError: names the entry and its line that is not as JSON says, or no object.
    """
    path, whole = text.content.path, "".join(line for _, line in text.lines())
    position, number = _skip_space(whole, 0), 0
    line = 1 + whole.count("\n", 0, position)
    if position < len(whole) and whole[position] != "[":
        raise fault(path, f"line {line}", "expected an array of objects, or one object per line")
    while position < len(whole):
        start = _skip_space(whole, position + 1)
        line += whole.count("\n", position, start)
        if number == 0 and whole[start : start + 1] == "]":
            return _expect_end(path, whole, start + 1, line)
        number += 1
        value, stop = _decode_entry(path, whole, start)
        place = f"entry {number} (line {line})"
        yield Row(number, place, _object(path, place, value))
        position = _skip_space(whole, stop)
        line += whole.count("\n", start, position)
        if whole[position : position + 1] == "]":
            return _expect_end(path, whole, position + 1, line)
        if whole[position : position + 1] != ",":
            raise fault(path, f"line {line}", 'not JSON; expected "," or "]" after an entry')


def _decode_entry(path: Path, text: str, start: int) -> tuple[object, int]:
    try:
        return json.JSONDecoder().raw_decode(text, start)
    except (ValueError, RecursionError) as error:
        line = error.lineno if isinstance(error, json.JSONDecodeError) else 1 + text.count("\n", 0, start)
        raise fault(path, f"line {line}", f"not JSON ({_reason(error)})") from error


def _expect_end(path: Path, text: str, position: int, line: int) -> None:
    if _skip_space(text, position) != len(text):
        raise fault(path, f"line {line}", "not JSON; something follows the array")


def _skip_space(text: str, position: int) -> int:
    return cast("re.Match[str]", _JSON_SPACE.match(text, position)).end()


def _reason(error: Exception) -> str:
    if isinstance(error, RecursionError):
        return "nested too deeply"
    if isinstance(error, json.JSONDecodeError):
        return f"{error.msg} at column {error.colno}"
    return str(error).split(";")[0]


def _object(path: Path, place: str, value: object) -> Mapping[str, object]:
    if not isinstance(value, dict):
        raise fault(path, place, f'expected an object such as {{"text": "…", "label": "…"}}, found {kind(value)}')
    return value
