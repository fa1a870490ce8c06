"""What the explanations of the probe `shap` come to; see `auditor.findings.analyses.attributions`."""

from auditor.findings.analyses.attributions import AttributionSummary, Titles
from auditor.findings.contract.quantity import Term
from auditor.languages import N_

SUMMARY = AttributionSummary(
    "shap",
    N_("SHAP"),
    Titles(N_("SHAP faithfulness"), N_("Largest Shapley value"), N_("SHAP, additivity error")),
    glossary=(
        Term(
            N_("Shapley value"),
            N_("What a word adds to the answer, on average over all orders in which the words can come."),
        ),
    ),
    order=23,
)
