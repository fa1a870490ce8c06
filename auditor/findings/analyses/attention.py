"""Where do the heads look?

Every statistic of a record is a mean over the queries of one document; here each head's statistics are averaged over
documents, with Student's t half-widths. Statistics of causal heads that leave out the first queries exist only for
documents long enough to have others (first token: 2 tokens; first four: 5): means, shares and their n are over those,
and where there is none the statistic has no value and the class no head.

Heads are classed by the thresholds of Clark et al. 2019 (more than half of the mass on the previous or next token,
entropy above 3.8 nats, more than 0.6 on special tokens or punctuation; entropies unsmoothed), and causal heads as
sinks when more than half of the mass lies on the first token (Xiao et al. 2023). A head can be in several classes or
in none. Causal heads cannot look at the next token, so that class is left out for them.

The share of heads in a class is known only as well as the heads' means: its interval runs from the heads whose own
95 % interval lies wholly beyond the threshold to those whose interval reaches beyond it.

The strongest head of each class is shown on one of the documents that were drawn to be mapped: the first in the order
of the draw that is short enough to be read as a map, and in which the head follows its pattern; where none does both,
the first that does the one, in this order.
"""

from collections.abc import Iterator, Sequence
from typing import NamedTuple

import numpy as np

from auditor.findings.numbers import BOOTSTRAP, number, of_label
from auditor.findings.statistics.intervals import Floats, bootstrap_mean, estimate, student_quantile
from auditor.findings.types import AttentionFindings, HeadClass, MappedHead, Number, PatternName
from auditor.findings.wording import figure, listing
from auditor.languages import N_, plural, say
from auditor.languages.numbers import count
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
_LEAST_TOKENS = {"first_share": 2, "first4_share": 5}
"""Causal heads: tokens a document needs to have a query that counts."""
READABLE = 28
"""Tokens of a document whose map can be printed with all of them."""


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


def describe_layers(found: AttentionFindings | None) -> list[str]:
    """What must be said of a model of which only some layers attend; nothing of others."""
    if found is None or not found.other_layers:
        return []
    kinds = sorted({other.split(" ", 1)[1] for other in found.other_layers})
    return [
        plural(
            len(found.layers),
            "{n} of {layers} layers of the model attends (number from 0: {attending}); the others ({kinds}) do not.",
            "{n} of {layers} layers of the model attend (numbers from 0: {attending}); the others ({kinds}) do not.",
            layers=count(len(found.layers) + len(found.other_layers)),
            attending=listing([str(layer) for layer in found.layers], most=12),
            kinds=listing(kinds, most=4),
        )
    ]


def summarise_attention(
    records: Sequence[AttentionStatistics], agreement: Number | None, seed: int
) -> tuple[AttentionFindings | None, list[Number]]:
    """The findings and the numbers of the attention probe; None and [] where it measured nothing."""
    if not records:
        return None, []
    first = records[0]
    heads = {statistic: average(records, statistic) for statistic in STATISTICS}
    uniform = float(np.mean([record.uniform_entropy for record in records]))
    patterns = [p for p in PATTERNS if p.name != ("next" if first.causal else "sink")]
    classes = tuple(_class(pattern, heads[pattern.statistic].mean, uniform) for pattern in patterns)
    found = AttentionFindings(
        n_documents=len(records),
        n_layers=first.n_layers,
        n_heads=first.n_heads,
        layers=first.layers,
        other_layers=first.other_layers,
        causal=first.causal,
        statistics={name: tuple(tuple(map(float, row)) for row in h.mean) for name, h in heads.items() if h.n},
        half_widths={name: float(h.half_width.max()) for name, h in heads.items() if h.half_width is not None},
        uniform_entropy=uniform,
        classes=classes,
        agreement=agreement,
        mapped=tuple(record.document_id for record in mapped(records)),
        mapped_heads=tuple(_shown(classes, mapped(records))),
    )
    shares = [_share(pattern, heads[pattern.statistic]) for pattern in patterns]
    return found, [sink_share(records, seed), *shares, *([agreement] if agreement else [])]


