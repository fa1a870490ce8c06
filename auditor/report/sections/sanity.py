"""Do the explainers react to the model? Their explanations as its weights are drawn anew, step by step."""

from collections.abc import Iterator

from auditor.findings.analyses.sanity import (
    SUMMARY,
    TITLES,
    ExplainerSanity,
    Reaction,
    SanityFindings,
    SanityPart,
    SanityPoint,
    highest,
    unreacting,
)
from auditor.findings.contract.types import Number
from auditor.findings.statistics.intervals import LEAST
from auditor.findings.wording import sentences
from auditor.languages import N_, plural, say
from auditor.languages.numbers import paragraph, shortest
from auditor.report.contract import Chapter, Column, Method, Section, Sources, Table, numbers_table, with_interval
from auditor.report.drawing import formats
from auditor.report.drawing.figures import Curve, Panel, draw_panels

_LETTERS = N_(
    "*a* are the weights that a method gives the segments of a text for the model as it is, *b_k* those after *k* "
    "parts of the model were drawn anew, both for the label that the model as it is predicts. A weight tensor *W* "
    "becomes *W*′, of the same mean *m* and standard deviation *s* (Adebayo et al. 2018). ρ is Spearman’s, *r* "
    "Pearson’s correlation."
)
_REACTIONS: dict[Reaction, str] = {
    "reacts": N_("reacts"),
    "does not react": N_("does not react"),
    "too few": N_("too few documents"),
}
_CURVES = ("rank_correlation", "absolute_rank_correlation")
"""Numbers of a step that are drawn."""


def compose(sources: Sources) -> Section:
    """The section on the sanity of explainers."""
    analysis = sources.analysis(SUMMARY.probe, SanityFindings)
    named = sources.named(*(quantity.name for quantity in SUMMARY.quantities))
    return Section(
        id=SUMMARY.section_id,
        title=say("Sanity of the explainers"),
        question=say("Do the explanations change when the model forgets what it learnt?"),
        answer=_answer(analysis),
        method=_method(analysis),
        limits=say(
            "A method that reacts to the model need not tell the truth about it: that is what acting upon its "
            "explanations is for. Few documents, and one draw of the weights: other draws give other correlations."
        ),
        template="sections/sanity.html.j2",
        content={
            "figure": draw_panels(
                [_panel(one) for one in analysis.explainers],
                [say("none"), *map(_short, analysis.parts)],
                analysis.unchanged,
                (say(TITLES[_CURVES[0]]), say(TITLES[_CURVES[1]])),
            ),
            "caption": _caption(analysis),
            "tables": [(_reactions_table(analysis), "compact"), (_steps_table(analysis), "compact")],
            "numbers": numbers_table(say("The numbers behind the answer."), named),
        },
    )


def _answer(analysis: SanityFindings) -> str:
    stuck, judged = unreacting(analysis), [one for one in analysis.explainers if one.reaction != "too few"]
    if not judged:
        return plural(
            analysis.n_documents,
            "{n} document was explained again: too few to say whether any method reacts to the model.",
            "{n} documents were explained again: too few to say whether any method reacts to the model.",
        )
    first = analysis.explainers[0]
    curve = say(
        "The explanations by {method} correlate at {value} with those of before when nothing of what the model learnt "
        "is left.",
        method=sentences.probe(first.probe),
        value=with_interval(highest(first)),
    )
    if not stuck:
        every = plural(len(judged), "The {n} method reacts to the model.", "Each of {n} methods reacts to the model.")
        return paragraph([every, curve])
    names = sentences.listing([sentences.probe(one.probe) for one in stuck])
    refused = say("Explanations by {methods} do not react to the model, and say nothing about it.", methods=names)
    return paragraph([refused, *([] if first in stuck else [curve])])


