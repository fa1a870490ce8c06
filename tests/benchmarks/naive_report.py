"""The report as a straightforward author writes it: the peer of our rendering.

Same texts, tables, figures; every cell and every word carries its own style, tables find their own widths, the
collector runs, matplotlib draws all that is drawn and its SVG stands in the page. One chart of intervals serves a whole
table, which is cheaper than the drawing in each row that it replaces, and no tags are asked for.
"""

import io
import re
from collections.abc import Iterable, Mapping, Sequence
from html import escape
from typing import Any

from matplotlib.axes import Axes
from matplotlib.figure import Figure

from auditor.findings.evidence import Evidence
from auditor.findings.types import AttentionFindings, Findings
from auditor.records.types import Failure
from auditor.report import highlights
from auditor.report.sections import attention, explanations
from auditor.report.sections.contract import Section, Table

CELL = "border-bottom: 1px solid #e3e8ed; padding: 3px 6px; vertical-align: top"
WORD = "padding: 1px 2px; border-radius: 2px; background-color: rgba({}, {:.2f})"
BLUE, ORANGE, VIOLET = "31, 95, 168", "168, 80, 10", "91, 63, 149"
SHEET = """@page { size: A4; margin: 20mm 17mm; @bottom-right { content: "Page " counter(page) " of " counter(pages) } }
body { font-family: "Source Sans 3", sans-serif; font-size: 9.6pt; line-height: 1.42; color: #1b1f24 }
table { border-collapse: collapse; width: 100% }"""
Numbered = Iterable[tuple[str, float, float, float]]


def page(findings: Findings, evidence: Evidence, sections: Sequence[Section], front: Any, formulas: str) -> str:
    """The whole HTML document.

    Args:
        findings: What is reported.
        evidence: What it rests on.
        sections: The content of our own sections, so that the words and the numbers are the same.
        front: The content of our page one.
        formulas: The HTML of the formulas.
    """
    verdict = findings.verdict
    body = [
        _heading(1, findings.title),
        *map(_paragraph, (front.subtitle, front.verdict, verdict.headline, verdict.explanation)),
        _rows(["", *(n.title for n in front.key_numbers)], [_key_numbers(front)]),
        _rows(["Finding", "Evidence"], [(look.text, look.title) for look in front.pointers]),
        _table(front.coverage, []),
        _table(front.checks, _checks(findings)) if front.checks else "",
        *map(_paragraph, front.notes),
        *(_section(section, findings, evidence, formulas) for section in sections),
    ]
    head = f'<meta charset="utf-8"><title>{escape(findings.title)}</title><style>{SHEET}</style>'
    return f'<!DOCTYPE html><html lang="en"><head>{head}</head><body>{"".join(body)}</body></html>'


def _section(section: Section, findings: Findings, evidence: Evidence, formulas: str) -> str:
    parts = [_heading(2, section.title), *map(_paragraph, (section.question, section.answer))]
    for name, value in section.content.items():
        parts.append(_content(section.id, name, value, findings, evidence))
    if section.id == "methods":
        parts.append(formulas)
    return "".join([*parts, *map(_paragraph, filter(None, (section.method, section.limits)))])


def _content(section: str, name: str, value: Any, findings: Findings, evidence: Evidence) -> str:
    if isinstance(value, Table):
        return _table(value, _intervals(section, name, findings))
    match name, value:
        case ("figure", str()) if findings.perplexity:
            return _strips(findings)
        case ("calibration_figure", str()) if findings.predictions:
            return _calibration(findings)
        case "grids", _ if findings.attention:
            return _grids(findings.attention, [grid.title for grid in value])
        case "cards", _:
            return "".join(_card(section, card, evidence) for card in value)
        case "confusion", [*rows]:
            return _rows(
                ["", *(row.label for row in rows)], [(r.label, *(n for n, _ in r.cells), r.total) for r in rows]
            )
        case "tables", _:
            return "".join(_table(table, _slices(findings, table)) for table in value)
        case ("lists", _):
            return "".join(_heading(3, title) + _rows([], entries) for title, entries in value)
        case ("protocol" | "entries", _):
            return _rows([], value)
        case (_, str()) if name not in ("axis", "unit"):
            return _paragraph(value)
        case ("notes", _):
            return "".join(map(_paragraph, value))
    return ""


def _card(section: str, card: Any, evidence: Evidence) -> str:
    head = _paragraph(" · ".join(filter(None, (card.document_id, card.rule, getattr(card, "target", ""), card.facts))))
    found = (evidence.explanations if section == "lime" else evidence.perplexity)[card.document_id]
    document = next(d for d in evidence.documents if d.id == card.document_id)
    if isinstance(found, Failure):
        return head
    if section != "lime":
        stretches = highlights.scored_stretches(found)  # type: ignore[arg-type]
        words = [(start, stop, VIOLET, bits / 20) for start, stop, _, bits in stretches]
        return _bars([bits for *_, bits in stretches]) + head + _words(document.text, words, highlights.MOST_WORDS)
    target, segments = found.targets[0], found.segments  # type: ignore[union-attr]
    largest = max(map(abs, target.weights)) or 1.0
    weighed = [
        (span.start, span.stop, BLUE if weight > 0 else ORANGE, abs(weight) / largest)
        for segment, weight in zip(segments, target.weights, strict=True)
        for span in segment.spans
    ]
    table = _rows(["Segment", "Weight"], [(row.word, row.weight) for row in card.weights])
    made = "".join(map(_paragraph, filter(None, (card.continuation, card.made, f"and {card.more} more"))))
    places = explanations._ranked(target)[: len(card.weights)]
    chart = _forest([(segments[i].text, w - 1.96 * s, w, w + 1.96 * s) for i, w, s in places])
    return head + _words(document.text, sorted(weighed), explanations._MOST_WORDS) + chart + table + made


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


