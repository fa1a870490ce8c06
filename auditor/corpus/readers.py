"""A file becomes rows, one reader per format, each a generator that names the line of whatever is wrong.

    jsonl     one object per line; blank lines are skipped
    json      an array of objects; rows count from 1
    csv       RFC 4180, comma, header; strict: a stray quotation mark is a fault, not a swallowed half of the file
    tsv       one row per line, header; a field is unquoted only if quotation marks enclose all of it
    parquet   rows count from 1
    txt       one document per line, in the column `text`; blank lines are skipped

Text is UTF-8, with or without a byte order mark. Lines end at a line feed and nowhere else: a U+2028 is text.
"""

import codecs
import csv
import json
import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import cast

from auditor.corpus.faults import fault, kind, quote

_BYTE_ORDER_MARK = b"\xef\xbb\xbf"
_LONGEST_FIELD = 2**31 - 1
_JSON_SPACE = re.compile(r"[ \t\n\r]*")


@dataclass(frozen=True, slots=True)
class Row:
    """One row of a file, not yet understood."""

    number: int
    """Its line, or its position where the format has no lines; unique within the file."""
    place: str
    """For people: "line 7", "row 7", "entry 7 (line 12)"."""
    values: Mapping[str, object]


def read(path: Path, file_format: str) -> Iterator[Row]:
    """The rows of a file in their order.

    Raises:
        CorpusError: while iterating; names the file and, where there is one, the line.
    """
    try:
        yield from FORMATS[file_format](path)
    except OSError as error:
        raise fault(path, "", f"cannot be read: {error.strerror or error}") from error


def _lines(path: Path) -> Iterator[tuple[int, str]]:
    with path.open("rb") as file:
        for number, line in enumerate(file, 1):
            try:
                yield number, (line.removeprefix(_BYTE_ORDER_MARK) if number == 1 else line).decode("utf-8")
            except UnicodeDecodeError as error:
                if number == 1 and line.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
                    raise fault(path, "", "looks like UTF-16; convert the file to UTF-8") from error
                byte = f"byte 0x{error.object[error.start]:02x} at position {error.start + 1}"
                raise fault(path, f"line {number}", f"not UTF-8 ({byte}); convert the file to UTF-8") from error


def _read_jsonl(path: Path) -> Iterator[Row]:
    for number, line in _lines(path):
        if line.strip():
            place = f"line {number}"
            try:
                value = json.loads(line.rstrip())
            except (ValueError, RecursionError) as error:
                raise fault(path, place, f"not JSON ({_reason(error)}); expected one object per line") from error
            yield Row(number, place, _object(path, place, value))


def _read_json(path: Path) -> Iterator[Row]:
    text = "".join(line for _, line in _lines(path))
    position, line, number = _skip_space(text, 0), 1, 0
    line += text.count("\n", 0, position)
    if position < len(text) and text[position] != "[":
        hint = '; if every line holds an object, set corpus.format to "jsonl"' if text[position] == "{" else ""
        raise fault(path, f"line {line}", f"expected an array of objects{hint}")
    while position < len(text):
        start = _skip_space(text, position + 1)
        line += text.count("\n", position, start)
        if number == 0 and text[start : start + 1] == "]":
            return
        number += 1
        value, stop = _decode_entry(path, text, start)
        place = f"entry {number} (line {line})"
        yield Row(number, place, _object(path, place, value))
        position = _skip_space(text, stop)
        line += text.count("\n", start, position)
        if text[position : position + 1] == "]":
            return _expect_end(path, text, position + 1, line)
        if text[position : position + 1] != ",":
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


