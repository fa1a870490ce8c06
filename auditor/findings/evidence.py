"""What findings are drawn from: the facts of one run, and what is known about the run itself."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import TypeVar

from auditor.findings.presentation import Presentation
from auditor.records.plan import Bound
from auditor.records.proof import Proof
from auditor.records.types import (
    AttentionStatistics,
    Document,
    Explanation,
    Perplexity,
    Prediction,
    PseudoPerplexity,
    Record,
    Unmeasured,
)

Facts = Mapping[str, object]
"""The fields of a record whose class is not at hand."""
R = TypeVar("R", Prediction, Explanation, AttentionStatistics, Perplexity, PseudoPerplexity)


@dataclass(frozen=True, slots=True)
class Evidence:
    """The documents of a run and what each probe found; a probe that did not run has an empty mapping."""

    documents: tuple[Document, ...]
    predictions: Mapping[str, Prediction | Unmeasured] = field(default_factory=dict)
    """Document id → record, as the others."""
    explanations: Mapping[str, Explanation | Unmeasured] = field(default_factory=dict)
    attention: Mapping[str, AttentionStatistics | Unmeasured] = field(default_factory=dict)
    perplexity: Mapping[str, Perplexity | Unmeasured] = field(default_factory=dict)
    pseudo_perplexity: Mapping[str, PseudoPerplexity | Unmeasured] = field(default_factory=dict)

    others: Mapping[str, Mapping[str, Facts | Unmeasured]] = field(default_factory=dict)
    """Probe → document id → what a third party's probe found, by field."""

    def measured(self, records: Mapping[str, R | Unmeasured]) -> Iterator[tuple[Document, R]]:
        """The documents with a record, in the order of the corpus; those without one are left out."""
        for document in self.documents:
            record = records.get(document.id)
            if record is not None and not isinstance(record, Unmeasured):
                yield document, record

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
    computing: tuple[Proof, ...] = ()
    """How the models were asked."""
    left_out: Mapping[str, str] = field(default_factory=dict)
    """Probe that runs by default → kind of reason why it was not asked (`auditor.findings.wording.LEFT_OUT`)."""
