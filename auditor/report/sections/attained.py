"""What the rankings of explanations attain of what any ranking could; see `auditor.findings.analyses.attained`."""

from auditor.findings.analyses.attained import COMPREHENSIVENESS, SUFFICIENCY
from auditor.findings.analyses.faithfulness import ExplainerFindings, FaithfulnessFindings
from auditor.findings.contract.types import Number
from auditor.findings.wording import sentences
from auditor.languages import plural, say
from auditor.languages.numbers import count, paragraph
from auditor.report.contract import Column, Table, with_interval
from auditor.report.drawing import formats, marks

_MARK = 110
_AXIS = marks.Axis(0.0, 1.0, (0.0, 0.5, 1.0), _MARK, "share")


def name(one: ExplainerFindings) -> str:
    """What a method is called; the random ranking is one."""
    return sentences.probe(one.probe) if one.probe else say("random order")


def table(analysis: FaithfulnessFindings) -> Table:
    """Both shares of every method, and of the random order, over the documents whose bounds are known."""
    columns = (
        Column(say("Method"), width=16),
        Column(say("Documents"), "number", 10),
        Column(say(COMPREHENSIVENESS.title), "number", 18),
        Column("", "mark", 0, marks.axis_labels(_AXIS)),
        Column(say(SUFFICIENCY.title), "number", 18),
    )
    caption = say(
        "Both as shares of what any ranking of the same words could attain: 1 is the most that can be lost, 0 the "
        "least. A good ranking has much of the first and little of the second."
    )
    return Table(caption, columns, tuple(_row(one) for one in analysis.explainers if one.normalised_comprehensiveness))


def _row(one: ExplainerFindings) -> tuple[str, ...]:
    lost, kept = one.normalised
    n = max(number.n for number in (lost, kept) if number)
    return name(one), formats.count(n), _value(lost), marks.number_mark(_AXIS, lost) if lost else "", _value(kept)


def _value(number: Number | None) -> str:
    return with_interval(number) if number else ""


def standing(analysis: FaithfulnessFindings) -> str:
    """Where the first method stands between the worst and the best; empty where that is not known."""
    first = analysis.explainers[0]
    if first.normalised_comprehensiveness is None:
        return ""
    return say(
        "Between the worst ranking of the same words (0) and the best (1) that of {method} stands at {share}.",
        method=name(first),
        share=with_interval(first.normalised_comprehensiveness),
    )


def sought(analysis: FaithfulnessFindings) -> str:
    """How the bounds were found; empty where none were."""
    n, exactly = analysis.n_bounded, analysis.n_bounded_exactly
    if not n:
        return ""
    documents = plural(
        n,
        "For {n} document, drawn by its content, the best and the worst ranking of its words were sought.",
        "For {n} documents, drawn by their contents, the best and the worst ranking of their words were sought.",
    )
    how = say(
        "In {exactly} of them every subset was tried; in the others a beam extends the best set word by word, so that "
        "the true bounds may lie a little further apart.",
        exactly=count(exactly),
    )
    return paragraph([documents, how])
