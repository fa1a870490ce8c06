"""Where else to look: facts, worst first, each found by a rule and linked to the section that shows it.

truncation   documents of which the model saw only the beginning; worth watching above a tenth
failures     documents that a probe could not measure
summaries    what each probe's summary points at (`Summary.point`)
"""

from collections.abc import Iterator, Mapping, Sequence
from typing import Literal

from auditor.findings.contract.finding import Finding
from auditor.findings.contract.numbers import is_of_slice, without_baseline
from auditor.findings.contract.registry import owner_of, summaries, summary_of
from auditor.findings.contract.summary import Whole
from auditor.findings.contract.types import Coverage, Pointer
from auditor.findings.judgement.coverage import FAILED_SHARE
from auditor.findings.wording.sentences import listing
from auditor.findings.wording.sentences import probe as title_of
from auditor.languages import plural
from auditor.languages.numbers import count

Severity = Literal["fail", "watch", "pass", "note"]

MANY_TRUNCATED = 0.1
COVERAGE_ORDER = 30
"""Place of what is said of the coverage among what the summaries say."""
_ORDER: dict[Severity, int] = {"fail": 0, "watch": 1, "note": 2, "pass": 3}
WAIVERS = "waivers"
CHANGED = "changed"
"""The section on what changed since the baseline."""
_SLICES, _PROVENANCE = "slices", "provenance"
"""The sections that show every part of the corpus, and every document that was not measured, and why."""


def point(coverage: Sequence[Coverage], analyses: Mapping[str, Finding], whole: Whole) -> tuple[Pointer, ...]:
    """The pointers of all rules, the most severe first; within a severity probe by probe."""
    by_section = [
        (summaries()[probe].order, summaries()[probe].point(whole, findings)) for probe, findings in analyses.items()
    ]
    by_section.append((COVERAGE_ORDER, (*_truncation(coverage), *_failures(coverage))))
    pointers = [pointer for _, of_one in sorted(by_section, key=lambda pair: pair[0]) for pointer in of_one]
    return tuple(sorted(pointers, key=lambda pointer: _ORDER[pointer.severity]))


def section_of(name: str) -> str:
    """The section that has the evidence for a number."""
    if without_baseline(name) != name:
        return CHANGED
    if is_of_slice(name):
        return _SLICES
    if FAILED_SHARE.is_of(name):
        return _PROVENANCE
    summary = owner_of(name)
    return summary.section_id if summary else ""


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
