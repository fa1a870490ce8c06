"""Heads over single documents: the strongest of each pattern, drawn small, and the same as numbers."""

from dataclasses import dataclass

from markupsafe import Markup

from auditor.findings.analyses.attention import SUMMARY as ATTENTION
from auditor.findings.analyses.attention import AttentionFindings
from auditor.findings.analyses.heads import PATTERNS, READABLE, MappedHead
from auditor.languages import N_, plural, say
from auditor.languages.numbers import separator
from auditor.records.types import AttentionMap, AttentionStatistics
from auditor.report.contract import Column, Sources, Table
from auditor.report.drawing import attention_maps, formats

LINKS = 3
"""Pairs of tokens named for each head."""
NAMES = {
    "previous": N_("previous token"),
    "next": N_("next token"),
    "broad": N_("broad"),
    "special": N_("special tokens"),
    "punctuation": N_("punctuation"),
    "sink": N_("first token (sink)"),
}
_SEEN = {
    "previous": N_("A strong line just below the diagonal: each token looks at the one before it."),
    "next": N_("A strong line just above the diagonal: each token looks at the one behind it."),
    "broad": N_("An even, pale tone: each token spreads its attention over the text."),
    "special": N_("Strong columns under the special tokens: most tokens look there, and hardly at the words."),
    "punctuation": N_("Strong columns under the punctuation marks: most tokens look there."),
    "sink": N_("A strong column at the left: nearly every token looks at the first one."),
}


@dataclass(frozen=True, slots=True)
class Drawing:
    """One head over one document."""

    title: str
    seen: str
    """What to see."""
    about: str
    drawing: Markup


@dataclass(frozen=True, slots=True)
class Maps:
    """The drawings, how to read them, and the same as numbers."""

    rule: str
    """Which documents were drawn."""
    drawings: tuple[Drawing, ...]
    table: Table


def compose(sources: Sources, analysis: AttentionFindings) -> Maps | None:
    """The maps of a run; None where it made none."""
    by_id = {record.document_id: record for record in records(sources, analysis)}
    heads = [(head, by_id[head.document_id]) for head in analysis.mapped_heads if head.document_id in by_id]
    if not by_id:
        return None
    return Maps(
        rule=_rule(sources, analysis),
        drawings=tuple(_drawing(head, record) for head, record in heads),
        table=_table(heads),
    )


def records(sources: Sources, analysis: AttentionFindings) -> list[AttentionStatistics]:
    """The documents with a map that the evidence holds, in the order of the draw."""
    measured = sources.evidence.measured(ATTENTION.probe, AttentionStatistics)
    return [measured[document] for document in analysis.mapped if document in measured and measured[document].map]


def head_name(layer: int, head: int) -> str:
    """`L3 H11`: how a head is called."""
    return f"L{layer} H{head}"


def _rule(sources: Sources, analysis: AttentionFindings) -> str:
    most = sources.findings.parameters.get(ATTENTION.probe, {}).get("map_tokens", formats.NOTHING)
    documents = plural(len(analysis.mapped), "{n} document", "{n} documents")
    if analysis.causal:
        return say(
            "Drawn by the seed before the run, whatever their attention: {documents} of at least {least} tokens; "
            "of a long one the first {most} tokens are mapped, which see no others.",
            documents=documents,
            least=AttentionMap.LEAST_TOKENS,
            most=most,
        )
    return say(
        "Drawn by the seed before the run, whatever their attention: {documents} of {least} to {most} tokens.",
        documents=documents,
        least=AttentionMap.LEAST_TOKENS,
        most=most,
    )


def _rows(head: MappedHead, record: AttentionStatistics) -> list[attention_maps.Row]:
    return attention_maps.rows(record.map, head.layer * record.n_heads + head.head) if record.map else []


def _drawing(head: MappedHead, record: AttentionStatistics) -> Drawing:
    title = say(
        "{place}: {pattern} {value}",
        place=head_name(head.layer, head.head),
        pattern=say(NAMES[head.name]),
        value=_value(head, head.value),
    )
    words = say(
        "Attention of {title}, document {document}", title=title, document=formats.middle(record.document_id, 24)
    )
    return Drawing(
        title=title,
        seen=say(_SEEN[head.name]),
        about=_about(head, record),
        drawing=attention_maps.miniature(record.tokens, _rows(head, record), words),
    )


def _about(head: MappedHead, record: AttentionStatistics) -> str:
    values = {
        "document": formats.middle(record.document_id, 24),
        "value": _value(head, head.here),
        "kept": formats.percent(head.kept),
    }
    if record.n_tokens <= READABLE:
        return say("Document {document}: {value} there. {kept} of the attention is drawn.", **values)
    return say(
        "Document {document}: {value} there. The first {shown} of {n} tokens; {kept} of the attention is kept.",
        shown=formats.count(READABLE),
        n=formats.count(record.n_tokens),
        **values,
    )


def _value(head: MappedHead, value: float) -> str:
    unit = "nats" if next(p for p in PATTERNS if p.name == head.name).statistic == "entropy" else "share"
    return formats.quantity(value, unit, 2)


def _table(heads: list[tuple[MappedHead, AttentionStatistics]]) -> Table:
    columns = (
        Column(say("Head"), width=9),
        Column(say("Pattern"), width=16),
        Column(say("Mean"), "number", 9),
        Column(say("Document"), "id", 16),
        Column(say("There"), "number", 9),
        Column(say("Kept"), "number", 8),
        Column(say("Strongest links"), "corpus"),
    )
    rows = tuple(
        (
            head_name(head.layer, head.head),
            say(NAMES[head.name]),
            _value(head, head.value),
            formats.middle(head.document_id, 24),
            _value(head, head.here),
            formats.percent(head.kept),
            _links(record, _rows(head, record)),
        )
        for head, record in heads
    )
    caption = say(
        "The heads drawn, as numbers: the share of attention that makes the pattern (entropy for broad heads), mean "
        "over the corpus and in the document drawn; how much of the head’s attention its map holds; its heaviest links."
    )
    return Table(caption, columns, rows)


def _links(record: AttentionStatistics, analysis: list[attention_maps.Row]) -> str:
    """The heaviest pairs; of a causal head not the first query, which can look nowhere else."""
    first = 1 if record.causal else 0
    pairs = sorted(
        (-weight, query, key) for query, row in enumerate(analysis[first:], first) for key, weight in row.items()
    )
    names = [attention_maps.label(token) for token in record.tokens]
    named = [f"{names[query]} → {names[key]} {formats.decimal(-weight, 2)}" for weight, query, key in pairs[:LINKS]]
    return separator().join(named) or formats.NOTHING
