"""Where to look first: up to six facts, worst first, each found by a rule and linked to the section that shows it.

checks       every check that fails, straddles its bound, or is required and not judged
slices       parts of at least 30 documents whose accuracy interval lies wholly below that of the rest
labels       labels whose recall interval lies wholly below the accuracy's
errors       wrong answers given with a probability of at least 0.9
fidelity     explanations with R² below 0.5; worth watching above a quarter of them
truncation   documents of which the model saw only the beginning; worth watching above a tenth
failures     documents that could not be measured
heads        most heads on special tokens, or sinks
agreement    attention and LIME point at different words
"""

from collections.abc import Iterator, Mapping, Sequence
from typing import Literal

from auditor.findings.answers import Answer
from auditor.findings.intervals import wilson
from auditor.findings.numbers import of_slice
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
from auditor.findings.wording import bound, figure, listing, measured
from auditor.languages import N_, plural, say
from auditor.languages.numbers import count

Severity = Literal["fail", "watch", "pass", "note"]

MOST = 6
CONFIDENT = 0.9
MANY_UNFAITHFUL = 0.25
MANY_TRUNCATED = 0.1
FAINT_AGREEMENT = 0.2

_ORDER: dict[Severity, int] = {"fail": 0, "watch": 1, "note": 2, "pass": 3}
_PLACES = {"special": N_("special tokens"), "sink": N_("the first token")}
_OWN_SECTION = ("lime", "attention", "perplexity", "pseudo_perplexity")


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
    """The pointers of all rules, the most severe six; within a severity in the order of the rules."""
    found = [*_checks(checks), *_slices(slices)]
    if predictions:
        found += [*_labels(predictions, numbers), *_errors(answers)]
    if explanations:
        found += _fidelity(explanations)
    found += [*_truncation(coverage), *_failures(coverage)]
    if attention:
        found += [*_heads(attention), *_agreement(attention)]
    return tuple(sorted(found, key=lambda pointer: _ORDER[pointer.severity])[:MOST])


def section_of(name: str) -> str:
    """The section that has the evidence for a number."""
    if name.endswith("}"):
        return "slices"
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
    value = measured(check.number)
    return say("{title} is {value}, where {demand} was asked", title=check.title, value=value, demand=demand(check))


def _checks(checks: Sequence[Check]) -> Iterator[Pointer]:
    for check in checks:
        section, title = section_of(check.name), check.title
        if check.result == "fail":
            yield _pointer("fail", failing(check), section)
        elif check.result == "watch":
            value, asked = measured(check.number), demand(check)
            text = say("{title} is {value}: {demand} is not settled", title=title, value=value, demand=asked)
            yield _pointer("watch", text, section)
        elif check.result == "not judged" and check.required:
            yield _pointer("watch", say("{title} could not be judged", title=title), section)


def _slices(rows: Sequence[SliceRow]) -> Iterator[Pointer]:
    for row in rows:
        own, rest = _accuracy(row), _rest(row, rows)
        if not row.judged or own is None or rest is None or own.high is None or rest[1] is None:
            continue
        if own.high < rest[1]:
            text = say(
                "Accuracy is lower where {column} is {value}: {inside}, elsewhere {outside}",
                column=row.column,
                value=row.value,
                inside=measured(own),
                outside=figure(rest[0], "share"),
            )
            yield _pointer("watch", text, "slices")


def _accuracy(row: SliceRow) -> Number | None:
    name = of_slice("accuracy", row.column, row.value)
    return next((n for n in row.numbers if n.name == name and n.value is not None), None)


def _rest(row: SliceRow, rows: Sequence[SliceRow]) -> tuple[float, float | None] | None:
    """Accuracy of the other values of the row's column, and the lower end of its interval."""
    others = [_accuracy(other) for other in rows if other.column == row.column and other.value != row.value]
    known = [(other.value, other.n) for other in others if other is not None and other.value is not None]
    total = wilson(sum(round(value * n) for value, n in known), sum(n for _, n in known))
    return None if total.value is None else (total.value, total.low)


def _labels(predictions: PredictionFindings, numbers: Mapping[str, Number]) -> Iterator[Pointer]:
    overall = numbers.get("accuracy")
    if overall is None or overall.low is None or predictions.multi_label:
        return
    for scores in predictions.classes:
        if scores.recall.high is not None and scores.recall.high < overall.low:
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
        yield _pointer("note", text, "predictions")


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
    worst = max(coverage, key=lambda row: row.failed, default=None)
    if worst and worst.failed:
        text = plural(
            worst.failed,
            "{n} document could not be measured ({kinds})",
            "{n} documents could not be measured ({kinds})",
            kinds=listing(sorted({kind for _, kind, _ in worst.failures})),
        )
        yield _pointer("watch", text, section_of(worst.probe))


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
