"""What do the words mean?"""

from collections.abc import Callable
from dataclasses import dataclass

from auditor.findings.types import Findings
from auditor.languages import N_, numbers, say
from auditor.report.sections.contract import Section, Sources


@dataclass(frozen=True, slots=True)
class Entry:
    """A term and what it means in this report."""

    term: str
    meaning: str


_ALWAYS = (
    Entry(
        N_("BCa"),
        N_("Bias-corrected and accelerated: how an interval is read off a bootstrap whose numbers lie unevenly."),
    ),
    Entry(N_("Bootstrap"), N_("An interval found by drawing the documents again and again, with repetition.")),
    Entry(N_("Bound"), N_("The value a check demands, written down before the run.")),
    Entry(N_("Check"), N_("A number, a bound, and whether the number’s whole interval lies on the right side of it.")),
    Entry(
        N_("Confidence interval, 95%"),
        N_("A range that would hold the true value in 95 of 100 repetitions with other documents."),
    ),
    Entry(N_("Corpus"), N_("The documents of this audit. What is said holds for documents like these.")),
    Entry(N_("Coverage"), N_("How many documents a probe was given, and how many of them it could measure.")),
    Entry(N_("Median"), N_("The value in the middle: half of the documents lie below it.")),
    Entry(N_("n"), N_("How many documents a number rests on; for heads or tokens, the table says so.")),
    Entry(
        N_("Probe"),
        N_(
            "A measuring instrument pointed at a model: one question asked of every document. Not a probing classifier."
        ),
    ),
    Entry(N_("Seed"), N_("The number that fixes every random draw, so that a run can be repeated exactly.")),
    Entry(N_("SHA-256"), N_("A fingerprint of a file: a changed file has another one.")),
    Entry(N_("Token"), N_("What a model reads: a word or a piece of one, as its tokenizer cuts the text.")),
    Entry(N_("Truncated"), N_("Of a document longer than the model takes, only the beginning was read.")),
    Entry(N_("Verdict"), N_("What follows from the checks: pass, pass with conditions, fail, or not established.")),
    Entry(N_("Watch"), N_("The interval straddles the bound: a person has to decide.")),
    Entry(N_("Wilson interval"), N_("An interval for a share that is right for few documents too.")),
)
_SLICES = (
    Entry(
        N_("Slice"), N_("The documents that share one value of a column of the corpus, such as a language or length.")
    ),
)
_ANSWERS = (
    Entry(N_("Entropy"), N_("How spread out a distribution is: 0 is certainty, ln K an even spread over K outcomes.")),
    Entry(N_("Label"), N_("An answer that a classifier may give, or a document’s right answer (reference).")),
    Entry(N_("Logit"), N_("A model’s raw score of a label, before it is turned into a probability.")),
    Entry(N_("Nat"), N_("Unit of information with base e; 1 nat is 1.44 bits.")),
    Entry(
        N_("Softmax"), N_("Turns the logits into probabilities that sum to 1. A sigmoid does it for each label alone.")
    ),
)
_LABELLED = (
    Entry(N_("Accuracy"), N_("Share of documents whose predicted label is the reference.")),
    Entry(
        N_("Calibration error"),
        N_("Mean distance between stated probability and share correct, over bins weighted by documents."),
    ),
    Entry(N_("Confusion"), N_("How often each label is taken for each other one.")),
    Entry(N_("F1"), N_("Harmonic mean of precision and recall. Macro F1 is its mean over the labels.")),
    Entry(
        N_("Precision, recall"),
        N_("Of the documents given a label, the share that have it; of those that have it, the share given it."),
    ),
)
_SEVERAL_LABELS = (
    Entry(N_("Exact match"), N_("Share of documents whose whole set of labels is right.")),
    Entry(N_("Micro F1"), N_("F1 over all labels of all documents together.")),
)
_GENERATION = (
    Entry(
        N_("Continuation"), N_("What a language model writes after a document, always the most probable token next.")
    ),
    Entry(N_("Log-probability"), N_("Natural logarithm of a probability: 0 is certain, −0.69 one half.")),
)
_CANDIDATES = (
    Entry(N_("Candidate"), N_("One of the given continuations between which a language model chooses, like a label.")),
    Entry(N_("Prompt"), N_("The text put around a document for a language model.")),
)
_LIME = (
    Entry(
        N_("Fidelity R²"),
        N_("The share of the model’s variation near a document that LIME’s linear surrogate reproduces; 1 is all."),
    ),
    Entry(N_("Kernel width"), N_("How far from the text a variant may be and still count in LIME’s regression.")),
    Entry(
        N_("LIME"),
        N_("Local interpretable model-agnostic explanations: a linear model fitted to answers for variants of a text."),
    ),
    Entry(N_("Segment"), N_("What an explanation switches on and off together: a word, a character or a token.")),
    Entry(N_("Surrogate"), N_("The simple model that stands in for the audited one near a single text.")),
    Entry(N_("Variant"), N_("The text with some of its segments taken away.")),
    Entry(
        N_("Weight"),
        N_("How much the answer changes, on average, where a segment is present. Positive supports, negative opposes."),
    ),
)
_ATTENTION = (
    Entry(
        N_("Attention head"),
        N_("One of the parallel parts of a layer; it spreads a weight of 1 over the tokens it may look at."),
    ),
    Entry(
        N_("Attention sink"), N_("A token, most often the first, that takes attention which has nowhere useful to go.")
    ),
    Entry(N_("Layer"), N_("One of a model’s steps from text to answer; each has the same number of heads.")),
    Entry(N_("Mass"), N_("The share of a head’s attention that falls on some tokens.")),
    Entry(N_("Special token"), N_("A token that the tokenizer adds, such as [CLS] or [SEP], and that is no text.")),
)
_AGREEMENT = (Entry(N_("Kendall’s τ"), N_("Agreement of two rankings: 1 the same order, 0 unrelated, −1 reversed.")),)
_SURPRISE = (
    Entry(N_("Bit"), N_("Unit of information: one bit halves a probability.")),
    Entry(N_("Context length"), N_("How many tokens the model sees at once.")),
    Entry(N_("Surprise"), N_("−log2 of the probability a token was given, in bits; each bit halves the probability.")),
)
_PERPLEXITY = (
    Entry(
        N_("Bits per byte"),
        N_("Negative log2-likelihood of a text divided by its UTF-8 bytes; comparable across tokenizers."),
    ),
    Entry(
        N_("Perplexity"),
        N_("Exponential of the mean negative log-likelihood per token: how many equally likely tokens it feels like."),
    ),
    Entry(N_("Stride"), N_("By how many tokens the window moves on over a text longer than the context.")),
)
_PSEUDO_PERPLEXITY = (
    Entry(
        N_("Pseudo-perplexity"),
        N_("Exponential of the mean negative log-probability of tokens hidden one at a time; not a perplexity."),
    ),
)
_REFERENCE = (Entry(N_("Reference model"), N_("Another model that judges the texts; not the audited one.")),)


