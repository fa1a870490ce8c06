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
from collections.abc import Callable, Mapping, Sequence

from auditor.findings.numbers import BOOTSTRAP, number, perplexity
from auditor.findings.statistics import exponentials
from auditor.findings.statistics.intervals import Estimate, bootstrap_ratio
from auditor.findings.types import Example, Number, PerplexityFindings
from auditor.languages import N_, plural, say, translated
from auditor.languages.numbers import count
from auditor.records.types import Document, Perplexity, ScoredTokens

EXAMPLES = 6
_METHODS = (N_("rolling windows"), N_("rolling windows over the text alone, without the chat template"))
"""What records say of how they were made; printed in the language of the report."""


def summarise_perplexity(
    measured: Sequence[tuple[Document, Perplexity]],
    columns: Mapping[str, Sequence[str]],
    is_reference: bool,
    seed: int,
) -> tuple[PerplexityFindings | None, list[Number]]:
    """The findings and the numbers of the perplexity probe; None and [] where it measured nothing."""
    if not measured:
        return None, []
    records = [record for _, record in measured]
    first = records[0]
    numbers = [corpus(records, seed), mean(records, seed), median(records), bits_per_byte(records, seed)]
    numbers.append(word(records, seed))
    found = PerplexityFindings(
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
        nats_by_slice=nats_by_slice(measured, columns),
    )
    return found, numbers


def document_nats(record: ScoredTokens) -> float:
    """Mean negative log-likelihood of a token: the logarithm of the perplexity."""
    return record.nll / max(len(record.logprobs), 1)


def document_perplexity(record: ScoredTokens) -> float | None:
    """Exponential of the mean negative log-likelihood of a token; None beyond 1e300."""
    return exponentials.exponential(document_nats(record))


def document_bits_per_byte(record: Perplexity) -> float:
    """Bits the model needs per byte of the text."""
    return record.nll / (math.log(2) * max(record.n_bytes, 1))


def corpus(records: Sequence[Perplexity], seed: int) -> Number:
    """Over all tokens."""
    found = _ratio(records, lambda r: len(r.logprobs), seed, "perplexity.corpus")
    rule = plural(
        sum(len(r.logprobs) for r in records),
        "exp of the mean negative log-likelihood over the only token; {interval}; {windows}",
        "exp of the mean negative log-likelihood over all {n} tokens; {interval}; {windows}",
        interval=say(BOOTSTRAP),
        windows=_windows(records),
    )
    return perplexity("perplexity.corpus", say("Corpus perplexity"), found, rule)


def mean(records: Sequence[Perplexity], seed: int) -> Number:
    """Mean of the documents' perplexities."""
    found = exponentials.mean([document_nats(r) for r in records], seed=seed, name="perplexity.mean")
    rule = say(
        "Mean of the documents’ perplexities; {interval}; {windows}", interval=say(BOOTSTRAP), windows=_windows(records)
    )
    return perplexity("perplexity.mean", say("Mean document perplexity"), found, rule)


def median(records: Sequence[Perplexity]) -> Number:
    """Median of the documents' perplexities."""
    found = exponentials.median([document_nats(r) for r in records])
    rule = say(
        "Median of the documents’ perplexities; 95% interval by order statistics; {windows}", windows=_windows(records)
    )
    return perplexity("perplexity.median", say("Median document perplexity"), found, rule)


def bits_per_byte(records: Sequence[Perplexity], seed: int) -> Number:
    """Over all bytes; comparable between tokenizers."""
    name = "perplexity.bits_per_byte"
    found = _ratio(records, lambda r: r.n_bytes, seed, name).through(lambda nats: nats / math.log(2))
    rule = plural(
        sum(r.n_bytes for r in records),
        "Negative log-likelihood in bits over the only byte (UTF-8); {interval}; {windows}",
        "Negative log-likelihood in bits over all {n} bytes (UTF-8); {interval}; {windows}",
        interval=say(BOOTSTRAP),
        windows=_windows(records),
    )
    return number(name, say("Bits per byte"), found, "bits", rule)


def word(records: Sequence[Perplexity], seed: int) -> Number:
    """Over all white-space separated words."""
    found = _ratio(records, lambda r: r.n_words, seed, "perplexity.word")
    rule = plural(
        sum(r.n_words for r in records),
        "exp of the negative log-likelihood of the only word (by white space); {interval}; {windows}",
        "exp of the negative log-likelihood over all {n} words (by white space); {interval}; {windows}",
        interval=say(BOOTSTRAP),
        windows=_windows(records),
    )
    return perplexity("perplexity.word", say("Word perplexity"), found, rule)


def most_surprising(records: Sequence[Perplexity]) -> tuple[Example, ...]:
    """The documents with the most bits per byte."""
    chosen = sorted(records, key=lambda r: -document_bits_per_byte(r))[:EXAMPLES]
    rule = plural(
        len(chosen), "The document with the most bits per byte", "One of the {n} documents with the most bits per byte"
    )
    return tuple(Example(document_id=record.document_id, rule=rule) for record in chosen)


def nats_by_slice(
    measured: Sequence[tuple[Document, ScoredTokens]], columns: Mapping[str, Sequence[str]]
) -> dict[str, dict[str, tuple[float, ...]]]:
    """Sorted logarithms of the documents' perplexities by column and value; values without any are left out."""
    found: dict[str, dict[str, tuple[float, ...]]] = {}
    for column, values in columns.items():
        by_value = {
            value: tuple(sorted(document_nats(r) for d, r in measured if d.metadata.get(column) == value))
            for value in values
        }
        found[column] = {value: nats for value, nats in by_value.items() if nats}
    return found


def _ratio(records: Sequence[Perplexity], size: Callable[[Perplexity], int], seed: int, name: str) -> Estimate:
    return bootstrap_ratio([r.nll for r in records], [float(size(r)) for r in records], seed=seed, name=name)


def _windows(records: Sequence[Perplexity]) -> str:
    first = records[0]
    sizes = {"context": count(first.context_length), "stride": count(first.stride), "method": translated(first.method)}
    if not first.prefix:
        return say("{method}, context {context}, stride {stride}, no prefix", **sizes)
    return say("{method}, context {context}, stride {stride}, prefix {prefix}", prefix=first.prefix, **sizes)
