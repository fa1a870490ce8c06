"""What the sections on perplexity and pseudo-perplexity share: strips by slice, and cards of surprising documents."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import TypeVar

from auditor.findings.analyses.perplexity import nats_by_slice
from auditor.findings.parts import sliceable
from auditor.findings.slices import LEAST_JUDGED
from auditor.findings.statistics.exponentials import quarters
from auditor.findings.types import DocumentRow, Example, PerplexityFindings, PseudoPerplexityFindings
from auditor.languages import plural, say
from auditor.languages.numbers import paragraph
from auditor.records.types import Document, Perplexity, PseudoPerplexity, ScoredTokens, Unmeasured
from auditor.report.drawing import figures, formats, highlights, marks
from auditor.report.sections.contract import Column, Sources, Table, known, rule_of

Found = TypeVar("Found", PerplexityFindings, PseudoPerplexityFindings)
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

    place: int
    """Of the document in the corpus: what links to the card are made of."""
    document_id: str
    facts: str
    line: str
    is_short: bool
    passages: tuple[highlights.Passage, ...]


def with_all_values(sources: Sources, found: Found, measured: Iterable[tuple[Document, ScoredTokens]]) -> Found:
    """The findings with every value of every slice: abridged ones have some of them, at even steps."""
    if not sources.findings.documents_left_out:
        return found
    values = nats_by_slice(tuple(measured), sliceable(sources.evidence.documents))
    return found.model_copy(update={"nats_by_slice": values})


def content(
    sources: Sources,
    found: PerplexityFindings | PseudoPerplexityFindings,
    records: Mapping[str, Perplexity | Unmeasured] | Mapping[str, PseudoPerplexity | Unmeasured],
    values: Sequence[float | None],
    facts: Callable[[DocumentRow], list[str]],
) -> dict[str, object]:
    """What the common template shows below the numbers.

    Args:
        sources: of the report.
        found: the findings that name the slices and the most surprising documents.
        records: by document.
        values: logarithm of the perplexity of each document that has one.
        facts: what a card says of its document.
    """
    strips = distribution(values, found.nats_by_slice)
    shown = known(found.most_surprising, records)
    rows = {row.document_id: row for row in sources.findings.documents}
    places = {document.id: place for place, document in enumerate(sources.evidence.documents)}
    cards = []
    for example in shown:
        record, document = records[example.document_id], sources.documents.get(example.document_id)
        if document is not None and not isinstance(record, Unmeasured) and record.logprobs:
            said = facts(rows[document.id]) if document.id in rows else []
            cards.append(_card(places[document.id], document, record, said))
    return {
        "strips": strip_table(strips) if strips else None,
        "figure_caption": strips_caption(strips, left_out(strips, found.nats_by_slice)),
        "edges": [formats.decimal(edge, 0) for edge in highlights.SURPRISE_BITS],
        "rule": rule_of(shown),
        "cards": cards,
    }


def draw(values: Sequence[float | None], found: PerplexityFindings | PseudoPerplexityFindings, label: str) -> str:
    """The strips as a figure; empty where there is nothing to draw."""
    strips = distribution(values, found.nats_by_slice)
    return figures.draw_strips(strips, label) if strips else ""


def shown_places(sources: Sources, examples: Sequence[Example], records: Mapping[str, object]) -> set[int]:
    """Places in the corpus of the documents that have a card."""
    ids = {example.document_id for example in known(examples, records)}
    return {place for place, document in enumerate(sources.evidence.documents) if document.id in ids}


def distribution(
    measured: Sequence[float | None], by_slice: Mapping[str, Mapping[str, tuple[float, ...]]]
) -> list[figures.Strip]:
    """Strips of the documents' values, in nats: all of them, then slice by slice."""
    everything = sorted(value for value in measured if value is not None)
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


def _card(place: int, document: Document, record: ScoredTokens, facts: list[str]) -> Card:
    """A document with the surprise of its tokens, as a line of bars and as shading."""
    bits = [stretch[3] for stretch in highlights.scored_stretches(record)]
    pooled = -(-len(bits) // MOST_BARS)
    bars = _pooled(bits, pooled)
    facts = [*facts, plural(len(record.logprobs), "{n} token", "{n} tokens")]
    if pooled > 1:
        facts.append(say("one bar for {n} tokens", n=formats.count(pooled)))
    return Card(
        place=place,
        document_id=formats.middle(document.id, 48),
        facts=" · ".join(facts),
        line=marks.surprise_line(bars, *((marks.BESIDE, 40) if len(bars) <= SHORT else ())),
        is_short=len(bars) <= SHORT,
        passages=tuple(highlights.passages(document, highlights.surprise_marks(record), "token")),
    )


def _pooled(bits: list[float], size: int) -> list[float]:
    """Means of neighbours, `size` at a time."""
    return [sum(bits[i : i + size]) / len(bits[i : i + size]) for i in range(0, len(bits), max(1, size))]
