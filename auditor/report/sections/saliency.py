"""The chapter of the probe `saliency`; see `auditor.report.sections.attributions`."""

from auditor.findings.analyses.saliency import SUMMARY
from auditor.languages import N_
from auditor.report.sections.attributions import COARSER, OF_A_SLOPE, Wording, chapter

CHAPTER = chapter(
    SUMMARY,
    Wording(
        title=N_("Saliency"),
        question=N_("How steep is the answer in each word?"),
        method=N_(
            "The length of the gradient of the answer at the embeddings of each word’s tokens; unsigned, so that "
            "it does not tell what supports from what opposes."
        ),
        limits=OF_A_SLOPE,
        letters=N_(
            "*e_t* is the embedding of token *t*, *f* the model’s answer; the weight of a segment is the sum over"
            " its tokens (Simonyan, Vedaldi & Zisserman 2013)."
        ),
    ),
    max_segments=COARSER,
)
