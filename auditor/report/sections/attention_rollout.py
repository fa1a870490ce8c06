"""The chapter of the probe `attention_rollout`; see `auditor.report.sections.attributions`."""

from auditor.findings.analyses.attention_rollout import SUMMARY
from auditor.languages import N_
from auditor.report.sections.attributions import OF_ATTENTION, Wording, chapter

CHAPTER = chapter(
    SUMMARY,
    Wording(
        title=N_("Attention rollout"),
        question=N_("Which words reach the answer, if attention is followed through the layers?"),
        method=N_(
            "The attention of each layer, averaged over its heads and halved with the residual connection, is "
            "multiplied through all layers; what reaches the token whose state is read for the answer is summed over "
            "each word. Which token that is was found out by disturbing each; of a language model it is the last of "
            "the prompt. Unsigned, and the same for every label."
        ),
        limits=OF_ATTENTION,
        letters=N_(
            "*A_l* is the attention of layer *l*, the mean over its heads, *I* the identity, *q* the places that the "
            "answer is read from; the weight of a segment is the sum over its tokens *t* (Abnar & Zuidema 2020)."
        ),
    ),
)
