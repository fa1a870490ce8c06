"""What the explanations of the probe `input_x_gradient` come to; see `auditor.findings.analyses.attributions`."""

from auditor.findings.analyses.attributions import AttributionSummary, Titles
from auditor.findings.contract.quantity import Term
from auditor.languages import N_

SUMMARY = AttributionSummary(
    "input_x_gradient",
    N_("input × gradient"),
    Titles(N_("Input × gradient faithfulness"), N_("Largest weight by input × gradient")),
    glossary=(
        Term(
            N_("Input × gradient"),
            N_("The gradient of the answer at a word’s embeddings, times these: a first guess of what the word adds."),
        ),
    ),
    order=26,
)
