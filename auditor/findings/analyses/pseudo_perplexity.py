"""How surprising is each token to a masked language model that sees all the others?

With ℓ_d the summed negative pseudo-log-likelihood of document d (nats) over its N_d scored tokens:
    pseudo-perplexity of d   exp(ℓ_d / N_d)             corpus   exp(Σℓ / ΣN), the token-weighted geometric mean

Tokens are conditioned on each other, so ℓ is not the code length of a text: there are no bits per byte, and no value
here may stand beside one of `auditor.findings.analyses.perplexity`. Intervals are made as there.
"""

from collections import Counter
from collections.abc import Mapping, Sequence

from auditor.findings.analyses.perplexity import EXAMPLES, document_nats, nats_by_slice
from auditor.findings.numbers import BOOTSTRAP, perplexity
from auditor.findings.statistics import exponentials
from auditor.findings.statistics.intervals import bootstrap_ratio
from auditor.findings.types import Example, Number, PseudoPerplexityFindings
from auditor.languages import plural, say
from auditor.languages.numbers import count
from auditor.records.types import Document, PseudoPerplexity


def summarise_pseudo_perplexity(
    measured: Sequence[tuple[Document, PseudoPerplexity]],
    columns: Mapping[str, Sequence[str]],
    is_reference: bool,
    seed: int,
) -> tuple[PseudoPerplexityFindings | None, list[Number]]:
    """The findings and the numbers of the pseudo-perplexity probe; None and [] where it measured nothing."""
    if not measured:
        return None, []
    records = [record for _, record in measured]
    first = records[0]
    numbers = [corpus(records, seed), mean(records, seed), median(records)]
    found = PseudoPerplexityFindings(
        model=first.model,
        is_reference=is_reference,
        variant=first.variant,
        context_length=first.context_length,
        n_documents=len(records),
        n_tokens=sum(len(r.logprobs) for r in records),
        n_split=sum(n_in_split_words(r) for r in records),
        corpus=numbers[0],
        mean_document=numbers[1],
        median_document=numbers[2],
        most_surprising=most_surprising(records),
        nats_by_slice=nats_by_slice(measured, columns),
    )
    return found, numbers


def n_in_split_words(record: PseudoPerplexity) -> int:
    """Tokens whose word has others: all but the last of each word are what the variants disagree about."""
    return sum(size for size in Counter(record.words).values() if size > 1)


def corpus(records: Sequence[PseudoPerplexity], seed: int) -> Number:
    """Over all tokens."""
    name, sizes = "pseudo_perplexity.corpus", [float(len(r.logprobs)) for r in records]
    found = bootstrap_ratio([r.nll for r in records], sizes, seed=seed, name=name)
    rule = plural(
        sum(map(int, sizes)),
        "exp of the mean negative pseudo-log-likelihood over the only token; {interval}; {how}",
        "exp of the mean negative pseudo-log-likelihood over all {n} tokens; {interval}; {how}",
        interval=say(BOOTSTRAP),
        how=_how(records),
    )
    return perplexity(name, say("Corpus pseudo-perplexity"), found, rule)


def mean(records: Sequence[PseudoPerplexity], seed: int) -> Number:
    """Mean of the documents' pseudo-perplexities."""
    name = "pseudo_perplexity.mean"
    found = exponentials.mean([document_nats(r) for r in records], seed=seed, name=name)
    rule = say(
        "Mean of the documents’ pseudo-perplexities; {interval}; {how}", interval=say(BOOTSTRAP), how=_how(records)
    )
    return perplexity(name, say("Mean document pseudo-perplexity"), found, rule)


def median(records: Sequence[PseudoPerplexity]) -> Number:
    """Median of the documents' pseudo-perplexities."""
    found = exponentials.median([document_nats(r) for r in records])
    rule = say(
        "Median of the documents’ pseudo-perplexities; 95% interval by order statistics; {how}", how=_how(records)
    )
    title = say("Median document pseudo-perplexity")
    return perplexity("pseudo_perplexity.median", title, found, rule)


def most_surprising(records: Sequence[PseudoPerplexity]) -> tuple[Example, ...]:
    """The documents with the largest pseudo-perplexity."""
    chosen = sorted(records, key=lambda r: -document_nats(r))[:EXAMPLES]
    rule = plural(
        len(chosen),
        "The document with the largest pseudo-perplexity",
        "One of the {n} documents with the largest pseudo-perplexity",
    )
    return tuple(Example(document_id=record.document_id, rule=rule) for record in chosen)


def _how(records: Sequence[PseudoPerplexity]) -> str:
    first = records[0]
    return say("variant {variant}, context {context}", variant=first.variant, context=count(first.context_length))
