"""Which few words hold the answer, whatever the others are? Rules, their precision and their coverage."""

from dataclasses import dataclass

from auditor.findings.analyses.anchors import HELD, SUMMARY, AnchorFindings
from auditor.languages import N_, plural, say
from auditor.languages.numbers import paragraph, separator
from auditor.records.explanations import Anchor
from auditor.records.types import Document
from auditor.report.contract import Chapter, Column, Method, Section, Sources, Table, numbers_table, with_interval
from auditor.report.drawing import formats, highlights, marks
from auditor.report.sections.attributions import COARSER
from auditor.report.sections.explanation_parameters import PARAMETERS, segments

_MARKED = "supports-3"
_MOST_WORDS = 90
_AXIS = marks.Axis(0.0, 1.0, (0.0, 0.5, 1.0), 80, "share")
_ENDS = {
    "length": N_("no rule of as few words holds the answer; this is the best of them"),
    "budget": N_("no rule was found within the variants that were allowed; this is the best of them"),
}


@dataclass(frozen=True, slots=True)
class Card:
    """The rule of one document."""

    anchor: str
    document_id: str
    label: str
    words: tuple[str, ...]
    """Of the rule."""
    passages: tuple[highlights.Passage, ...]
    facts: str
    made: str


def compose(sources: Sources) -> Section:
    """The section on anchors."""
    analysis = sources.analysis(SUMMARY.probe, AnchorFindings)
    named = sources.named(*(quantity.name for quantity in SUMMARY.quantities))
    cards = [_card(sources, *one) for one in _shown(sources, analysis)]
    return Section(
        id=SUMMARY.section_id,
        title=say("Anchors"),
        question=say("Which few words hold the answer, whatever the others are?"),
        answer=_answer(analysis),
        method=_method(analysis),
        limits=say(
            "A rule speaks of texts with words taken out, not of texts with other words. Of rules that hold the answer "
            "the shortest is told, which need not be the only one. Where the answer stays without any rule, a rule "
            "says little."
        ),
        template="sections/anchors.html.j2",
        content={
            "numbers": numbers_table(say("The numbers behind the answer."), named),
            "rules": _table(sources),
            "cards": cards,
            "left_out": analysis.n_documents - len(cards),
        },
    )


def _answer(analysis: AnchorFindings) -> str:
    held = plural(
        analysis.n_documents,
        "In a share of {share} of {n} document a few words hold the answer in {least} of the variants that keep them.",
        "In a share of {share} of {n} documents a few words hold the answer in {least} of the variants that keep them.",
        share=with_interval(analysis.held_share),
        least=formats.percent(HELD),
    )
    if analysis.length is None:
        return held
    return paragraph([held, say("The median anchor has {length} words.", length=with_interval(analysis.length))])


def _method(analysis: AnchorFindings) -> str:
    return paragraph(
        [
            say(
                "A rule is a set of segments that stay, while every other one stays or goes with even chances; its "
                "precision is how often the answer is then that to the whole text. Rules grow one segment at a time, "
                "the most precise of each length go on, and the shortest with enough precision is told ({texts} in "
                "all).",
                texts=plural(analysis.n_evaluations, "{n} text", "{n} texts"),
            ),
            say("Segments: {segments}.", segments=segments(analysis.segmenters)),
        ]
    )


def _table(sources: Sources) -> Table:
    """The rule of every document."""
    columns = (
        Column(say("Document"), "id", 14),
        Column(say("Rule"), "corpus", 22),
        Column(say("Label"), "corpus", 12),
        Column("", "mark", 0, marks.axis_labels(_AXIS)),
        Column(say("Precision of a rule"), "number", 10),
        Column(say("95% interval"), "number", 12),
        Column(say("Without a rule"), "number", 12),
        Column(say("Coverage of a rule"), "number", 10),
    )
    caption = say(
        "How often the answer stays while the words of the rule stay and any other may go; without a rule, while every "
        "word may go."
    )
    rows = tuple(map(_row, sources.evidence.measured(SUMMARY.probe, Anchor).values()))
    return Table(caption, columns, rows, kept_in="evidence")


