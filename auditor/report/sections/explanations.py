"""Which words carry the prediction, and is the explanation to be believed?"""

from collections.abc import Callable, Sequence

from auditor.findings.analyses.answers import PROBE as PREDICTION
from auditor.findings.analyses.explanations import DECISIVE, LOW_FIDELITY, ExplanationFindings, ExplanationSummary
from auditor.findings.analyses.trust import grade_of
from auditor.findings.contract.quantity import Quantity
from auditor.findings.contract.types import Example
from auditor.languages import N_, plural, say
from auditor.languages.numbers import paragraph, separator, shortest
from auditor.records.explanations import Explanation
from auditor.records.types import Document, Prediction
from auditor.report.contract import Reason, Section, Sources, numbers_table, with_interval
from auditor.report.drawing import formats, highlights, marks
from auditor.report.sections import phrases, recurring
from auditor.report.sections.explanation_cards import CITABLE, Card, Scale, draw_card, scale_of
from auditor.report.sections.explanation_parameters import segments
from auditor.report.sections.self_checks import self_checked


def compose(sources: Sources, summary: ExplanationSummary, related: Sequence[Quantity] = ()) -> Section:
    """The section on the explanations of one method.

    Args:
        sources: Of the report.
        summary: Of the method.
        related: Quantities of other summaries that its table of numbers ends with.
    """
    analysis = sources.analysis(summary.probe, ExplanationFindings)
    method = say(summary.title)
    shown = _shown(sources, summary.probe)
    named = [quantity.name for quantity in (*summary.quantities, *related)]
    scale = scale_of([explanation.targets[0] for _, _, explanation in shown])
    digits = highlights.digits_of(scale.delta)
    return Section(
        id=summary.section_id,
        title=say("Token explanations"),
        question=say("Which words carry the prediction, and is the explanation to be believed?"),
        answer=_answer(analysis, method),
        method=paragraph([_method(analysis), self_checked(sources.findings, summary.probe)]),
        limits=_limits(analysis),
        template="sections/lime.html.j2",
        content={
            "numbers": numbers_table(say("The numbers behind the answer."), sources.named(*named)),
            "steps": [formats.decimal(scale.delta * i, digits) for i in range(1, highlights.STEPS)],
            "unit": unit_of(analysis.unit),
            "separator": separator(),
            "axis": marks.axis_labels(scale.axis),
            "cards": [_card(sources, summary, *one, scale) for one in shown],
            "words": recurring.view(analysis) if analysis.recurring else None,
            "phrases": phrases.table(analysis.phrases, analysis.unit),
        },
    )


def unit_of(unit: str) -> str:
    """What the weights change, in words."""
    return say("log-probability") if unit == "log-probability" else say("probability")


def explainer(sources: Sources) -> str:
    """The probe whose explanations mark words throughout the report: the first with any; empty without one."""
    return next((probe for probe, of in sources.findings.analyses.items() if isinstance(of, ExplanationFindings)), "")


def explanation_of(sources: Sources, document_id: str) -> Explanation | None:
    """The explanation of a document by that probe, where there is one with a target that may be cited."""
    probe = explainer(sources)
    explanation = sources.evidence.record_of(probe, document_id, Explanation)
    citable = grade_of(sources.evidence, probe, document_id) in CITABLE
    return explanation if explanation and explanation.targets and citable else None


def unit_explained(sources: Sources) -> str:
    """What the weights of that probe change, in words."""
    analysis = sources.findings.analysis(explainer(sources), ExplanationFindings)
    return unit_of(analysis.unit if analysis else "")


def shade_width(sources: Sources) -> float:
    """The width of one shade, the same wherever the report marks words."""
    return highlights.step_size(explanation.targets[0] for *_, explanation in _shown(sources, explainer(sources)))


def card_of(summary: ExplanationSummary) -> Callable[[Sources, str], tuple[str, str] | None]:
    """Where the section of a method explains a document at length."""

    def card(sources: Sources, document_id: str) -> tuple[str, str] | None:
        if document_id not in {document.id for _, document, _ in _shown(sources, summary.probe)}:
            return None
        return _anchor(sources, summary, document_id), say("Explanation")

    return card


def _anchor(sources: Sources, summary: ExplanationSummary, document_id: str) -> str:
    return f"{summary.section_id}-{sources.position(document_id)}"


def _shown(sources: Sources, probe: str) -> list[tuple[Example, Document, Explanation]]:
    analysis, shown = sources.findings.analysis(probe, ExplanationFindings), []
    for example in analysis.examples if analysis else ():
        explanation = sources.evidence.record_of(probe, example.document_id, Explanation)
        document = sources.documents.get(example.document_id)
        if document is not None and explanation and explanation.targets:
            shown.append((example, document, explanation))
    return shown