def _method(analysis: SanityFindings) -> str:
    texts = plural(analysis.n_evaluations, "{n} text", "{n} texts")
    return say(
        "The model’s weights are drawn anew at their own scale, from the head down, and every method explains the same "
        "{documents} again for the same label, in {steps} ({texts} in all, beside those of the explanations "
        "themselves). Each step draws one part more; then the weights are put back bit for bit.",
        documents=plural(analysis.n_documents, "{n} document", "{n} documents"),
        steps=plural(len(analysis.parts), "{n} step", "{n} steps"),
        texts=texts,
    )


def _caption(analysis: SanityFindings) -> str:
    return say(
        "How like explanations are to those of the model as it is, as more of it is drawn anew from left to right. The "
        "band and the thin lines are 95% intervals, the dotted line is {bound}.",
        bound=shortest(analysis.unchanged),
    )


def _name(part: SanityPart) -> str:
    if part.name == "head":
        return say("the head")
    if part.name == "embeddings":
        return say("the embeddings")
    if part.first == part.last:
        return say("layer {n}", n=part.first)
    return say("layers {first} to {last}", first=part.first, last=part.last)


def _short(part: SanityPart) -> str:
    """For an axis."""
    if part.name == "head":
        return say("head")
    if part.name == "embeddings":
        return say("emb.")
    return str(part.first) if part.first == part.last else say("{last}–{first}", first=part.first, last=part.last)


def _panel(one: ExplainerSanity) -> Panel:
    first, second = (_curve([getattr(point, what) for point in one.points]) for what in _CURVES)
    return Panel(sentences.probe(one.probe), first, second)


def _curve(numbers: list[Number]) -> Curve:
    ends = [None if n.low is None or n.high is None else (n.low, n.high) for n in numbers]
    return Curve(tuple(n.value for n in numbers), tuple(ends))


def _reactions_table(analysis: SanityFindings) -> Table:
    caption = say(
        "Whether each method reacts, with every weight drawn anew. The rule: it does not where the 95% interval of "
        "either rank correlation lies above {bound} (the mean, where all documents agree); with fewer than {least} "
        "documents nothing is said.",
        bound=shortest(analysis.unchanged),
        least=LEAST,
    )
    columns = (
        Column(say("Method"), width=24),
        *(Column(say(title), "number") for title in TITLES.values()),
        Column(say("Documents"), "number", 12),
        Column(say("Reaction"), width=16),
    )
    rows = tuple(
        (
            sentences.probe(one.probe),
            *(_cell(getattr(one.points[-1], what)) for what in TITLES),
            formats.count(one.points[-1].rank_correlation.n),
            say(_REACTIONS[one.reaction]),
        )
        for one in analysis.explainers
    )
    return Table(caption, columns, rows)


def _steps_table(analysis: SanityFindings) -> Table:
    columns = (
        Column(say("Method"), width=20),
        Column(say("Drawn anew, with all above"), width=22),
        *(Column(say(title), "number") for title in TITLES.values()),
        Column("n", "number", 6),
    )
    caption = say("The curves in numbers: means over documents with 95% intervals; n documents could be compared.")
    return Table(caption, columns, tuple(_step_rows(analysis)))


def _step_rows(analysis: SanityFindings) -> Iterator[tuple[str, ...]]:
    names = [say("nothing: explained twice"), *map(_name, analysis.parts)]
    for one in analysis.explainers:
        for name, point in zip(names, one.points, strict=True):
            yield _step_row(sentences.probe(one.probe) if point.step == 0 else "", name, point)


def _step_row(method: str, name: str, point: SanityPoint) -> tuple[str, ...]:
    cells = [_cell(getattr(point, what)) for what in TITLES]
    return method, name, *cells, formats.count(point.rank_correlation.n)


def _cell(number: Number) -> str:
    return "" if number.value is None else with_interval(number)


CHAPTER = Chapter(
    probe=SUMMARY.probe,
    title=N_("Sanity of the explainers"),
    compose=compose,
    methods=(Method(N_("Similarity to a randomised model"), _LETTERS, "sections/formulas/sanity.html.j2"),),
    parameters={},
    answers={"explanations": ()},
)
