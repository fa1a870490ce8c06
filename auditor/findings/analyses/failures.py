"""Where did it go wrong? Documents chosen by rules that anyone can repeat; none is chosen by hand.

error          wrong answers with the highest probability
unsure         free continuations with the lowest mean log-probability
unfaithful     explanations with the lowest R²
unstable       explanations whose widest 95 % interval is largest beside their largest weight: max 1.96 s / max |w|;
               those where every mask was evaluated have no interval and those without any weight nothing to compare
surprising     documents with the most bits per byte; for a masked model, with the largest pseudo-perplexity
slice          the surest wrong answers in the group with the lowest accuracy, among the groups that are judged, where
               its interval lies wholly below that of the group with the highest

Ties keep the order of the corpus.
"""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Literal, TypeVar

from auditor.findings.analyses.answers import Answer, pair
from auditor.findings.analyses.explanations import top_target
from auditor.findings.analyses.perplexity import document_bits_per_byte, document_nats
from auditor.findings.evidence import Evidence
from auditor.findings.numbers import lies_below
from auditor.findings.slices import base_name, is_compared
from auditor.findings.types import Findings, Number, SliceRow
from auditor.records.types import Explanation

Rule = Literal["error", "unsure", "unfaithful", "unstable", "surprising", "pseudo-surprising", "slice"]
MOST: dict[Rule, int] = {
    "error": 6,
    "unsure": 3,
    "unfaithful": 3,
    "unstable": 3,
    "surprising": 3,
    "pseudo-surprising": 3,
    "slice": 2,
}
"""Documents that one rule chooses at most."""
Z_95 = 1.96
R = TypeVar("R")


@dataclass(frozen=True, slots=True)
class Choice:
    """What one rule chose."""

    rule: Rule
    documents: tuple[tuple[str, float], ...]
    """Document and the value that ranked it, worst first; of a pseudo-perplexity its logarithm."""
    among: int
    """How many the rule chose from."""


def choose_failures(findings: Findings, evidence: Evidence) -> list[Choice]:
    """The choices of all rules that found something."""
    predictions = findings.predictions
    answers = pair(evidence, predictions.multi_label) if predictions else ()
    explained = [explanation for _, explanation in evidence.measured(evidence.explanations) if explanation.targets]
    read = [record for _, record in evidence.measured(evidence.perplexity) if record.logprobs]
    filled = [record for _, record in evidence.measured(evidence.pseudo_perplexity) if record.logprobs]
    unstable = [(e.document_id, instability(e)) for e in explained]
    choices = [
        _errors("error", answers),
        _choose("unsure", _unsure(answers), largest=False),
        _choose("unfaithful", ((e.document_id, top_target(e).fidelity) for e in explained), largest=False),
        _choose("unstable", ((i, value) for i, value in unstable if value is not None)),
        _choose("surprising", ((r.document_id, document_bits_per_byte(r)) for r in read)),
        _choose("pseudo-surprising", ((r.document_id, document_nats(r)) for r in filled)),
        _errors("slice", _inside(worst_slice(findings), answers)),
    ]
    return [choice for choice in choices if choice.documents]


def instability(explanation: Explanation) -> float | None:
    """Widest half-interval over the largest weight; None without intervals or without any weight."""
    target = top_target(explanation)
    largest = max(map(abs, target.weights), default=0.0)
    if not explanation.is_sampled or not largest:
        return None
    return Z_95 * max(target.standard_errors) / largest


def worst_slice(findings: Findings) -> tuple[SliceRow, Number] | None:
    """The group with the lowest accuracy, where it is clearly lower than the highest."""
    found = [
        (row, number)
        for row in findings.slices
        for number in row.numbers
        if base_name(number) == "accuracy" and is_compared(row, number)
    ]
    if not found:
        return None
    ranked = sorted(found, key=lambda pair: pair[1].value or 0.0)
    return ranked[0] if lies_below(ranked[0][1], ranked[-1][1]) else None


def _inside(worst: tuple[SliceRow, Number] | None, answers: Sequence[Answer]) -> list[Answer]:
    if worst is None:
        return []
    column, value = worst[0].column, worst[0].value
    return [answer for answer in answers if answer.document.metadata.get(column) == value]


def _errors(rule: Rule, answers: Sequence[Answer]) -> Choice:
    return _choose(rule, ((a.document.id, a.error_confidence) for a in answers if a.wrong))


def _unsure(answers: Sequence[Answer]) -> list[tuple[str, float]]:
    values = [(answer.document.id, answer.prediction.mean_logprob) for answer in answers]
    return [(name, value) for name, value in values if value is not None]


def _choose(rule: Rule, values: Iterable[tuple[str, float]], *, largest: bool = True) -> Choice:
    key: Callable[[tuple[str, float]], float] = (lambda pair: -pair[1]) if largest else (lambda pair: pair[1])
    ranked = sorted(values, key=key)
    return Choice(rule, tuple(ranked[: MOST[rule]]), len(ranked))
