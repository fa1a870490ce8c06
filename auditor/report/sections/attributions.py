"""The chapters of methods of explanation without a surrogate: one section for all, in the words of each."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import partial

from auditor.findings.analyses.attributions import AttributionFindings, AttributionSummary
from auditor.languages import N_, plural, say
from auditor.languages.numbers import paragraph
from auditor.report.contract import Chapter, Method, Section, Sources, numbers_table, with_interval
from auditor.report.sections.explanation_parameters import PARAMETERS, segments
from auditor.report.sections.explanations import unit_of
from auditor.report.sections.self_checks import self_checked


@dataclass(frozen=True, slots=True)
class Wording:
    """Messages: what the report says of one method."""

    title: str
    question: str
    method: str
    limits: str
    letters: str
    """What the letters of its formulas mean."""


def chapter(summary: AttributionSummary, wording: Wording, **parameters: str) -> Chapter:
    """The chapter of one method.

    Args:
        summary: Its summary.
        wording: What is said of it.
        parameters: Parameter that only this method has → message: what it came to.
    """
    formulas = f"sections/formulas/{summary.probe}.html.j2"
    return Chapter(
        probe=summary.probe,
        title=wording.title,
        compose=partial(compose, summary=summary, wording=wording),
        methods=(Method(wording.title, wording.letters, formulas),),
        parameters={**{key: PARAMETERS[key] for key in ("top_labels", "bow", "segmenter")}, **parameters},
        answers={"explanations": ()},
    )


def compose(sources: Sources, summary: AttributionSummary, wording: Wording) -> Section:
    """The section on one method."""
    analysis = sources.analysis(summary.probe, AttributionFindings)
    named = sources.named(*(quantity.name for quantity in summary.quantities))
    return Section(
        id=summary.section_id,
        title=say(wording.title),
        question=say(wording.question),
        answer=paragraph([_largest(analysis), _beyond(analysis), *([say(summary.caveat)] if summary.caveat else [])]),
        method=paragraph(
            [
                say(wording.method),
                *(_COMPUTED[how](n) for how, n in analysis.algorithms.items() if how in _COMPUTED),
                say("Segments: {segments}.", segments=segments(analysis.segmenters)),
                self_checked(sources.findings, summary.probe),
            ]
        ),
        limits=say(wording.limits),
        template="sections/tables.html.j2",
        content={"tables": [(numbers_table(say("The numbers behind the answer."), named), "numbers")]},
    )


def _largest(analysis: AttributionFindings) -> str:
    if analysis.largest_effect is None:
        return plural(analysis.n_documents, "{n} document is explained.", "{n} documents are explained.")
    return plural(
        analysis.n_documents,
        "In {n} document the largest weight of a word is {effect} in {unit}.",
        "In {n} documents the largest weight of a word is {effect} in {unit}, on average.",
        effect=with_interval(analysis.largest_effect),
        unit=unit_of(analysis.unit),
    )


def _beyond(analysis: AttributionFindings) -> str:
    if analysis.faithfulness is None:
        return say("Nobody acted upon these explanations, so that nothing is known of how far they may be relied upon.")
    return say(
        "Without the words that it ranks first {excess} more of the answer is lost than in a random order.",
        excess=with_interval(analysis.faithfulness),
    )


def _exact(n: int) -> str:
    return plural(
        n,
        "In {n} document every subset of the segments was tried: its values are exact.",
        "In {n} documents every subset of the segments was tried: their values are exact.",
    )


def _by_orders(n: int) -> str:
    return plural(
        n,
        "In {n} document random orders were drawn: its values have a standard error.",
        "In {n} documents random orders were drawn: their values have a standard error.",
    )


def _by_groups(n: int) -> str:
    return plural(
        n,
        "In {n} document the segments were divided into halves again and again: neighbours share what they add.",
        "In {n} documents the segments were divided into halves again and again: neighbours share what they add.",
    )


_COMPUTED: Mapping[str, Callable[[int], str]] = {"exact": _exact, "permutation": _by_orders, "partition": _by_groups}
"""Algorithm of Shapley values → what it means for so many documents."""
COARSER = N_("the most segments of one document; longer ones are cut coarser")
ONE_AT_A_TIME = N_(
    "One word at a time: of two words of which either would do, neither seems to matter. The weights are exact for "
    "these texts, and say nothing about others."
)
OF_A_SLOPE = N_(
    "A slope at one point says how the answer reacts to small changes of a word’s embedding, which no other word may "
    "have; it does not say what the answer would be without the word."
)
OF_ATTENTION = N_(
    "This is not an explanation by itself: attention says what a model looks at, not what it makes of it, and the same "
    "answer can come from other attention. Whether the words that are named carry the answer is what acting upon them "
    "says."
)
