"""The report as a straightforward author writes it: the peer of our rendering.

Same words, tables, figures; every cell and every word carries its own style, tables find their own widths, the
collector runs, matplotlib draws all that is drawn and its SVG stands in the page. One chart of intervals serves a whole
table, which is cheaper than the drawing in each row that it replaces, and no tags are asked for.
"""

import io
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from html import escape
from math import exp

from matplotlib.axes import Axes
from matplotlib.figure import Figure

from auditor.findings.analyses.attention import AttentionFindings
from auditor.findings.analyses.explanations import ExplanationFindings
from auditor.findings.analyses.heads import READABLE, MappedHead
from auditor.findings.analyses.perplexity import PerplexityFindings
from auditor.findings.analyses.prediction import PredictionFindings
from auditor.findings.contract.evidence import Evidence
from auditor.findings.contract.types import Findings, Number
from auditor.findings.slicing.slices import base_name
from auditor.records.explanations import Explanation
from auditor.records.types import AttentionStatistics, Failure, Perplexity
from auditor.report.drawing import attention_maps, highlights
from auditor.report.sections import attention, explanation_cards, gallery

CELL = "border-bottom: 1px solid #e3e8ed; padding: 3px 6px; vertical-align: top"
WORD = "padding: 1px 2px; border-radius: 2px; background-color: rgba({}, {:.2f})"
BLUE, ORANGE, VIOLET = "31, 95, 168", "168, 80, 10", "91, 63, 149"
SHEET = """@page { size: A4; margin: 20mm 17mm; @bottom-right { content: "Page " counter(page) " of " counter(pages) } }
body { font-family: "Source Sans 3", sans-serif; font-size: 9.6pt; line-height: 1.42; color: #1b1f24 }
table { border-collapse: collapse; width: 100% }"""
Numbered = Iterable[tuple[str, float, float, float]]


@dataclass(frozen=True)
class Cell:
    """One cell of a table: HTML without attributes."""

    tag: str
    text: str
    is_number: bool


@dataclass(frozen=True)
class Part:
    """One part of the page, in the order of ours; `text` is HTML without attributes."""

    section: str
    """Empty on page one."""
    kind: str
    """Tag: `h2`, `p`, `table`, `img` …, or `passage`: the text of a card."""
    text: str
    rows: tuple[tuple[Cell, ...], ...] = ()
    document: str = ""
    """Whose card it is in."""


def page(findings: Findings, evidence: Evidence, parts: Sequence[Part]) -> str:
    """The whole HTML document.

    Args:
        findings: What is reported.
        evidence: What it rests on.
        parts: The words of our own paper, so that the words and the numbers are the same.
    """
    body = []
    for section in dict.fromkeys(part.section for part in parts):
        body += [_part(part, evidence) for part in parts if part.section == section]
        body.append(_drawings(section, findings, evidence))
    head = f'<meta charset="utf-8"><title>{escape(findings.title)}</title><style>{SHEET}</style>'
    return f'<!DOCTYPE html><html lang="en"><head>{head}</head><body>{"".join(body)}</body></html>'


def _part(part: Part, evidence: Evidence) -> str:
    match part.kind:
        case "table":
            chart = _weights(part, evidence) if part.section == "lime" and part.document else ""
            return (_paragraph(part.text) if part.text else "") + _rows(part.rows) + chart
        case "passage":
            return _passage(part, evidence)
        case "img":
            return f'<img src="{part.text}" alt="" style="width: 30mm">'
        case "h1" | "h2" | "h3":
            return f'<{part.kind} style="font-weight: 600; margin: 12px 0 6px">{part.text}</{part.kind}>'
    return _paragraph(part.text)


def _drawings(section: str, findings: Findings, evidence: Evidence) -> str:
    """What our page draws in a section outside its cards."""
    predictions = findings.analysis("prediction", PredictionFindings)
    explained = findings.analysis("lime", ExplanationFindings)
    heads = findings.analysis("attention", AttentionFindings)
    match section:
        case "":
            return _forest(_ends((check.title, check.number) for check in findings.checks))
        case "predictions" if predictions:
            return _calibration(predictions) + _forest(_ends((f"{c.label} F1", c.f1) for c in predictions.classes))
        case "lime" if explained:
            return _forest(_ends((w.text, w.weight) for found in explained.recurring for w in found.words))
        case "attention" if heads:
            return _grids(heads) + _maps(heads, evidence)
        case "perplexity":
            return _strips(findings)
        case "slices":
            return _panels(findings)
    return ""