def compose(sources: Sources) -> Section:
    """The glossary: only of words this report uses."""
    found = {e.term: e for is_used, words in _VOCABULARIES if is_used(sources.findings) for e in words}
    said = [Entry(say(entry.term), say(entry.meaning)) for entry in found.values()]
    return Section(
        id="glossary",
        title=say("Glossary"),
        question=say("What do the words mean?"),
        answer=say("In this report they mean the following."),
        method="",
        limits="",
        template="sections/glossary.html.j2",
        content={"entries": sorted(said, key=lambda entry: numbers.collation_key(entry.term))},
    )


def _has_labels(findings: Findings) -> bool:
    return findings.predictions is not None and findings.predictions.n_labelled > 0


def _has_answers(findings: Findings) -> bool:
    return findings.predictions is not None and not findings.predictions.continuations


def _continues(findings: Findings) -> bool:
    return findings.predictions is not None and findings.predictions.continuations


def _chooses(findings: Findings) -> bool:
    return _has_answers(findings) and findings.task == "text-generation"


def _is_surprised(findings: Findings) -> bool:
    return findings.perplexity is not None or findings.pseudo_perplexity is not None


def _has_reference(findings: Findings) -> bool:
    scored = (findings.perplexity, findings.pseudo_perplexity)
    return any(found is not None and found.is_reference for found in scored)


_VOCABULARIES: tuple[tuple[Callable[[Findings], bool], tuple[Entry, ...]], ...] = (
    (lambda _: True, _ALWAYS),
    (lambda findings: bool(findings.slices), _SLICES),
    (_has_answers, _ANSWERS),
    (_has_labels, _LABELLED),
    (
        lambda findings: _has_labels(findings) and bool(findings.predictions and findings.predictions.multi_label),
        _SEVERAL_LABELS,
    ),
    (_continues, _GENERATION),
    (_chooses, _CANDIDATES),
    (lambda findings: findings.explanations is not None, _LIME),
    (lambda findings: findings.attention is not None, _ATTENTION),
    (lambda findings: findings.attention is not None and findings.attention.agreement is not None, _AGREEMENT),
    (_is_surprised, _SURPRISE),
    (lambda findings: findings.perplexity is not None, _PERPLEXITY),
    (lambda findings: findings.pseudo_perplexity is not None, _PSEUDO_PERPLEXITY),
    (_has_reference, _REFERENCE),
)
"""Which findings use which words."""
