"""The chapter of the probe `integrated_gradients`; see `auditor.report.sections.attributions`."""

from auditor.findings.analyses.integrated_gradients import SUMMARY
from auditor.languages import N_
from auditor.report.sections.attributions import COARSER, Wording, chapter

CHAPTER = chapter(
    SUMMARY,
    Wording(
        title=N_("Integrated gradients"),
        question=N_("What does each word add to the answer, from a text that says nothing?"),
        method=N_(
            "The gradient of the answer is summed along the straight line from a baseline to the text; all "
            "weights and the remainder add up to what the answer changes between the two. The number of steps is "
            "doubled until they do, or the limit is reached."
        ),
        limits=N_(
            "What the baseline is decides what is explained. A text of padding is no text that anyone writes, and"
            " the points between are none at all."
        ),
        letters=N_(
            "*e_t* is the embedding of token *t*, *b_t* what stands there in the baseline, *f* the model’s "
            "answer; the integral is a Gauss–Legendre sum, and the weight of a segment the sum over its tokens "
            "(Sundararajan, Taly & Yan 2017)."
        ),
    ),
    baseline=N_("what stands at the place of each token of the text"),
    n_steps=N_("points of the line at first"),
    tolerance=N_("how far the sum may miss what the answer changes, as a share of it"),
    max_steps=N_("the most points of the line"),
    max_segments=COARSER,
)
