"""What the explanations of the probe `attention_rollout` come to; see `auditor.findings.analyses.attributions`."""

from auditor.findings.analyses.attributions import AttributionSummary, Titles
from auditor.findings.contract.quantity import Term
from auditor.languages import N_

UNSEEN = {
    "unseen-attention": N_("the model does not show its attention"),
    "hybrid-attention": N_("layers that do not attend"),
    "too-many-tokens": N_("too many tokens to follow attention through"),
}
"""Kind of `NotMeasurable` → message, of methods that follow attention."""
NO_EXPLANATION = N_("Attention rollout and mean attention are not explanations by themselves.")

SUMMARY = AttributionSummary(
    "attention_rollout",
    N_("attention rollout"),
    Titles(N_("Attention rollout faithfulness")),
    glossary=(
        Term(
            N_("Attention rollout"),
            N_("How much of each word reaches the place of the answer if attention is followed through all layers."),
        ),
    ),
    order=29,
    reasons=UNSEEN,
    caveat=NO_EXPLANATION,
)
