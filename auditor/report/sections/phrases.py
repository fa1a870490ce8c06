"""Phrases of two words that do more together than their words do alone, or how many were looked at and none did."""

from collections.abc import Sequence

from auditor.findings.analyses.phrases import LEAST_DOCUMENTS, Phrase, Phrases
from auditor.languages import plural, say
from auditor.languages.numbers import paragraph
from auditor.report.contract import Column, Table
from auditor.report.drawing import formats, marks

_AXIS = 110


def table(labels: Sequence[Phrases], unit: str) -> Table | str:
    """The phrases of all labels; a sentence where there are none, empty where nothing was looked at."""
    if not any(phrases.n_phrases for phrases in labels):
        return ""
    if not any(phrases.phrases for phrases in labels):
        return _none(labels)
    ends = [end for of in labels for one in of.phrases for end in (one.together.low, one.together.high)]
    axis = marks.shared_axis([end for end in ends if end is not None], zero=True, width=_AXIS, unit=unit)
    columns = (
        Column(say("Phrase"), "corpus", 18),
        Column(say("toward"), "corpus", 12),
        Column(say("Texts"), "number", 8),
        Column("", "mark", 20, marks.axis_labels(axis)),
        Column(say("Together"), "number", 10),
        Column(say("First alone"), "number", 10),
        Column(say("Second alone"), "number", 12),
        Column(say("Same sign"), "number", 10),
    )
    rows = tuple(_row(of.label, phrase, axis) for of in labels for phrase in of.phrases)
    return Table(_caption(labels), columns, rows)


def _row(label: str, phrase: Phrase, axis: marks.Axis) -> tuple[str, ...]:
    tone = "supports" if (phrase.together.value or 0.0) > 0 else "opposes"
    unit = phrase.together.unit
    return (
        formats.middle(phrase.text, 40),
        formats.middle(label, 40),
        formats.count(phrase.n_documents),
        marks.number_mark(axis, phrase.together, tone, height=15),
        formats.value(phrase.together),
        formats.quantity(phrase.first_alone, unit, suffix=False),
        formats.quantity(phrase.second_alone, unit, suffix=False),
        formats.percent(phrase.same_sign),
    )


def _looked_at(labels: Sequence[Phrases]) -> str:
    n = sum(phrases.n_phrases for phrases in labels)
    return plural(
        n,
        "{n} phrase of two words looked at, found in {least} or more of {documents}.",
        "{n} phrases of two words looked at, each found in {least} or more of {documents}.",
        least=LEAST_DOCUMENTS,
        documents=plural(sum(phrases.n_documents for phrases in labels), "{n} document", "{n} documents"),
    )


def _none(labels: Sequence[Phrases]) -> str:
    none = say("None does more together than its words do alone, as far as these documents tell.")
    return paragraph([_looked_at(labels), none])


def _caption(labels: Sequence[Phrases]) -> str:
    reading = say(
        "Phrases that do more together than their words: beyond what either does without the other, and beyond the "
        "sum. The tick is the mean of both together, the line its 95% interval."
    )
    return paragraph([reading, _looked_at(labels)])
