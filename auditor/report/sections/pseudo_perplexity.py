"""How surprising is each token to a masked language model that sees all the others?"""

from auditor.findings.analyses.pseudo_perplexity import SUMMARY as PSEUDO_PERPLEXITY
from auditor.findings.analyses.pseudo_perplexity import PseudoPerplexityFindings
from auditor.findings.analyses.scored_tokens import document_nats
from auditor.languages import N_, plural, say
from auditor.records.types import PseudoPerplexity
from auditor.report.contract import Chapter, Method, Reason, Section, Sources, numbers_table, with_interval
from auditor.report.drawing import formats
from auditor.report.sections import surprise
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
    analysis = sources.analysis(PSEUDO_PERPLEXITY.probe, PseudoPerplexityFindings)
    analysis = surprise.with_all_values(sources, analysis, PSEUDO_PERPLEXITY.probe)
    values = [*map(document_nats, sources.evidence.measured(PSEUDO_PERPLEXITY.probe, PseudoPerplexity).values())]
    return Section(
        id="pseudo_perplexity",
        title=say("Pseudo-perplexity"),
        question=say("How surprising is each token to a masked language model that sees all the others?"),
        answer=plural(
            analysis.n_tokens,
            "Over {n} token the pseudo-perplexity is {corpus}, the median document’s {median}.",
            "Over {n} tokens the pseudo-perplexity is {corpus}, the median document’s {median}.",
            corpus=with_interval(analysis.corpus),
            median=with_interval(analysis.median_document),
        ),
        method=_method(analysis),
        limits=_limits(analysis),
        template="sections/perplexity.html.j2",
        content={
            "protocol": _protocol(analysis),
            "numbers": numbers_table(
                say("The same pseudo-log-probabilities, averaged in different ways."),
                [analysis.corpus, analysis.mean_document, analysis.median_document],
            ),
            "figure": surprise.draw(values, analysis, say("pseudo-perplexity per document, log scale")),
            "figure_words": say(
                "Strip plot of the pseudo-perplexity of each document by slice; its numbers are in the table below."
            ),
            **surprise.content(sources, analysis, PSEUDO_PERPLEXITY.probe, PseudoPerplexity, values, _facts),
        },
    )


def _method(analysis: PseudoPerplexityFindings) -> str:
    return say(
        "{hidden} Special tokens are not scored. In documents longer than the model can see every token is scored in a "
        "window of full length with the token in its middle, as far as the ends allow. Pseudo-perplexity is the "
        "exponential of the mean negative logarithm.",
        hidden=say(_HIDDEN[analysis.variant]),
    )


def _limits(analysis: PseudoPerplexityFindings) -> str:
    limits = say(
        "A pseudo-perplexity must never be compared with the perplexity of a causal language model: the model sees "
        "what follows a token, and the probabilities do not multiply to that of the text, so there are no bits per "
        "byte either. It may be compared only under the same tokenizer and the same variant."
    )
    if not analysis.is_reference:
        return limits
    return say(
        "The values are those of the reference model {model}, not of the audited one. {limits}",
        model=analysis.model,
        limits=limits,
    )


def _protocol(analysis: PseudoPerplexityFindings) -> list[tuple[str, str]]:
    return [
        (say("Masked language model"), whose(analysis.model, is_reference=analysis.is_reference)),
        (say("Variant"), analysis.variant),
        (say("Context length"), plural(analysis.context_length, "{n} token", "{n} tokens")),
        (say("Documents"), formats.count(analysis.n_documents)),
        (say("Scored tokens"), formats.count(analysis.n_tokens)),
        (
            say("Of these in split words"),
            say("{n}: where the variants differ", n=formats.count(analysis.n_split)),
        ),
    ]


def _facts(record: PseudoPerplexity) -> list[str]:
    return [say("pseudo-perplexity {value}", value=formats.perplexity(document_nats(record)))]


def _surprising(_: Sources, __: str, value: float) -> str:
    number = formats.perplexity(value)
    return say("The text surprises the masked language model: pseudo-perplexity {value}.", value=number)


_LETTERS = N_(
    "*N* are the scored tokens of a document *W*, without special tokens (Salazar et al. 2020). Hidden for *t* "
    "are the token itself and, in the variant within-word, the later tokens of its word (Kauf & Ivanova 2023); "
    "words are those of the tokenizer, or Unicode words where it has none."
)
"""What the letters of the formulas mean."""

CHAPTER = Chapter(
    probe=PSEUDO_PERPLEXITY.probe,
    title=N_("Pseudo-perplexity"),
    compose=compose,
    methods=(
        Method(
            N_("Pseudo-perplexity"),
            _LETTERS,
            "sections/formulas/pseudo_perplexity.html.j2",
        ),
    ),
    parameters={
        "context_length": surprise.context_length(PSEUDO_PERPLEXITY.probe, PseudoPerplexityFindings),
    },
    reasons={"pseudo-surprising": Reason(N_("Documents with the largest pseudo-perplexity"), _surprising)},
    card=surprise.card_of(PSEUDO_PERPLEXITY.probe, PseudoPerplexityFindings),
)