def _passage(part: Part, evidence: Evidence) -> str:
    """The text of a card, every word in its colour; where nothing was measured, as it is."""
    document = next(d for d in evidence.documents if d.id == part.document)
    scored = evidence.of("perplexity").get(part.document)
    if part.section == "perplexity" and isinstance(scored, Perplexity):
        stretches = highlights.scored_stretches(scored)
        words = [(start, stop, VIOLET, bits / 20) for start, stop, _, bits in stretches]
        return _bars([bits for *_, bits in stretches]) + _words(document.text, words, highlights.MOST_WORDS)
    found = evidence.of("lime").get(part.document)
    if not isinstance(found, Explanation):
        return _paragraph(part.text)
    largest = max(map(abs, found.targets[0].weights)) or 1.0
    weighed = [
        (span.start, span.stop, BLUE if weight > 0 else ORANGE, abs(weight) / largest)
        for segment, weight in zip(found.segments, found.targets[0].weights, strict=True)
        for span in segment.spans
    ]
    return _words(document.text, sorted(weighed), _MOST_WORDS[part.section])


_MOST_WORDS = {"lime": explanation_cards._MOST_WORDS, "failures": gallery._WORDS}


def _weights(part: Part, evidence: Evidence) -> str:
    found = evidence.of("lime")[part.document]
    if not isinstance(found, Explanation):
        return ""
    places = explanation_cards._ranked(found.targets[0])[: len(part.rows) - 1]
    return _forest([(found.segments[i].text, w - 1.96 * s, w, w + 1.96 * s) for i, w, s in places])


def _words(text: str, words: Sequence[tuple[int, int, str, float]], limit: int) -> str:
    """Every word a span; of a long text, what our card shows."""
    pieces, end = [], 0
    for first, last in highlights.crop([strength for *_, strength in words], limit):
        end = words[first][0] if first else 0
        for start, stop, colour, strength in words[first:last]:
            style = WORD.format(colour, min(1.0, strength))
            pieces.append(f'{escape(text[end:start])}<span style="{style}">{escape(text[start:stop])}</span>')
            end = stop
        pieces.append(" [… more words …] " if last < len(words) else escape(text[end:]))
    return f'<p style="line-height: 1.78; overflow-wrap: anywhere">{"".join(pieces)}</p>'


def _paragraph(text: str) -> str:
    return f'<p style="margin: 0 0 6px; color: #1b1f24">{text}</p>'


def _rows(rows: Sequence[Sequence[Cell]]) -> str:
    widest = max(map(len, rows))

    def line(cells: Sequence[Cell]) -> str:
        span = f' colspan="{widest}"' if len(cells) == 1 else ""
        styles = (f"{CELL}; text-align: {'right' if cell.is_number else 'left'}" for cell in cells)
        return "".join(f'<{c.tag}{span} style="{s}">{c.text}</{c.tag}>' for s, c in zip(styles, cells, strict=True))

    heads = int(all(cell.tag == "th" for cell in rows[0]))
    head, body = ("".join(f"<tr>{line(cells)}</tr>" for cells in part) for part in (rows[:heads], rows[heads:]))
    return f"<table>{f'<thead>{head}</thead>' if head else ''}<tbody>{body}</tbody></table>"


def _ends(rows: Iterable[tuple[str, Number | None]]) -> Numbered:
    numbers = [(title, number) for title, number in rows if number]
    return [(t, n.low, n.value, n.high) for t, n in numbers if None not in (n.low, n.value, n.high)]  # type: ignore[misc]


def _panels(findings: Findings) -> str:
    """One chart for each number of the groups, under its name."""
    whole = {number.name: number for number in findings.numbers}
    panels: dict[str, list[tuple[str, Number]]] = {}
    for row in findings.slices:
        for number in row.numbers:
            name = base_name(number)
            own = panels.setdefault(name, [("All documents", whole[name])] if name in whole else [])
            own.append((f"{row.column} {row.value}", number))
    return "".join(_paragraph(escape(name)) + _forest(_ends(rows)) for name, rows in panels.items())


