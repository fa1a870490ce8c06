"""Which few words hold the answers, and how well?

    anchors.precision    median over documents of the precision of the rule that was found, anchor or not
    anchors.held_share   share of documents whose rule keeps the label in `HELD` of the draws and more
    anchors.length       median over these documents of the segments of the rule

Precision, coverage and rules are those of `auditor.probes.anchors.search`. A rule of precision 1 says little where the
label stays without it too: the precision of the empty rule stands beside it.
"""

import math
from collections import Counter
from collections.abc import Iterator, Sequence

from auditor.findings.analyses.answers import PROBE as PREDICTION
from auditor.findings.contract.evidence import Evidence
from auditor.findings.contract.finding import Finding
from auditor.findings.contract.numbers import WILSON
from auditor.findings.contract.quantity import Quantity, Term
from auditor.findings.contract.summary import Conclusion, Setting, Summary
from auditor.findings.contract.types import Number
from auditor.findings.statistics.intervals import quantile, wilson
from auditor.languages import N_, say
from auditor.languages.numbers import shortest
from auditor.records.explanations import Anchor

HELD = 0.95
SHOWN = 12
"""Documents with a card."""

PRECISION = Quantity(
    name="anchors.precision",
    title=N_("Precision of rules"),
    unit="share",
    glossary=(
        Term(N_("Anchor"), N_("A few words which, while they are kept, hold the answer whatever the others are.")),
        Term(N_("Coverage of a rule"), N_("How many of the variants of a text, each word kept or not, it speaks of.")),
        Term(N_("Precision of a rule"), N_("In how many of the variants that keep its words the answer stays.")),
    ),
)
HELD_SHARE = Quantity(name="anchors.held_share", title=N_("Answers held by an anchor"), unit="share")
LENGTH = Quantity(name="anchors.length", title=N_("Words of an anchor"), unit="count", high=math.inf)


class AnchorFindings(Finding):
    """Which few words hold the answers, and how well?"""

    n_documents: int
    n_exact: int
    """Documents of which every mask was evaluated."""
    n_evaluations: int
    segmenters: dict[str, int]
    stopped: dict[str, int]
    """Documents by how the search for their rule ended; see `records.explanations.Anchor`."""
    precision: Number
    held_share: Number
    length: Number | None
    """None where no document has an anchor."""
    shown: tuple[str, ...]
    """Ids of the documents with a card."""


class AnchorSummary(Summary[Anchor, AnchorFindings]):
    """Which few words hold the answers."""

    probe = "anchors"
    title = N_("anchors")
    record = Anchor
    findings = AnchorFindings
    quantities = (PRECISION, HELD_SHARE, LENGTH)
    section = "anchors"
    order = 29
    reasons = {  # noqa: RUF012
        "no-segments": N_("nothing to switch off"),
        "no-label": N_("a free continuation, which is no label"),
        "unreadable-perturbations": N_("too few perturbed texts that the model can read"),
    }

    def summarise(self, evidence: Evidence, setting: Setting) -> Conclusion[AnchorFindings] | None:
        """How precise and how long the rules are."""
        del setting
        rules = list(evidence.measured(self.probe, Anchor).values())
        if not rules:
            return None
        held = [rule for rule in rules if rule.precision >= HELD]
        precision, share, length = _precision(rules), _held(rules, held), _length(held) if held else None
        concluded = AnchorFindings(
            n_documents=len(rules),
            n_exact=sum(not rule.n_samples for rule in rules),
            n_evaluations=sum(rule.n_evaluations for rule in rules),
            segmenters=dict(sorted(Counter(rule.segmenter for rule in rules).items())),
            stopped=dict(sorted(Counter(rule.stopped for rule in rules).items())),
            precision=precision,
            held_share=share,
            length=length,
            shown=tuple(rule.document_id for rule in rules[:SHOWN]),
        )
        return Conclusion(concluded, tuple(number for number in (precision, share, length) if number))

    def shown(self, findings: AnchorFindings) -> Iterator[str]:
        """The documents with a card."""
        yield from findings.shown

    def is_truncated(self, record: Anchor, evidence: Evidence) -> bool:
        """A rule asks the model about as much of a document as the prediction did."""
        return bool(getattr(evidence.of(PREDICTION).get(record.document_id), "truncated", False))


def _precision(rules: Sequence[Anchor]) -> Number:
    protocol = say("Median over documents of the precision of the rule; 95% interval by order statistics")
    return PRECISION.number(quantile([rule.precision for rule in rules]), protocol)


def _held(rules: Sequence[Anchor], held: Sequence[Anchor]) -> Number:
    protocol = say(
        "Share of documents with a rule of precision {least} or more; {interval}",
        least=shortest(HELD),
        interval=say(WILSON),
    )
    return HELD_SHARE.number(wilson(len(held), len(rules)), protocol)


def _length(held: Sequence[Anchor]) -> Number:
    protocol = say("Median over documents with an anchor of its segments; 95% interval by order statistics")
    return LENGTH.number(quantile([float(len(rule.rule)) for rule in held]), protocol)


SUMMARY = AnchorSummary()
