"""Which documents are answered otherwise than before."""

from collections.abc import Iterator

from auditor.findings.comparing.nights import Night
from auditor.findings.comparing.types import Flip, Flips
from auditor.findings.comparing.types import Side as Answered
from auditor.languages import N_, plural, say
from auditor.languages.numbers import listed
from auditor.report.contract import Column, Section, Table
from auditor.report.drawing import formats
from auditor.report.sections.both_nights import Both, Card, both

EFFECTS = {"broken": N_("right before"), "mended": N_("right now"), "other": N_("neither right")}
CARDS = 4
_PAPER_ROWS = 20
_EXCERPT = 80


def compose(flips: Flips, before: Night, after: Night) -> Section:
    """The section."""
    known = both(before, after)
    return Section(
        id="answers",
        title=say("Answers"),
        question=say("Which answers changed?"),
        answer=answer(flips),
        method=say(
            "An answer is the label, the set of labels or the continuation. Documents that were right before stand "
            "first, by the probability of the new answer."
        ),
        limits=say("Answers close to a decision boundary may change for little reason; see the probabilities."),
        template="sections/changes.html.j2",
        content={
            "tables": [(table(flips, known), "compact")] if flips.documents else [],
            "heading": say("Changed answers, as each run explains them"),
            "legend": say(
                "Blue words support the answer of that run, orange words oppose it; both sides have the same shades."
            ),
            "cards": list(cards(flips, known))[:CARDS],
        },
    )


def answer(flips: Flips) -> str:
    """How many answers changed, and whether for the better."""
    return plural(
        flips.n_flipped,
        "{n} of {all} answers changed: {broken} was right before and {mended} is right now.",
        "{n} of {all} answers changed: {broken} were right before and {mended} are right now.",
        all=formats.count(flips.n_compared),
        broken=formats.count(flips.n_broken),
        mended=formats.count(flips.n_mended),
    )


def table(flips: Flips, known: Both, most: int = _PAPER_ROWS) -> Table:
    """The documents that are answered otherwise; so many of them on paper."""
    columns = (
        Column(say("Document"), "id", 14),
        Column(say("Text"), "corpus"),
        Column(say("Reference"), "corpus", 12),
        Column(say("Before"), "corpus", 14),
        Column(say("After"), "corpus", 14),
        Column(say("Effect"), width=12),
    )
    caption = plural(
        flips.n_flipped,
        "{shown} of {n} document whose answer changed.",
        "{shown} of {n} documents whose answer changed.",
        shown=formats.count(len(flips.documents)),
    )
    rows = tuple(_row(flip, known) for flip in flips.documents)
    return Table(caption, columns, rows, paper_rows=most, kept_in="comparison")


def _row(flip: Flip, known: Both) -> tuple[str, ...]:
    return (
        formats.middle(flip.document_id, 40),
        formats.excerpt(known.documents[flip.document_id].text, _EXCERPT),
        _labels(flip.reference),
        _answered(flip.before),
        _answered(flip.after),
        say(EFFECTS[flip.effect]),
    )


def cards(flips: Flips, known: Both) -> Iterator[Card]:
    """Those that both runs explain, side by side."""
    for flip in flips.documents:
        explanations = known.explained(flip.document_id)
        if explanations is not None:
            titles = (
                say("Before: {answer}", answer=_answered(flip.before)),
                say("After: {answer}", answer=_answered(flip.after)),
            )
            sides = known.sides(flip.document_id, explanations, titles)
            yield Card(formats.middle(flip.document_id, 48), say(EFFECTS[flip.effect]), sides)


def _answered(side: Answered) -> str:
    answer = _labels(side.answer)
    if side.probability is None:
        return answer
    return say("{label} {p}", label=answer, p=formats.decimal(side.probability, 2))


def _labels(labels: tuple[str, ...]) -> str:
    return listed([formats.excerpt(label, 40) for label in labels])
