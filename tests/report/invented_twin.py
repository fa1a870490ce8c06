"""A second method of explanation, declared as LIME is: `erasure`, in six documents of the worked example."""

from functools import partial

from auditor.findings import Bound, summarise
from auditor.findings.analyses.explanations import ExplanationQuantities, ExplanationSummary, fidelity_cell
from auditor.report.contract import Chapter
from auditor.report.sections import explanations
from tests.findings import worked_example

QUANTITIES = ExplanationQuantities(
    "erasure",
    "Erasure fidelity",
    low_fidelity_title="Low-fidelity erasure",
    decisive_title="Decisive erasure",
)
SUMMARY = ExplanationSummary(
    QUANTITIES, "erasure", order=25, cells=(fidelity_cell("erasure_fidelity", "R² occl.", "R² occl. is its own."),)
)
CHAPTER = Chapter(
    probe=SUMMARY.probe,
    title="Erasure of words",
    name="Erasure",
    compose=partial(explanations.compose, summary=SUMMARY),
    reasons=explanations.REASONS,
    card=explanations.card_of(SUMMARY),
)
ENTRY_POINTS = {
    "auditor.summaries": {"erasure": "invented_twin:SUMMARY"},
    "auditor.chapters": {"erasure": "invented_twin:CHAPTER"},
}
WEIGHTS = (0.0, 0.0, 0.3, 0.0, 0.0, -0.2)
"""LIME's are of the words "not" and "good", these of "was" and "good"."""
EXPLAINED = 34


def both(lime=True):
    """A run in which LIME, unless left out, explained d00 … d28 and the twin d00 … d33, with an R² from 0.7 on."""
    worked = worked_example.evidence()
    twin = {f"d{i:02}": worked_example.explanation(i, weights=WEIGHTS, fidelity=0.7) for i in range(EXPLAINED)}
    evidence = worked_example.with_rows(worked, erasure=twin, **({} if lime else {"lime": {}}))
    context = worked_example.context(
        checks={"erasure.fidelity": Bound(at_least=0.99), "lime.fidelity": Bound(at_least=0.5)},
        asked={**worked_example.context().asked, "erasure": EXPLAINED},
        parameters={"lime": {"n_samples": "1000"}, "erasure": {"n_samples": "500"}},
    )
    return summarise(evidence, context), evidence
