"""What the sections on perplexity and pseudo-perplexity share: strips by slice, and cards of surprising documents."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import TypeVar

from auditor.findings.analyses.scored_tokens import ScoredFindings, nats_by_slice
from auditor.findings.slicing.parts import sliceable
from auditor.findings.slicing.slices import LEAST_JUDGED
from auditor.findings.statistics.exponentials import quarters
from auditor.languages import plural, say
from auditor.languages.numbers import paragraph
from auditor.records.types import Document, Perplexity, PseudoPerplexity, ScoredTokens
from auditor.report.contract import Column, Parameter, Sources, Table, known, rule_of
from auditor.report.drawing import figures, formats, highlights, marks

F = TypeVar("F", bound=ScoredFindings)
S = TypeVar("S", Perplexity, PseudoPerplexity)
MOST_COLUMNS = 3
MOST_VALUES = 8
"""Slices of one column drawn as strips: the largest."""
MOST_BARS = 300
"""Bars of one surprise line; neighbours of a longer text are averaged."""
SHORT = 28
"""Bars of a line that stands beside its text; a longer line stands above."""


@dataclass(frozen=True, slots=True)
class Card:
    """One surprising document."""

    position: int
    """Of the document in the corpus: what links to the card are made of."""
    document_id: str
    facts: str
    line: str
    is_short: bool
    passages: tuple[highlights.Passage, ...]


def with_all_values(sources: Sources, analysis: F, probe: str) -> F:
    """The findings with every value of every slice: abridged ones have some of them, at even steps."""
    if not sources.findings.documents_left_out:
        return analysis
    rows = sources.evidence.of(probe).items()
    records = {name: row for name, row in rows if isinstance(row, ScoredTokens)}
    values = nats_by_slice(sources.evidence.documents, records, sliceable(sources.evidence.documents))
    return analysis.model_copy(update={"nats_by_slice": values})


def content(
    sources: Sources,
    analysis: ScoredFindings,
    probe: str,
    record: type[S],
    values: Sequence[float],
    facts: Callable[[S], list[str]],
) -> dict[str, object]:
    """What the common template shows below the numbers.

    Args:
        sources: of the report.
        analysis: the findings that name the slices and the most surprising documents.
        probe: whose records these are.
        record: what they are.
        values: logarithm of the perplexity of each document that has one.
        facts: what a card says of a record.
    """
    strips = distribution(values, analysis.nats_by_slice)
    records = sources.evidence.measured(probe, record)
    shown = known(analysis.most_surprising, records)
    cards = []
    for example in shown:
        scored, document = records[example.document_id], sources.documents.get(example.document_id)
        if document is not None and scored.logprobs:
            cards.append(_card(sources.position(document.id), document, scored, facts(scored)))
    return {
        "strips": strip_table(strips) if strips else None,
        "figure_caption": strips_caption(strips, left_out(strips, analysis.nats_by_slice)),
        "edges": [formats.decimal(edge, 0) for edge in highlights.SURPRISE_BITS],
        "rule": rule_of(shown),
        "cards": cards,
    }


def draw(values: Sequence[float], analysis: ScoredFindings, label: str) -> str:
    """The strips as a figure; empty where there is nothing to draw."""
    strips = distribution(values, analysis.nats_by_slice)
    return figures.draw_strips(strips, label) if strips else ""


def card_of(probe: str, kind: type[ScoredFindings]) -> Callable[[Sources, str], tuple[str, str] | None]:
    """Where the section of a probe shows a document token by token."""

    def card(sources: Sources, document_id: str) -> tuple[str, str] | None:
        analysis = sources.findings.analysis(probe, kind)
        shown = known(analysis.most_surprising, sources.evidence.of(probe)) if analysis else ()
        if document_id not in {example.document_id for example in shown}:
            return None
        return f"{probe}-{sources.position(document_id)}", say("Surprise of each token")

    return card


def context_length(probe: str, kind: type[ScoredFindings]) -> Callable[[Parameter], str]:
    """What the parameter of that name came to."""

    def meaning(parameter: Parameter) -> str:
        analysis = parameter.findings.analysis(probe, kind)
        return "" if analysis is None else plural(analysis.context_length, "{n} token", "{n} tokens")

    return meaning


def distribution(
    measured: Sequence[float], by_slice: Mapping[str, Mapping[str, tuple[float, ...]]]
) -> list[figures.Strip]:
    """Strips of the documents' values, in nats: all of them, then slice by slice."""
    everything = sorted(measured)
    strips = [figures.Strip(say("All documents"), tuple(everything))] if everything else []
    for column, values in list(by_slice.items())[:MOST_COLUMNS]:
        kept = sorted(values, key=lambda value: -len(values[value]))[:MOST_VALUES]
        strips += [figures.Strip(f"{column} {v}", tuple(values[v])) for v in values if v in kept and values[v]]
    return strips


