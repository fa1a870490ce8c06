"""How surprising are the texts to the language model?

With ℓ_d the summed negative log-likelihood of document d (nats) over its N_d scored tokens, B_d bytes and W_d words:
    perplexity of d   exp(ℓ_d / N_d)                    corpus   exp(Σℓ / ΣN), the token-weighted geometric mean
    bits per byte     Σℓ / (ln 2 · ΣB)                  word     exp(Σℓ / ΣW), words by white space

The corpus perplexity is not the mean of the documents' perplexities; both are given and named. Token perplexities are
comparable only under one tokenizer, bits per byte under any. Everything is computed and kept in nats, and intervals are
made there (`auditor.findings.statistics.exponentials`): of ratios and the mean by resampling documents, of the median
by order statistics. The exponential is taken last, for the eye; beyond 1e300 it is not taken at all.
"""

import math
from collections.abc import Callable, Iterator, Sequence

from auditor.findings.analyses.scored_tokens import (
    ScoredFindings,
    Strips,
    abridged_strips,
    document_nats,
    document_perplexity,
    nats_by_slice,
)
from auditor.findings.analyses.surprise import point_at_surprising
from auditor.findings.analyses.worst import choose
from auditor.findings.contract.contributions import Contributions, median_of, ratio_of
from auditor.findings.contract.evidence import Evidence
from auditor.findings.contract.numbers import BOOTSTRAP
from auditor.findings.contract.quantity import PageOne, Quantity, Term
from auditor.findings.contract.summary import Cell, Conclusion, Setting, Summary, Whole
from auditor.findings.contract.types import Choice, Example, Number, Pointer
from auditor.findings.statistics import exponentials
from auditor.findings.statistics.intervals import Estimate, bootstrap_ratio
from auditor.findings.wording.sentences import figure, measured
from auditor.languages import N_, plural, say, translated
from auditor.languages.numbers import count
from auditor.records.types import Perplexity

EXAMPLES = 6
MOST_SURPRISING = 3
"""Documents that the rule of the worst chooses."""
_METHODS = (N_("rolling windows"), N_("rolling windows over the text alone, without the chat template"))
"""What records say of how they were made; printed in the language of the report."""


def document_bits_per_byte(record: Perplexity) -> float:
    """Bits the model needs per byte of the text."""
    return record.nll / (math.log(2) * max(record.n_bytes, 1))


SURPRISE = (
    Term(N_("Bit"), N_("Unit of information: one bit halves a probability.")),
    Term(N_("Context length"), N_("How many tokens the model sees at once.")),
    Term(N_("Surprise"), N_("−log2 of the probability a token was given, in bits; each bit halves the probability.")),
)
"""Words that every section on the surprise of tokens uses."""
CORPUS = Quantity(
    name="perplexity.corpus",
    title=N_("Corpus perplexity"),
    unit="perplexity",
    per_token=True,
    low=1.0,
    high=math.inf,
    compared=True,
    better="low",
    page_one=PageOne(80, 24),
    glossary=(
        *SURPRISE,
        Term(
            N_("Perplexity"),
            N_(
                "Exponential of the mean negative log-likelihood per token: how many equally likely tokens it feels "
                "like."
            ),
        ),
        Term(N_("Stride"), N_("By how many tokens the window moves on over a text longer than the context.")),
    ),
)
MEAN = Quantity(
    name="perplexity.mean",
    title=N_("Mean document perplexity"),
    unit="perplexity",
    per_token=True,
    better="low",
    low=1.0,
    high=math.inf,
)
MEDIAN = Quantity(
    name="perplexity.median",
    title=N_("Median document perplexity"),
    unit="perplexity",
    per_token=True,
    low=1.0,
    high=math.inf,
    compared=True,
    better="low",
)
BITS_PER_BYTE = Quantity(
    name="perplexity.bits_per_byte",
    title=N_("Bits per byte"),
    unit="bits",
    high=math.inf,
    compared=True,
    better="low",
    page_one=PageOne(40, 26, 60),
    glossary=(
        Term(
            N_("Bits per byte"),
            N_("Negative log2-likelihood of a text divided by its UTF-8 bytes; comparable across tokenizers."),
        ),
    ),
)
WORD = Quantity(
    name="perplexity.word", title=N_("Word perplexity"), unit="perplexity", better="low", low=1.0, high=math.inf
)


