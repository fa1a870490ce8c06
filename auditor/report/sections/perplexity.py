"""How surprising are the texts to a language model?"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from auditor.findings.types import DocumentRow, Example, PerplexityFindings
from auditor.records.types import Document, Failure, Perplexity, ScoredTokens
from auditor.report import figures, formats, highlights, marks
from auditor.report.sections.contract import Column, Section, Sources, Table, known, numbers_table, with_interval

MOST_COLUMNS = 3
MOST_BARS = 300
"""Bars of one surprise line; neighbours of a longer text are averaged."""
MOST_VALUES = 8
"""Slices of one column drawn as strips: the largest."""


@dataclass(frozen=True, slots=True)
class Card:
    """One surprising document."""

    document_id: str
    rule: str
    facts: str
    line: str
    passages: tuple[highlights.Passage, ...]


def compose(sources: Sources) -> Section:
    """The section on perplexity."""
    found = sources.findings.perplexity
    if found is None:
        raise ValueError("the run has no findings on perplexity")
    strips = distribution([row.perplexity for row in sources.findings.documents], found.by_slice)
    return Section(
        id="perplexity",
        title="Perplexity",
        question="How surprising are the texts to the language model?",
        answer=_answer(found),
        method=_method(found),
        limits=_limits(found),
        template="sections/perplexity.html.j2",
        content={
            "protocol": _protocol(found),
            "numbers": numbers_table(
                "The same log-probabilities, averaged in different ways.",
                [found.corpus, found.mean_document, found.median_document, found.bits_per_byte, found.word],
            ),
            "measure": "perplexity",
            "figure": figures.draw_strips(strips, "perplexity per document, log scale") if strips else None,
            "figure_caption": strips_caption(strips),
            "strips": strip_table(strips) if strips else None,
            "edges": [formats.decimal(edge, 0) for edge in highlights.SURPRISE_BITS],
            "cards": _cards(sources, found),
        },
    )


def _answer(found: PerplexityFindings) -> str:
    return (
        f"Over {formats.plural(found.n_tokens, 'token')} the perplexity is {with_interval(found.corpus)}, the median "
        f"document’s {with_interval(found.median_document)}; that is {with_interval(found.bits_per_byte)} per byte, "
        "which may be compared across models."
    )


def _method(found: PerplexityFindings) -> str:
    windows = (
        f"Windows of {formats.plural(found.context_length, 'token')}, moved by {formats.count(found.stride)}; every "
        "token is scored once, the last window keeps its full left context."
    )
    first = (
        f" “{found.prefix}” gives the first token its context." if found.prefix else " The first token is not scored."
    )
    return windows + first + " Perplexity is the exponential of the mean negative log-likelihood."


def _limits(found: PerplexityFindings) -> str:
    whose = (
        f"The perplexities are those of the reference model {found.model}, not of the audited one. "
        if found.is_reference
        else ""
    )
    return (
        f"{whose}Token perplexities depend on the tokenizer and must not be compared between models; bits per byte "
        "may. A high value marks text unlike the training data, not wrong text."
    )


def _protocol(found: PerplexityFindings) -> list[tuple[str, str]]:
    return [
        ("Language model", found.model + (" (reference)" if found.is_reference else " (audited)")),
        ("Method", found.method),
        ("Context length", formats.plural(found.context_length, "token")),
        ("Stride", formats.plural(found.stride, "token")),
        ("First token after", found.prefix or "nothing: not scored"),
        ("Documents", formats.count(found.n_documents)),
        ("Scored tokens", formats.count(found.n_tokens)),
        ("UTF-8 bytes", formats.count(found.n_bytes)),
    ]


def distribution(
    measured: Sequence[float | None], by_slice: Mapping[str, Mapping[str, tuple[float, ...]]]
) -> list[figures.Strip]:
    """Strips of the documents' values: all of them, then slice by slice."""
    everything = sorted(value for value in measured if value is not None)
    strips = [figures.Strip("All documents", tuple(everything))] if everything else []
    for column, values in list(by_slice.items())[:MOST_COLUMNS]:
        kept = sorted(values, key=lambda value: -len(values[value]))[:MOST_VALUES]
        strips += [figures.Strip(f"{column} {v}", tuple(values[v])) for v in values if v in kept and values[v]]
    return strips


