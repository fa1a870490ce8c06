"""The chapter of the probe `input_x_gradient`; see `auditor.report.sections.attributions`."""

from auditor.findings.analyses.input_x_gradient import SUMMARY
from auditor.languages import N_
from auditor.report.sections.attributions import COARSER, OF_A_SLOPE, Wording, chapter

CHAPTER = chapter(
    SUMMARY,
    Wording(
        title=N_("Input × gradient"),
        question=N_("What does each word add to the answer, as far as its slope says it?"),
        method=N_("The gradient of the answer at the embeddings of each word’s tokens, times these embeddings."),
        limits=OF_A_SLOPE,
        letters=N_(
            "*e_t* is the embedding of token *t*, *f* the model’s answer; the weight of a segment is the sum over"
            " its tokens (Shrikumar, Greenside & Kundaje 2017)."
        ),
    ),
    max_segments=COARSER,
)
