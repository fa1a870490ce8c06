"""What the evidence does not say about a run."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from auditor.findings.contract.presentation import Presentation
from auditor.findings.contract.quantity import ModelKind
from auditor.findings.contract.types import Number
from auditor.records.plan import Bound, PlannedWaiver
from auditor.records.proof import Proof, SelfCheck
from auditor.records.structure import Structure


@dataclass(frozen=True, slots=True)
class Baseline:
    """The run that a run is compared with, and by how much its numbers differ."""

    run_id: str
    created: str = ""
    """ISO 8601, UTC."""
    headline: str = ""
    """What the comparison came to, in the language of the report."""
    worse: tuple[str, ...] = ()
    """Names of the judged numbers that got worse by more than chance."""
    differences: Mapping[str, Number] = field(default_factory=dict)
    """Name of a number → this run's less the baseline's, of a perplexity in nats."""
    reasons: Mapping[str, str] = field(default_factory=dict)
    """Name of a number → why it is not compared."""
    reason: str = ""
    """Why nothing is compared; empty where something is."""


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
    kind: ModelKind = "classifier"
    """Of the audited model."""
    presentation: Presentation = field(default_factory=Presentation)
    references: Mapping[str, str] = field(default_factory=dict)
    """Probe → the model it asked, where that is not the audited one."""
    computing: tuple[Proof, ...] = ()
    """How each model was asked, question by question."""
    structures: tuple[Structure, ...] = ()
    """What the models are made of."""
    self_checks: tuple[SelfCheck, ...] = ()
    """What probes gave on toy models before anything was measured."""
    left_out: Mapping[str, str] = field(default_factory=dict)
    """Probe that runs by default → kind of reason why it was not asked, see `LEFT_OUT` of the wording."""
    baseline: Baseline | None = None
    """None where there was none when the run began."""
    waivers: tuple[PlannedWaiver, ...] = ()
