"""How surprising is each token to a masked language model that sees all the others?

With ℓ_d the summed negative pseudo-log-likelihood of document d (nats) over its N_d scored tokens:
    pseudo-perplexity of d   exp(ℓ_d / N_d)             corpus   exp(Σℓ / ΣN), the token-weighted geometric mean

Tokens are conditioned on each other, so ℓ is not the code length of a text: there are no bits per byte, and no value
here may stand beside one of `auditor.findings.perplexity`. Intervals are made as there.
"""

from collections import Counter
from collections.abc import Mapping, Sequence

from auditor.findings.intervals import Estimate, bootstrap_mean, bootstrap_ratio, quantile
from auditor.findings.numbers import BOOTSTRAP, number
from auditor.findings.perplexity import EXAMPLES, by_slice, document_perplexity, exponential
from auditor.findings.types import Example, Number, PseudoPerplexityFindings
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
        by_slice=by_slice(measured, columns),
    )
    return found, numbers


def n_in_split_words(record: PseudoPerplexity) -> int:
    """Tokens whose word has others: all but the last of each word are what the variants disagree about."""
    return sum(size for size in Counter(record.words).values() if size > 1)


def corpus(records: Sequence[PseudoPerplexity], seed: int) -> Number:
    """Over all tokens."""
    name, sizes = "pseudo_perplexity.corpus", [float(len(r.logprobs)) for r in records]
    found = bootstrap_ratio([r.nll for r in records], sizes, seed=seed, name=name).through(exponential)
    rule = f"exp of the mean negative pseudo-log-likelihood over all {sum(map(int, sizes)):,} tokens"
    return _number(name, "Corpus pseudo-perplexity", found, records, f"{rule}; {BOOTSTRAP}")


def mean(records: Sequence[PseudoPerplexity], seed: int) -> Number:
    """Mean of the documents' pseudo-perplexities."""
    name = "pseudo_perplexity.mean"
    found = bootstrap_mean([document_perplexity(r) for r in records], seed=seed, name=name)
    rule = f"Mean of the documents' pseudo-perplexities; {BOOTSTRAP}"
    return _number(name, "Mean document pseudo-perplexity", found, records, rule)


def median(
    records: Sequence[PseudoPerplexity],
    name: str = "pseudo_perplexity.median",
    title: str = "Median document pseudo-perplexity",
) -> Number:
    """Median of the documents' pseudo-perplexities."""
    found = quantile([document_perplexity(r) for r in records])
    rule = "Median of the documents' pseudo-perplexities; 95% interval by order statistics"
    return _number(name, title, found, records, rule)


def most_surprising(records: Sequence[PseudoPerplexity]) -> tuple[Example, ...]:
    """The documents with the largest pseudo-perplexity."""
    chosen = sorted(records, key=lambda r: -document_perplexity(r))[:EXAMPLES]
    rule = f"One of the {len(chosen)} documents with the largest pseudo-perplexity"
    rule = "The document with the largest pseudo-perplexity" if len(chosen) == 1 else rule
    return tuple(Example(document_id=record.document_id, rule=rule) for record in chosen)


def _number(name: str, title: str, found: Estimate, records: Sequence[PseudoPerplexity], rule: str) -> Number:
    how = f"; variant {records[0].variant}, context {records[0].context_length:,}" if records else ""
    return number(name, title, found, "perplexity", f"{rule}{how}")