def strips_caption(strips: list[figures.Strip]) -> str:
    """What the strips show, and how to read them."""
    how = "Each point is a document; the bar is the median, the grey band the middle half."
    if any(len(strip.values) > figures.MOST_POINTS for strip in strips):
        how = how.replace(
            "is a document", f"is a document ({formats.count(figures.MOST_POINTS)} of each strip, evenly)"
        )
    slices = strips[1:]
    if len(slices) < 2:
        return how
    medians = [(figures.middle_half(strip.values)[1], strip.label) for strip in slices]
    (low, plain), (high, strange) = min(medians), max(medians)
    return (
        f"The median is lowest for {plain} ({formats.quantity(low, 'perplexity')}) and highest for {strange} "
        f"({formats.quantity(high, 'perplexity')}). {how}"
    )


def strip_table(strips: list[figures.Strip]) -> Table:
    """The strips as numbers."""
    columns = (
        Column("Slice", "corpus"),
        Column("Documents", "number", 12),
        Column("Smallest", "number", 12),
        Column("Lower quarter", "number", 14),
        Column("Median", "number", 12),
        Column("Upper quarter", "number", 14),
        Column("Largest", "number", 12),
    )
    return Table("The strips as numbers.", columns, tuple(_strip_row(strip) for strip in strips))


def _strip_row(strip: figures.Strip) -> tuple[str, ...]:
    low, median, high = figures.middle_half(strip.values)
    values = (strip.values[0], low, median, high, strip.values[-1])
    shown = (formats.quantity(v, "perplexity") for v in values)
    return (formats.middle(strip.label, 60), formats.count(len(strip.values)), *shown)


def _cards(sources: Sources, found: PerplexityFindings) -> list[Card]:
    rows = {row.document_id: row for row in sources.findings.documents}
    cards = []
    for example in known(found.most_surprising, sources.evidence.perplexity):
        record = sources.evidence.perplexity[example.document_id]
        document = sources.documents.get(example.document_id)
        if document is not None and not isinstance(record, Failure) and record.logprobs:
            cards.append(card(example, document, record, _facts(record, rows.get(document.id))))
    return cards


def _facts(record: Perplexity, row: DocumentRow | None) -> list[str]:
    facts = [formats.plural(len(record.logprobs), "token")]
    if row is not None and row.perplexity is not None:
        facts.insert(0, f"perplexity {formats.quantity(row.perplexity, 'perplexity')}")
    if row is not None and row.bits_per_byte is not None:
        facts.append(f"{formats.quantity(row.bits_per_byte, 'bits')} per byte")
    return facts


def card(example: Example, document: Document, record: ScoredTokens, facts: list[str]) -> Card:
    """A document with the surprise of its tokens, as a line of bars and as shading."""
    bits = [stretch[3] for stretch in highlights.scored_stretches(record)]
    pooled = -(-len(bits) // MOST_BARS)
    if pooled > 1:
        facts = [*facts, f"one bar for {pooled} tokens"]
    return Card(
        document_id=formats.middle(document.id, 48),
        rule=example.rule,
        facts=" · ".join(facts),
        line=marks.surprise_line(_pooled(bits, pooled)),
        passages=tuple(highlights.passages(document, highlights.surprise_marks(record), "token")),
    )


def _pooled(bits: list[float], size: int) -> list[float]:
    """Means of neighbours, `size` at a time."""
    return [sum(bits[i : i + size]) / len(bits[i : i + size]) for i in range(0, len(bits), max(1, size))]