def _heading(level: int, text: str) -> str:
    return f'<h{level} style="font-weight: 600; margin: 12px 0 6px">{escape(text)}</h{level}>'


def _paragraph(text: str) -> str:
    return f'<p style="margin: 0 0 6px; color: #1b1f24">{escape(text)}</p>'


def _key_numbers(front: Any) -> list[str]:
    return [
        "Value",
        *(" ".join(filter(None, (n.value, n.interval, n.n, n.result, n.bound))) for n in front.key_numbers),
    ]


def _table(table: Table, drawn: Numbered) -> str:
    """A table, and one chart of the intervals that our own table draws in its rows."""
    kept = [i for i, column in enumerate(table.columns) if column.kind != "mark"]
    titles = [table.columns[i].title for i in kept]
    rows = [[str(cells[i]) for i in kept] for cells in table.rows[: table.paper_rows]]
    numbers = {place for place, i in enumerate(kept) if table.columns[i].kind == "number"}
    chart = _forest(list(drawn)[: table.paper_rows]) if len(kept) < len(table.columns) else ""
    return _paragraph(table.caption) + _rows(titles, rows, numbers) + chart


def _rows(titles: Sequence[str], rows: Iterable[Sequence[str]], numbers: Iterable[int] = ()) -> str:
    right = set(numbers)

    def line(tag: str, cells: Sequence[str]) -> str:
        styles = (f"{CELL}; text-align: {'right' if i in right else 'left'}" for i in range(len(cells)))
        return "".join(f'<{tag} style="{s}">{escape(c)}</{tag}>' for s, c in zip(styles, cells, strict=True))

    head = f"<thead><tr>{line('th', titles)}</tr></thead>" if titles else ""
    body = "".join(f"<tr>{line('td', cells)}</tr>" for cells in rows)
    return f"<table>{head}<tbody>{body}</tbody></table>"


def _checks(findings: Findings) -> Numbered:
    numbers = ((c.title, c.number) for c in findings.checks if c.number)
    return [(title, n.low, n.value, n.high) for title, n in numbers if None not in (n.low, n.value, n.high)]  # type: ignore[misc]


def _intervals(section: str, name: str, findings: Findings) -> Numbered:
    if section == "lime" and name == "words" and findings.explanations:
        found = [(w.text, w.mean_weight) for w in findings.explanations.global_words]
    elif section == "predictions" and name == "classes" and findings.predictions:
        found = [(f"{c.label} F1", c.f1) for c in findings.predictions.classes]
    else:
        return []
    return [(t, n.low, n.value, n.high) for t, n in found if None not in (n.low, n.value, n.high)]  # type: ignore[misc]


def _slices(findings: Findings, table: Table) -> Numbered:
    column = table.columns[0].title
    found = [(row.value, row.numbers[0]) for row in findings.slices if row.column == column and row.numbers]
    return [(t, n.low, n.value, n.high) for t, n in found if None not in (n.low, n.value, n.high)]  # type: ignore[misc]


def _forest(rows: Sequence[tuple[str, float, float, float]]) -> str:
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


def _grids(found: AttentionFindings, titles: Sequence[str]) -> str:
    figure = Figure(figsize=(6.9, 2.4 * -(-len(titles) // 2)))
    places = figure.subplots(-(-len(titles) // 2), 2).flat
    figure.subplots_adjust(hspace=0.5)
    for axes, title, name in zip(places, titles, attention._statistics(found), strict=False):
        axes.set_title(title)
        figure.colorbar(axes.pcolormesh(found.statistics[name], cmap="Blues"), ax=axes)
    return _svg(figure)


def _calibration(findings: Findings) -> str:
    figure = Figure(figsize=(3.1, 2.3))
    axes: Axes = figure.subplots()
    bins = findings.predictions.calibration if findings.predictions else ()
    shown = [(b.mean_probability, b.accuracy) for b in bins if b.n and b.accuracy.value is not None]
    reach = [[a.value - a.low for _, a in shown], [a.high - a.value for _, a in shown]]  # type: ignore[operator]
    axes.plot([0, 1], [0, 1], "--")
    axes.errorbar([p for p, _ in shown], [a.value for _, a in shown], yerr=reach, fmt="o")
    return _svg(figure)


def _strips(findings: Findings) -> str:
    slices: Mapping[str, Mapping[str, Sequence[float]]] = findings.perplexity.by_slice if findings.perplexity else {}
    everything = [row.perplexity for row in findings.documents if row.perplexity is not None]
    strips = {"All": everything, **{f"{c} {v}": x for c, by in list(slices.items())[:3] for v, x in by.items()}}
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