def _read_csv(path: Path) -> Iterator[Row]:
    limit = csv.field_size_limit(_LONGEST_FIELD)  # documents may be long; the default of 131,072 is global
    reader = csv.reader((line for _, line in _lines(path)), strict=True)
    try:
        header: list[str] | None = None
        while True:
            number = reader.line_num + 1
            fields = next(reader, None)
            if fields is None:
                return
            if header is None:
                header = _header(path, fields) if fields else None
            elif fields:
                yield _row(path, number, header, fields, "put a field that holds a comma into quotation marks")
    except csv.Error as error:
        advice = "double every quotation mark inside a quoted field, and close each"
        raise fault(path, f"line {reader.line_num}", f"not CSV ({error}); {advice}") from error
    finally:
        csv.field_size_limit(limit)


def _read_tsv(path: Path) -> Iterator[Row]:
    header: list[str] | None = None
    for number, line in _lines(path):
        fields = [_unquoted(field) for field in line.rstrip("\r\n").split("\t")]
        if fields == [""]:
            continue
        if header is None:
            header = _header(path, fields)
        else:
            yield _row(path, number, header, fields, "a field cannot hold a tab or a line break")


def _unquoted(field: str) -> str:
    inside = field[1:-1]
    enclosed = len(field) >= 2 and field[0] == field[-1] == '"' and '"' not in inside.replace('""', "")
    return inside.replace('""', '"') if enclosed else field


def _header(path: Path, names: list[str]) -> list[str]:
    _no_duplicates(path, "line 1", names)
    for separator in ";\t":
        if len(names) == 1 and separator in names[0]:
            raise fault(
                path,
                "line 1",
                f"one column {quote(names[0])}, which holds {quote(separator)}; separate columns by commas in .csv"
                " and by tabs in .tsv",
            )
    return names


def _no_duplicates(path: Path, place: str, names: list[str]) -> None:
    twice = next((name for position, name in enumerate(names) if name in names[:position]), None)
    if twice is not None:
        raise fault(path, place, f"two columns are called {quote(twice)}; rename one")


def _row(path: Path, number: int, header: list[str], fields: list[str], advice: str) -> Row:
    place = f"line {number}"
    if len(fields) != len(header):
        raise fault(path, place, f"expected {len(header)} fields as in the header, found {len(fields)}; {advice}")
    return Row(number, place, dict(zip(header, fields, strict=True)))


def _read_parquet(path: Path) -> Iterator[Row]:
    import pyarrow as pa  # here, for it is slow to import and other formats do without
    import pyarrow.parquet as pq

    number = 0
    try:
        with pq.ParquetFile(path) as file:
            _no_duplicates(path, "", file.schema_arrow.names)
            for batch in file.iter_batches(batch_size=1024):
                for values in batch.to_pylist():
                    number += 1
                    yield Row(number, f"row {number}", values)
    except UnicodeDecodeError as error:
        raise fault(path, f"after row {number}", "a string is not UTF-8; write the file again") from error
    except pa.ArrowException as error:
        message = f"not readable as Parquet ({str(error).splitlines()[0]})"
        raise fault(path, f"after row {number}" if number else "", message) from error


def _read_txt(path: Path) -> Iterator[Row]:
    for number, line in _lines(path):
        if line.strip():
            yield Row(number, f"line {number}", {"text": line.rstrip("\r\n")})


FORMATS: Mapping[str, Callable[[Path], Iterator[Row]]] = {
    "jsonl": _read_jsonl,
    "json": _read_json,
    "csv": _read_csv,
    "tsv": _read_tsv,
    "parquet": _read_parquet,
    "txt": _read_txt,
}
SUFFIXES = {f".{name}": name for name in FORMATS} | {".ndjson": "jsonl", ".tab": "tsv", ".pq": "parquet"}


def format_of(path: Path, asked: str | None) -> str:
    """The format asked for, else the one the suffix stands for.

    Raises:
        CorpusError: neither is known.
    """
    found = asked if asked is not None else SUFFIXES.get(path.suffix.lower(), "")
    if found not in FORMATS:
        what = f"unknown format {quote(asked)}" if asked else f"the suffix {quote(path.suffix)} stands for no format"
        raise fault(path, "", f"{what}; set corpus.format to one of {', '.join(FORMATS)}")
    return found
