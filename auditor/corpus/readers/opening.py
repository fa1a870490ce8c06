"""Opens a corpus: detects its format, encoding and delimiter, and chooses the reader of its rows.

jsonl     one object per line; blank lines are skipped
json      an array of objects; rows count from 1
csv, tsv  rows of columns with a header; any of four delimiters
parquet   rows count from 1
arrow     Arrow IPC, as a file (Feather 2) or a stream; rows count from 1
txt       one document per line, in the column `text`; blank lines are skipped
"""

import hashlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path, PurePath

from auditor.corpus.faults import fault, quote, suggestion
from auditor.corpus.readers import delimiters, encodings, hub
from auditor.corpus.readers.archives import Content, look_into
from auditor.corpus.readers.objects import are_json_lines, read_json, read_json_lines
from auditor.corpus.readers.rows import Row, Source
from auditor.corpus.readers.saved import open_folder
from auditor.corpus.readers.separated import read_rows
from auditor.corpus.readers.tables import load_table
from auditor.corpus.readers.text import Text, line_end_of
from auditor.errors import ConfigError, CorpusError
from auditor.records.dialect import Dialect

FORMATS = ("jsonl", "json", "csv", "tsv", "parquet", "arrow", "txt")
_SUFFIXES = {f".{name}": name for name in FORMATS}
_SUFFIXES |= {".ndjson": "jsonl", ".tab": "tsv", ".pq": "parquet", ".feather": "arrow"}
_TABLES = ("parquet", "arrow")
_SEPARATED = ("csv", "tsv")


@dataclass(frozen=True, slots=True)
class Options:
    """The keys of `[corpus]` that state how a file is written; None detects it."""

    format: str | None = None
    """One of `FORMATS`; None goes by the suffix."""
    encoding: str | None = None
    """The codec of a text file, as Python names it."""
    delimiter: str | None = None
    """Of CSV and TSV: comma, semicolon, tab, pipe, the character itself, or "none" where there is one column."""
    split: str | None = None
    """Of a dataset that has several."""


def open_source(path: str | Path, options: Options) -> Source:
    """The source of a corpus.

    Args:
        path: One file of JSON Lines, JSON, CSV, TSV, Parquet, Arrow or plain text, also in gzip, Zstandard or zip; a
            folder that the package datasets saved; or a dataset of the hub, hf://datasets/OWNER/NAME[@REVISION].
        options: How it is written.

    Raises:
        ConfigError: an option has an unknown value, or does not apply to a corpus of this kind.
        CorpusError: there is no such file, or its format or encoding cannot be detected.
    """
    if isinstance(path, str) and path.startswith(hub.SCHEME):
        _refuse(options, "a dataset of the hub", "format", "encoding", "delimiter")
        return hub.open_hub(path, options.split)
    path = Path(path)
    try:
        if _is_folder(path):
            _refuse(options, "a folder", "format", "encoding", "delimiter")
            return open_folder(path, options.split)
        _refuse(options, "a single file", "split")
        return _open_file(path, options)
    except OSError as error:
        raise _unreadable(path, error) from error


def is_remote(path: str) -> bool:
    """Whether a path names a dataset of the hub."""
    return path.startswith(hub.SCHEME)


def _is_folder(path: Path) -> bool:
    """True for a folder, False for a regular file.

    Raises:
        CorpusError: the path is neither.
    """
    try:
        if path.is_dir():
            return True
        if not path.exists():
            raise fault(path, "", f"no such file{_nearest(path)}")
        if not path.is_file():
            raise fault(path, "", "is not a regular file; save the documents to one first")
    except (OSError, ValueError) as error:  # a name too long, or one that holds a NUL
        raise _unreadable(path, error) from error
    return False


def _nearest(path: Path) -> str:
    """A hint for a path that does not exist: a file of a similar name, or how a dataset of the hub is written."""
    names = [entry.name for entry in path.parent.iterdir()] if path.parent.is_dir() else []
    near = suggestion(path.name, names)
    if near or path.suffix in _SUFFIXES or not hub.may_be_name(str(path)):
        return near
    return f"; a dataset of the hub is written {hub.SCHEME}datasets/{path}"


def _unreadable(path: Path, error: OSError | ValueError) -> CorpusError:
    return fault(path, "", f"cannot be read: {getattr(error, 'strerror', None) or error}")


def _open_file(path: Path, options: Options) -> Source:
    content = look_into(path)
    file_format = _format_of(content, options.format)
    if file_format in _TABLES:
        _refuse(options, f"{file_format} files, which state theirs", "encoding")
        _refuse(options, f"{file_format} files", "delimiter")
        table = load_table(path, file_format, (content,))
        dialect, rows = Dialect(file_format, content.compression, classes=table.classes), table.rows
    else:
        dialect, rows = _open_text(content, file_format, options)
    with path.open("rb") as file:
        sha256 = hashlib.file_digest(file, "sha256").hexdigest()
    return Source(path, dialect, sha256, lambda: _guarded(path, rows))


def _guarded(path: Path, rows: Callable[[], Iterator[Row]]) -> Iterator[Row]:
    """The rows; an OSError while reading becomes a CorpusError."""
    try:
        yield from rows()
    except OSError as error:
        raise _unreadable(path, error) from error


def _format_of(content: Content, requested: str | None) -> str:
    if requested is not None and requested not in FORMATS:
        raise ConfigError(f"corpus.format: unknown format {quote(requested)}; expected one of {', '.join(FORMATS)}")
    suffix = PurePath(content.name).suffix
    file_format = requested or _SUFFIXES.get(suffix.lower())
    if file_format is None:
        what = f"the suffix {quote(suffix)} stands for no format"
        raise fault(content.path, "", f"{what}; set corpus.format to one of {', '.join(FORMATS)}")
    return file_format


def _open_text(content: Content, file_format: str, options: Options) -> tuple[Dialect, Callable[[], Iterator[Row]]]:
    """The dialect of a text file, and a function that reads its rows."""
    if file_format not in _SEPARATED:
        _refuse(options, f"{file_format} files", "delimiter")
    encoding = encodings.detect(content, options.encoding)
    text = Text(content, encoding.name)
    beginning = text.beginning()
    dialect = Dialect(file_format, content.compression, encoding.name, encoding.is_guessed)
    if file_format in _SEPARATED:
        text = replace(text, line_end=line_end_of(beginning, quoted=True))
        columns = delimiters.detect(text, beginning, options.delimiter)
        dialect = replace(dialect, delimiter=columns.delimiter)
        return dialect, lambda: read_rows(text, columns, prefers_plain=file_format == "tsv")
    if file_format == "txt":
        text = replace(text, line_end=line_end_of(beginning))
        return dialect, lambda: _read_text(text)
    if file_format == "jsonl" or are_json_lines(beginning):
        return replace(dialect, format="jsonl"), lambda: read_json_lines(text)
    return dialect, lambda: read_json(text)


def _read_text(text: Text) -> Iterator[Row]:
    for number, line in text.lines():
        if line.strip():
            yield Row(number, f"line {number}", {"text": line.rstrip("\r\n")})


def _refuse(options: Options, kind: str, *keys: str) -> None:
    """Refuse options that do not apply to a kind of corpus.

    Raises:
        ConfigError: one of the keys is set; names the first.
    """
    for key in keys:
        if getattr(options, key) is not None:
            raise ConfigError(f"corpus.{key}: is not for {kind}; leave it out")
