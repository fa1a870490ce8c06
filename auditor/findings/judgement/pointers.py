"""Where to look first: facts, worst first, each found by a rule and linked to the section that shows it.

checks       every check that fails, straddles its bound, or is required and not judged
slices       parts large enough to be compared whose accuracy interval lies wholly below that of the rest
labels       labels whose recall interval lies wholly below the accuracy's, and that no check points at already
errors       wrong answers given with a probability of at least 0.9
fidelity     explanations with R² below 0.5; worth watching above a quarter of them
truncation   documents of which the model saw only the beginning; worth watching above a tenth
failures     documents that a probe could not measure
heads        most heads on special tokens, or sinks
agreement    attention and LIME point at different words
"""

from collections.abc import Iterator, Mapping, Sequence
from typing import Literal

from auditor.findings.analyses.answers import Answer
from auditor.findings.numbers import lies_below, of_slice
from auditor.findings.slices import is_compared
from auditor.findings.statistics.intervals import wilson
from auditor.findings.types import (
    AttentionFindings,
    Check,
    Coverage,
    ExplanationFindings,
    Number,
    Pointer,
    PredictionFindings,
    SliceRow,
)
from auditor.findings.wording import bound, checked, listing, measured
from auditor.findings.wording import probe as title_of
from auditor.languages import N_, plural, say
from auditor.languages.numbers import count

Severity = Literal["fail", "watch", "pass", "note"]

CONFIDENT = 0.9
MANY_UNFAITHFUL = 0.25
MANY_TRUNCATED = 0.1
FAINT_AGREEMENT = 0.2

_ORDER: dict[Severity, int] = {"fail": 0, "watch": 1, "note": 2, "pass": 3}
_PLACES = {"special": N_("special tokens"), "sink": N_("the first token")}
_OWN_SECTION = ("lime", "attention", "perplexity", "pseudo_perplexity")
_FAILURES_LISTED = "provenance"
"""The section that lists every document that was not measured, and why."""


def point(
    checks: Sequence[Check],
    slices: Sequence[SliceRow],
    coverage: Sequence[Coverage],
    answers: Sequence[Answer],
    predictions: PredictionFindings | None,
    explanations: ExplanationFindings | None,
    attention: AttentionFindings | None,
    numbers: Mapping[str, Number],
) -> tuple[Pointer, ...]:
    """The pointers of all rules, the most severe first; within a severity in the order of the rules."""
    found = [*_checks(checks), *_slices(slices)]
    if predictions:
        found += [*_labels(predictions, numbers, checks), *_errors(answers)]
    if explanations:
        found += _fidelity(explanations)
    found += [*_truncation(coverage), *_failures(coverage)]
    if attention:
        found += [*_heads(attention), *_agreement(attention)]
    return tuple(sorted(found, key=lambda pointer: _ORDER[pointer.severity]))


def section_of(name: str) -> str:
    """The section that has the evidence for a number."""
    if name.endswith("}"):
        return "slices"
    if name.startswith("coverage."):
        return _FAILURES_LISTED
    prefix = name.split(".")[0]
    return prefix if prefix in _OWN_SECTION else "predictions"


def demand(check: Check) -> str:
    """The bound in words: "at least 0.8"."""
    limit = bound(check.bound)
    return (
        say("at least {limit}", limit=limit) if check.direction == "at_least" else say("at most {limit}", limit=limit)
    )


def failing(check: Check) -> str:
    """How far a value is from what was asked."""
    values = {"title": check.title, "value": checked(check), "demand": demand(check)}
    return say("{title} is {value}, where {demand} was asked", **values)


def _checks(checks: Sequence[Check]) -> Iterator[Pointer]:
    for check in checks:
        section, title = section_of(check.name), check.title
        if check.result == "fail":
            yield _pointer("fail", failing(check), section)
        elif check.result == "watch":
            value, asked = checked(check), demand(check)
            text = say("{title} is {value}: {demand} is not settled", title=title, value=value, demand=asked)
            yield _pointer("watch", text, section)
        elif check.result == "not judged" and check.required:
            yield _pointer("watch", say("{title} could not be judged", title=title), section)


def _slices(rows: Sequence[SliceRow]) -> Iterator[Pointer]:
    for row in rows:
        own, rest = _accuracy(row), _rest(row, rows)
        if own and rest and is_compared(row, own) and lies_below(own, rest):
            text = say(
                "Accuracy is lower where {column} is {value}: {inside}, elsewhere {outside}",
                column=row.column,
                value=row.value,
                inside=measured(own),
                outside=measured(rest),
            )
            yield _pointer("watch", text, "slices")


