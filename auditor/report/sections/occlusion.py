"""The chapter of the probe `occlusion`: what the answer loses without each word."""

from auditor.findings.analyses.attributions import AttributionFindings
from auditor.findings.analyses.occlusion import SUMMARY
from auditor.languages import N_, plural, say
from auditor.report.contract import Chapter, Method, Section, Sources, numbers_table, with_interval
from auditor.report.sections.explanation_parameters import PARAMETERS, segments
from auditor.report.sections.explanations import unit_of

_LETTERS = N_(
    "*w_i* is the weight of segment *i*: the model’s answer *f* to the whole text *x*, less its answer to the text "
    "without that segment (leave-one-out; Li, Monroe & Jurafsky 2016). Nothing is drawn and nothing is fitted."
)


def compose(sources: Sources) -> Section:
    """The section on occlusion."""
    analysis = sources.analysis(SUMMARY.probe, AttributionFindings)
    named = sources.named(*(quantity.name for quantity in SUMMARY.quantities))
    return Section(
        id=SUMMARY.section_id,
        title=say("Occlusion"),
        question=say("What does the answer lose without each word?"),
        answer=plural(
            analysis.n_documents,
            "In {n} document the word that matters most changes the {unit} by {effect}.",
            "In {n} documents the word that matters most changes the {unit} by {effect} on average.",
            unit=unit_of(analysis.unit),
            effect=with_interval(analysis.largest_effect),
        ),
        method=say(
            "Every segment of a document is taken out by itself, and the model answers what is left; the weight of a "
            "segment is what the answer loses. Segments: {segments}.",
            segments=segments(analysis.segmenters),
        ),
        limits=say(
            "One word at a time: of two words of which either would do, neither seems to matter. The weights are exact "
            "for these texts, and say nothing about others."
        ),
        template="sections/tables.html.j2",
        content={"tables": [(numbers_table(say("The numbers behind the answer."), named), "numbers")]},
    )


CHAPTER = Chapter(
    probe=SUMMARY.probe,
    title=N_("Occlusion"),
    compose=compose,
    methods=(Method(N_("Occlusion"), _LETTERS, "sections/formulas/occlusion.html.j2"),),
    parameters={
        **{key: PARAMETERS[key] for key in ("top_labels", "bow")},
        "max_segments": N_("the most segments of one document; longer ones are cut coarser"),
    },
    answers={"explanations": ()},
)
