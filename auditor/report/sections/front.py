"""Page one: the answer for a person who must sign."""

import unicodedata
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from auditor import tasks
from auditor.findings.contract.numbers import as_nats
from auditor.findings.contract.presentation import Reviewer
from auditor.findings.contract.types import Check, Coverage, Findings, Number, Pointer, Result
from auditor.findings.judgement.waivers import applied
from auditor.findings.wording.sentences import titled
from auditor.languages import N_, plural, say, translated
from auditor.report.contract import Column, Section, Table
from auditor.report.drawing import formats, marks
from auditor.report.sections import coverage

MOST_POINTERS = 4
MOST_NOTES = 3
"""One less for every probe below which the coverage says what was not measurable, for the page is full; never none."""
_LINE, _WIDE = 26, 2.3
"""Latin letters in the title of a key number, and how many of them a Chinese one is wide."""
_TONES = {"pass": "pass", "pass with conditions": "watch", "fail": "fail", "not established": "not judged"}
_VERDICTS = {
    "pass": N_("Pass"),
    "pass with conditions": N_("Pass with conditions"),
    "fail": N_("Fail"),
    "not established": N_("Not established"),
}
_ANYBODY = Reviewer(name="")


@dataclass(frozen=True, slots=True)
class KeyNumber:
    """One of the large numbers."""

    title: str
    value: str
    interval: str
    n: str
    result: Result | None
    """Of the check that is about it."""


@dataclass(frozen=True, slots=True)
class Look:
    """One line of the conclusion or of "where to look"."""

    topic: str
    """Empty of "where to look"."""
    sign: str
    text: str
    section: str
    """Anchor; empty where the report has no such section."""
    title: str


@dataclass(frozen=True, slots=True)
class Front:
    """What page one says."""

    verdict: str
    tone: str
    """`pass`, `watch`, `fail` or `not judged`, for colour and sign."""
    facts: tuple[str, ...]
    """Task, model, documents, run and date, under the title."""
    key_numbers: tuple[KeyNumber, ...]
    is_tall: bool
    """Whether a title among them takes two lines."""
    conclusion: tuple[Look, ...]
    pointers: tuple[Look, ...]
    more_pointers: int
    checks: Table | None
    coverage: Table
    notes: tuple[str, ...]
    more_notes: int
    reviewers: tuple[Reviewer, ...]
    """One without a name where nobody was named."""


def compose(findings: Findings, sections: Sequence[Section]) -> Front:
    """Page one, with links into the sections that follow."""
    looks = _Looks({section.id: section.title for section in sections})
    key_numbers = tuple(_key_number(findings, number) for number in findings.key_numbers)
    n_notes = max(1, MOST_NOTES - sum(row.not_measurable > 0 for row in findings.coverage))
    return Front(
        verdict=say(_VERDICTS[findings.verdict.result]),
        tone=_TONES[findings.verdict.result],
        facts=_facts(findings),
        key_numbers=key_numbers,
        is_tall=any(_width(key.title) > _LINE for key in key_numbers),
        conclusion=looks.of(findings.conclusion),
        pointers=looks.of(findings.pointers[:MOST_POINTERS]),
        more_pointers=max(0, len(findings.pointers) - MOST_POINTERS),
        checks=_check_table(findings) if findings.checks else None,
        coverage=_coverage_table(findings.coverage),
        notes=findings.notes[:n_notes],
        more_notes=max(0, len(findings.notes) - n_notes),
        reviewers=findings.presentation.reviewers or (_ANYBODY,),
    )


@dataclass(frozen=True, slots=True)
class _Looks:
    titles: Mapping[str, str]
    """Id → title of the sections that the report has."""

    def of(self, pointers: Sequence[Pointer]) -> tuple[Look, ...]:
        """Pointers with links into these sections."""
        return tuple(
            Look(
                p.topic,
                p.severity,
                p.text,
                p.section if p.section in self.titles else "",
                self.titles.get(p.section, ""),
            )
            for p in pointers
        )


def _facts(findings: Findings) -> tuple[str, ...]:
    model = (formats.middle(findings.model["Name"], 60),) if "Name" in findings.model else ()
    return (
        translated(tasks.described(findings.task).title),
        *model,
        plural(findings.n_documents, "{n} document", "{n} documents"),
        say("run {run}", run=formats.middle(findings.run_id, 40)),
        formats.day(findings.created),
    )


def _key_number(findings: Findings, number: Number) -> KeyNumber:
    check = next((check for check in findings.checks if check.name == number.name), None)
    digits = formats.check_digits(check) if check else None
    return KeyNumber(
        title=titled(number.name, number.title, findings.references),
        value=formats.short(number, digits),
        interval=_interval(number, digits),
        n=formats.count(number.n),
        result=check.result if check else None,
    )


def _interval(number: Number, digits: int | None) -> str:
    """The interval; of a perplexity beyond 1e300 without one its nats, and nothing where there is neither."""
    if number.compared.low is not None:
        return formats.interval(number, digits)
    return formats.value(as_nats(number)) if number.is_beyond else ""


def _width(title: str) -> float:
    """Room that a title takes, in Latin letters."""
    return sum(_WIDE if unicodedata.east_asian_width(character) in "WF" else 1 for character in title)


def _check_table(findings: Findings) -> Table:
    columns = (
        Column(say("Check"), width=26),
        Column(say("Value"), "number", 9),
        Column(say("95% interval"), "number", 14),
        Column(say("Interval and bound"), "mark"),
        Column(say("Bound"), "number", 8),
        Column("n", "number", 6),
        Column(say("Result"), "result", 12),
    )
    caption = say(
        "Line: 95% interval; tick: value; dotted: the bound set before the run; shaded: the failing side. Each row has "
        "its own scale."
    )
    rows = tuple(_check_row(findings, check) for check in findings.checks)
    return Table(caption, columns, rows, paper_rows=len(rows))


def _check_row(findings: Findings, check: Check) -> tuple[str, ...]:
    number, digits = check.number, formats.check_digits(check)
    title = titled(check.name, check.title, findings.references)
    title = title if check.required else say("{check} (advisory)", check=title)
    if number is None:
        return title, formats.NOTHING, formats.NOTHING, "", formats.bound(check), "0", check.result
    is_waived = check.result == "fail" and check.id in applied(findings.waivers)
    return (
        title,
        formats.short(number, digits),
        _interval(number, digits) or formats.NOTHING,
        marks.judged(check),
        formats.bound(check),
        formats.count(number.n),
        "waived" if is_waived else check.result,
    )


def _coverage_table(rows: Sequence[Coverage]) -> Table:
    corpus = max((row.corpus for row in rows), default=0)
    return coverage.summary(rows, plural(corpus, "Of {n} document in the corpus.", "Of {n} documents in the corpus."))
