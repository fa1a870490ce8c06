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
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

from auditor.findings.contract.types import Findings
from auditor.languages import N_, plural, say
from auditor.languages.numbers import paragraph, separator
from auditor.report.chapters import chapter_of, section_id
from auditor.report.contract import Section, Sources
from auditor.report.drawing import formats
from auditor.report.regulations import FRAMEWORKS, STATEMENTS, Framework, Item
from auditor.report.regulations.contract import Evidence

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
    statements: tuple[str, ...]
    """Keys of those that are given."""
    open: str
    """What is missing; empty where nothing is."""

    @property
    def on_paper(self) -> bool:
        """Whether nothing is open; what is in part is only listed, for what is open of it is on the screen."""
        return self.status in ("answered", "stated")


@dataclass(frozen=True, slots=True)
class Map:
    """What became of one framework."""

    title: str
    source: str
    counts: str
    lines: tuple[Line, ...]
    width: int
    """Of the column of references, per cent."""

    @property
    def on_paper(self) -> bool:
        """Whether this report answers any of the items."""
        return any(line.on_paper for line in self.lines)

    @property
    def in_part(self) -> list[str]:
        """References of the items that are answered in part."""
        return [line.reference for line in self.lines if line.status == "partly"]


@dataclass(frozen=True, slots=True)
class Statement:
    """What a person wrote, or was to write."""

    key: str
    title: str
    paragraphs: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class _Proof:
    """Where evidence of one kind is, and what to do where there is none."""

    sections: Callable[[Findings], Iterable[str]]
    """Ids; empty where the run has no such evidence."""
    remedy: str


def compose(sources: Sources, others: Sequence[Section]) -> Section:
    """The regulatory map; its links lead to `others`, to page one and to provenance."""
    findings = sources.findings
    titles = {section.id: section.title for section in others}
    titles |= {_PAGE_ONE: say("Page one"), "provenance": say("Provenance")}
    maps = tuple(_map(framework, findings, titles) for framework in FRAMEWORKS)
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
            "unwritten": [key for key in STATEMENTS if not findings.presentation.statements.get(key)],
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
    counts = Counter(line.status for line in lines)
    return paragraph(
        [
            say(
                "Of {items} in {frameworks}, this report answers {answered}, and {partly} in part; {stated} by "
                "statement; {missing} could be answered and {outside} lie outside it.",
                items=plural(len(lines), "{n} item", "{n} items"),
                frameworks=plural(len(maps), "{n} framework", "{n} frameworks"),
                answered=formats.count(counts["answered"]),
                partly=formats.count(counts["partly"]),
                stated=formats.count(counts["stated"]),
                missing=formats.count(counts["missing"]),
                outside=formats.count(counts["outside"]),
            ),
            say("This map is an aid, not a legal assessment."),
        ]
    )


def _statements(written: Mapping[str, str]) -> list[Statement]:
    return [Statement(key, say(title), _paragraphs(written.get(key, ""))) for key, title in STATEMENTS.items()]


def _paragraphs(text: str) -> tuple[str, ...]:
    return tuple(" ".join(part.split()) for part in text.split("\n\n") if part.strip())


def _map(framework: Framework, findings: Findings, titles: Mapping[str, str]) -> Map:
    lines = tuple(_line(item, findings, titles) for item in framework.items)
    counts = Counter(line.status for line in lines)
    named = [
        say("{count} {status}", count=formats.count(counts[status]), status=say(word))
        for status, (_, word) in _WORDS.items()
        if counts[status]
    ]
    return Map(say(framework.title), framework.source, formats.listed(named), lines, _reference_width(lines))


def _reference_width(lines: Sequence[Line]) -> int:
    longest = max(len(line.reference) for line in lines)
    return 8 if longest <= 8 else 12 if longest <= 16 else 18


def _line(item: Item, findings: Findings, titles: Mapping[str, str]) -> Line:
    proven = {kind: _sections(kind, findings, titles) for kind in item.evidence}
    unproven = [kind for kind, sections in proven.items() if not sections]
    written = [key for key in item.statements if findings.presentation.statements.get(key)]
    unwritten = [key for key in item.statements if key not in written]
    shown = dict.fromkeys(section for sections in proven.values() for section in sections)
    missing = [*dict.fromkeys(say(_PROOFS[kind].remedy) for kind in unproven)]
    if unwritten:
        missing.append(say("the statement {keys}", keys=formats.listed(unwritten)))
    if item.lacks:
        missing.append(say(item.lacks))
    status = _status(item, bool(shown), bool(written), bool(missing))
    sign, word = _WORDS[status]
    return Line(
        reference=item.reference,
        asks=say(item.asks),
        status=status,
        sign=sign,
        word=say(word),
        links=tuple(Link(section, titles[section]) for section in shown),
        statements=tuple(written),
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


def _sections(kind: Evidence, findings: Findings, titles: Mapping[str, str]) -> list[str]:
    """Sections of the report that have evidence of a kind: an id that is not printed is no evidence."""
    return [section for section in _PROOFS[kind].sections(findings) if section in titles]


def _of_chapters(kind: Evidence) -> Callable[[Findings], Iterable[str]]:
    """The sections of the probes whose chapters show it."""

    def sections(findings: Findings) -> Iterator[str]:
        measured = {number.name for number in findings.numbers if number.is_measured}
        for probe in findings.analyses:
            chapter = chapter_of(probe)
            if chapter and kind in chapter.answers:
                names = chapter.answers[kind]
                if not names or not measured.isdisjoint(names):
                    yield section_id(probe)

    return sections


def _where(section: str, is_there: Callable[[Findings], bool]) -> Callable[[Findings], Iterable[str]]:
    return lambda findings: [section] if is_there(findings) else []


_PROOFS: dict[Evidence, _Proof] = {
    "accuracy": _Proof(_of_chapters("accuracy"), N_("accuracy: needs a corpus with reference labels")),
    "answers": _Proof(_of_chapters("answers"), N_("predictions: needs the probe prediction")),
    "calibration": _Proof(_of_chapters("calibration"), N_("calibration: needs a corpus with reference labels")),
    "checks": _Proof(_where(_PAGE_ONE, lambda f: bool(f.checks)), N_("bounds: needs entries under [checks]")),
    "documents": _Proof(_where("documents", lambda f: bool(f.documents)), N_("the list of documents")),
    "explanations": _Proof(_of_chapters("explanations"), N_("explanations: needs the probe lime")),
    "methods": _Proof(_where("methods", lambda _: True), N_("the section on methods")),
    "provenance": _Proof(_where("provenance", lambda _: True), N_("the section on provenance")),
    "reviewers": _Proof(
        _where(_PAGE_ONE, lambda f: bool(f.presentation.reviewers)), N_("reviewers: needs names under [report]")
    ),
    "slices": _Proof(_where("slices", lambda f: bool(f.slices)), N_("slices: needs columns of the corpus to slice by")),
    "verdict": _Proof(
        _where(_PAGE_ONE, lambda f: f.verdict.result != "not established"),
        N_("a verdict: needs checks that can be judged"),
    ),
}
