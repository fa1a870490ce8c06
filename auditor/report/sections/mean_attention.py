"""The chapter of the probe `mean_attention`; see `auditor.report.sections.attributions`."""

from auditor.findings.analyses.mean_attention import SUMMARY
from auditor.languages import N_
from auditor.report.sections.attributions import OF_ATTENTION, Wording, chapter

CHAPTER = chapter(
    SUMMARY,
    Wording(
        title=N_("Mean attention"),
        question=N_("Which words does the token attend to whose state is read for the answer?"),
        method=N_(
            "The weight that each token has in the attention of the place of the answer, averaged over all layers and "
            "heads and summed over each word. Unsigned, and the same for every label."
        ),
        limits=OF_ATTENTION,
        letters=N_(
            "*A_l* is the attention of layer *l* of *L*, the mean over its heads, *q* the places that the answer is "
            "read from; the weight of a segment is the sum over its tokens *t*."
        ),
    ),
)
