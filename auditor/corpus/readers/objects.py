"""Reads JSON Lines (one object per line) and JSON (an array of objects)."""

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
    """The object on every line that is not blank.

    Raises:
        CorpusError: a line holds no JSON object; names it.
    """
    path = text.content.path
    for number, line in text.lines():
        if line.strip():
            location = f"line {number}"
            try:
                value = json.loads(line.rstrip())
            except (ValueError, RecursionError) as error:
                raise fault(path, location, f"not JSON ({_reason(error)}); expected one object per line") from error
            yield Row(number, location, _object(path, location, value))


def are_json_lines(beginning: str) -> bool:
    """Whether the first line of a file is a JSON object by itself."""
    line = beginning.lstrip().partition("\n")[0]
    try:
        return isinstance(json.loads(line), dict)
    except (ValueError, RecursionError):
        return False


def read_json(text: Text) -> Iterator[Row]:
    """The entries of an array of objects, numbered from 1.

    Raises:
        CorpusError: an entry is malformed or no object; names the entry and its line.
    """
    path, content = text.content.path, "".join(line for _, line in text.lines())
    position, number = _skip_space(content, 0), 0
    line = 1 + content.count("\n", 0, position)
    if position < len(content) and content[position] != "[":
        raise fault(path, f"line {line}", "expected an array of objects, or one object per line")
    while position < len(content):
        start = _skip_space(content, position + 1)
        line += content.count("\n", position, start)
        if number == 0 and content[start : start + 1] == "]":
            return _expect_end(path, content, start + 1, line)
        number += 1
        value, stop = _decode_entry(path, content, start)
        location = f"entry {number} (line {line})"
        yield Row(number, location, _object(path, location, value))
        position = _skip_space(content, stop)
        line += content.count("\n", start, position)
        if content[position : position + 1] == "]":
            return _expect_end(path, content, position + 1, line)
        if content[position : position + 1] != ",":
            raise fault(path, f"line {line}", 'not JSON; expected "," or "]" after an entry')


def _decode_entry(path: Path, text: str, start: int) -> tuple[object, int]:
    """The JSON value that starts at a position, and the position after it."""
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


def _object(path: Path, location: str, value: object) -> Mapping[str, object]:
    if not isinstance(value, dict):
        raise fault(path, location, f'expected an object such as {{"text": "…", "label": "…"}}, found {kind(value)}')
    return value