class PerplexityFindings(ScoredFindings):
    """How surprising are the texts to the language model?"""

    method: str
    stride: int
    prefix: str
    n_bytes: int
    bits_per_byte: Number
    word: Number


class PerplexitySummary(Summary[Perplexity, PerplexityFindings]):
    """How surprising the texts are to a causal language model."""

    probe = "perplexity"
    title = N_("perplexity")
    record = Perplexity
    findings = PerplexityFindings
    section = "perplexity"
    order = 50
    quantities = (CORPUS, MEAN, MEDIAN, BITS_PER_BYTE, WORD)
    cells = (
        Cell("perplexity_nats", N_("Perplexity"), "perplexity", 9, lambda record, _: document_nats(record)),
        Cell("perplexity", "", "perplexity", 0, lambda record, _: document_perplexity(record)),
        Cell("bits_per_byte", N_("Bits/byte"), "bits", 8, lambda record, _: document_bits_per_byte(record)),
    )
    reasons = {"nothing-to-score": N_("no token to score")}  # noqa: RUF012

    def summarise(self, evidence: Evidence, setting: Setting) -> Conclusion[PerplexityFindings] | None:
        """Perplexities and bits per byte, and the documents with the most."""
        scored = evidence.measured(self.probe, Perplexity)
        if not scored:
            return None
        records = list(scored.values())
        numbers = (
            *(corpus(records, setting.seed), mean(records, setting.seed), median(records)),
            *(bits_per_byte(records, setting.seed), word(records, setting.seed)),
        )
        strips = nats_by_slice(evidence.documents, scored, setting.columns)
        return Conclusion(_findings(records, numbers, strips, self.probe in setting.references), numbers)

    def contributions(self, evidence: Evidence, setting: Setting) -> Iterator[Contributions]:
        """Ratios of sums, and a median."""
        del setting
        records = [(r.document_id, r.nll, r) for r in evidence.measured(self.probe, Perplexity).values()]
        yield ratio_of(CORPUS, ((name, nll, len(r.logprobs)) for name, nll, r in records))
        yield median_of(MEDIAN, {name: nll / max(len(r.logprobs), 1) for name, nll, r in records})
        yield ratio_of(BITS_PER_BYTE, ((name, nll, r.n_bytes) for name, nll, r in records), scale=1 / math.log(2))
        yield ratio_of(WORD, ((name, nll, r.n_words) for name, nll, r in records))

    def point(self, whole: Whole, findings: PerplexityFindings) -> Iterator[Pointer]:
        """The documents that surprised the model most."""
        rows = whole.evidence.measured(self.probe, Perplexity)
        values = [
            (e.document_id, figure(document_bits_per_byte(rows[e.document_id]), "bits"))
            for e in findings.most_surprising
        ]
        unit = (
            N_("In bits per byte of the reference model; all documents {bits}.")
            if findings.is_reference
            else N_("In bits per byte; all documents {bits}.")
        )
        overall = say(unit, bits=measured(findings.bits_per_byte, is_brief=True))
        return point_at_surprising(values, overall, self.section_id)

    def worst(self, evidence: Evidence, setting: Setting) -> Iterator[Choice]:
        """Documents with the most bits per byte."""
        del setting
        records = [record for record in evidence.measured(self.probe, Perplexity).values() if record.logprobs]
        yield choose("surprising", ((r.document_id, document_bits_per_byte(r)) for r in records), MOST_SURPRISING)

    def shown(self, findings: PerplexityFindings) -> Iterator[str]:
        """The documents with a card."""
        yield from (example.document_id for example in findings.most_surprising)

    def abridged(self, findings: PerplexityFindings) -> PerplexityFindings:
        """The strips with some of their values."""
        return abridged_strips(findings)

    def n_tokens(self, record: Perplexity) -> int | None:
        """The scored tokens."""
        return len(record.logprobs)


