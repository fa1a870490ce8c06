"""What findings are drawn from: the rows of every probe, by document."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TypeVar

from auditor.records.types import Document

Facts = Mapping[str, object]
"""The fields of a record whose class is not at hand."""
R = TypeVar("R")


@dataclass(frozen=True, slots=True)
class Evidence:
    """The documents of a run, and the rows of its probes."""

    documents: tuple[Document, ...]
    rows: Mapping[str, Mapping[str, object]] = field(default_factory=dict)
    """Probe → document id → its record (`Facts` of a record without a class), `Failure` or `NotMeasurable`."""

    def of(self, probe: str) -> Mapping[str, object]:
        """Document id → row of one probe; empty where it did not run."""
        return self.rows.get(probe, {})

    def record_of(self, probe: str, document_id: str, record: type[R]) -> R | None:
        """The record of one document; None where the probe has none of this class."""
        row = self.of(probe).get(document_id)
        return row if isinstance(row, record) else None

    def measured(self, probe: str, record: type[R]) -> dict[str, R]:
        """Document id → record of one probe, in the order of the corpus; documents without a record are left out."""
        rows = self.of(probe)
        return {d.id: row for d in self.documents if isinstance(row := rows.get(d.id), record)}

    def restricted(self, ids: frozenset[str]) -> "Evidence":
        """The evidence of some of the documents, in the order of the corpus."""
        rows = {probe: {i: row for i, row in by_id.items() if i in ids} for probe, by_id in self.rows.items()}
        return Evidence(tuple(d for d in self.documents if d.id in ids), rows)
