"""The chapter of the probe `occlusion`; see `auditor.report.sections.attributions`."""

from auditor.findings.analyses.occlusion import SUMMARY
from auditor.languages import N_
from auditor.report.sections.attributions import COARSER, ONE_AT_A_TIME, Wording, chapter

CHAPTER = chapter(
    SUMMARY,
    Wording(
        title=N_("Occlusion"),
        question=N_("What does the answer lose without each word?"),
        method=N_(
            "Every segment of a document is taken out by itself, and the model answers what is left; the weight "
            "of a segment is what the answer loses."
        ),
        limits=ONE_AT_A_TIME,
        letters=N_(
            "*w_i* is the weight of segment *i*: the model’s answer *f* to the whole text *x*, less its answer to"
            " the text without that segment (leave-one-out; Li, Monroe & Jurafsky 2016). Nothing is drawn and "
            "nothing is fitted."
        ),
    ),
    max_segments=COARSER,
)