def _findings(
    records: Sequence[Perplexity], numbers: Sequence[Number], strips: Strips, is_reference: bool
) -> PerplexityFindings:
    first = records[0]
    return PerplexityFindings(
        model=first.model,
        is_reference=is_reference,
        method=first.method,
        context_length=first.context_length,
        stride=first.stride,
        prefix=first.prefix,
        n_documents=len(records),
        n_tokens=sum(len(r.logprobs) for r in records),
        n_bytes=sum(r.n_bytes for r in records),
        corpus=numbers[0],
        mean_document=numbers[1],
        median_document=numbers[2],
        bits_per_byte=numbers[3],
        word=numbers[4],
        most_surprising=most_surprising(records),
        nats_by_slice=strips,
    )


def corpus(records: Sequence[Perplexity], seed: int) -> Number:
    """Over all tokens."""
    nats = _ratio(records, lambda r: len(r.logprobs), seed, CORPUS.name)
    rule = plural(
        sum(len(r.logprobs) for r in records),
        "exp of the mean negative log-likelihood over the only token; {interval}; {windows}",
        "exp of the mean negative log-likelihood over all {n} tokens; {interval}; {windows}",
        interval=say(BOOTSTRAP),
        windows=_windows(records),
    )
    return CORPUS.number(nats, rule)


def mean(records: Sequence[Perplexity], seed: int) -> Number:
    """Mean of the documents' perplexities."""
    nats = exponentials.mean([document_nats(r) for r in records], seed=seed, name=MEAN.name)
    rule = say(
        "Mean of the documents’ perplexities; {interval}; {windows}", interval=say(BOOTSTRAP), windows=_windows(records)
    )
    return MEAN.number(nats, rule)


def median(records: Sequence[Perplexity]) -> Number:
    """Median of the documents' perplexities."""
    nats = exponentials.median([document_nats(r) for r in records])
    rule = say(
        "Median of the documents’ perplexities; 95% interval by order statistics; {windows}", windows=_windows(records)
    )
    return MEDIAN.number(nats, rule)


def bits_per_byte(records: Sequence[Perplexity], seed: int) -> Number:
    """Over all bytes; comparable between tokenizers."""
    nats = _ratio(records, lambda r: r.n_bytes, seed, BITS_PER_BYTE.name)
    rule = plural(
        sum(r.n_bytes for r in records),
        "Negative log-likelihood in bits over the only byte (UTF-8); {interval}; {windows}",
        "Negative log-likelihood in bits over all {n} bytes (UTF-8); {interval}; {windows}",
        interval=say(BOOTSTRAP),
        windows=_windows(records),
    )
    return BITS_PER_BYTE.number(nats.through(lambda value: value / math.log(2)), rule)


def word(records: Sequence[Perplexity], seed: int) -> Number:
    """Over all white-space separated words."""
    nats = _ratio(records, lambda r: r.n_words, seed, WORD.name)
    rule = plural(
        sum(r.n_words for r in records),
        "exp of the negative log-likelihood of the only word (by white space); {interval}; {windows}",
        "exp of the negative log-likelihood over all {n} words (by white space); {interval}; {windows}",
        interval=say(BOOTSTRAP),
        windows=_windows(records),
    )
    return WORD.number(nats, rule)


def most_surprising(records: Sequence[Perplexity]) -> tuple[Example, ...]:
    """The documents with the most bits per byte."""
    chosen = sorted(records, key=lambda r: -document_bits_per_byte(r))[:EXAMPLES]
    rule = plural(
        len(chosen), "The document with the most bits per byte", "One of the {n} documents with the most bits per byte"
    )
    return tuple(Example(document_id=record.document_id, rule=rule) for record in chosen)


def _ratio(records: Sequence[Perplexity], size: Callable[[Perplexity], int], seed: int, name: str) -> Estimate:
    return bootstrap_ratio([r.nll for r in records], [float(size(r)) for r in records], seed=seed, name=name)


def _windows(records: Sequence[Perplexity]) -> str:
    first = records[0]
    sizes = {"context": count(first.context_length), "stride": count(first.stride), "method": translated(first.method)}
    if not first.prefix:
        return say("{method}, context {context}, stride {stride}, no prefix", **sizes)
    return say("{method}, context {context}, stride {stride}, prefix {prefix}", prefix=first.prefix, **sizes)


SUMMARY = PerplexitySummary()
