"""What the explanations of a method without a surrogate come to: nothing is fitted, so there is no R².

    <probe>.largest_effect   mean over documents of the largest |weight|: how far one segment alone moves the answer

Whether such explanations are to be believed is what the probe `faithfulness` measures.
"""

import math
from collections import Counter
from collections.abc import Iterable
from dataclasses import replace

from auditor.findings.analyses.answers import PROBE as PREDICTION
from auditor.findings.analyses.trust import faithfulness, faithfulness_quantity, removals
from auditor.findings.contract.evidence import Evidence
from auditor.findings.contract.finding import Finding
from auditor.findings.contract.numbers import BOOTSTRAP
from auditor.findings.contract.quantity import Quantity, Term
from auditor.findings.contract.summary import Conclusion, Setting, Summary
from auditor.findings.contract.types import Number, Unit
from auditor.findings.statistics.intervals import bootstrap_mean
from auditor.languages import N_, say
from auditor.records.explanations import Explanation


class AttributionFindings(Finding):
    """What the explanations of a method without a surrogate come to."""

    n_documents: int
    segmenters: dict[str, int]
    unit: Unit
    largest_effect: Number
    faithfulness: Number | None = None
    """What the rankings are worth beyond random ones; None where nobody acted upon them."""


class AttributionSummary(Summary[Explanation, AttributionFindings]):
    """What the explanations of one method without a surrogate come to."""

    record = Explanation
    findings = AttributionFindings
    reasons = {"no-segments": N_("nothing to switch off")}  # noqa: RUF012

    def __init__(
        self, probe: str, title: str, *, largest: str, faithful: str, glossary: Iterable[Term] = (), order: int = 100
    ) -> None:
        """Declares the summary of one method.

        Args:
            probe: Its probe, which its numbers and its section are named after.
            title: Message: what the probe is called in a sentence.
            largest: Message: title of the mean largest effect.
            faithful: Message: title of its faithfulness.
            glossary: What the report explains of it.
            order: Place among the probes.
        """
        self.probe, self.title, self.section, self.order = probe, title, probe, order
        self.largest = Quantity(
            name=f"{probe}.largest_effect",
            title=largest,
            unit="probability",
            high=math.inf,
            compared=True,
            glossary=tuple(glossary),
        )
        self.faithfulness = faithfulness_quantity(probe, faithful)
        self.quantities = (self.largest, self.faithfulness)

    def summarise(self, evidence: Evidence, setting: Setting) -> Conclusion[AttributionFindings] | None:
        """The largest effects, and what the rankings are worth."""
        explanations = list(evidence.measured(self.probe, Explanation).values())
        if not explanations:
            return None
        acted = removals(evidence, self.probe)
        unit: Unit = "probability" if explanations[0].unit == "probability" else "log-probability"
        found = AttributionFindings(
            n_documents=len(explanations),
            segmenters=dict(sorted(Counter(e.segmenter for e in explanations).items())),
            unit=unit,
            largest_effect=self._largest(explanations, unit, setting.seed),
            faithfulness=faithfulness(self.faithfulness, acted, setting.seed) if acted.removals else None,
        )
        numbers = (found.largest_effect, found.faithfulness)
        return Conclusion(found, tuple(number for number in numbers if number is not None))

    def _largest(self, explanations: Iterable[Explanation], unit: Unit, seed: int) -> Number:
        largest = [max(map(abs, explanation.targets[0].weights), default=0.0) for explanation in explanations]
        protocol = say(
            "Mean over documents of the largest weight, whatever its sign, toward the most probable label; {interval}",
            interval=say(BOOTSTRAP),
        )
        estimate = bootstrap_mean(largest, seed=seed, name=self.largest.name)
        return replace(self.largest, unit=unit).number(estimate, protocol)

    def is_truncated(self, record: Explanation, evidence: Evidence) -> bool:
        """An explanation asks the model about as much of a document as the prediction did."""
        return bool(getattr(evidence.of(PREDICTION).get(record.document_id), "truncated", False))
