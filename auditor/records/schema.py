"""Converts records to Arrow tables and Parquet bytes and back; the columns follow from the annotations.

    str int float bool      string int64 double bool
    bytes                   binary
    tuple[X, ...]           list<X>
    a dataclass             struct of its fields
    dict[str, str]          map<string, string>, order kept
    X | None                X with nulls (every column may have nulls: in rows of documents without a record)

A table has one row per document: the fields of the record, then kind and message of a `Failure` (`failure_kind`,
`failure_message`) and of a `NotMeasurable` (`not_measurable_kind`, `not_measurable_message`). Where these four are null
the row is a record; otherwise it is a `Failure` or a `NotMeasurable`, and of the record's columns only the first one,
the document's id, has a value. Rows are read back equal to those written, floats and text exactly; the one exception is
a lone surrogate, which UTF-8 cannot encode and no cleaned document has: it becomes U+FFFD.

The metadata of a table name the record: ours by its class alone, a third party's with the module too, so that a class
of theirs that is called like one of ours is not taken for it.

Fields marked `ON_REQUEST` are large; they are neither decompressed nor decoded unless they are asked for, and have
their defaults in the records otherwise. Other columns of records with numbers in lists are when somebody looks at them.

A field added to a record later needs a default, with which older files are read; other differences are a `StoreError`.
Files of auditor.records/1, without `NotMeasurable`, are read too; a reader of that format would take such a row for a
record without fields, so files are written as auditor.records/2.
"""

import io
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import MISSING, fields, is_dataclass
from functools import partial
from typing import Any, Final, TypeVar

import pyarrow as pa
import pyarrow.parquet as pq

from auditor.errors import StoreError
from auditor.records.arrays import (
    Reader,
    Shared,
    arrow_type,
    bare,
    decode,
    decode_records,
    encode,
    hints_of,
    shared_values,
)
from auditor.records.kinds import OURS, record_name
from auditor.records.types import Failure, NotMeasurable, Unmeasured

FORMAT: Final = "auditor.records/2"
_READABLE = ("auditor.records/1", FORMAT)

R = TypeVar("R")
_STATES: dict[str, type[Failure] | type[NotMeasurable]] = {"failure": Failure, "not_measurable": NotMeasurable}
_OF_STATES = {f"{state}_{part}": str for state in _STATES for part in ("kind", "message")}


def arrow_schema(cls: type[Any]) -> pa.Schema:
    """The columns of a table of `cls`; the metadata name the record and the format."""
    columns = [pa.field(name, arrow_type(kind)) for name, kind in _columns(cls).items()]
    return pa.schema(columns, metadata={"auditor.format": FORMAT, "auditor.record": record_name(cls)})


def to_table(cls: type[R], rows: Sequence[R | Unmeasured]) -> pa.Table:
    """A table with one row per document, in the given order.

    Raises:
        TypeError: a row is neither a `cls` nor `Unmeasured`, or `cls` has a field of a type that is not listed above.
    """
    unexpected = {type(row).__name__ for row in rows if not isinstance(row, (cls, Unmeasured))}
    if unexpected:
        raise TypeError(f"rows of {cls.__name__} cannot hold {', '.join(sorted(unexpected))}")
    key, *_ = _columns(cls)
    arrays = [encode(kind, _column(name, key, rows)) for name, kind in _columns(cls).items()]
    return pa.Table.from_arrays(arrays, schema=arrow_schema(cls))


def from_table(cls: type[R], table: pa.Table, shared: Shared | None = None) -> list[R | Unmeasured]:
    """The rows that `to_table` was given.

    Args:
        cls: The class of the records.
        table: The table of one shard.
        shared: The cache of values from other shards; those of this one are added.

    Raises:
        StoreError: the table is of another format or record, or its columns differ.
    """
    _compare(cls, table.schema)
    return _decoded(cls, {name: partial(_array, table, name) for name in table.column_names}, shared)


def _array(table: pa.Table, name: str) -> pa.Array:
    return table.column(name).combine_chunks()


