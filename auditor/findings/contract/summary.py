"""What follows from the rows of one probe: its findings, numbers, pointers, worst documents, cells of the table.

A summary is found by the name of its probe, through the entry point group `auditor.summaries`
(`auditor.findings.contract.registry`); those of the package are registered as anybody's. A probe without one is
counted in the coverage, and its rows are printed as they are.
"""

from abc import ABC, abstractmethod
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Generic, TypeVar

from auditor.findings.contract.contributions import Contributions
from auditor.findings.contract.evidence import Evidence
from auditor.findings.contract.finding import Finding
from auditor.findings.contract.quantity import ModelKind, Quantity
from auditor.findings.contract.types import Check, Choice, Number, Pointer, Unit

R = TypeVar("R")
"""The record of a probe."""
F = TypeVar("F", bound=Finding)
"""What findings.json keeps of it."""


@dataclass(frozen=True, slots=True)
class Setting:
    """How the findings of one audit are drawn, whatever part of its corpus they are of."""

    seed: int = 0
    """Of the bootstrap."""
    multi_label: bool = False
    kind: ModelKind = "classifier"
    """Of the audited model."""
    labelled: bool = True
    """Whether any document of the whole corpus has a reference label."""
    columns: Mapping[str, Sequence[str]] = field(default_factory=dict)
    """Metadata column → its values, of the columns that the corpus is sliced by."""
    references: Mapping[str, str] = field(default_factory=dict)
    """Probe → the reference model that it asked."""


@dataclass(frozen=True, slots=True)
class Conclusion(Generic[F]):
    """What a summary comes to: what findings.json keeps of the probe, and its numbers in the order of the report."""

    findings: F
    numbers: tuple[Number, ...]


@dataclass(frozen=True, slots=True)
class Whole:
    """What is concluded of the whole corpus, for those who point at something in it."""

    evidence: Evidence
    setting: Setting
    numbers: Mapping[str, Number]
    checks: Sequence[Check]


@dataclass(frozen=True, slots=True)
class Cell(Generic[R]):
    """One column of the table of all documents, that a summary fills."""

    name: str
    """In findings.json and documents.parquet."""
    title: str
    """Message: the head of the column; empty where it is not printed."""
    unit: Unit
    """`perplexity` where the value is its logarithm, in nats."""
    width: int
    """Per cent of the table, on paper."""
    value: Callable[[R, Evidence], float | None]
    """From the record of a document, and from what else was measured of it."""
    aid: str = ""
    """Message: what the caption says of it."""
    words: tuple[str, ...] = ()
    """Messages that are printed for the values 0, 1, 2 …; empty where the value is a measurement."""


class Summary(ABC, Generic[R, F]):
    """What one probe comes to. A subclass states the attributes; instances keep no state."""

    probe: str
    """Name of the probe."""
    title: str
    """Message (`N_`): what the probe is called in a sentence."""
    record: type[R]
    """What its rows are, unless they are a `Failure` or `NotMeasurable`."""
    findings: type[F]
    """What findings.json keeps of it."""
    quantities: tuple[Quantity, ...] = ()
    cells: tuple[Cell[R], ...] = ()
    order: int = 100
    """Place among the probes, on page one and in the report."""
    of_parts: bool = True
    """Whether it concludes of a part of the corpus too; otherwise the numbers of parts have no value."""
    reasons: Mapping[str, str] = {}
    """Kind of `NotMeasurable` → message: what such a document lacks."""
    caveat: str = ""
    """Message: what must be said of the probe wherever it is held against others."""

    section: str = ""
    """Id of the section of the report that has its evidence; empty for `probe-` and the probe's name."""

    @property
    def section_id(self) -> str:
        """Id of the section of the report that has its evidence."""
        return self.section or f"probe-{self.probe}"

    @abstractmethod
    def summarise(self, evidence: Evidence, setting: Setting) -> Conclusion[F] | None:
        """What follows from the rows; None where nothing was measured."""

    def contributions(self, evidence: Evidence, setting: Setting) -> Iterable[Contributions] | None:
        """What each document adds to the numbers, for the comparison of two runs: once for each number that there is.

        None where the summary does not say: its numbers are then computed again and again without some documents
        (`auditor.findings.comparing.jackknife`), which gives the same answer, less finely and at a higher price.
        """
        del evidence, setting
        return None

    def point(self, whole: Whole, findings: F) -> Iterable[Pointer]:
        """Where to look, worst first; `findings` are those of `summarise`."""
        del whole, findings
        return ()

    def worst(self, evidence: Evidence, setting: Setting) -> Iterable[Choice]:
        """The documents that each of its rules puts first; ties keep the order of the corpus."""
        del evidence, setting
        return ()

    def shown(self, findings: F) -> Iterable[str]:
        """Ids of documents that its section names or shows."""
        del findings
        return ()

    def notes(self, findings: F) -> Iterable[str]:
        """What page one must state, translated."""
        del findings
        return ()

    def abridged(self, findings: F) -> F:
        """The findings without what the report draws from the evidence of a corpus too large for one page."""
        return findings

    def is_truncated(self, record: R, evidence: Evidence) -> bool:
        """Whether the model saw only the beginning of the document of a record."""
        del evidence
        return bool(getattr(record, "truncated", False))

    def n_tokens(self, record: R) -> int | None:
        """Tokens of a document as the model counts them; None where the record does not say."""
        return getattr(record, "n_tokens", None)
