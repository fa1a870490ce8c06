"""How surprising is each token to a masked language model that sees all the others?"""

from auditor.findings.abridgement import document_rows
from auditor.findings.types import DocumentRow, PseudoPerplexityFindings
from auditor.languages import N_, plural, say
from auditor.report.drawing import formats
from auditor.report.sections import surprise
from auditor.report.sections.contract import Section, Sources, numbers_table, with_interval
from auditor.report.sections.perplexity import whose

_HIDDEN = {
    "within-word": N_(
        "One forward pass for every token: with each token the later tokens of its word are hidden (Kauf & Ivanova "
        "2023), and the model says how likely the token is between what stands on both sides."
    ),
    "original": N_(
        "One forward pass for every token: each token alone is hidden, so that a word split into tokens gives itself "
        "away (Salazar et al. 2020), and the model says how likely the token is between what stands on both sides."
    ),
}


def compose(sources: Sources) -> Section:
    """The section on pseudo-perplexity."""
    found = sources.findings.pseudo_perplexity
    if found is None:
        raise ValueError("the run has no findings on pseudo-perplexity")
    found = surprise.with_all_values(sources, found, sources.evidence.measured(sources.evidence.pseudo_perplexity))
    values = [row.pseudo_perplexity_nats for row in document_rows(sources.findings, sources.evidence)]
    return Section(
        id="pseudo_perplexity",
        title=say("Pseudo-perplexity"),
        question=say("How surprising is each token to a masked language model that sees all the others?"),
        answer=plural(
            found.n_tokens,
            "Over {n} token the pseudo-perplexity is {corpus}, the median document’s {median}.",
            "Over {n} tokens the pseudo-perplexity is {corpus}, the median document’s {median}.",
            corpus=with_interval(found.corpus),
            median=with_interval(found.median_document),
        ),
        method=_method(found),
        limits=_limits(found),
        template="sections/perplexity.html.j2",
        content={
            "protocol": _protocol(found),
            "numbers": numbers_table(
                say("The same pseudo-log-probabilities, averaged in different ways."),
                [found.corpus, found.mean_document, found.median_document],
            ),
            "figure": surprise.draw(values, found, say("pseudo-perplexity per document, log scale")),
            "figure_words": say(
                "Strip plot of the pseudo-perplexity of each document by slice; its numbers are in the table below."
            ),
            **surprise.content(sources, found, sources.evidence.pseudo_perplexity, values, _facts),
        },
    )


def _method(found: PseudoPerplexityFindings) -> str:
    return say(
        "{hidden} Special tokens are not scored. In documents longer than the model can see every token is scored in a "
        "window of full length with the token in its middle, as far as the ends allow. Pseudo-perplexity is the "
        "exponential of the mean negative logarithm.",
        hidden=say(_HIDDEN[found.variant]),
    )


def _limits(found: PseudoPerplexityFindings) -> str:
    limits = say(
        "A pseudo-perplexity must never be compared with the perplexity of a causal language model: the model sees "
        "what follows a token, and the probabilities do not multiply to that of the text, so there are no bits per "
        "byte either. It may be compared only under the same tokenizer and the same variant."
    )
    if not found.is_reference:
        return limits
    return say(
        "The values are those of the reference model {model}, not of the audited one. {limits}",
        model=found.model,
        limits=limits,
    )


def _protocol(found: PseudoPerplexityFindings) -> list[tuple[str, str]]:
    return [
        (say("Masked language model"), whose(found.model, is_reference=found.is_reference)),
        (say("Variant"), found.variant),
        (say("Context length"), plural(found.context_length, "{n} token", "{n} tokens")),
        (say("Documents"), formats.count(found.n_documents)),
        (say("Scored tokens"), formats.count(found.n_tokens)),
        (
            say("Of these in split words"),
            say("{n}: where the variants differ", n=formats.count(found.n_split)),
        ),
    ]


def _facts(row: DocumentRow) -> list[str]:
    return [say("pseudo-perplexity {value}", value=formats.perplexity(row.pseudo_perplexity_nats))]