def _decoded(cls: type[R], there: Mapping[str, Reader], shared: Shared | None) -> list[R | Unmeasured]:
    cache = {} if shared is None else shared
    readers = {name: there[name] for name in _columns(cls) if name in there}
    states = {name: decode(str, readers.pop(name)(), cache) for name in _OF_STATES if name in readers}
    key = next(iter(readers))
    ids = shared_values(decode(str, readers.pop(key)(), cache), cache)
    unmeasured = _unmeasured(ids, states)
    records = decode_records(cls, readers, [row is None for row in unmeasured], cache, {key: ids})
    return [record if row is None else row for record, row in zip(records, unmeasured, strict=True)]


def to_bytes(cls: type[R], rows: Sequence[R | Unmeasured]) -> bytes:
    """The rows as one Parquet file; equal rows give equal bytes under the same version of pyarrow."""
    sink = io.BytesIO()
    pq.write_table(to_table(cls, rows), sink, compression="zstd", compression_level=3, row_group_size=2**20)
    return sink.getvalue()


def from_bytes(
    cls: type[R], content: bytes, shared: Shared | None = None, *, whole: bool = False, source: str = "rows"
) -> list[R | Unmeasured]:
    """The rows of one Parquet file; see `from_table`.

    Args:
        cls: What a row is.
        content: Of the file.
        shared: As in `from_table`.
        whole: Whether to read the fields that are `ON_REQUEST` too, and all columns now; else a column is read when
            somebody first asks for it.
        source: Names the file in an error that comes up then.

    Raises:
        StoreError: the bytes are no Parquet file, or the table does not fit `cls`.
    """
    file = _opened(content)
    _compare(cls, file.schema_arrow)
    if whole:
        return from_table(cls, _table(file), shared)
    parts: dict[str, list[str]] = {name: [name] for name in _OF_STATES}
    for path in _small_fields(cls):
        parts.setdefault(path.partition(".")[0], []).append(path)
    there = [name for name in file.schema_arrow.names if name in parts]
    return _decoded(cls, {name: partial(_read, file, name, parts[name], source) for name in there}, shared)


def _read(file: pq.ParquetFile, name: str, parts: list[str], source: str) -> pa.Array:
    try:
        return _array(_table(file, parts), name)
    except StoreError as error:
        raise StoreError(f"{source}: {error}") from error


def check(content: bytes) -> str:
    """Decodes one Parquet file of whichever record; returns the name of that, see `types.record_name`.

    Raises:
        StoreError: the bytes are no Parquet file or of another format, or the columns are not those of our record of
            that name; a third party's may be any.
    """
    table = _table(_opened(content))
    name = _require_readable(table.schema).get("auditor.record", "")
    if name in OURS:
        from_table(OURS[name], table)
    else:
        _facts(table)
    return name


def facts_from_bytes(content: bytes) -> list[dict[str, Any] | Unmeasured]:
    """The rows of one Parquet file with records as dictionaries, for records whose class is not at hand.

    Raises:
        StoreError: the bytes are no Parquet file, or not of this format.
    """
    return _facts(_table(_opened(content)))


def _opened(content: bytes) -> pq.ParquetFile:
    try:
        return pq.ParquetFile(io.BytesIO(content))
    except (pa.ArrowException, OSError, ValueError) as error:
        raise StoreError(f"not a readable Parquet file ({_first_line(error)})") from error


def _table(file: pq.ParquetFile, columns: list[str] | None = None) -> pa.Table:
    try:
        return file.read(columns=columns, use_threads=False)
    except (pa.ArrowException, OSError, ValueError) as error:
        raise StoreError(f"not a readable Parquet file ({_first_line(error)})") from error


