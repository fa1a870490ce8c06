"""Where do the heads look? The numbers over all heads; see `auditor.findings.analyses.heads` for those of each head.

The share of heads in a class is known only as well as the heads' means: its interval runs from the heads whose own
95 % interval lies wholly beyond the threshold to those whose interval reaches beyond it.
"""

from collections.abc import Iterable, Iterator, Sequence

import numpy as np

from auditor.findings.analyses.agreement import AGREEMENT, agree_on, document_agreements
from auditor.findings.analyses.heads import (
    PATTERNS,
    STATISTICS,
    HeadClass,
    Heads,
    MappedHead,
    Pattern,
    average,
    classify,
    long_enough,
    mapped,
    show,
)
from auditor.findings.analyses.lime import SUMMARY as LIME
from auditor.findings.contract.contributions import Contributions, mean_of
from auditor.findings.contract.evidence import Evidence
from auditor.findings.contract.finding import Finding
from auditor.findings.contract.numbers import BOOTSTRAP
from auditor.findings.contract.quantity import PageOne, Prospect, Quantity, Term
from auditor.findings.contract.summary import Conclusion, Setting, Summary, Whole
from auditor.findings.contract.types import Number, Pointer
from auditor.findings.statistics.intervals import bootstrap_mean, estimate
from auditor.findings.wording.sentences import listing, measured
from auditor.languages import N_, plural, say
from auditor.languages.numbers import count
from auditor.records.explanations import Explanation
from auditor.records.types import AttentionStatistics

FAINT_AGREEMENT = 0.2
_NOTABLE = {"special": N_("special tokens"), "sink": N_("the first token")}
"""Patterns of which page one says how many heads follow them."""


class AttentionFindings(Finding):
    """Where do the heads look?"""

    n_documents: int
    n_layers: int
    """Those that attend."""
    n_heads: int
    causal: bool
    statistics: dict[str, tuple[tuple[float, ...], ...]]
    """L × H means over documents by statistic: entropy, distance, self_share, previous_share, next_share, first_share,
    first4_share, special_share, punctuation_share; without those that no document is long enough for."""
    half_widths: dict[str, float]
    """The largest 95 % half-width among the heads, by statistic."""
    uniform_entropy: float
    classes: tuple[HeadClass, ...]
    agreement: Number | None
    """Kendall's τ between the attention a segment receives and the size of its LIME weight, mean over documents."""
    mapped: tuple[str, ...] = ()
    """Documents of which the evidence holds a map of every head, in the order in which they were drawn."""
    mapped_heads: tuple[MappedHead, ...] = ()
    layers: tuple[int, ...] = ()
    """Which layers of the model these are, from 0; empty where all attend."""
    other_layers: tuple[str, ...] = ()
    """The layers that do not: number from 0, and the class of what mixes tokens there."""


def _given_pattern(prospect: Prospect) -> tuple[str, ...]:
    """A causal model has no heads on the next token, any other no sinks."""
    excluded = {True: "next", False: "sink", None: ""}[prospect.causal]
    return tuple(pattern.name for pattern in PATTERNS if pattern.name != excluded)


SINK_SHARE = Quantity(
    name="attention.sink_share",
    title=N_("Attention on the first token"),
    unit="share",
    compared=True,
    per_token=True,
    page_one=PageOne(50, 50, 50),
    glossary=(
        Term(
            N_("Attention head"),
            N_("One of the parallel parts of a layer; it spreads a weight of 1 over the tokens it may look at."),
        ),
        Term(
            N_("Attention sink"),
            N_("A token, most often the first, that takes attention which has nowhere useful to go."),
        ),
        Term(N_("Layer"), N_("One of a model’s steps from text to answer; each has the same number of heads.")),
        Term(N_("Mass"), N_("The share of a head’s attention that falls on some tokens.")),
        Term(N_("Special token"), N_("A token that the tokenizer adds, such as [CLS] or [SEP], and that is no text.")),
    ),
)
HEAD_SHARE = Quantity(name="attention.head_share", title="{label}", unit="share", given=_given_pattern)


