"""What the evidence does not say about a run."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from auditor.findings.contract.presentation import Presentation
from auditor.findings.contract.quantity import ModelKind
from auditor.records.plan import Bound
from auditor.records.proof import Proof, SelfCheck
from auditor.records.structure import Structure


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
