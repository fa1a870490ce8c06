"""How surprising is each token to a masked language model that sees all the others?

With ℓ_d the summed negative pseudo-log-likelihood of document d (nats) over its N_d scored tokens:
    pseudo-perplexity of d   exp(ℓ_d / N_d)             corpus   exp(Σℓ / ΣN), the token-weighted geometric mean

Tokens are conditioned on each other, so ℓ is not the code length of a text: there are no bits per byte, and no value
here may stand beside one of `auditor.findings.analyses.perplexity`. Intervals are made as there.
"""

import math
from collections import Counter
from collections.abc import Iterator, Sequence

from auditor.findings.analyses.perplexity import EXAMPLES, MOST_SURPRISING, SURPRISE
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
from auditor.findings.statistics.exponentials import PRINTED
from auditor.findings.statistics.intervals import bootstrap_ratio
from auditor.findings.wording.sentences import figure, measured
from auditor.languages import N_, plural, say
from auditor.languages.numbers import count
from auditor.records.types import PseudoPerplexity

CORPUS = Quantity(
    name="pseudo_perplexity.corpus",
    title=N_("Corpus pseudo-perplexity"),
    unit="perplexity",
    per_token=True,
    low=1.0,
    high=math.inf,
    compared=True,
    better="low",
    page_one=PageOne(masked=10),
    glossary=(
        *SURPRISE,
        Term(
            N_("Pseudo-perplexity"),
            N_("Exponential of the mean negative log-probability of tokens hidden one at a time; not a perplexity."),
        ),
    ),
)
MEAN = Quantity(
    name="pseudo_perplexity.mean",
    title=N_("Mean document pseudo-perplexity"),
    unit="perplexity",
    better="low",
    per_token=True,
    low=1.0,
    high=math.inf,
)
MEDIAN = Quantity(
    name="pseudo_perplexity.median",
    title=N_("Median document pseudo-perplexity"),
    unit="perplexity",
    per_token=True,
    low=1.0,
    high=math.inf,
    compared=True,
    better="low",
    page_one=PageOne(masked=20),
)


class PseudoPerplexityFindings(ScoredFindings):
    """How surprising is each token to a masked language model that sees all the others?"""

    variant: str
    """`within-word` or `original`."""
    n_split: int
    """Tokens in words of several tokens: where the variants differ."""


class PseudoPerplexitySummary(Summary[PseudoPerplexity, PseudoPerplexityFindings]):
    """How surprising each token is to a masked language model."""

    probe = "pseudo_perplexity"
    title = N_("pseudo-perplexity")
    record = PseudoPerplexity
    findings = PseudoPerplexityFindings
    section = "pseudo_perplexity"
    order = 60
    quantities = (CORPUS, MEAN, MEDIAN)
    cells = (
        Cell("pseudo_perplexity_nats", N_("Pseudo-p."), "perplexity", 9, lambda record, _: document_nats(record)),
        Cell("pseudo_perplexity", "", "perplexity", 0, lambda record, _: document_perplexity(record)),
    )

    def summarise(self, evidence: Evidence, setting: Setting) -> Conclusion[PseudoPerplexityFindings] | None:
        """Pseudo-perplexities, and the documents with the largest."""
        scored = evidence.measured(self.probe, PseudoPerplexity)
        if not scored:
            return None
        records = list(scored.values())
        numbers = (corpus(records, setting.seed), mean(records, setting.seed), median(records))
        strips = nats_by_slice(evidence.documents, scored, setting.columns)
        return Conclusion(_findings(records, numbers, strips, self.probe in setting.references), numbers)

    def contributions(self, evidence: Evidence, setting: Setting) -> Iterator[Contributions]:
        """A ratio of sums, and a median."""
        del setting
        records = list(evidence.measured(self.probe, PseudoPerplexity).values())
        yield ratio_of(CORPUS, ((r.document_id, r.nll, len(r.logprobs)) for r in records))
        yield median_of(MEDIAN, {r.document_id: document_nats(r) for r in records})

    def point(self, whole: Whole, findings: PseudoPerplexityFindings) -> Iterator[Pointer]:
        """The documents that surprised the model most."""
        rows = whole.evidence.measured(self.probe, PseudoPerplexity)
        perplexities = [(e.document_id, document_perplexity(rows[e.document_id])) for e in findings.most_surprising]
        values = [(name, figure(value, "perplexity") if value is not None else PRINTED) for name, value in perplexities]
        overall = say(
            "In pseudo-perplexity; the median document {value}.",
            value=measured(findings.median_document, is_brief=True),
        )
        return point_at_surprising(values, overall, self.section_id)

    def worst(self, evidence: Evidence, setting: Setting) -> Iterator[Choice]:
        """Documents with the largest pseudo-perplexity."""
        del setting
        records = [record for record in evidence.measured(self.probe, PseudoPerplexity).values() if record.logprobs]
        yield choose("pseudo-surprising", ((r.document_id, document_nats(r)) for r in records), MOST_SURPRISING)

    def shown(self, findings: PseudoPerplexityFindings) -> Iterator[str]:
        """The documents with a card."""
        yield from (example.document_id for example in findings.most_surprising)

    def abridged(self, findings: PseudoPerplexityFindings) -> PseudoPerplexityFindings:
        """The strips with some of their values."""
        return abridged_strips(findings)

    def n_tokens(self, record: PseudoPerplexity) -> int | None:
        """The scored tokens."""
        return len(record.logprobs)


def _findings(
    records: Sequence[PseudoPerplexity], numbers: Sequence[Number], strips: Strips, is_reference: bool
) -> PseudoPerplexityFindings:
    first = records[0]
    return PseudoPerplexityFindings(
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
        nats_by_slice=strips,
    )


def n_in_split_words(record: PseudoPerplexity) -> int:
    """Tokens whose word has others: all but the last of each word are what the variants disagree about."""
    return sum(size for size in Counter(record.words).values() if size > 1)


def corpus(records: Sequence[PseudoPerplexity], seed: int) -> Number:
    """Over all tokens."""
    sizes = [float(len(r.logprobs)) for r in records]
    nats = bootstrap_ratio([r.nll for r in records], sizes, seed=seed, name=CORPUS.name)
    rule = plural(
        sum(map(int, sizes)),
        "exp of the mean negative pseudo-log-likelihood over the only token; {interval}; {how}",
        "exp of the mean negative pseudo-log-likelihood over all {n} tokens; {interval}; {how}",
        interval=say(BOOTSTRAP),
        how=_how(records),
    )
    return CORPUS.number(nats, rule)


def mean(records: Sequence[PseudoPerplexity], seed: int) -> Number:
    """Mean of the documents' pseudo-perplexities."""
    nats = exponentials.mean([document_nats(r) for r in records], seed=seed, name=MEAN.name)
    rule = say(
        "Mean of the documents’ pseudo-perplexities; {interval}; {how}", interval=say(BOOTSTRAP), how=_how(records)
    )
    return MEAN.number(nats, rule)


def median(records: Sequence[PseudoPerplexity]) -> Number:
    """Median of the documents' pseudo-perplexities."""
    nats = exponentials.median([document_nats(r) for r in records])
    rule = say(
        "Median of the documents’ pseudo-perplexities; 95% interval by order statistics; {how}", how=_how(records)
    )
    return MEDIAN.number(nats, rule)


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


SUMMARY = PseudoPerplexitySummary()
