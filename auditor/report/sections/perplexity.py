"""How surprising are the texts to a language model?"""

from auditor.findings.abridgement import document_rows
from auditor.findings.types import DocumentRow, PerplexityFindings
from auditor.languages import plural, say, translated
from auditor.report.drawing import formats
from auditor.report.sections import surprise
from auditor.report.sections.contract import Section, Sources, numbers_table, with_interval


def compose(sources: Sources) -> Section:
    """The section on perplexity."""
    found = sources.findings.perplexity
    if found is None:
        raise ValueError("the run has no findings on perplexity")
    found = surprise.with_all_values(sources, found, sources.evidence.measured(sources.evidence.perplexity))
    values = [row.perplexity_nats for row in document_rows(sources.findings, sources.evidence)]
    return Section(
        id="perplexity",
        title=say("Perplexity"),
        question=say("How surprising are the texts to the language model?"),
        answer=_answer(found),
        method=_method(found),
        limits=_limits(found),
        template="sections/perplexity.html.j2",
        content={
            "protocol": _protocol(found),
            "numbers": numbers_table(
                say("The same log-probabilities, averaged in different ways."),
                [found.corpus, found.mean_document, found.median_document, found.bits_per_byte, found.word],
            ),
            "figure": surprise.draw(values, found, say("perplexity per document, log scale")),
            "figure_words": say(
                "Strip plot of the perplexity of each document by slice; its numbers are in the table below."
            ),
            **surprise.content(sources, found, sources.evidence.perplexity, values, _facts),
        },
    )


def _answer(found: PerplexityFindings) -> str:
    return plural(
        found.n_tokens,
        "Over {n} token the perplexity is {corpus}, or {bits} per byte, which alone may be compared across models; the "
        "median document’s perplexity is {median}.",
        "Over {n} tokens the perplexity is {corpus}, or {bits} per byte, which alone may be compared across models; "
        "the median document’s perplexity is {median}.",
        corpus=with_interval(found.corpus),
        median=with_interval(found.median_document),
        bits=with_interval(found.bits_per_byte),
    )


def _method(found: PerplexityFindings) -> str:
    sizes = {"context": formats.count(found.context_length), "stride": formats.count(found.stride)}
    if not found.prefix:
        return say(
            "Windows of {context} tokens, moved by {stride}; every token is scored once, the last window keeps its "
            "full left context. The first token is not scored. Perplexity is the exponential of the mean negative "
            "log-likelihood.",
            **sizes,
        )
    return say(
        "Windows of {context} tokens, moved by {stride}; every token is scored once, the last window keeps its full "
        "left context. “{prefix}” gives the first token its context; where a text begins with it, it is neither put "
        "there again nor scored. Perplexity is the exponential of the mean negative log-likelihood.",
        prefix=found.prefix,
        **sizes,
    )


def _limits(found: PerplexityFindings) -> str:
    if found.is_reference:
        return say(
            "The perplexities are those of the reference model {model}, not of the audited one. Token perplexities "
            "depend on the tokenizer and must not be compared between models; bits per byte may. A high value marks "
            "text unlike the training data, not wrong text.",
            model=found.model,
        )
    return say(
        "Token perplexities depend on the tokenizer and must not be compared between models; bits per byte may. A high "
        "value marks text unlike the training data, not wrong text."
    )


def _protocol(found: PerplexityFindings) -> list[tuple[str, str]]:
    return [
        (say("Language model"), whose(found.model, is_reference=found.is_reference)),
        (say("Method"), translated(found.method)),
        (say("Context length"), plural(found.context_length, "{n} token", "{n} tokens")),
        (say("Stride"), plural(found.stride, "{n} token", "{n} tokens")),
        (say("First token after"), found.prefix or say("nothing: not scored")),
        (say("Documents"), formats.count(found.n_documents)),
        (say("Scored tokens"), formats.count(found.n_tokens)),
        (say("UTF-8 bytes"), formats.count(found.n_bytes)),
    ]


def whose(model: str, *, is_reference: bool) -> str:
    """A model, and whether it is the audited one."""
    return say("{model} (reference)", model=model) if is_reference else say("{model} (audited)", model=model)


def _facts(row: DocumentRow) -> list[str]:
    facts = []
    if row.perplexity_nats is not None:
        facts.append(say("perplexity {value}", value=formats.perplexity(row.perplexity_nats)))
    if row.bits_per_byte is not None:
        facts.append(say("{value} per byte", value=formats.quantity(row.bits_per_byte, "bits")))
    return facts