def left_out(strips: Sequence[figures.Strip], by_slice: Mapping[str, Mapping[str, tuple[float, ...]]]) -> int:
    """How many slices have documents and no strip."""
    return sum(bool(values) for column in by_slice.values() for values in column.values()) - len(strips[1:])


def strips_caption(strips: Sequence[figures.Strip], n_left_out: int = 0) -> str:
    """What the strips show, and how to read them; only slices large enough to be judged are ranked."""
    omitted = plural(
        n_left_out,
        "{n} more slice, smaller or of a later column, is in findings.json.",
        "{n} more slices, smaller or of later columns, are in findings.json.",
    )
    return paragraph([_extremes(strips, n_left_out), _reading(strips), omitted if n_left_out else ""])


def _reading(strips: Sequence[figures.Strip]) -> str:
    if any(len(strip.values) > figures.MOST_POINTS for strip in strips):
        return say(
            "Each point is a document, {n} of each strip at even steps; the bar is the median, the grey band the "
            "middle half.",
            n=formats.count(figures.MOST_POINTS),
        )
    return say("Each point is a document; the bar is the median, the grey band the middle half.")


def _extremes(strips: Sequence[figures.Strip], n_left_out: int) -> str:
    judged = [strip for strip in strips[1:] if len(strip.values) >= LEAST_JUDGED]
    if len(judged) < 2:
        return ""
    medians = [(quarters(strip.values)[1], strip.label) for strip in judged]
    (low, plain), (high, strange) = min(medians), max(medians)
    values = {
        "plain": plain,
        "low": formats.perplexity(low),
        "strange": strange,
        "high": formats.perplexity(high),
        "least": formats.count(LEAST_JUDGED),
    }
    if n_left_out:
        return say(
            "Of the slices drawn with {least} documents or more the median is lowest for {plain} ({low}) and highest "
            "for {strange} ({high}).",
            **values,
        )
    return say(
        "Of the slices with {least} documents or more the median is lowest for {plain} ({low}) and highest for "
        "{strange} ({high}).",
        **values,
    )


def strip_table(strips: Sequence[figures.Strip]) -> Table:
    """The strips as numbers."""
    columns = (
        Column(say("Slice"), "corpus"),
        Column(say("Documents"), "number", 12),
        Column(say("Smallest"), "number", 12),
        Column(say("Lower quarter"), "number", 14),
        Column(say("Median"), "number", 12),
        Column(say("Upper quarter"), "number", 14),
        Column(say("Largest"), "number", 12),
    )
    return Table(say("The strips as numbers."), columns, tuple(_strip_row(strip) for strip in strips))


def _strip_row(strip: figures.Strip) -> tuple[str, ...]:
    low, median, high = quarters(strip.values)
    values = (strip.values[0], low, median, high, strip.values[-1])
    return (formats.middle(strip.label, 60), formats.count(len(strip.values)), *map(formats.perplexity, values))


def _card(position: int, document: Document, record: ScoredTokens, facts: list[str]) -> Card:
    """A document with the surprise of its tokens, as a line of bars and as shading."""
    bits = [stretch[3] for stretch in highlights.scored_stretches(record)]
    pooled = -(-len(bits) // MOST_BARS)
    bars = _pooled(bits, pooled)
    facts = [*facts, plural(len(record.logprobs), "{n} token", "{n} tokens")]
    if pooled > 1:
        facts.append(say("one bar for {n} tokens", n=formats.count(pooled)))
    return Card(
        position=position,
        document_id=formats.middle(document.id, 48),
        facts=" · ".join(facts),
        line=marks.surprise_line(bars, *((marks.BESIDE, 40) if len(bars) <= SHORT else ())),
        is_short=len(bars) <= SHORT,
        passages=tuple(highlights.passages(document, highlights.surprise_marks(record), "token")),
    )


def _pooled(bits: list[float], size: int) -> list[float]:
    """Means of neighbours, `size` at a time."""
    return [sum(bits[i : i + size]) / len(bits[i : i + size]) for i in range(0, len(bits), max(1, size))]