def _facts(table: pa.Table) -> list[dict[str, Any] | Unmeasured]:
    missing = [name for name in _OF_STATES if name.startswith("failure") and name not in table.column_names]
    if missing:
        raise StoreError(f"not a table of records: it lacks the columns {', '.join(missing)}")
    _require_readable(table.schema)
    states = {name: table.column(name).to_pylist() for name in _OF_STATES if name in table.column_names}
    unmeasured = _unmeasured(table.column(0).to_pylist(), states)
    facts = table.drop_columns(list(states)).to_pylist()
    return [fact if row is None else row for fact, row in zip(facts, unmeasured, strict=True)]


def _columns(cls: Any) -> dict[str, Any]:
    """Column → type: the fields of `cls`, the document's id first, then kind and message of `Unmeasured` rows."""
    return hints_of(cls) | _OF_STATES


def _small_fields(cls: Any, prefix: str = "") -> Iterator[str]:
    """The columns without those `ON_REQUEST`, also of records within the record: `neighbourhood.n_samples`."""
    hints = hints_of(cls)
    for one in fields(cls):
        kind = bare(hints[one.name])
        if is_dataclass(kind):
            yield from _small_fields(kind, f"{prefix}{one.name}.")
        elif not one.metadata.get("on_request"):
            yield prefix + one.name


def _column(name: str, key: str, rows: Iterable[Any]) -> list[Any]:
    """The values of one column; `Unmeasured` rows have the id of the document, kind and message only."""
    of_record = None if name in _OF_STATES else name
    of_states = {
        cls: {key: "document_id", f"{state}_kind": "kind", f"{state}_message": "message"}.get(name)
        for state, cls in _STATES.items()
    }
    sources = ((row, of_states.get(type(row), of_record)) for row in rows)
    return [None if attribute is None else getattr(row, attribute) for row, attribute in sources]


def _unmeasured(ids: list[str], states: dict[str, list[Any]]) -> list[Unmeasured | None]:
    """For each document the `Failure` or `NotMeasurable` in its row; None where the row is a record."""
    rows: list[Unmeasured | None] = [None] * len(ids)
    for state, cls in _STATES.items():
        kinds, messages = (states.get(f"{state}_{part}", ()) for part in ("kind", "message"))
        for i, (kind, message) in enumerate(zip(kinds, messages, strict=True)):
            if kind is not None:
                rows[i] = cls(ids[i], kind, message)
    return rows


def _compare(cls: type[Any], actual: pa.Schema) -> None:
    """Check that a table with the schema `actual` can be read as `cls`.

    Raises:
        StoreError: it cannot; names the first difference.
    """
    metadata = _require_readable(actual)
    if metadata.get("auditor.record", record_name(cls)) != record_name(cls):
        raise StoreError(f"holds {metadata['auditor.record']} rows; expected {record_name(cls)}")
    expected = arrow_schema(cls)
    unknown = sorted(set(actual.names) - set(expected.names))
    if unknown:
        raise StoreError(f"has columns that {cls.__name__} does not know: {', '.join(unknown)}")
    optional = {f.name for f in fields(cls) if f.default is not MISSING or f.default_factory is not MISSING}
    optional |= {name for name in _OF_STATES if name.startswith("not_measurable")}
    missing = [name for name in expected.names if name not in actual.names and name not in optional]
    if missing:
        raise StoreError(f"lacks columns of {cls.__name__}: {', '.join(missing)}")
    for name in actual.names:
        expected_type, actual_type = expected.field(name).type, actual.field(name).type
        if expected_type != actual_type:
            raise StoreError(f"column {name} has the type {actual_type}; expected {expected_type}")


def _require_readable(schema: pa.Schema) -> dict[str, str]:
    """The metadata of a table.

    Raises:
        StoreError: it is of a format that this version cannot read.
    """
    metadata = {key.decode(): value.decode() for key, value in (schema.metadata or {}).items()}
    file_format = metadata.get("auditor.format", FORMAT)
    if file_format not in _READABLE:
        raise StoreError(
            f"has the format {file_format!r}; this version understands {' and '.join(map(repr, _READABLE))}"
        )
    return metadata


def _first_line(error: BaseException) -> str:
    return str(error).splitlines()[0] if str(error) else type(error).__name__
