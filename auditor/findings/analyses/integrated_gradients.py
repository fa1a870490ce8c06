"""What the explanations of the probe `integrated_gradients` come to; see `auditor.findings.analyses.attributions`."""

from auditor.findings.analyses.attributions import AttributionSummary, Titles
from auditor.findings.contract.quantity import Term
from auditor.languages import N_

SUMMARY = AttributionSummary(
    "integrated_gradients",
    N_("integrated gradients"),
    Titles(
        N_("Integrated gradients faithfulness"),
        N_("Largest weight by integrated gradients"),
        N_("Integrated gradients, completeness error"),
    ),
    glossary=(
        Term(
            N_("Integrated gradients"),
            N_("The gradient of the answer, summed along the way from a text that says nothing to this one."),
        ),
    ),
    order=28,
)