class AttentionSummary(Summary[AttentionStatistics, AttentionFindings]):
    """Where the heads look, and whether that agrees with the explanations."""

    probe = "attention"
    title = N_("attention")
    record = AttentionStatistics
    findings = AttentionFindings
    section = "attention"
    order = 40
    quantities = (SINK_SHARE, HEAD_SHARE, AGREEMENT)
    reasons = {  # noqa: RUF012
        "one-token": N_("a single token"),
        "unseen-attention": N_("the model does not show its attention"),
    }

    def summarise(self, evidence: Evidence, setting: Setting) -> Conclusion[AttentionFindings] | None:
        """Statistics, patterns and maps of the heads."""
        attended = evidence.measured(self.probe, AttentionStatistics)
        if not attended:
            return None
        agreement = agree_on(evidence.measured(LIME.probe, Explanation), attended, setting.seed)
        return _conclude(list(attended.values()), agreement, setting.seed)

    def contributions(self, evidence: Evidence, setting: Setting) -> Iterator[Contributions]:
        """The share on the first token, and the agreement with LIME where both were measured."""
        del setting
        attended = evidence.measured(self.probe, AttentionStatistics)
        yield mean_of(SINK_SHARE, first_shares(list(attended.values())))
        explained = evidence.measured(LIME.probe, Explanation)
        both = [name for name in attended if name in explained]
        if both:
            taus = document_agreements([(explained[name], attended[name]) for name in both])
            yield mean_of(AGREEMENT, dict(zip(both, taus, strict=True)))

    def point(self, whole: Whole, findings: AttentionFindings) -> Iterator[Pointer]:
        """Heads on special tokens and sinks; attention and explanation that hardly agree."""
        del whole
        yield from _notable_heads(findings)
        tau = findings.agreement
        if (
            tau
            and tau.value is not None
            and tau.low is not None
            and tau.high is not None
            and tau.high < FAINT_AGREEMENT
        ):
            text = say("Attention and LIME weights hardly agree: τ {value}", value=measured(tau))
            yield Pointer(severity="note", text=text, section=self.section)

    def shown(self, findings: AttentionFindings) -> Iterator[str]:
        """The documents with a map."""
        yield from findings.mapped
        yield from (head.document_id for head in findings.mapped_heads)

    def notes(self, findings: AttentionFindings) -> Iterable[str]:
        """Which layers do not attend."""
        return describe_layers(findings)


def describe_layers(findings: AttentionFindings) -> list[str]:
    """What must be said of a model of which only some layers attend; nothing of others."""
    if not findings.other_layers:
        return []
    kinds = sorted({other.split(" ", 1)[1] for other in findings.other_layers})
    return [
        plural(
            len(findings.layers),
            "{n} of {layers} layers of the model attends (number from 0: {attending}); the others ({kinds}) do not.",
            "{n} of {layers} layers of the model attend (numbers from 0: {attending}); the others ({kinds}) do not.",
            layers=count(len(findings.layers) + len(findings.other_layers)),
            attending=listing([str(layer) for layer in findings.layers], most=12),
            kinds=listing(kinds, most=4),
        )
    ]


def _notable_heads(findings: AttentionFindings) -> Iterator[Pointer]:
    total = findings.n_layers * findings.n_heads
    for pattern in findings.classes:
        n = len(pattern.heads)
        if pattern.name in _NOTABLE and n:
            text = plural(
                n,
                "{n} of {heads} attends mostly to {place}",
                "{n} of {heads} attend mostly to {place}",
                heads=plural(total, "{n} head", "{n} heads"),
                place=say(_NOTABLE[pattern.name]),
            )
            yield Pointer(severity="note", text=text, section=SUMMARY.section)


def _conclude(
    records: Sequence[AttentionStatistics], agreement: Number | None, seed: int
) -> Conclusion[AttentionFindings]:
    first = records[0]
    heads = {statistic: average(records, statistic) for statistic in STATISTICS}
    uniform = float(np.mean([record.uniform_entropy for record in records]))
    patterns = [p for p in PATTERNS if p.name != ("next" if first.causal else "sink")]
    classes = tuple(classify(pattern, heads[pattern.statistic].mean, uniform) for pattern in patterns)
    findings = AttentionFindings(
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
        mapped_heads=tuple(show(classes, mapped(records))),
    )
    shares = [_share(pattern, heads[pattern.statistic], uniform) for pattern in patterns]
    return Conclusion(findings, (sink_share(records, seed), *shares, *([agreement] if agreement else [])))


def first_shares(records: Sequence[AttentionStatistics]) -> dict[str, float]:
    """Document id → share of all heads' attention on the first token, of the documents that are long enough."""
    kept = long_enough(records, "first_share")
    means = np.array([record.first_share for record in kept]).mean(axis=1).tolist() if kept else []
    return dict(zip((record.document_id for record in kept), means, strict=True))


def sink_share(records: Sequence[AttentionStatistics], seed: int) -> Number:
    """How much of the attention goes to the first token."""
    means = list(first_shares(records).values())
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
    return SINK_SHARE.number(bootstrap_mean(means, seed=seed, name=SINK_SHARE.name, share=True), protocol)


def _share(pattern: Pattern, heads: Heads, uniform: float) -> Number:
    """Of the heads that follow a pattern; no value where these texts let none follow it."""
    attainable = heads.n > 0 and (pattern.statistic != "entropy" or uniform > pattern.threshold)
    share = float(np.mean(heads.mean > pattern.threshold)) if attainable else None
    interval = estimate(share, None, None, heads.n)
    if heads.half_width is not None:
        surely = float(np.mean(heads.mean - heads.half_width > pattern.threshold))
        maybe = float(np.mean(heads.mean + heads.half_width > pattern.threshold))
        interval = estimate(share, surely, maybe, heads.n)
    protocol = say(
        "Share of the {heads} heads with {rule}, on average over n documents; the interval runs from heads whose own "
        "95% interval lies wholly beyond the threshold to those whose interval reaches it",
        heads=count(heads.mean.size),
        rule=say(pattern.rule),
    )
    return HEAD_SHARE.number(interval, protocol, pattern.name, say(pattern.title))


SUMMARY = AttentionSummary()
