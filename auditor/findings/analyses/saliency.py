"""What the explanations of the probe `saliency` come to; see `auditor.findings.analyses.attributions`."""

from auditor.findings.analyses.attributions import AttributionSummary, Titles
from auditor.findings.contract.quantity import Term
from auditor.languages import N_

SUMMARY = AttributionSummary(
    "saliency",
    N_("saliency"),
    Titles(N_("Saliency faithfulness")),
    glossary=(
        Term(
            N_("Saliency"),
            N_("The length of the gradient of the answer at the embeddings of a word: how steep the answer is there."),
        ),
    ),
    order=24,
)