def _answer(analysis: ExplanationFindings, method: str) -> str:
    sentences = [
        say(
            "{method}’s linear surrogate reproduces the model near a document with a mean R² of {r2}.",
            method=method,
            r2=with_interval(analysis.fidelity),
        )
    ]
    decisive, low = analysis.decisive_share, analysis.low_fidelity_share
    if decisive.value is not None:
        sentences.append(
            plural(
                decisive.n,
                "A share of {share} of {n} explained document has a segment that surely changes the answer by {limit} "
                "or more.",
                "A share of {share} of {n} explained documents has a segment that surely changes the answer by {limit} "
                "or more.",
                share=with_interval(decisive),
                limit=shortest(DECISIVE),
            )
        )
    if low.value:
        sentences.append(
            plural(
                low.n,
                "R² is below {limit} in a share of {share} of {n} explained document: its weights should not be cited.",
                "R² is below {limit} in a share of {share} of {n} explained documents: their weights should not be "
                "cited.",
                limit=shortest(LOW_FIDELITY),
                share=with_interval(low),
            )
        )
    return paragraph(sentences)


def _method(analysis: ExplanationFindings) -> str:
    return paragraph([_drawing(analysis), _segments(analysis), _enumerated(analysis), _stopping(analysis)])


def _drawing(analysis: ExplanationFindings) -> str:
    values = {"most": formats.count(analysis.n_samples), "width": shortest(analysis.kernel_width)}
    if analysis.n_exact == analysis.n_documents:
        return say(
            "Every document was tried with its segments switched on and off in every way, up to {most} variants, "
            "weighted by closeness (kernel width {width}); a weighted regression gives each segment’s weight, without "
            "sampling error.",
            **values,
        )
    if analysis.tolerance is None:
        return say(
            "{most} variants of each document with random segments removed, weighted by closeness (kernel width "
            "{width}); a weighted regression gives each segment’s weight and its standard error.",
            **values,
        )
    return say(
        "Up to {most} variants of each document with random segments removed, weighted by closeness (kernel width "
        "{width}); a weighted regression gives each segment’s weight and its standard error.",
        **values,
    )


def _segments(analysis: ExplanationFindings) -> str:
    return say("Segments: {segments}.", segments=segments(analysis.segmenters))


def _enumerated(analysis: ExplanationFindings) -> str:
    if not analysis.n_exact or analysis.n_exact == analysis.n_documents:
        return ""
    return plural(
        analysis.n_exact,
        "{n} short document had all segments switched on and off in every way.",
        "{n} short documents had all segments switched on and off in every way.",
    )


def _stopping(analysis: ExplanationFindings) -> str:
    if analysis.tolerance is None or analysis.n_exact == analysis.n_documents:
        return ""
    reached, spent = analysis.stopped.get("tolerance", 0), analysis.stopped.get("budget", 0)
    return say(
        "Drawing stopped when the widest 95% interval was within ±{tolerance} of the largest weight ({reached}) or the "
        "budget was spent ({spent}); {texts} were computed in all.",
        tolerance=formats.percent(analysis.tolerance),
        reached=plural(reached, "{n} document", "{n} documents"),
        spent=plural(spent, "{n} document", "{n} documents"),
        texts=plural(analysis.n_evaluations, "{n} text", "{n} texts"),
    )


def _limits(analysis: ExplanationFindings) -> str:
    return say(
        "A weight says how the {unit} changes on average when a segment is taken away near this one text, not what the "
        "model does elsewhere. Removing segments makes unusual texts. Where R² is low, the model is not linear there.",
        unit=unit_of(analysis.unit),
    )


def _continuation(row: object) -> str | None:
    if not isinstance(row, Prediction) or row.continuation is None:
        return None
    return formats.excerpt(row.continuation, 240)


def _card(
    sources: Sources,
    summary: ExplanationSummary,
    example: Example,
    document: Document,
    explanation: Explanation,
    scale: Scale,
) -> Card:
    anchor = _anchor(sources, summary, document.id)
    continuation = _continuation(sources.evidence.of(PREDICTION).get(document.id))
    grade = grade_of(sources.evidence, summary.probe, document.id)
    return draw_card(example, document, explanation, scale, anchor=anchor, continuation=continuation, grade=grade)


def _unfaithful(_: Sources, __: str, value: float) -> str:
    number = formats.decimal(value, 2)
    if value < 0:
        return say("The explanation says less than a constant would: R² {value}.", value=number)
    return say(
        "The explanation is weak: R² {value}, so it misses {rest} of how the model varies nearby.",
        value=number,
        rest=formats.percent(1 - value),
    )


def _unstable(_: Sources, __: str, value: float) -> str:
    return say(
        "The weights are uncertain: the widest interval is ±{share} of the largest weight.",
        share=formats.percent(value),
    )


REASONS = {
    "unfaithful": Reason(N_("Explanations with the lowest R²"), _unfaithful),
    "unstable": Reason(N_("Explanations whose widest 95% interval is largest beside their largest weight"), _unstable),
}
"""Rule of the gallery → what it says."""
