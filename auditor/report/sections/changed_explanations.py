"""Which documents are answered as before, for other reasons."""

from collections.abc import Iterator, Sequence

from auditor.findings.comparing.nights import Night
from auditor.findings.comparing.types import Drift, ExplanationDrift
from auditor.findings.wording.sentences import probe as title_of
from auditor.languages import plural, say
from auditor.languages.numbers import shortest
from auditor.report.contract import Column, Section, Table
from auditor.report.drawing import formats
from auditor.report.sections.both_nights import Both, Card, both

CARDS = 4
_MOST_WORDS = 3
_DIGITS = 2


def compose(drifts: Sequence[ExplanationDrift], before: Night, after: Night) -> Section:
    """The section; its cards are those of the first method with a document that drifted."""
    known, first = both(before, after), drifts[0]
    shown = next((drift for drift in drifts if drift.documents), first)
    return Section(
        id="explanations",
        title=say("Explanations"),
        question=say("Is the same answer given for other reasons?"),
        answer=answer(first),
        method=say(
            "Weights of the same words toward the same answer are held against the standard errors of both runs, "
            "corrected for how many words a document has (p < 0.001), and must differ by at least {floor} and a "
            "quarter of the largest weight. Ranks are not compared.",
            floor=shortest(first.floor),
        ),
        limits=say(
            "Methods that sample nothing have no standard errors; of them only the size of a change is judged. "
            "Documents whose answer changed are not counted here."
        ),
        template="sections/changes.html.j2",
        content={
            "tables": [(table(drifts), "compact")],
            "heading": say("Same answer, other reasons: {method}", method=title_of(shown.probe)),
            "legend": say(
                "Blue words support the answer, orange words oppose it; both sides have the same shades. The largest "
                "change first."
            ),
            "cards": list(cards(shown, known)),
        },
    )


def answer(drift: ExplanationDrift) -> str:
    """How many explanations drifted."""
    n = round((drift.share.value or 0.0) * drift.n_compared)
    return plural(
        drift.n_compared,
        "{method}: {drifted} of {n} document with the same answer is explained by other words.",
        "{method}: {drifted} of {n} documents with the same answer are explained by other words.",
        method=title_of(drift.probe),
        drifted=formats.count(n),
    )


def table(drifts: Sequence[ExplanationDrift]) -> Table:
    """The share of every method."""
    columns = (
        Column(say("Method"), width=22),
        Column(say("Compared"), "number", 12),
        Column(say("Other answer"), "number", 14),
        Column(say("Changed"), "number", 18),
        Column(say("95% interval"), "number", 16),
        Column(say("By chance, at most"), "number"),
    )
    rows = tuple(
        (
            title_of(drift.probe),
            formats.count(drift.n_compared),
            formats.count(drift.n_other_answer),
            formats.value(drift.share),
            formats.interval(drift.share),
            formats.decimal(drift.by_chance, 2),
        )
        for drift in drifts
    )
    return Table(say("Share of documents with the same answer whose explanation changed."), columns, rows)


def cards(drift: ExplanationDrift, known: Both) -> Iterator[Card]:
    """The documents that drifted most, side by side."""
    for one in drift.documents[:CARDS]:
        explanations = known.explained(one.document_id, drift.probe)
        if explanations is not None:
            sides = known.sides(one.document_id, explanations, (say("Before"), say("After")))
            yield Card(formats.middle(one.document_id, 48), formats.excerpt(one.label, 60), sides, _words(one))


def _words(drift: Drift) -> str:
    words = [
        say(
            "{word}: {before} → {after}",
            word=formats.excerpt(word.text, 30),
            before=formats.decimal(word.before, _DIGITS, sign=True),
            after=formats.decimal(word.after, _DIGITS, sign=True),
        )
        for word in drift.words[:_MOST_WORDS]
    ]
    return say("; ").join(words)
