"""Invented maps of heads, each of which does by construction what its class says."""

import re
from dataclasses import replace

from invented_findings import with_analysis

from auditor.findings.analyses.attention import MappedHead
from auditor.records.types import AttentionMap, AttentionStatistics, Span

N_KEYS = 16
STATISTICS = {"previous": "previous_share", "next": "next_share", "special": "special_share", "sink": "first_share"}
"""Class → the statistic that makes it; of the others no head is drawn."""


def tokens_of(text, causal):
    """Words, signs and other characters; an encoder's text stands between two special tokens."""
    places = [Span(m.start(), m.end()) for m in re.finditer(r"[A-Za-z’']+|\S", text)][:30]
    pieces = [text[span.start : span.stop] for span in places]
    if causal:
        return pieces, places
    return ["[CLS]", *pieces, "[SEP]"], [Span(0, 0), *places, Span(0, 0)]


def rows_of(pattern, n, causal):
    """Key → weight of each query."""
    if pattern == "previous":
        return [{max(i - 1, 0): 1.0} for i in range(n)]
    if pattern == "next":
        return [{min(i + 1, n - 1): 1.0} for i in range(n)]
    if pattern == "sink":
        return [{0: 0.9, i: 0.1} if i else {0: 1.0} for i in range(n)]
    if pattern == "special":
        return [{0: 0.5, n - 1: 0.5} for _ in range(n)]
    return [{j: 1 / (i + 1 if causal else n) for j in range(i + 1 if causal else n)} for i in range(n)]


def mapped(rows):
    """The bytes of one head, and the mass they keep."""
    keys, weights, kept = bytearray(), bytearray(), 0.0
    for row in rows:
        heaviest = sorted(row.items(), key=lambda pair: (-round(255 * pair[1]), pair[0]))[:N_KEYS]
        heaviest = [(key, weight) for key, weight in heaviest if round(255 * weight)]
        padding = [0] * (N_KEYS - len(heaviest))
        keys += bytes([key for key, _ in heaviest] + padding)
        weights += bytes([round(255 * weight) for _, weight in heaviest] + padding)
        kept += sum(weight for _, weight in heaviest) / len(rows)
    return bytes(keys), bytes(weights), kept


def record(document, found, rank, classes):
    """A record whose heads do what `classes`, (layer, head) → class, says; the others attend to all alike."""
    tokens, spans = tokens_of(document.text, found.causal)
    heads = [(layer, head) for layer in range(found.n_layers) for head in range(found.n_heads)]
    maps = [mapped(rows_of(classes.get(head), len(tokens), found.causal)) for head in heads]
    whole = AttentionMap(
        rank, len(tokens), N_KEYS, b"".join(m[0] for m in maps), b"".join(m[1] for m in maps), tuple(m[2] for m in maps)
    )
    flat = {name: tuple(value for row in rows for value in row) for name, rows in found.statistics.items()}
    return AttentionStatistics(
        document_id=document.id,
        n_layers=found.n_layers,
        n_heads=found.n_heads,
        n_tokens=len(tokens),
        causal=found.causal,
        truncated=False,
        uniform_entropy=found.uniform_entropy,
        received=(1 / len(tokens),) * len(tokens),
        tokens=tuple(tokens),
        spans=tuple(spans),
        map=whole,
        **flat,
    )


def with_maps(findings, evidence, n=3):
    """The run with maps of its first documents, and the strongest head of each class on the first of them."""
    found = findings.analyses["attention"]
    strongest = {c.name: max(c.heads, key=lambda head: head[2]) for c in found.classes if c.heads}
    strongest = {name: head for name, head in strongest.items() if name in STATISTICS}
    classes = {(layer, head): name for name, (layer, head, _) in strongest.items()}
    chosen = [document for document in evidence.documents if len(document.text) > 20][:n]
    records = [record(document, found, rank, classes) for rank, document in enumerate(chosen)]
    heads = tuple(
        MappedHead(
            name=name,
            layer=layer,
            head=head,
            value=value,
            document_id=chosen[0].id,
            here=value,
            kept=records[0].map.kept[layer * found.n_heads + head],
        )
        for name, (layer, head, value) in strongest.items()
    )
    findings = with_analysis(findings, "attention", mapped=tuple(d.id for d in chosen), mapped_heads=heads)
    own = {**findings.parameters.get("attention", {}), "maps": str(n), "map_tokens": "64"}
    parameters = {**findings.parameters, "attention": own}
    return (
        findings.model_copy(update={"parameters": parameters}),
        replace(evidence, rows={**evidence.rows, "attention": {r.document_id: r for r in records}}),
    )
