"""What findings are drawn from: the rows of every probe, by document."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, TypeVar

from auditor.records.types import Document, Unmeasured

Facts = Mapping[str, object]
"""The fields of a record whose class is not at hand."""
R = TypeVar("R")


@dataclass(frozen=True, slots=True)
class Evidence:
    """The documents of a run, and the rows of its probes."""

    documents: tuple[Document, ...]
    rows: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)
    """Probe → document id → its record (`Facts` of a record without a class), `Failure` or `NotMeasurable`."""

    def of(self, probe: str) -> Mapping[str, Any]:
        """Document id → row of one probe; empty where it did not run."""
        return self.rows.get(probe, {})

    def measured(self, probe: str, record: type[R]) -> dict[str, R]:
        """Document id → record of one probe, in the order of the corpus; documents without a record are left out."""
        rows = self.of(probe)
        return {d.id: row for d in self.documents if isinstance(row := rows.get(d.id), record)}

    def records(self, probe: str) -> Iterator[tuple[Document, Any]]:
        """The documents that a probe measured, with whatever it keeps of them, in the order of the corpus."""
        rows = self.of(probe)
        for document in self.documents:
            row = rows.get(document.id)
            if row is not None and not isinstance(row, Unmeasured):
                yield document, row

<<<<<<< HEAD
    def restricted(self, ids: frozenset[str]) -> "Evidence":
        """The evidence of some of the documents, in the order of the corpus."""
        rows = {probe: {i: row for i, row in by_id.items() if i in ids} for probe, by_id in self.rows.items()}
        return Evidence(tuple(d for d in self.documents if d.id in ids), rows)
=======
    @property
    def probes(self) -> dict[str, Mapping[str, Record | Facts | Unmeasured]]:
        """All mappings by the name of their probe."""
        return {
            "prediction": self.predictions,
            "lime": self.explanations,
            "attention": self.attention,
            "perplexity": self.perplexity,
            "pseudo_perplexity": self.pseudo_perplexity,
            **self.others,
        }


@dataclass(frozen=True, slots=True)
class Bound:
    """What a check demands of a number: exactly one of the two sides."""

    at_least: float | None = None
    at_most: float | None = None
    required: bool = True

    def __post_init__(self) -> None:
        if (self.at_least is None) == (self.at_most is None):
            raise ValueError("a bound has exactly one of at_least and at_most")

    @property
    def direction(self) -> Literal["at_least", "at_most"]:
        """The side that was given."""
        return "at_most" if self.at_least is None else "at_least"

    @property
    def value(self) -> float:
        """The bound itself."""
        return float(self.at_least if self.at_least is not None else self.at_most or 0.0)


@dataclass(frozen=True, slots=True)
class Context:
    """What the evidence does not say about the run; the first nine fields go into the findings as they are."""

    title: str
    task: str
    run_id: str
    plan_id: str
    created: str
    model: Mapping[str, str]
    corpus: Mapping[str, str]
    provenance: Mapping[str, str]
    parameters: Mapping[str, Mapping[str, str]]
    checks: Mapping[str, Bound]
    """Name of a number → what was demanded of it before the run."""
    asked: Mapping[str, int]
    """Probe → documents given to it."""
    notes: tuple[str, ...] = ()
    seed: int = 0
    multi_label: bool = False
    presentation: Presentation = field(default_factory=Presentation)
    references: Mapping[str, str] = field(default_factory=dict)
    """Probe → the model it asked, where that is not the audited one."""
    computing: Mapping[str, Mapping[str, Mapping[str, Any]]] = field(default_factory=dict)
    """Model → question → how it was asked: the fields of `Computing`."""
    left_out: Mapping[str, str] = field(default_factory=dict)
    """Probe that runs by default → kind of reason why it was not asked (`auditor.findings.wording.LEFT_OUT`)."""
>>>>>>> house