def average(records: Sequence[AttentionStatistics], statistic: str) -> Heads:
    """Mean and half-width of one statistic for every head."""
    first = records[0]
    values = np.array([getattr(record, statistic) for record in _long_enough(records, statistic)])  # (n, L·H)
    shape, n = (first.n_layers, first.n_heads), len(values)
    mean = values.mean(axis=0).reshape(shape) if n else np.full(shape, np.nan)
    if n < 2:
        return Heads(mean, None, n)
    half = student_quantile(n) * values.std(axis=0, ddof=1) / np.sqrt(n)
    return Heads(mean, half.reshape(shape), n)


def sink_share(records: Sequence[AttentionStatistics], seed: int) -> Number:
    """How much of the attention goes to the first token."""
    name = "attention.sink_share"
    means = [float(np.mean(record.first_share)) for record in _long_enough(records, "first_share")]
    found = bootstrap_mean(means, seed=seed, name=name, share=True)
    protocol = (
        say(
            "Mean over documents of the share of all heads’ attention on the first token, its own query left out; "
            "{interval}",
            interval=say(BOOTSTRAP),
        )
        if records[0].causal
        else say(
            "Mean over documents of the share of all heads’ attention on the first token; {interval}",
            interval=say(BOOTSTRAP),
        )
    )
    return number(name, say("Attention on the first token"), found, "share", protocol)


def mapped(records: Sequence[AttentionStatistics]) -> list[AttentionStatistics]:
    """The documents with a map, in the order in which they were drawn."""
    return sorted((r for r in records if r.map), key=lambda r: r.map.rank if r.map else 0)


def _long_enough(records: Sequence[AttentionStatistics], statistic: str) -> list[AttentionStatistics]:
    """The documents that have the queries the statistic is about."""
    least = _LEAST_TOKENS.get(statistic, 1)
    return [record for record in records if not record.causal or record.n_tokens >= least]


def _class(pattern: Pattern, mean: Floats, uniform: float) -> HeadClass:
    layers, heads = np.nonzero(mean > pattern.threshold)
    members = [(int(layer), int(head), float(mean[layer, head])) for layer, head in zip(layers, heads, strict=True)]
    rule = say(pattern.rule)
    if pattern.name == "broad":
        even = figure(uniform, "nats")
        rule = say("{rule} (uniform attention over these texts has {even})", rule=rule, even=even)
    return HeadClass(name=pattern.name, rule=rule, heads=tuple(sorted(members, key=lambda m: (-m[2], m[0], m[1]))))


def _share(pattern: Pattern, heads: Heads) -> Number:
    share = float(np.mean(heads.mean > pattern.threshold)) if heads.n else None
    found = estimate(share, None, None, heads.n)
    if heads.half_width is not None:
        surely = float(np.mean(heads.mean - heads.half_width > pattern.threshold))
        maybe = float(np.mean(heads.mean + heads.half_width > pattern.threshold))
        found = estimate(share, surely, maybe, heads.n)
    protocol = say(
        "Share of the {heads} heads with {rule}, on average over n documents; the interval runs from heads whose own "
        "95% interval lies wholly beyond the threshold to those whose interval reaches it",
        heads=count(heads.mean.size),
        rule=say(pattern.rule),
    )
    return number(of_label("attention.head_share", pattern.name), say(pattern.title), found, "share", protocol)


def _shown(classes: Sequence[HeadClass], records: Sequence[AttentionStatistics]) -> Iterator[MappedHead]:
    for found in classes:
        pattern = next(p for p in PATTERNS if p.name == found.name)
        if found.heads and (able := _long_enough(records, pattern.statistic)):
            yield _shown_on(pattern, found, able)


def _shown_on(pattern: Pattern, found: HeadClass, records: Sequence[AttentionStatistics]) -> MappedHead:
    layer, head, value = found.heads[0]
    cell = layer * records[0].n_heads + head

    def statistic(record: AttentionStatistics) -> float:
        return float(getattr(record, pattern.statistic)[cell])

    chosen = min(records, key=lambda r: (r.n_tokens > READABLE, statistic(r) <= pattern.threshold))
    return MappedHead(
        name=found.name,
        layer=layer,
        head=head,
        value=value,
        document_id=chosen.document_id,
        here=statistic(chosen),
        kept=chosen.map.kept[cell] if chosen.map else 0.0,
    )
