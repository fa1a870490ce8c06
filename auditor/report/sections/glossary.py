"""What do the words mean?"""

from auditor.report.sections.contract import Section, Sources

_GENERAL = (
    ("Bound", "The value a check demands, written down before the run."),
    (
        "Confidence interval, 95%",
        "A range that would hold the true value in 95 of 100 repetitions with other documents.",
    ),
    (
        "Probe",
        "A measuring instrument pointed at a model: one question asked of every document. Not a probing classifier.",
    ),
    ("Slice", "The documents that share one value of a column of the corpus, such as a language or a length."),
    ("Verdict", "What follows from the checks: pass, pass with conditions, fail, or not established."),
)
_PREDICTION = (
    (
        "Calibration error",
        "Mean distance between stated probability and share correct, over bins weighted by documents.",
    ),
    ("Entropy", "How spread out a distribution is, in nats: 0 is certainty, ln K an even spread over K outcomes."),
    ("F1", "Harmonic mean of precision and recall."),
    (
        "Precision, recall",
        "Of the documents given a label, the share that have it; of those that have it, the share given it.",
    ),
)
_LIME = (
    (
        "Fidelity R²",
        "The share of the model’s variation near a document that LIME’s linear surrogate reproduces; 1 is all.",
    ),
    (
        "LIME",
        "Local interpretable model-agnostic explanations: a linear model fitted to answers for variants of a text.",
    ),
    ("Segment", "What an explanation switches on and off together: a word, a character or a token."),
    (
        "Weight",
        "How much the answer changes, on average, where a segment is present. Positive supports, negative opposes.",
    ),
)
_ATTENTION = (
    (
        "Attention head",
        "One of the parallel parts of a layer; it spreads a weight of 1 over the tokens it may look at.",
    ),
    ("Attention sink", "A token, most often the first, that takes attention which has nowhere useful to go."),
    ("Kendall’s τ", "Agreement of two rankings: 1 the same order, 0 unrelated, −1 reversed."),
)
_PERPLEXITY = (
    ("Bits per byte", "Negative log2-likelihood of a text divided by its UTF-8 bytes; comparable across tokenizers."),
    (
        "Perplexity",
        "Exponential of the mean negative log-likelihood per token: how many equally likely tokens it feels like.",
    ),
    ("Surprise", "−log2 of the probability a token was given, in bits; each bit halves the probability."),
)
_PSEUDO_PERPLEXITY = (
    (
        "Pseudo-perplexity",
        "Exponential of the mean negative log-probability of tokens hidden one at a time; not a perplexity.",
    ),
    ("Surprise", "−log2 of the probability a token was given, in bits; each bit halves the probability."),
)


def compose(sources: Sources) -> Section:
    """The glossary: only of words this report uses."""
    findings = sources.findings
    entries = [*_GENERAL]
    for present, words in (
        (findings.predictions, _PREDICTION),
        (findings.explanations, _LIME),
        (findings.attention, _ATTENTION),
        (findings.perplexity, _PERPLEXITY),
        (findings.pseudo_perplexity, _PSEUDO_PERPLEXITY),
    ):
        entries += words if present is not None else ()
    return Section(
        id="glossary",
        title="Glossary",
        question="What do the words mean?",
        answer="In this report they mean the following.",
        method="",
        limits="",
        template="sections/glossary.html.j2",
        content={"entries": sorted(set(entries))},
    )
