"""The chapter of the probe `shap`; see `auditor.report.sections.attributions`."""

from auditor.findings.analyses.shap import SUMMARY
from auditor.languages import N_
from auditor.report.sections.attributions import Wording, chapter

CHAPTER = chapter(
    SUMMARY,
    Wording(
        title=N_("SHAP"),
        question=N_("Which share has each word in what the answer changes from no word to all of them?"),
        method=N_(
            "Shapley values: what a segment adds to the answer, on average over the orders in which segments can come. "
            "They add up to what the answer changes from no segment to all of them."
        ),
        limits=N_(
            "Most of the texts behind an average have lost many words, and are texts that nobody writes. A value says "
            "what a word adds on average over them, not what the answer would be without the word."
        ),
        letters=N_(
            "*m* is a subset of the *S* segments, *v*(*m*) the model’s answer to the text with nothing but these "
            "(Shapley 1953; Lundberg & Lee 2017). Where there are too many subsets, the mean is taken over random "
            "orders, each forwards and backwards, or over those that keep neighbours together (Owen values), by the "
            "package shap."
        ),
    ),
    algorithm=N_("how the values are computed: in every document alike, or exactly where it is short enough"),
    max_evaluations=N_("the most variants of one document"),
)
