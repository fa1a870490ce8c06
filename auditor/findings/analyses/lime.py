"""What the explanations of the probe `lime` come to; see `auditor.findings.analyses.explanations`."""

from auditor.findings.analyses.explanations import ExplanationQuantities, ExplanationSummary, fidelity_cell
from auditor.findings.contract.quantity import Term
from auditor.languages import N_

_GLOSSARY = (
    Term(N_("Decisive word"), N_("A word whose weight is surely beyond 0.1, for or against.")),
    Term(
        N_("Fidelity R²"),
        N_("The share of the model’s variation near a document that LIME’s linear surrogate reproduces; 1 is all."),
    ),
    Term(N_("Kernel width"), N_("How far from the text a variant may be and still count in LIME’s regression.")),
    Term(
        N_("LIME"),
        N_("Local interpretable model-agnostic explanations: a linear model fitted to answers for variants of a text."),
    ),
    Term(
        N_("Max-sensitivity"),
        N_(
            "How far weights change at most, relative to their size, when a segment is left out that hardly moves the "
            "answer. Of sampled variants it contains what two halves of them differ by."
        ),
    ),
    Term(N_("Segment"), N_("What an explanation switches on and off together: a word, a character or a token.")),
    Term(N_("Surrogate"), N_("The simple model that stands in for the audited one near a single text.")),
    Term(N_("Variant"), N_("The text with some of its segments taken away.")),
    Term(
        N_("Weight"),
        N_("How much the answer changes, on average, where a segment is present. Positive supports, negative opposes."),
    ),
)

SUMMARY = ExplanationSummary(
    ExplanationQuantities(
        "lime",
        N_("LIME fidelity"),
        _GLOSSARY,
        rank=30,
        faithfulness_title=N_("LIME faithfulness"),
        stability_title=N_("LIME stability"),
    ),
    N_("LIME"),
    section="lime",
    order=20,
    cells=(fidelity_cell("fidelity", N_("R²"), N_("R² is the fidelity of the explanation.")),),
)
