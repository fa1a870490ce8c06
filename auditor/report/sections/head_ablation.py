"""Which heads does the answer depend on? What is lost when each attention head is switched off by itself."""

from collections.abc import Sequence

from auditor.findings.analyses.head_ablation import AGREEMENT, SHARE, SUMMARY, Head, HeadAblationFindings, how_many
from auditor.findings.contract.numbers import of_label
from auditor.findings.wording import sentences
from auditor.languages import N_, plural, say
from auditor.languages.numbers import paragraph, shortest
from auditor.records.heads import COMPARED
from auditor.report.contract import Chapter, Column, Method, Section, Sources, Table, numbers_table, with_interval
from auditor.report.drawing import formats, marks
from auditor.report.sections.explanations import unit_of
from auditor.report.sections.head_grid import Grid
from auditor.report.sections.mapped_heads import head_name

MOST_HEADS = 12
"""Rows of the table."""
_WIDTH = 660


def compose(sources: Sources) -> Section:
    """The section on heads that are switched off."""
    analysis = sources.analysis(SUMMARY.probe, HeadAblationFindings)
    names = (SHARE.name, *(of_label(AGREEMENT.name, name) for name in COMPARED))
    return Section(
        id=SUMMARY.section_id,
        title=say("Heads that matter"),
        question=say("Which attention heads does the answer depend on?"),
        answer=paragraph(
            [say("{how_many}.", how_many=how_many(analysis)), *_strongest(analysis), *_agreement(sources)]
        ),
        method=_method(analysis),
        limits=say(
            "One head at a time: of two heads that do the same, neither seems to matter, so that heads without effect "
            "are not shown to be idle. A head is silenced by zeros, which the model has never met; the effect is that "
            "of its whole output in these documents, not of any one token it looks at."
        ),
        template="sections/head_ablation.html.j2",
        content={
            "grid": _grid(analysis),
            "table": _table(analysis),
            "numbers": numbers_table(say("The numbers behind the answer."), sources.named(*names)),
        },
    )


def _strongest(analysis: HeadAblationFindings) -> list[str]:
    """What the answers lose without the head that matters most."""
    if not analysis.mattering:
        return []
    head = analysis.mattering[0]
    return [
        say(
            "Of these {head} changes most: without it the answer loses {effect} in {unit} on average.",
            head=head_name(head.layer, head.head),
            effect=_effect_with_interval(head),
            unit=unit_of(analysis.unit),
        )
    ]


def _agreement(sources: Sources) -> list[str]:
    """Whether what receives attention is what the answer depends on, by the first explainer that says so."""
    measured = [(name, n) for name in COMPARED if (n := sources.numbers.get(of_label(AGREEMENT.name, name)))]
    return [
        say(
            "The attention that a word receives in a head and the size of its weight by {method} have τ = {tau} on "
            "average.",
            method=sentences.probe(name),
            tau=with_interval(number),
        )
        for name, number in measured[:1]
    ]


def _method(analysis: HeadAblationFindings) -> str:
    return say(
        "In {documents} each of {layers} × {heads} heads was switched off by itself: zeros in the place of what it "
        "took from the tokens, before the output projection of its layer. A head matters if the answer to the "
        "predicted label changes by {floor} or more on average and p < 0.05, corrected by Holm for all heads. Layers "
        "and heads are counted from zero.",
        documents=plural(analysis.n_documents, "{n} document", "{n} documents"),
        layers=formats.count(analysis.n_layers),
        heads=formats.count(analysis.n_heads),
        floor=shortest(analysis.floor),
    )


def _rows(analysis: HeadAblationFindings) -> list[tuple[float, ...]]:
    sizes = [abs(head.effect) for head in analysis.heads]
    return [tuple(sizes[i : i + analysis.n_heads]) for i in range(0, len(sizes), analysis.n_heads)]


def _grid(analysis: HeadAblationFindings) -> Grid:
    rows = _rows(analysis)
    high = max(analysis.floor, *(value for row in rows for value in row))
    notable = {(head.layer, head.head) for head in analysis.mattering}
    title = plural(
        len(notable),
        "Size of the mean effect by layer and head, {n} head that matters",
        "Size of the mean effect by layer and head, {n} heads that matter",
    )
    drawing = marks.heat_grid(rows, 0.0, high, notable, digits=2, title=title, width=_WIDTH)
    finding = (
        plural(len(notable), "{n} head that matters is marked", "{n} heads that matter are marked")
        if notable
        else say("no head matters by itself")
    )
    return Grid(say("Size of the mean effect"), finding, drawing, formats.decimal(0.0, 0), formats.decimal(high, 2))


def _table(analysis: HeadAblationFindings) -> Table:
    explainers = [name for name in COMPARED if any(name in head.agreements for head in analysis.heads)]
    columns = (
        Column(say("Head"), width=12),
        Column(say("Lost without it"), "number", 14),
        Column(say("95% interval"), "number", 20),
        Column(say("p, corrected"), "number", 14),
        *(Column(say("τ with {method}", method=sentences.probe(name)), "number", 14) for name in explainers),
        Column(say("Matters")),
    )
    caption = say(
        "The heads that matter, then those with the largest effects among the others. What is lost is negative where "
        "the answer gains without the head. τ is the agreement between the attention that a word receives in the head "
        "and the size of its weight: attention on words that count is no sign that the head does. findings.json has "
        "every head."
    )
    return Table(caption, columns, tuple(_cells(head, explainers) for head in analysis.ranked[:MOST_HEADS]))


def _cells(head: Head, explainers: Sequence[str]) -> tuple[str, ...]:
    taus = (head.agreements.get(name) for name in explainers)
    return (
        head_name(head.layer, head.head),
        formats.decimal(head.effect, 3),
        formats.span(head.low, head.high, "probability", 3),
        sentences.p_value(head.p),
        *(formats.NOTHING if tau is None else formats.decimal(tau, 2) for tau in taus),
        say("yes") if head.matters else say("not shown"),
    )


def _effect_with_interval(head: Head) -> str:
    effect = formats.decimal(head.effect, 3)
    if head.low is None or head.high is None:
        return effect
    return say("{value} ({interval})", value=effect, interval=formats.span(head.low, head.high, "probability", 3))


CHAPTER = Chapter(
    probe=SUMMARY.probe,
    title=N_("Heads that matter"),
    compose=compose,
    name=N_("Head ablation"),
    methods=(
        Method(
            N_("Head ablation"),
            N_(
                "*f* is the model’s answer for the label that it predicts, *f_lh* the same with zeros in the place of "
                "the output of head *h* of layer *l*, *n* the documents (Michel, Levy & Neubig 2019)."
            ),
            "sections/formulas/head_ablation.html.j2",
        ),
    ),
)
