"""Numbers and documents of a run as tables, for spreadsheets (CSV) or data frames (Parquet).

numbers     one row for each number that the report prints, those of slices and changes since the baseline that a
            check is about too: value, 95 % interval, n, unit and protocol; of a perplexity also its natural logarithm;
            bound and result where there is a check
documents   one row for each document: labels, tokens, failures, what the probes came to; not its text

Types are string, float64, int64 and lists of strings, null where nothing was measured. In CSV (RFC 4180, UTF-8) null is
empty, a list is joined by `;`, and a text that a spreadsheet would take for a formula begins with an apostrophe.
"""

import csv
import io
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any, Final, Literal

import pyarrow as pa
import pyarrow.parquet as pq

from auditor.findings.contract.types import Check, Number
from auditor.records import disk
from auditor.report.page import documents_page
from auditor.running.exporters.contract import Exported, Finished

_FORMULA = ("=", "+", "-", "@", "\t", "\r")
NUMBERS: Final = pa.schema(
    [
        *((name, pa.string()) for name in ("run_id", "created", "name", "title")),
        *((name, pa.float64()) for name in ("value", "low", "high", "value_nats", "low_nats", "high_nats")),
        ("n", pa.int64()),
        *((name, pa.string()) for name in ("unit", "protocol", "direction")),
        ("bound", pa.float64()),
        ("result", pa.string()),
    ]
)


def export(finished: Finished, folder: Path, kind: Literal["csv", "parquet"]) -> Exported:
    """Writes both tables, in the place of those of before.

    Raises:
        DiskError: They cannot be written.
    """
    write = csv_of if kind == "csv" else parquet_of
    written = []
    for name, table in {"numbers": numbers(finished), "documents": documents(finished)}.items():
        path = folder / f"{name}.{kind}"
        disk.write(path, write(table))
        written.append(str(path))
    return Exported(tuple(written))


def numbers(finished: Finished) -> pa.Table:
    """All numbers, in the order of findings.json; behind them changes since the baseline."""
    results = finished.findings
    run = {"run_id": results.run_id, "created": results.created}
    checks = {check.name: check for check in results.checks}
    all_numbers = (*results.numbers, *results.differences)
    rows = [{**run, **_measured(number), **_judged(checks.get(number.name))} for number in all_numbers]
    return pa.Table.from_pylist(rows, NUMBERS)


def _measured(number: Number) -> dict[str, Any]:
    kept = number.model_dump(include={"name", "title", "value", "low", "high", "n", "unit", "protocol"})
    nats = number.nats
    return {**kept, **({"value_nats": nats.value, "low_nats": nats.low, "high_nats": nats.high} if nats else {})}


def _judged(check: Check | None) -> dict[str, Any]:
    return {"direction": check.direction, "bound": check.bound, "result": check.result} if check else {}


def documents(finished: Finished) -> pa.Table:
    """All documents, in the order of the corpus."""
    if finished.findings.documents_left_out:
        return pq.read_table(io.BytesIO(finished.run.read_bytes(documents_page.PARQUET)))
    return documents_page.table(finished.findings.documents)


def parquet_of(table: pa.Table) -> bytes:
    """The table as a file; equal tables give equal bytes."""
    sink = io.BytesIO()
    pq.write_table(table, sink, compression="zstd", compression_level=3)
    return sink.getvalue()


def csv_of(table: pa.Table) -> bytes:
    """The table as a file, with its head."""
    sink = io.StringIO()
    writer = csv.writer(sink)
    writer.writerow(map(_cell, table.column_names))
    writer.writerows(map(_cell, row) for row in _rows(table))
    return sink.getvalue().encode()


def _rows(table: pa.Table) -> Iterator[Iterable[Any]]:
    for batch in table.to_batches(max_chunksize=1000):
        yield from zip(*(column.to_pylist() for column in batch.columns), strict=True)


def _cell(value: Any) -> Any:  # whatever a table holds
    """A number as it is; a text that no spreadsheet takes for a formula."""
    if isinstance(value, list):
        value = ";".join(value)
    return f"'{value}" if isinstance(value, str) and value.startswith(_FORMULA) else value
