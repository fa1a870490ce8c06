"""The chapter of the probe `lime`; see `auditor.report.sections.explanations`."""

from functools import partial

from auditor.findings.analyses.agreement import AGREEMENT
from auditor.findings.analyses.lime import SUMMARY
from auditor.languages import N_
from auditor.report.contract import Chapter, Method
from auditor.report.sections import explanations
from auditor.report.sections.explanation_parameters import PARAMETERS

_LETTERS = N_(
    "A mask *m* keeps *k* of the *S* segments of a text; *f*(*m*) is the model’s answer to what is left; σ is "
    "the kernel width, α the ridge penalty. The weights are the β (Ribeiro et al. 2016), fidelity is the "
    "weighted R² of this regression, and an interval is β ± 1.96 standard errors. Where all masks were "
    "evaluated, α is 0 and there is no sampling error. Where masks were drawn until the intervals were narrow "
    "enough, α is 0 too: β is estimated from distinct masks, by kernel regression on the answers and a "
    "correction for what it misses in masks it has not seen; Student’s *t* is in the standard errors."
)
"""What the letters of the formulas mean."""

CHAPTER = Chapter(
    probe=SUMMARY.probe,
    title=N_("Token explanations"),
    name=N_("LIME"),
    compose=partial(explanations.compose, summary=SUMMARY, related=(AGREEMENT,)),
    methods=(
        Method(
            N_("LIME"),
            _LETTERS,
            "sections/formulas/lime.html.j2",
        ),
    ),
    parameters=PARAMETERS,
    reasons=explanations.REASONS,
    answers={"explanations": ()},
    card=explanations.card_of(SUMMARY),
)
