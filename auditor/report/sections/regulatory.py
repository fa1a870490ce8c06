"""What do laws and standards ask to be documented, and where is it? With the statements that only a person can make.

The frameworks are data (`auditor.report.regulations`). Here it is decided, from what the run really has, what became
of each item:

answered    everything it asks for is in this report
partly      some of it is; the rest is named
stated      it asks for a person's words, and they were given
missing     nothing of it is here, and it could be: what to write or to measure is named
outside     no report of this kind can answer it

A statement is printed as it was written, or said to be missing; nothing is made up in its place.
"""

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

from auditor.findings.types import Findings
from auditor.languages import N_, plural, say
from auditor.languages.numbers import paragraph, separator
from auditor.report.drawing import formats
from auditor.report.regulations import FRAMEWORKS, STATEMENTS, Framework, Item
from auditor.report.regulations.contract import Evidence
from auditor.report.sections.contract import Section, Sources

Status = Literal["answered", "partly", "stated", "missing", "outside"]

_PAGE_ONE = "main"
"""Id of what begins on page one."""
_WORDS: dict[Status, tuple[str, str]] = {
    "answered": ("●", N_("answered")),
    "partly": ("◐", N_("partly")),
    "stated": ("◆", N_("stated")),
    "missing": ("○", N_("missing")),
    "outside": ("–", N_("outside")),
}
"""Status → its sign and its word."""


@dataclass(frozen=True, slots=True)
class Link:
    """A place in this report."""

    target: str
    title: str


@dataclass(frozen=True, slots=True)
class Line:
    """What became of one item."""

    reference: str
    asks: str
    status: Status
    sign: str
    word: str
    links: tuple[Link, ...]
    open: str
    """What is missing; empty where nothing is."""


@dataclass(frozen=True, slots=True)
class Map:
    """What became of one framework."""

    title: str
    source: str
    counts: str
    lines: tuple[Line, ...]
    width: int
    """Of the column of references, per cent."""


@dataclass(frozen=True, slots=True)
class Statement:
    """What a person wrote, or was to write."""

    key: str
    title: str
    paragraphs: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class _Proof:
    """Where evidence of one kind would be, and what to do where there is none."""

    section: str
    is_there: Callable[[Findings], bool]
    remedy: str


def compose(sources: Sources, others: Sequence[Section]) -> Section:
    """The regulatory map; its links lead to `others`, to page one and to provenance."""
    findings = sources.findings
    titles = {section.id: section.title for section in others}
    places = {**titles, _PAGE_ONE: say("Page one"), "provenance": say("Provenance")}
    maps = tuple(_map(framework, findings, places) for framework in FRAMEWORKS)
    return Section(
        id="regulatory",
        title=say("Regulatory map"),
        question=say("What do laws and standards ask to be documented, and where is it?"),
        answer=_answer(maps),
        method=say(
            "A table in the program says which section of such a report is about which item; whether this run has that "
            "section decides. Items are given in the program’s own short words: the texts themselves bind."
        ),
        limits=say("This map is an aid, not a legal assessment. An item that is answered here may ask for more."),
        template="sections/regulatory.html.j2",
        content={
            "statements": _statements(findings.presentation.statements),
            "maps": maps,
            "separator": separator(),
            "legend": [(sign, say(word), _meaning(status)) for status, (sign, word) in _WORDS.items()],
        },
    )


def _meaning(status: Status) -> str:
    return {
        "answered": say("what the item asks for is in this report"),
        "partly": say("some of it is"),
        "stated": say("in the words of the people responsible"),
        "missing": say("it could be here"),
        "outside": say("no report of this kind can answer it"),
    }[status]


def _answer(maps: Sequence[Map]) -> str:
    lines = [line for one in maps for line in one.lines]
    found = Counter(line.status for line in lines)
    return paragraph(
        [
            say(
                "Of {items} in {frameworks}, this report answers {answered}, and {partly} in part; {stated} by "
                "statement; {missing} could be answered and {outside} lie outside it.",
                items=plural(len(lines), "{n} item", "{n} items"),
                frameworks=plural(len(maps), "{n} framework", "{n} frameworks"),
                answered=formats.count(found["answered"]),
                partly=formats.count(found["partly"]),
                stated=formats.count(found["stated"]),
                missing=formats.count(found["missing"]),
                outside=formats.count(found["outside"]),
            ),
            say("This map is an aid, not a legal assessment."),
        ]
    )