def _row(anchor: Anchor) -> tuple[str, ...]:
    interval = formats.span(anchor.low, anchor.high, "share", 2) if anchor.n_samples else say("exact")
    title = f"{_share(anchor.precision)}, {interval}"
    mark = marks.interval(_AXIS, anchor.low, anchor.precision, anchor.high, title=title, height=14)
    return (
        formats.middle(anchor.document_id, 24),
        " + ".join(_words(anchor)) or say("no word"),
        formats.middle(anchor.label, 24),
        mark,
        _share(anchor.precision),
        interval,
        _share(anchor.base_precision),
        _share(anchor.coverage),
    )


def _words(anchor: Anchor) -> tuple[str, ...]:
    return tuple(formats.excerpt(anchor.segments[i].text, 40) for i in anchor.rule)


def _shown(sources: Sources, analysis: AnchorFindings) -> list[tuple[Document, Anchor]]:
    records = ((name, sources.evidence.record_of(SUMMARY.probe, name, Anchor)) for name in analysis.shown)
    return [(sources.documents[name], one) for name, one in records if one and name in sources.documents]


def _address(sources: Sources, document_id: str) -> str:
    return f"{SUMMARY.section_id}-{sources.position(document_id)}"


def _card(sources: Sources, document: Document, anchor: Anchor) -> Card:
    unit = highlights.unit_of_segmenter(anchor.segmenter)
    return Card(
        anchor=_address(sources, document.id),
        document_id=formats.middle(document.id, 48),
        label=formats.middle(anchor.label, 60),
        words=_words(anchor),
        passages=tuple(highlights.passages(document, _marks(anchor), unit, _MOST_WORDS)),
        facts=say("precision {value}", value=_share(anchor.precision)),
        made=_made(anchor),
    )


def _marks(anchor: Anchor) -> list[highlights.Mark]:
    """Every segment, those of the rule with a shade."""
    return [
        highlights.Mark(span.start, span.stop, span.field, _MARKED if i in anchor.rule else "", float(i in anchor.rule))
        for i, segment in enumerate(anchor.segments)
        for span in segment.spans
    ]


def _share(value: float) -> str:
    return formats.decimal(value, 2 if value >= 0.01 or not value else 4)


def _made(anchor: Anchor) -> str:
    variants = plural(anchor.n_evaluations, "{n} variant", "{n} variants")
    drawn = say("{variants}, no sampling error", variants=variants) if not anchor.n_samples else variants
    end = say(_ENDS[anchor.stopped]) if anchor.stopped in _ENDS else ""
    return separator().join(part for part in (drawn, end) if part)


def card(sources: Sources, document_id: str) -> tuple[str, str] | None:
    """Where a document is shown with its rule."""
    analysis = sources.findings.analysis(SUMMARY.probe, AnchorFindings)
    if analysis is None or document_id not in analysis.shown:
        return None
    return _address(sources, document_id), say("Anchor")


_LETTERS = N_(
    "*A* is a rule, *z* a variant of the text *x* in which every segment stays with probability ½; *f* is the label "
    "that the model gives. An interval is the 95% interval by the Kullback–Leibler divergence, from draws that the "
    "search had not seen (Ribeiro, Singh & Guestrin 2018; KL-LUCB, Kaufmann & Kalyanakrishnan 2013)."
)

CHAPTER = Chapter(
    probe=SUMMARY.probe,
    title=N_("Anchors"),
    compose=compose,
    methods=(Method(N_("Anchors"), _LETTERS, "sections/formulas/anchors.html.j2"),),
    parameters={
        "bow": PARAMETERS["bow"],
        "precision": N_("how often the answer shall stay under a rule"),
        "delta": N_("chance of taking a rule for an anchor wrongly, at one length of rules"),
        "tolerance": N_("how far below the precision the lower bound of an anchor may lie"),
        "beam": N_("rules of one length that go on"),
        "max_length": N_("the most segments of a rule"),
        "max_samples": N_("the most variants of one document in search of a rule"),
        "max_segments": COARSER,
    },
    answers={"explanations": ()},
    card=card,
)
