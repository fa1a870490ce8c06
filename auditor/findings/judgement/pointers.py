"""Where to look first: facts, worst first, each found by a rule and linked to the section that shows it.

checks       every check that fails, straddles its bound, or is required and not judged
slices       parts whose accuracy stands apart from that of all documents, and is lower
truncation   documents of which the model saw only the beginning; worth watching above a tenth
failures     documents that a probe could not measure
summaries    what each probe's summary points at (`Summary.point`)
"""

from collections.abc import Iterator, Mapping, Sequence
from typing import Literal

from auditor.findings.analyses.prediction import ACCURACY
from auditor.findings.contract.finding import Finding
from auditor.findings.contract.numbers import of_slice
from auditor.findings.contract.registry import owner_of, summaries, summary_of
from auditor.findings.contract.summary import Whole
from auditor.findings.contract.types import Check, Coverage, Number, Pointer, SliceRow
from auditor.findings.judgement.coverage import FAILED_SHARE
from auditor.findings.statistics.intervals import wilson
from auditor.findings.wording.sentences import bound, checked, listing, measured
from auditor.findings.wording.sentences import probe as title_of
from auditor.languages import plural, say
from auditor.languages.numbers import count

Severity = Literal["fail", "watch", "pass", "note"]

MANY_TRUNCATED = 0.1
COVERAGE_ORDER = 30
"""Place of what is said of the coverage among what the summaries say."""
_ORDER: dict[Severity, int] = {"fail": 0, "watch": 1, "note": 2, "pass": 3}
_SLICES, _PROVENANCE = "slices", "provenance"
"""The sections that show every part of the corpus, and every document that was not measured, and why."""


def point(
    slices: Sequence[SliceRow], coverage: Sequence[Coverage], analyses: Mapping[str, Finding], whole: Whole
) -> tuple[Pointer, ...]:
    """The pointers of all rules, the most severe first; within a severity checks, slices, then probe by probe."""
    by_place = [
        (summaries()[probe].order, summaries()[probe].point(whole, findings)) for probe, findings in analyses.items()
    ]
    by_place.append((COVERAGE_ORDER, (*_truncation(coverage), *_failures(coverage))))
    pointers = [*_checks(whole.checks), *_slices(slices)]
    pointers += [pointer for _, of_one in sorted(by_place, key=lambda pair: pair[0]) for pointer in of_one]
    return tuple(sorted(pointers, key=lambda pointer: _ORDER[pointer.severity]))


def section_of(name: str) -> str:
    """The section that has the evidence for a number."""
    if name.endswith("}"):
        return _SLICES
    if FAILED_SHARE.is_of(name):
        return _PROVENANCE
    summary = owner_of(name)
    return summary.section_id if summary else ""


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
        inside, rest = _accuracy(row), _rest(row, rows)
        if inside and rest and row.is_apart(inside) and (inside.value or 0.0) < (rest.value or 0.0):
            text = say(
                "Accuracy is lower where {column} is {value}: {inside}, elsewhere {outside}",
                column=row.column,
                value=row.value,
                inside=measured(inside),
                outside=measured(rest),
            )
            yield _pointer("watch", text, _SLICES)


def _accuracy(row: SliceRow) -> Number | None:
    name = of_slice(ACCURACY.name, row.column, row.value)
    return next((n for n in row.numbers if n.name == name and n.value is not None), None)


def _rest(row: SliceRow, rows: Sequence[SliceRow]) -> Number | None:
    """Accuracy over the other values of the row's column."""
    others = [_accuracy(other) for other in rows if other.column == row.column and other.value != row.value]
    known = [other for other in others if other is not None]
    total = wilson(sum(round((other.value or 0.0) * other.n) for other in known), sum(other.n for other in known))
    values = {"value": total.value, "low": total.low, "high": total.high, "n": total.n}
    return known[0].model_copy(update=values) if total.value is not None else None


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
        yield _pointer(severity, text, _section_of_probe(worst.probe))


def _section_of_probe(probe: str) -> str:
    summary = summary_of(probe)
    return summary.section_id if summary else ""


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
            yield _pointer("watch", text, _PROVENANCE)


def _pointer(severity: Severity, text: str, section: str) -> Pointer:
    return Pointer(severity=severity, text=text, section=section)