def _forest(numbers: Numbered) -> str:
    rows = list(numbers)
    if not rows:
        return ""
    figure = Figure(figsize=(5, 0.6 + 0.22 * len(rows)))
    axes = figure.subplots()
    figure.subplots_adjust(left=0.3)
    middle = [value for _, _, value, _ in rows]
    reach = [[v - low for _, low, v, _ in rows], [high - v for *_, v, high in rows]]
    axes.errorbar(middle, range(len(rows)), xerr=reach, fmt="o", markersize=3)
    axes.set_yticks(range(len(rows)), [label[:24] for label, *_ in rows], parse_math=False)
    return _svg(figure)


def _bars(bits: Sequence[float]) -> str:
    figure = Figure(figsize=(6.9, 1.0))
    axes = figure.subplots()
    size = -(-len(bits) // 300)
    pooled = [sum(bits[i : i + size]) / len(bits[i : i + size]) for i in range(0, len(bits), size)]
    axes.bar(range(len(pooled)), pooled, color="#6a51a3")
    return _svg(figure)


def _grids(found: AttentionFindings) -> str:
    names = attention._statistics(found)
    figure = Figure(figsize=(6.9, 2.4 * -(-len(names) // 2)))
    places = figure.subplots(-(-len(names) // 2), 2).flat
    figure.subplots_adjust(hspace=0.5)
    for axes, name in zip(places, names, strict=False):
        axes.set_title(attention._TITLES[name])
        figure.colorbar(axes.pcolormesh(found.statistics[name], cmap="Blues"), ax=axes)
    return _svg(figure)


def _maps(found: AttentionFindings, evidence: Evidence) -> str:
    return "".join(_map(head, evidence.of("attention")[head.document_id]) for head in found.mapped_heads)


def _map(head: MappedHead, record: AttentionStatistics | Failure) -> str:
    if isinstance(record, Failure) or record.map is None:
        return ""
    rows = attention_maps.rows(record.map, head.layer * record.n_heads + head.head)[:READABLE]
    figure = Figure(figsize=(3.3, 3.3))
    axes = figure.subplots()
    figure.subplots_adjust(left=0.2, bottom=0.2)
    axes.pcolormesh([[row.get(key, 0.0) for key in range(len(rows))] for row in reversed(rows)], cmap="Blues")
    middles, tokens = [i + 0.5 for i in range(len(rows))], record.tokens[: len(rows)]
    axes.set_xticks(middles, tokens, rotation=90, parse_math=False)
    axes.set_yticks(middles, tokens[::-1], parse_math=False)
    return _svg(figure)


def _calibration(predictions: PredictionFindings) -> str:
    figure = Figure(figsize=(3.1, 2.3))
    axes: Axes = figure.subplots()
    bins = (b for b in predictions.calibration if b.n and b.accuracy.value is not None)
    shown = [(b.mean_probability, b.accuracy) for b in bins]
    reach = [[a.value - a.low for _, a in shown], [a.high - a.value for _, a in shown]]  # type: ignore[operator]
    axes.plot([0, 1], [0, 1], "--")
    axes.errorbar([p for p, _ in shown], [a.value for _, a in shown], yerr=reach, fmt="o")
    return _svg(figure)


def _strips(findings: Findings) -> str:
    scored = findings.analysis("perplexity", PerplexityFindings)
    slices: Mapping[str, Mapping[str, Sequence[float]]] = scored.nats_by_slice if scored else {}
    measured = (row.values.get("perplexity") for row in findings.documents)
    everything = [value for value in measured if value is not None]
    by_group = {f"{c} {v}": [exp(n) for n in x] for c, by in list(slices.items())[:3] for v, x in by.items()}
    strips = {"All": everything, **by_group}
    figure = Figure(figsize=(6.93, 0.5 + 0.4 * len(strips)))
    axes = figure.subplots()
    for row, values in enumerate(strips.values()):
        axes.scatter(values, [row] * len(values), s=4)
    axes.set_xscale("log")
    axes.set_yticks(range(len(strips)), list(strips))
    return _svg(figure)


def _svg(figure: Figure) -> str:
    buffer = io.StringIO()
    figure.savefig(buffer, format="svg")
    return re.sub(r"^.*?(?=<svg)", "", buffer.getvalue(), flags=re.DOTALL)
