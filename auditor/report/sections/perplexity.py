"""How surprising are the texts to a language model?"""

from auditor.findings.analyses.perplexity import SUMMARY as PERPLEXITY
from auditor.findings.analyses.perplexity import PerplexityFindings, document_bits_per_byte
from auditor.findings.analyses.scored_tokens import document_nats
from auditor.languages import N_, plural, say, translated
from auditor.records.types import Perplexity
from auditor.report.contract import Chapter, Method, Parameter, Reason, Section, Sources, numbers_table, with_interval
from auditor.report.drawing import formats
from auditor.report.sections import surprise


def compose(sources: Sources) -> Section:
    """The section on perplexity."""
    analysis = sources.analysis(PERPLEXITY.probe, PerplexityFindings)
    analysis = surprise.with_all_values(sources, analysis, PERPLEXITY.probe)
    values = [*map(document_nats, sources.evidence.measured(PERPLEXITY.probe, Perplexity).values())]
    return Section(
        id="perplexity",
        title=say("Perplexity"),
        question=say("How surprising are the texts to the language model?"),
        answer=_answer(analysis),
        method=_method(analysis),
        limits=_limits(analysis),
        template="sections/perplexity.html.j2",
        content={
            "protocol": _protocol(analysis),
            "numbers": numbers_table(
                say("The same log-probabilities, averaged in different ways."),
                [
                    analysis.corpus,
                    analysis.mean_document,
                    analysis.median_document,
                    analysis.bits_per_byte,
                    analysis.word,
                ],
            ),
            "figure": surprise.draw(values, analysis, say("perplexity per document, log scale")),
            "figure_words": say(
                "Strip plot of the perplexity of each document by slice; its numbers are in the table below."
            ),
            **surprise.content(sources, analysis, PERPLEXITY.probe, Perplexity, values, _facts),
        },
    )


def _answer(analysis: PerplexityFindings) -> str:
    return plural(
        analysis.n_tokens,
        "Over {n} token the perplexity is {corpus}, or {bits} per byte, which alone may be compared across models; the "
        "median document’s perplexity is {median}.",
        "Over {n} tokens the perplexity is {corpus}, or {bits} per byte, which alone may be compared across models; "
        "the median document’s perplexity is {median}.",
        corpus=with_interval(analysis.corpus),
        median=with_interval(analysis.median_document),
        bits=with_interval(analysis.bits_per_byte),
    )


def _method(analysis: PerplexityFindings) -> str:
    sizes = {"context": formats.count(analysis.context_length), "stride": formats.count(analysis.stride)}
    if not analysis.prefix:
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
        prefix=analysis.prefix,
        **sizes,
    )


def _limits(analysis: PerplexityFindings) -> str:
    if analysis.is_reference:
        return say(
            "The perplexities are those of the reference model {model}, not of the audited one. Token perplexities "
            "depend on the tokenizer and must not be compared between models; bits per byte may. A high value marks "
            "text unlike the training data, not wrong text.",
            model=analysis.model,
        )
    return say(
        "Token perplexities depend on the tokenizer and must not be compared between models; bits per byte may. A high "
        "value marks text unlike the training data, not wrong text."
    )


def _protocol(analysis: PerplexityFindings) -> list[tuple[str, str]]:
    return [
        (say("Language model"), whose(analysis.model, is_reference=analysis.is_reference)),
        (say("Method"), translated(analysis.method)),
        (say("Context length"), plural(analysis.context_length, "{n} token", "{n} tokens")),
        (say("Stride"), plural(analysis.stride, "{n} token", "{n} tokens")),
        (say("First token after"), analysis.prefix or say("nothing: not scored")),
        (say("Documents"), formats.count(analysis.n_documents)),
        (say("Scored tokens"), formats.count(analysis.n_tokens)),
        (say("UTF-8 bytes"), formats.count(analysis.n_bytes)),
    ]


def whose(model: str, *, is_reference: bool) -> str:
    """A model, and whether it is the audited one."""
    return say("{model} (reference)", model=model) if is_reference else say("{model} (audited)", model=model)


def _facts(record: Perplexity) -> list[str]:
    bits = formats.quantity(document_bits_per_byte(record), "bits")
    return [
        say("perplexity {value}", value=formats.perplexity(document_nats(record))),
        say("{value} per byte", value=bits),
    ]


def _surprising(sources: Sources, document_id: str, value: float) -> str:
    record = sources.evidence.record_of(PERPLEXITY.probe, document_id, Perplexity)
    return say(
        "The text surprises the language model: {bits} per byte, perplexity {perplexity}.",
        bits=formats.quantity(value, "bits"),
        perplexity=formats.perplexity(document_nats(record) if record else None),
    )


def _stride(parameter: Parameter) -> str:
    analysis = parameter.findings.analysis(PERPLEXITY.probe, PerplexityFindings)
    return "" if analysis is None else plural(analysis.stride, "{n} token", "{n} tokens")


_LETTERS = N_(
    "*p_t* is the probability of token *t* after the tokens before it, *N* the scored tokens, *B* the UTF-8 "
    "bytes, *W* the white-space separated words. The corpus value weighs tokens alike, the mean of documents "
    "weighs documents alike: they differ."
)
"""What the letters of the formulas mean."""

CHAPTER = Chapter(
    probe=PERPLEXITY.probe,
    title=N_("Perplexity"),
    compose=compose,
    methods=(
        Method(
            N_("Perplexity"),
            _LETTERS,
            "sections/formulas/perplexity.html.j2",
        ),
    ),
    parameters={
        "context_length": surprise.context_length(PERPLEXITY.probe, PerplexityFindings),
        "stride": _stride,
    },
    reasons={"surprising": Reason(N_("Documents with the most bits per byte"), _surprising)},
    card=surprise.card_of(PERPLEXITY.probe, PerplexityFindings),
)
