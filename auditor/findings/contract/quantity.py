"""A number that the report may print, declared once beside the analysis that computes it.

Checks and their limits, slices, key numbers, glossary and the JSON Schema of findings.json read it here.
"""

import math
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Literal

from auditor.findings.contract.numbers import number, of_label, perplexity
from auditor.findings.contract.types import Number, Unit
from auditor.findings.statistics.intervals import Estimate
from auditor.languages import say
from auditor.records.plan import Bound


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


ModelKind = Literal["classifier", "generator", "masked"]
"""What an audited model does: choose among labels, write, or fill masks."""
Better = Literal["high", "low", ""]
Given = Callable[[Prospect], Iterable[str]]
"""The labels for which a run can give a number: (“positive”, …), or ("",) for a number without labels, or nothing."""


def always(_: Prospect) -> tuple[str, ...]:
    """A number without labels, in every run of its probe."""
    return ("",)


@dataclass(frozen=True, slots=True)
class PageOne:
    """Rank among the key numbers of page one, by kind of the audited model; the lowest first, None: no key number."""

    classifier: int | None = None
    generator: int | None = None
    masked: int | None = None

    def rank(self, kind: ModelKind) -> int | None:
        """The rank for one kind of model."""
        return {"classifier": self.classifier, "generator": self.generator, "masked": self.masked}[kind]


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
    """Whether the parts of a corpus, and two runs, are compared by it."""
    better: Better = ""
    """Which values are better; empty where neither are. A check says it for its own number."""
    per_token: bool = False
    """Whether it depends on how a text is cut into tokens, so that two tokenizers give two numbers."""
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
            return perplexity(name, shown, self._possible(estimate, _logarithm), protocol)
        return number(name, shown, self._possible(estimate, float), self.unit, protocol)

    def _possible(self, estimate: Estimate, scale: Callable[[float], float]) -> Estimate:
        """Its interval no wider than the values that the quantity can take, if its value is one of them."""
        least, most = scale(self.low), scale(self.high)
        if estimate.value is None or not least <= estimate.value <= most:
            return estimate
        return estimate.within(least, most)

    def names(self, prospect: Prospect) -> frozenset[str]:
        """The names under which a run can give it."""
        return frozenset(of_label(self.name, label) if label else self.name for label in self.given(prospect))

    def is_of(self, name: str) -> bool:
        """Whether the number of this name, of any label and slice, is this quantity."""
        return name == self.name or name.startswith((f"{self.name}[", f"{self.name}{{"))


def better_side(quantity: Quantity, bound: Bound) -> Better:
    """Which values of a number are better: what its bound says, else the quantity."""
    sides: Mapping[str, Better] = {"at_least": "high", "at_most": "low"}
    return sides.get(bound.direction, quantity.better)


def _logarithm(value: float) -> float:
    return math.log(value) if value > 0 else -math.inf
