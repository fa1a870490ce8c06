"""What the explanations of the probe `mean_attention` come to; see `auditor.findings.analyses.attributions`."""

from auditor.findings.analyses.attention_rollout import NO_EXPLANATION, UNSEEN
from auditor.findings.analyses.attributions import AttributionSummary, Titles
from auditor.findings.contract.quantity import Term
from auditor.languages import N_

SUMMARY = AttributionSummary(
    "mean_attention",
    N_("mean attention"),
    Titles(N_("Mean attention faithfulness")),
    glossary=(
        Term(
            N_("Mean attention"),
            N_("The weight that the place of the answer gives to each word, averaged over all layers and heads."),
        ),
    ),
    order=29,
    reasons=UNSEEN,
    caveat=NO_EXPLANATION,
)
