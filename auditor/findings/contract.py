"""What follows from the rows of one probe is declared here once: its numbers, and how they are drawn from the evidence.

    Quantity    a number that the report may print: checks, limits, slices, key numbers and glossary read it
    Summary     what one probe comes to: findings, numbers, pointers, worst documents, cells of the table of documents

A summary is found by the name of its probe, through the entry point group `auditor.summaries`
(`auditor.findings.registry`); those of the package are registered as anybody's. A probe without one is counted in the
coverage, and its rows are printed as they are.
"""

from abc import ABC, abstractmethod
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from auditor.findings.evidence import Evidence
from auditor.findings.finding import Finding
from auditor.findings.numbers import number, of_label, perplexity
from auditor.findings.statistics.intervals import Estimate
from auditor.findings.types import Check, Choice, Number, Pointer, Unit
from auditor.languages import say


@dataclass(frozen=True, slots=True)
class Term:
    """A word of the report, and what it means there; both are messages (`N_`)."""

    term: str
    meaning: str


@dataclass(frozen=True, slots=True)
class Prospect:
    """What is known of a run before it starts: which numbers it can give follows from it."""

    probes: frozenset[str]
    labels: tuple[str, ...] = ()
    """Of the model, or the candidate continuations; empty for free continuations."""
    labelled: bool = True
    """Whether the corpus has reference labels."""
    multi_label: bool = False
    candidates: bool = False
    """Whether the labels are continuations that a language model chooses among."""
    causal: bool | None = None
    """Whether tokens see only what stands before them; None where nobody knows before the model is loaded."""


Given = Callable[[Prospect], Iterable[str]]
"""The labels for which a run can give a number: (“positive”, …), or ("",) for a number without labels, or nothing."""


def always(_: Prospect) -> tuple[str, ...]:
    """A number without labels, in every run of its probe."""
    return ("",)


def never(_: Prospect) -> tuple[str, ...]:
    """In no run."""
    return ()


@dataclass(frozen=True, slots=True)
class PageOne:
    """Rank among the key numbers of page one, the lowest first; None is no key number."""

    audited: int | None = None
    """Where the audited model gave it."""
    reference: int | None = None
    """Where a reference model did."""
    of_generation: bool = True
    """Whether it is a key number of a model that generates text too."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Quantity:
    """A number that the report may print; of one with labels a family of them: `recall[positive]`."""

    name: str
    """As `[checks]` calls it, without label and slice."""
    title: str
    """Message (`N_`): "Recall, {label}" of a family."""
    unit: Unit
    low: float = 0.0
    """The least value that it can take."""
    high: float = 1.0
    """The largest."""
    compared: bool = False
    """Whether the parts of a corpus are compared by it."""
    page_one: PageOne = PageOne()
    """Other numbers stand on page one where a check is about them."""
    glossary: tuple[Term, ...] = ()
    given: Given = always

    def number(self, estimate: Estimate, protocol: str, label: str = "", title: str | None = None) -> Number:
        """The number, from an estimate on the scale of its unit (a perplexity: of its logarithm, in nats).

        Args:
            estimate: Value, interval and n.
            protocol: One sentence: how value and interval were computed.
            label: Of a family.
            title: Already translated, where it differs from the quantity's.
        """
        name = of_label(self.name, label) if label else self.name
        shown = title if title is not None else say(self.title, label=label) if label else say(self.title)
        if self.unit == "perplexity":
            return perplexity(name, shown, estimate, protocol)
        return number(name, shown, estimate, self.unit, protocol)

    def names(self, prospect: Prospect) -> frozenset[str]:
        """The names under which a run can give it."""
        return frozenset(of_label(self.name, label) if label else self.name for label in self.given(prospect))

    def is_of(self, name: str) -> bool:
        """Whether the number of this name, of any label and slice, is this quantity."""
        return name == self.name or name.startswith((f"{self.name}[", f"{self.name}{{"))


@dataclass(frozen=True, slots=True)
class Setting:
    """How the findings of one audit are drawn, whatever part of its corpus they are of."""

    seed: int = 0
    """Of the bootstrap."""
    multi_label: bool = False
    candidates: bool = False
    """Whether the labels are continuations that a language model chose among."""
    labelled: bool = True
    """Whether any document of the whole corpus has a reference label."""
    columns: Mapping[str, Sequence[str]] = field(default_factory=dict)
    """Metadata column → its values, of the columns that the corpus is sliced by."""
    references: Mapping[str, str] = field(default_factory=dict)
    """Probe → the reference model that it asked."""


@dataclass(frozen=True, slots=True)
class Conclusion:
    """What a summary comes to: what findings.json keeps of the probe, and its numbers in the order of the report."""

    findings: Finding
    numbers: tuple[Number, ...]


@dataclass(frozen=True, slots=True)
class Whole:
    """What is concluded of the whole corpus, for those who point at something in it."""

    evidence: Evidence
    setting: Setting
    numbers: Mapping[str, Number]
    checks: Sequence[Check]


@dataclass(frozen=True, slots=True)
class Cell:
    """One column of the table of all documents, that a summary fills."""

    name: str
    """In findings.json and documents.parquet."""
    title: str
    """Message: the head of the column; empty where it is not printed."""
    unit: Unit
    """`perplexity` where the value is its logarithm, in nats."""
    width: int
    """Per cent of the table, on paper."""
    value: Callable[[Any], float | None]
    """From the record of a document."""
    aid: str = ""
    """Message: what the caption says of it."""


class Summary(ABC):
    """What one probe comes to. A subclass states the attributes; instances keep no state."""

    probe: str
    """Name of the probe."""
    title: str
    """Message (`N_`): what the probe is called in a sentence."""
    record: type[Any]
    """What its rows are, unless they are a `Failure` or `NotMeasurable`."""
    findings: type[Finding]
    """What findings.json keeps of it."""
    quantities: tuple[Quantity, ...] = ()
    cells: tuple[Cell, ...] = ()
    order: int = 100
    """Place among the probes, on page one and in the report."""
    reasons: Mapping[str, str] = {}
    """Kind of `NotMeasurable` → message: what such a document lacks."""

    section: str = ""
    """Id of the section of the report that has its evidence; empty for `probe-` and the probe's name."""

    @property
    def section_id(self) -> str:
        """Id of the section of the report that has its evidence."""
        return self.section or f"probe-{self.probe}"

    @abstractmethod
    def summarise(self, evidence: Evidence, setting: Setting) -> Conclusion | None:
        """What follows from the rows; None where nothing was measured."""

    def point(self, whole: Whole, findings: Any) -> Iterable[Pointer]:
        """Where to look, worst first; `findings` are those of `summarise`."""
        del whole, findings
        return ()

    def worst(self, evidence: Evidence, setting: Setting) -> Iterable[Choice]:
        """The documents that each of its rules puts first; ties keep the order of the corpus."""
        del evidence, setting
        return ()

    def shown(self, findings: Any) -> Iterable[str]:
        """Ids of documents that its section names or shows."""
        del findings
        return ()

    def notes(self, findings: Any) -> Iterable[str]:
        """What page one must state, translated."""
        del findings
        return ()

    def abridged(self, findings: Any) -> Finding:
        """The findings without what the report draws from the evidence of a corpus too large for one page."""
        kept: Finding = findings
        return kept

    def is_truncated(self, record: Any, evidence: Evidence) -> bool:
        """Whether the model saw only the beginning of the document of a record."""
        del evidence
        return bool(getattr(record, "truncated", False))

    def n_tokens(self, record: Any) -> int | None:
        """Tokens of a document as the model counts them; None where the record does not say."""
        return getattr(record, "n_tokens", None)
