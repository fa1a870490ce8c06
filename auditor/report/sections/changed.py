"""What changed since the baseline: a digest of comparison.html, of no more than about two pages."""

from collections.abc import Iterator
from itertools import islice

from auditor.findings.comparing import Since
from auditor.findings.judgement.pointers import CHANGED
from auditor.languages import say
from auditor.languages.numbers import paragraph
from auditor.report.contract import Section, Table
from auditor.report.drawing import formats
from auditor.report.sections import changed_answers, changed_explanations, comparison
from auditor.report.sections.both_nights import Card, both

_ROWS = 5
"""Answers, and documents, that are named on paper."""
_OTHERS = 12
_CARDS = 2
"""Of changed answers, and of explanations that drifted."""


def compose(since: Since) -> Section:
    """The section."""
    made = since.comparison
    heading = say("Changed answers and explanations, as each run explains them")
    legend = say("Blue words support the answer of that run, orange words oppose it; both sides have the same shades.")
    return Section(
        id=CHANGED,
        title=say("What changed since the baseline"),
        question=say(comparison.QUESTION),
        answer=_answer(since),
        method=comparison.method(made),
        limits=paragraph(_limits(since)),
        template="sections/changes.html.j2",
        content={
            "tables": [(table, "compact") for table in _tables(since)],
            "heading": heading,
            "legend": legend,
            "cards": list(_cards(since)),
        },
    )


def _answer(since: Since) -> str:
    made = since.comparison
    values = {"run": formats.middle(made.before.run_id, 40), "day": formats.day(made.before.created)}
    first = say("{sentence}.", sentence=made.headline)
    flips = [changed_answers.answer(made.flips)] if made.flips else []
    drift = [changed_explanations.answer(made.drifts[0])] if made.drifts else []
    return paragraph([say("The baseline is run {run} of {day}.", **values), first, *flips, *drift])


def _limits(since: Since) -> Iterator[str]:
    yield say(comparison.LIMITS)
    if since.before is None:
        yield say("The run of the baseline was removed since, or cannot be read: these differences were recorded.")
    else:
        yield say("This is a digest: comparison.html beside this report has the rest, comparison.json every figure.")


def _tables(since: Since) -> Iterator[Table]:
    made = since.comparison
    if made.circumstances:
        yield comparison.circumstances(made, _OTHERS)
    judged, *others = comparison.numbers_tables(made)
    yield judged
    yield from (comparison.shortened(table, _OTHERS) for table in others)
    if made.flips and made.flips.documents:
        yield changed_answers.table(made.flips, both(since.before or since.after, since.after), _ROWS)
    if made.drifts:
        yield changed_explanations.table(made.drifts)
    documents = made.documents
    if documents.added or documents.removed or documents.changed:
        yield comparison.documents_table(made)


def _cards(since: Since) -> Iterator[Card]:
    """Of the earlier run too, so none where that is gone."""
    made = since.comparison
    if since.before is None:
        return
    known = both(since.before, since.after)
    if made.flips:
        yield from islice(changed_answers.cards(made.flips, known), _CARDS)
    drifted = next((drift for drift in made.drifts if drift.documents), None)
    if drifted:
        yield from islice(changed_explanations.cards(drifted, known), _CARDS)