def _accuracy(row: SliceRow) -> Number | None:
    name = of_slice("accuracy", row.column, row.value)
    return next((n for n in row.numbers if n.name == name and n.value is not None), None)


def _rest(row: SliceRow, rows: Sequence[SliceRow]) -> Number | None:
    """Accuracy over the other values of the row's column."""
    others = [_accuracy(other) for other in rows if other.column == row.column and other.value != row.value]
    known = [other for other in others if other is not None]
    total = wilson(sum(round((other.value or 0.0) * other.n) for other in known), sum(other.n for other in known))
    values = {"value": total.value, "low": total.low, "high": total.high, "n": total.n}
    return known[0].model_copy(update=values) if total.value is not None else None


def _labels(
    predictions: PredictionFindings, numbers: Mapping[str, Number], checks: Sequence[Check]
) -> Iterator[Pointer]:
    overall = numbers.get("accuracy")
    if overall is None or predictions.multi_label:
        return
    pointed_at = {check.name for check in checks if check.result in ("fail", "watch")}
    for scores in predictions.classes:
        if scores.recall.name not in pointed_at and lies_below(scores.recall, overall):
            recall = measured(scores.recall)
            text = say("Label {label} is often missed: recall {recall}", label=scores.label, recall=recall)
            yield _pointer("watch", text, "predictions")


def _errors(answers: Sequence[Answer]) -> Iterator[Pointer]:
    wrong = [answer for answer in answers if answer.wrong]
    sure = sum(answer.error_confidence >= CONFIDENT for answer in wrong)
    if sure:
        text = plural(
            len(wrong),
            "{sure} of {n} error made with a probability of at least {limit}",
            "{sure} of {n} errors made with a probability of at least {limit}",
            sure=count(sure),
            limit=bound(CONFIDENT),
        )
        yield _pointer("note", text, "failures")


def _fidelity(explanations: ExplanationFindings) -> Iterator[Pointer]:
    share = explanations.low_fidelity_share
    if share.value:
        low = round(share.value * share.n)
        text = plural(
            low,
            "{n} of {explanations} has R² below 0.5 and should not be relied on",
            "{n} of {explanations} have R² below 0.5 and should not be relied on",
            explanations=plural(share.n, "{n} explanation", "{n} explanations"),
        )
        yield _pointer("watch" if share.value > MANY_UNFAITHFUL else "note", text, "lime")


def _truncation(coverage: Sequence[Coverage]) -> Iterator[Pointer]:
    worst = max(coverage, key=lambda row: row.truncated, default=None)
    if worst and worst.truncated:
        text = plural(
            worst.measured,
            "{seen} of {n} document seen only in part: longer than the model reads",
            "{seen} of {n} documents seen only in part: longer than the model reads",
            seen=count(worst.truncated),
        )
        severity: Severity = "watch" if worst.truncated > MANY_TRUNCATED * worst.measured else "note"
        yield _pointer(severity, text, section_of(worst.probe))


def _failures(coverage: Sequence[Coverage]) -> Iterator[Pointer]:
    for row in coverage:
        if row.failed:
            text = plural(
                row.failed,
                "{probe} probe: {n} document could not be measured ({kinds})",
                "{probe} probe: {n} documents could not be measured ({kinds})",
                probe=title_of(row.probe),
                kinds=listing(sorted({kind for _, kind, _ in row.failures})),
            )
            yield _pointer("watch", text, _FAILURES_LISTED)


def _heads(attention: AttentionFindings) -> Iterator[Pointer]:
    total = attention.n_layers * attention.n_heads
    for head_class in attention.classes:
        n = len(head_class.heads)
        if head_class.name in _PLACES and n:
            text = plural(
                n,
                "{n} of {heads} attends mostly to {place}",
                "{n} of {heads} attend mostly to {place}",
                heads=plural(total, "{n} head", "{n} heads"),
                place=say(_PLACES[head_class.name]),
            )
            yield _pointer("note", text, "attention")


def _agreement(attention: AttentionFindings) -> Iterator[Pointer]:
    tau = attention.agreement
    if tau and tau.value is not None and tau.high is not None and tau.low is not None and tau.high < FAINT_AGREEMENT:
        text = say("Attention and LIME weights hardly agree: τ {value}", value=measured(tau))
        yield _pointer("note", text, "attention")


def _pointer(severity: Severity, text: str, section: str) -> Pointer:
    return Pointer(severity=severity, text=text, section=section)
