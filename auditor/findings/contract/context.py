"""What the evidence does not say about a run, and what was demanded of its numbers before it."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

from auditor.findings.contract.presentation import Presentation


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
    """What the plan knows about a run; the first nine fields go into the findings as they are."""

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
    candidates: bool = False
    """Whether labels are continuations that a language model chooses among."""
    presentation: Presentation = field(default_factory=Presentation)
    references: Mapping[str, str] = field(default_factory=dict)
    """Probe → the model it asked, where that is not the audited one."""
    computing: Mapping[str, Mapping[str, Mapping[str, Any]]] = field(default_factory=dict)
    """Model → question → how it was asked: the fields of `Computing`."""
    left_out: Mapping[str, str] = field(default_factory=dict)
    """Probe that runs by default → kind of reason why it was not asked, see `LEFT_OUT` of the wording."""
