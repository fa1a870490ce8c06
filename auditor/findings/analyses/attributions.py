"""What the explanations of a method without a surrogate come to: nothing is fitted, so there is no R².

    <probe>.largest_effect       mean over documents of the largest |weight|, where weights have the unit of the answer
    <probe>.completeness_error   mean over documents of |all weights and the remainder − what the answer changes from
                                 the baseline to the document|, where weights are the parts of that change
                                 (`auditor.findings.analyses.completeness`)

Whether such explanations are to be believed is what the probe `faithfulness` measures.
"""

import math
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace

from pydantic import Field

from auditor.findings.analyses.answers import PROBE as PREDICTION
from auditor.findings.analyses.completeness import error
from auditor.findings.analyses.trust import faithfulness, faithfulness_quantity, removals, trust_contributions
from auditor.findings.contract.contributions import Contributions, mean_of
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
    largest_effect: Number | None = None
    """None where weights have not the unit of the answer."""
    completeness_error: Number | None = None
    """None where weights need not add up."""
    algorithms: dict[str, int] = Field(default_factory=dict)
    """Documents by the way in which their Shapley values were computed; empty for other methods."""
    faithfulness: Number | None = None
    """What the rankings are worth beyond random ones; None where nobody acted upon them."""


@dataclass(frozen=True, slots=True)
class Titles:
    """Messages: what the numbers of a method are called; empty for one that it does not have."""

    faithfulness: str
    largest_effect: str = ""
    completeness: str = ""


class AttributionSummary(Summary[Explanation, AttributionFindings]):
    """What the explanations of one method without a surrogate come to."""

    record = Explanation
    findings = AttributionFindings
    reasons = {  # noqa: RUF012
        "no-segments": N_("nothing to switch off"),
        "unreadable-perturbations": N_("too few perturbed texts that the model can read"),
    }

    def __init__(
        self,
        probe: str,
        title: str,
        titles: Titles,
        *,
        glossary: Iterable[Term] = (),
        order: int,
        reasons: Mapping[str, str] | None = None,
        caveat: str = "",
    ) -> None:
        """Declares the summary of one method.

        Args:
            probe: Its probe, which its numbers and its section are named after.
            title: Message: what the probe is called in a sentence.
            titles: Of its numbers.
            glossary: What the report explains of it.
            order: Place among the probes.
            reasons: Kind of `NotMeasurable` that only this method has → message.
            caveat: Message: what must be said of the method wherever it is held against others.
        """
        self.reasons, self.caveat = {**type(self).reasons, **(reasons or {})}, caveat
        self.probe, self.title, self.section, self.order = probe, title, probe, order
        self.faithfulness = replace(faithfulness_quantity(probe, titles.faithfulness), glossary=tuple(glossary))
        self.largest = self._of_answers("largest_effect", titles.largest_effect)
        self.completeness = self._of_answers("completeness_error", titles.completeness)
        self.quantities = tuple(q for q in (self.largest, self.completeness, self.faithfulness) if q)

    def _of_answers(self, name: str, title: str) -> Quantity | None:
        return Quantity(name=f"{self.probe}.{name}", title=title, unit="probability", high=math.inf) if title else None

    def summarise(self, evidence: Evidence, setting: Setting) -> Conclusion[AttributionFindings] | None:
        """Its numbers, of those that the method has."""
        explanations = list(evidence.measured(self.probe, Explanation).values())
        if not explanations:
            return None
        unit: Unit = "probability" if explanations[0].unit == "probability" else "log-probability"
        numbers = {
            "largest_effect": self._largest(explanations, unit, setting.seed),
            "completeness_error": self._completeness(explanations, unit, setting.seed),
            "faithfulness": faithfulness(self.faithfulness, removals(evidence, self.probe), setting.seed),
        }
        numbers = {name: number for name, number in numbers.items() if number and number.n}
        segmenters = dict(sorted(Counter(e.segmenter for e in explanations).items()))
        algorithms = dict(sorted(Counter(e.shapley.algorithm for e in explanations if e.shapley).items()))
        counts = {"n_documents": len(explanations), "segmenters": segmenters, "algorithms": algorithms}
        concluded = AttributionFindings(**counts, unit=unit, **numbers)
        return Conclusion(concluded, tuple(number for number in numbers.values() if number))

    def contributions(self, evidence: Evidence, setting: Setting) -> Iterator[Contributions]:
        """All of them are means over documents."""
        del setting
        explained = evidence.measured(self.probe, Explanation)
        if self.largest:
            yield mean_of(self.largest, {name: _largest_effect(e) for name, e in explained.items()})
        if self.completeness:
            errors = {name: error(e) for name, e in explained.items()}
            yield mean_of(self.completeness, {n: None if x is None else abs(x) for n, x in errors.items()})
        yield from trust_contributions(evidence, self.probe, self.faithfulness)

    def _largest(self, explanations: Iterable[Explanation], unit: Unit, seed: int) -> Number | None:
        if not self.largest:
            return None
        largest = list(map(_largest_effect, explanations))
        protocol = say(
            "Mean over documents of the largest weight, whatever its sign, toward the most probable label; {interval}",
            interval=say(BOOTSTRAP),
        )
        estimate = bootstrap_mean(largest, seed=seed, name=self.largest.name)
        return replace(self.largest, unit=unit).number(estimate, protocol)

    def _completeness(self, explanations: Iterable[Explanation], unit: Unit, seed: int) -> Number | None:
        if not self.completeness:
            return None
        errors = [abs(missing) for e in explanations if (missing := error(e)) is not None]
        protocol = say(
            "Mean over documents of how far all weights miss what the answer changes from the baseline to the text; "
            "{interval}",
            interval=say(BOOTSTRAP),
        )
        estimate = bootstrap_mean(errors, seed=seed, name=self.completeness.name)
        return replace(self.completeness, unit=unit).number(estimate, protocol)

    def is_truncated(self, record: Explanation, evidence: Evidence) -> bool:
        """An explanation asks the model about as much of a document as the prediction did."""
        return bool(getattr(evidence.of(PREDICTION).get(record.document_id), "truncated", False))


def _largest_effect(explanation: Explanation) -> float:
    return max(map(abs, explanation.targets[0].weights), default=0.0)