def _statements(written: Mapping[str, str]) -> list[Statement]:
    return [Statement(key, say(title), _paragraphs(written.get(key, ""))) for key, title in STATEMENTS.items()]


def _paragraphs(text: str) -> tuple[str, ...]:
    return tuple(" ".join(part.split()) for part in text.split("\n\n") if part.strip())


def _map(framework: Framework, findings: Findings, places: Mapping[str, str]) -> Map:
    lines = tuple(_line(item, findings, places) for item in framework.items)
    found = Counter(line.status for line in lines)
    counts = [
        say("{count} {status}", count=formats.count(found[status]), status=say(word))
        for status, (_, word) in _WORDS.items()
        if found[status]
    ]
    return Map(say(framework.title), framework.source, formats.listed(counts), lines, _reference_width(lines))


def _reference_width(lines: Sequence[Line]) -> int:
    longest = max(len(line.reference) for line in lines)
    return 8 if longest <= 8 else 12 if longest <= 16 else 18


def _line(item: Item, findings: Findings, places: Mapping[str, str]) -> Line:
    proven = [kind for kind in item.evidence if _is_proven(kind, findings, places)]
    unproven = [kind for kind in item.evidence if kind not in proven]
    written = [key for key in item.statements if findings.presentation.statements.get(key)]
    unwritten = [key for key in item.statements if key not in written]
    targets = dict.fromkeys([*(_PROOFS[kind].section for kind in proven), *(f"statement-{key}" for key in written)])
    missing = [*dict.fromkeys(say(_PROOFS[kind].remedy) for kind in unproven)]
    if unwritten:
        missing.append(say("the statement {keys}", keys=formats.listed(unwritten)))
    if item.lacks:
        missing.append(say(item.lacks))
    status = _status(item, bool(proven), bool(written), bool(missing))
    sign, word = _WORDS[status]
    return Line(
        reference=item.reference,
        asks=say(item.asks),
        status=status,
        sign=sign,
        word=say(word),
        links=tuple(Link(target, _title(target, places)) for target in targets),
        open=say("; ").join(missing),
    )


def _status(item: Item, is_proven: bool, is_written: bool, is_open: bool) -> Status:
    if not item.evidence and not item.statements:
        return "outside"
    if not is_proven and not is_written:
        return "missing"
    if is_open:
        return "partly"
    return "answered" if is_proven else "stated"


def _title(target: str, places: Mapping[str, str]) -> str:
    return places[target] if target in places else say("Statement: {key}", key=target.removeprefix("statement-"))


def _is_proven(kind: Evidence, findings: Findings, places: Mapping[str, str]) -> bool:
    proof = _PROOFS[kind]
    return proof.section in places and proof.is_there(findings)


def _has_number(*names: str) -> Callable[[Findings], bool]:
    return lambda findings: any(number.name in names and number.is_measured for number in findings.numbers)


_PROOFS: dict[Evidence, _Proof] = {
    "accuracy": _Proof(
        "predictions", _has_number("accuracy", "exact_match"), N_("accuracy: needs a corpus with reference labels")
    ),
    "answers": _Proof(
        "predictions", lambda f: f.predictions is not None, N_("predictions: needs the probe prediction")
    ),
    "calibration": _Proof(
        "predictions", _has_number("calibration_error"), N_("calibration: needs a corpus with reference labels")
    ),
    "checks": _Proof(_PAGE_ONE, lambda f: bool(f.checks), N_("bounds: needs entries under [checks]")),
    "documents": _Proof("documents", lambda f: bool(f.documents), N_("the list of documents")),
    "explanations": _Proof("lime", lambda f: f.explanations is not None, N_("explanations: needs the probe lime")),
    "methods": _Proof("methods", lambda _: True, N_("the section on methods")),
    "provenance": _Proof("provenance", lambda _: True, N_("the section on provenance")),
    "reviewers": _Proof(
        _PAGE_ONE, lambda f: bool(f.presentation.reviewers), N_("reviewers: needs names under [report]")
    ),
    "slices": _Proof("slices", lambda f: bool(f.slices), N_("slices: needs columns of the corpus to slice by")),
    "verdict": _Proof(
        _PAGE_ONE, lambda f: f.verdict.result != "not established", N_("a verdict: needs checks that can be judged")
    ),
}
"""Evidence of each kind. An id that is not in the report is no evidence, whatever the run has."""
