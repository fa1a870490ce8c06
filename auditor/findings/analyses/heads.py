"""The heads of a model: their statistics over the documents, the patterns that they follow, and where one is shown.

Every statistic of a record is a mean over the queries of one document; here each head's statistics are averaged over
documents, with Student's t half-widths. Statistics of causal heads that leave out the first queries exist only for
documents long enough to have others (first token: 2 tokens; first four: 5): means, shares and their n are over those,
and where there is none the statistic has no value and the class no head.

Heads are classed by the thresholds of Clark et al. 2019 (more than half of the mass on the previous or next token,
entropy above 3.8 nats, more than 0.6 on special tokens or punctuation; entropies unsmoothed), and causal heads as
sinks when more than half of the mass lies on the first token (Xiao et al. 2023). A head can be in several classes or
in none. Causal heads cannot look at the next token, so that class is left out for them. No head can be broad where even
uniform attention has no more than 3.8 nats, on average over the documents (44 tokens): its share then has no value.

The strongest head of each class is shown on one of the documents that were drawn to be mapped: the first in the order
of the draw that is short enough to be read as a map, and in which the head follows its pattern; where none does both,
the first that does the one, in this order.
"""

from collections.abc import Iterator, Sequence
from typing import Literal, NamedTuple

import numpy as np

from auditor.findings.contract.finding import Finding
from auditor.findings.statistics.intervals import student_quantile
from auditor.findings.statistics.resampling import Floats
from auditor.findings.wording.sentences import figure
from auditor.languages import N_, say
from auditor.records.types import AttentionStatistics

STATISTICS = (
    "entropy",
    "distance",
    "self_share",
    "previous_share",
    "next_share",
    "first_share",
    "first4_share",
    "special_share",
    "punctuation_share",
)
LEAST_TOKENS = {"first_share": 2, "first4_share": 5}
"""Causal heads: tokens a document needs to have a query that counts."""
READABLE = 28
"""Tokens of a document whose map can be printed with all of them."""
PatternName = Literal["previous", "next", "broad", "special", "punctuation", "sink"]


class HeadClass(Finding):
    """Heads that follow one of the patterns of Clark et al. 2019."""

    name: PatternName
    rule: str
    """The threshold in words: "more than half of the mass on the previous token"."""
    heads: tuple[tuple[int, int, float], ...]
    """(layer, head, value), zero-based."""


class MappedHead(Finding):
    """The strongest head of a class, shown on one document."""

    name: PatternName
    layer: int
    """Zero-based, as the head."""
    head: int
    value: float
    """The statistic of the class, mean over the corpus."""
    document_id: str
    here: float
    """The same statistic in this document."""
    kept: float
    """Share of the head's attention that the map of the document holds."""


class Pattern(NamedTuple):
    """A class of heads: its statistic lies above the threshold."""

    name: PatternName
    statistic: str
    threshold: float
    title: str
    rule: str


PATTERNS = (
    Pattern(
        "previous",
        "previous_share",
        0.5,
        N_("Heads on the previous token"),
        N_("more than half of the mass on the previous token"),
    ),
    Pattern(
        "next", "next_share", 0.5, N_("Heads on the next token"), N_("more than half of the mass on the next token")
    ),
    Pattern("broad", "entropy", 3.8, N_("Broad heads"), N_("entropy above 3.8 nats")),
    Pattern(
        "special",
        "special_share",
        0.6,
        N_("Heads on special tokens"),
        N_("more than 0.6 of the mass on special tokens"),
    ),
    Pattern(
        "punctuation",
        "punctuation_share",
        0.6,
        N_("Heads on punctuation"),
        N_("more than 0.6 of the mass on punctuation"),
    ),
    Pattern("sink", "first_share", 0.5, N_("Sink heads"), N_("more than half of the mass on the first token")),
)


class Heads(NamedTuple):
    """One statistic of every head: its mean over n documents and the half-width of its interval, L × H."""

    mean: Floats
    """NaN for n = 0."""
    half_width: Floats | None
    """None for n < 2."""
    n: int


def average(records: Sequence[AttentionStatistics], statistic: str) -> Heads:
    """Mean and half-width of one statistic for every head."""
    first = records[0]
    values = np.array([getattr(record, statistic) for record in long_enough(records, statistic)])  # (n, L·H)
    shape, n = (first.n_layers, first.n_heads), len(values)
    mean = values.mean(axis=0).reshape(shape) if n else np.full(shape, np.nan)
    if n < 2:
        return Heads(mean, None, n)
    half = student_quantile(n) * values.std(axis=0, ddof=1) / np.sqrt(n)
    return Heads(mean, half.reshape(shape), n)


def mapped(records: Sequence[AttentionStatistics]) -> list[AttentionStatistics]:
    """The documents with a map, in the order in which they were drawn."""
    return sorted((r for r in records if r.map), key=lambda r: r.map.rank if r.map else 0)


def long_enough(records: Sequence[AttentionStatistics], statistic: str) -> list[AttentionStatistics]:
    """The documents that have the queries the statistic is about."""
    least = LEAST_TOKENS.get(statistic, 1)
    return [record for record in records if not record.causal or record.n_tokens >= least]


def classify(pattern: Pattern, mean: Floats, uniform: float) -> HeadClass:
    """The heads that follow a pattern, the strongest first.

    Args:
        pattern: Statistic and threshold.
        mean: (L, H) means of the statistic over documents.
        uniform: Entropy of uniform attention over these texts, nats.
    """
    layers, heads = np.nonzero(mean > pattern.threshold)
    members = [(int(layer), int(head), float(mean[layer, head])) for layer, head in zip(layers, heads, strict=True)]
    rule = say(pattern.rule)
    if pattern.name == "broad":
        even = figure(uniform, "nats")
        rule = say("{rule} (uniform attention over these texts has {even})", rule=rule, even=even)
    return HeadClass(name=pattern.name, rule=rule, heads=tuple(sorted(members, key=lambda m: (-m[2], m[0], m[1]))))


def show(classes: Sequence[HeadClass], records: Sequence[AttentionStatistics]) -> Iterator[MappedHead]:
    """The strongest head of each class, on one of the documents with a map."""
    for members in classes:
        pattern = next(p for p in PATTERNS if p.name == members.name)
        if members.heads and (able := long_enough(records, pattern.statistic)):
            yield _shown_on(pattern, members, able)


def _shown_on(pattern: Pattern, members: HeadClass, records: Sequence[AttentionStatistics]) -> MappedHead:
    layer, head, value = members.heads[0]
    cell = layer * records[0].n_heads + head

    def statistic(record: AttentionStatistics) -> float:
        return float(getattr(record, pattern.statistic)[cell])

    chosen = min(records, key=lambda r: (r.n_tokens > READABLE, statistic(r) <= pattern.threshold))
    return MappedHead(
        name=members.name,
        layer=layer,
        head=head,
        value=value,
        document_id=chosen.document_id,
        here=statistic(chosen),
        kept=chosen.map.kept[cell] if chosen.map else 0.0,
    )
