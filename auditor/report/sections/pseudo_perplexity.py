"""How surprising is each token to a masked language model that sees all the others?"""

from auditor.findings.types import PseudoPerplexityFindings
from auditor.records.types import Failure
from auditor.report import figures, formats, highlights
from auditor.report.sections.contract import Section, Sources, known, numbers_table, with_interval
from auditor.report.sections.perplexity import Card, card, distribution, strip_table, strips_caption

_HIDDEN = {
    "within-word": "with each token the later tokens of its word are hidden (Kauf & Ivanova 2023)",
    "original": "each token alone is hidden, so that a word split into tokens gives itself away (Salazar et al. 2020)",
}


def compose(sources: Sources) -> Section:
    """The section on pseudo-perplexity."""
    found = sources.findings.pseudo_perplexity
    if found is None:
        raise ValueError("the run has no findings on pseudo-perplexity")
    strips = distribution([row.pseudo_perplexity for row in sources.findings.documents], found.by_slice)
    return Section(
        id="pseudo_perplexity",
        title="Pseudo-perplexity",
        question="How surprising is each token to a masked language model that sees all the others?",
        answer=(
            f"Over {formats.plural(found.n_tokens, 'token')} the pseudo-perplexity is {with_interval(found.corpus)}, "
            f"the median document’s {with_interval(found.median_document)}."
        ),
        method=_method(found),
        limits=_limits(found),
        template="sections/perplexity.html.j2",
        content={
            "protocol": _protocol(found),
            "numbers": numbers_table(
                "The same pseudo-log-probabilities, averaged in different ways.",
                [found.corpus, found.mean_document, found.median_document],
            ),
            "measure": "pseudo-perplexity",
            "figure": figures.draw_strips(strips, "pseudo-perplexity per document, log scale") if strips else None,
            "figure_caption": strips_caption(strips),
            "strips": strip_table(strips) if strips else None,
            "edges": [formats.decimal(edge, 0) for edge in highlights.SURPRISE_BITS],
            "cards": _cards(sources, found),
        },
    )


def _method(found: PseudoPerplexityFindings) -> str:
    return (
        f"One forward pass for every token: {_HIDDEN[found.variant]}, and the model says how likely the token is "
        "between what stands on both sides. Special tokens are not scored. In documents longer than the model can see "
        "every token is scored in a window of full length with the token in its middle, as far as the ends allow. "
        "Pseudo-perplexity is the exponential of the mean negative logarithm."
    )


def _limits(found: PseudoPerplexityFindings) -> str:
    whose = (
        f"The values are those of the reference model {found.model}, not of the audited one. "
        if found.is_reference
        else ""
    )
    return (
        f"{whose}A pseudo-perplexity must never be compared with the perplexity of a causal language model: the model "
        "sees what follows a token, and the probabilities do not multiply to that of the text, so there are no bits "
        "per byte either. It may be compared only under the same tokenizer and the same variant."
    )


def _protocol(found: PseudoPerplexityFindings) -> list[tuple[str, str]]:
    return [
        ("Masked language model", found.model + (" (reference)" if found.is_reference else " (audited)")),
        ("Variant", found.variant),
        ("Context length", formats.plural(found.context_length, "token")),
        ("Documents", formats.count(found.n_documents)),
        ("Scored tokens", formats.count(found.n_tokens)),
        ("Of these in split words", f"{formats.count(found.n_split)}: where the variants differ"),
    ]


def _cards(sources: Sources, found: PseudoPerplexityFindings) -> list[Card]:
    rows = {row.document_id: row.pseudo_perplexity for row in sources.findings.documents}
    cards = []
    for example in known(found.most_surprising, sources.evidence.pseudo_perplexity):
        record = sources.evidence.pseudo_perplexity[example.document_id]
        document = sources.documents.get(example.document_id)
        if document is not None and not isinstance(record, Failure) and record.logprobs:
            value = f"pseudo-perplexity {formats.quantity(rows.get(document.id), 'perplexity')}"
            cards.append(card(example, document, record, [value, formats.plural(len(record.logprobs), "token")]))
    return cards
