"""What the explanations of the probe `occlusion` come to; see `auditor.findings.analyses.attributions`."""

from auditor.findings.analyses.attributions import AttributionSummary, Titles
from auditor.findings.contract.quantity import Term
from auditor.languages import N_

SUMMARY = AttributionSummary(
    "occlusion",
    N_("occlusion"),
    Titles(N_("Occlusion faithfulness"), N_("Largest effect of one word")),
    glossary=(
        Term(N_("Occlusion"), N_("What the answer loses when one word, and nothing else, is taken out of the text.")),
    ),
    order=22,
)
