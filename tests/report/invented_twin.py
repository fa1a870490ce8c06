"""A second method of explanation, declared as LIME is: `occlusion`, in six documents of the worked example."""

from functools import partial

from auditor.findings import Bound, summarise
from auditor.findings.analyses.explanations import ExplanationQuantities, ExplanationSummary, fidelity_cell
from auditor.report.contract import Chapter
from auditor.report.sections import explanations
from tests.findings import worked_example

QUANTITIES = ExplanationQuantities(
    "occlusion",
    "Occlusion fidelity",
    low_fidelity_title="Low-fidelity occlusion",
    clear_title="Clear occlusion",
)
SUMMARY = ExplanationSummary(
    QUANTITIES, "occlusion", order=25, cells=(fidelity_cell("occlusion_fidelity", "R² occl.", "R² occl. is its own."),)
)
CHAPTER = Chapter(
    probe=SUMMARY.probe,
    title="Occlusion of words",
    name="Occlusion",
    compose=partial(explanations.compose, summary=SUMMARY),
    reasons=explanations.REASONS,
    card=explanations.card_of(SUMMARY),
)
ENTRY_POINTS = {
    "auditor.summaries": {"occlusion": "invented_twin:SUMMARY"},
    "auditor.chapters": {"occlusion": "invented_twin:CHAPTER"},
}
WEIGHTS = (0.0, 0.0, 0.3, 0.0, 0.0, -0.2)
"""LIME's are of the words "not" and "good", these of "was" and "good"."""
EXPLAINED = 34


def both(lime=True):
    """A run in which LIME, unless left out, explained d00 … d28 and the twin d00 … d33, with an R² from 0.7 on."""
    worked = worked_example.evidence()
    twin = {f"d{i:02}": worked_example.explanation(i, weights=WEIGHTS, fidelity=0.7) for i in range(EXPLAINED)}
    evidence = worked_example.with_rows(worked, occlusion=twin, **({} if lime else {"lime": {}}))
    context = worked_example.context(
        checks={"occlusion.fidelity": Bound(at_least=0.99), "lime.fidelity": Bound(at_least=0.5)},
        asked={**worked_example.context().asked, "occlusion": EXPLAINED},
        parameters={"lime": {"n_samples": "1000"}, "occlusion": {"n_samples": "500"}},
    )
    return summarise(evidence, context), evidence
