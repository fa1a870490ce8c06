"""What its explanations come to, and the chapter that the report has of them."""

from functools import partial

from auditor.findings.analyses.explanations import ExplanationQuantities, ExplanationSummary, fidelity_cell
from auditor.findings.contract import Term
from auditor.report.contract import Chapter
from auditor.report.sections import explanations
from auditor.report.sections.explanation_parameters import PARAMETERS

SUMMARY = ExplanationSummary(
    ExplanationQuantities(
        "twin",
        "Twin fidelity",
        (Term("Twin", "LIME under another name."),),
        low_fidelity_title="Low-fidelity twins",
        decisive_title="Decisive twins",
    ),
    "twin",
    order=25,
    cells=(fidelity_cell("twin_fidelity", "R² twin", "R² twin is the fidelity of the second explanation."),),
)
CHAPTER = Chapter(
    probe="twin",
    title="Explanations of the twin",
    compose=partial(explanations.compose, summary=SUMMARY),
    parameters=PARAMETERS,
    reasons=explanations.REASONS,
    answers={"explanations": ()},
    card=explanations.card_of(SUMMARY),
)
