"""Reads Parquet and Arrow (Feather 2), in one file or several parts; rows are numbered from 1.

pyarrow reads them in batches; it is imported inside the functions, for it is slow to import.
"""

from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any

from auditor.corpus.faults import fault, no_duplicates
from auditor.corpus.readers.archives import Content
from auditor.corpus.readers.classes import Classes, classes_of_schema, named
from auditor.corpus.readers.rows import Row

_BATCH = 1024
_ARROW_FILE, _OLD_FEATHER = b"ARROW1", b"FEA1"


@dataclass(frozen=True, slots=True)
class Table:
    """A table whose rows are in one file or in several."""

    path: Path
    format: str
    """"parquet" or "arrow"."""
    parts: tuple[Content, ...]
    """Its files, in the order of their rows."""
    classes: Classes
    """Column → names of its classes."""

    def rows(self) -> Iterator[Row]:
        """The rows of all parts, in order, with ids of classes replaced by names.

        Raises:
            CorpusError: a part is damaged, or the id of a class has no name.
        """
        for number, values in enumerate(_values(self), 1):
            location = f"row {number}"
            yield Row(number, location, named(self.path, location, values, self.classes))


def load_table(path: Path, file_format: str, parts: tuple[Content, ...], classes: Classes | None = None) -> Table:
    """A table with its columns of classes.

    Args:
        path: The path that error messages name.
        file_format: "parquet" or "arrow".
        parts: At least one file.
        classes: Column → names of its classes; None reads them from the schema.

    Raises:
        CorpusError: the first part is damaged or has two columns of one name.
    """
    with _translated_errors(path, file_format, [0]), _opened(parts[0], file_format) as (schema, _):
        no_duplicates(path, "", schema.names)
        stated = classes_of_schema(schema.metadata) if classes is None else classes
        return Table(path, file_format, parts, {name: stated[name] for name in schema.names if name in stated})


def _values(table: Table) -> Iterator[dict[str, Any]]:
    """Column → value for every row of all parts."""
    n_rows = [0]
    with _translated_errors(table.path, table.format, n_rows):
        for part in table.parts:
            with _opened(part, table.format) as (_, batches):
                for batch in batches:
                    for start in range(0, batch.num_rows, _BATCH):
                        rows = batch.slice(start, _BATCH).to_pylist()
                        n_rows[0] += len(rows)
                        yield from rows


@contextmanager
def _translated_errors(path: Path, file_format: str, n_rows: list[int]) -> Iterator[None]:
    """Raise errors of pyarrow as a CorpusError; `n_rows[0]` is the number of rows read before."""
    import pyarrow as pa

    try:
        yield
    except UnicodeDecodeError as error:
        raise fault(path, f"after row {n_rows[0]}", "a string is not UTF-8; write the file again") from error
    except (pa.ArrowException, OSError) as error:
        if isinstance(error, OSError) and error.errno:
            raise
        reason = (str(error).splitlines() or ["damaged"])[0]
        location = f"after row {n_rows[0]}" if n_rows[0] else ""
        raise fault(path, location, f"not readable as {file_format.capitalize()} ({reason})") from error


@contextmanager
def _opened(content: Content, file_format: str) -> Iterator[tuple[Any, Iterable[Any]]]:
    """The schema of a file and its batches."""
    with content.open_seekable() as file:
        if file_format == "arrow":
            yield _arrow(content, file)
            return
        import pyarrow.parquet as pq

        with pq.ParquetFile(file) as parquet:
            yield parquet.schema_arrow, parquet.iter_batches(batch_size=_BATCH)


def _arrow(content: Content, file: IO[bytes]) -> tuple[Any, Iterator[Any]]:
    """The schema and the batches of an Arrow file, or of a stream, which the package datasets saves."""
    import pyarrow as pa

    beginning = file.read(len(_ARROW_FILE))
    file.seek(0)
    if beginning.startswith(_OLD_FEATHER):
        raise fault(content.path, "", "is Feather 1, which nothing writes any more; write it again as Parquet")
    if beginning == _ARROW_FILE:
        reader = pa.ipc.open_file(file)
        batches = (reader.get_batch(number) for number in range(reader.num_record_batches))
    else:
        reader = batches = pa.ipc.open_stream(file)
    return reader.schema, map(_validated, batches)


def _validated(batch: Any) -> Any:  # pyarrow has no types
    """The batch, after a check that its offsets and lengths lie within its buffers, which reading does not make."""
    batch.validate(full=True)
    return batch
