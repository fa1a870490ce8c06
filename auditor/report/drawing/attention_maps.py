"""Draws the attention of one head in one document as SVG: queries down, keys across, every token labelled.

    square   the weight that the query of its row gives to the key of its column; its shade is one of eight by the
             square root of the weight, and changes at 0.02, 0.06, 0.14, 0.25, 0.39, 0.56 and 0.77
    rest     a last column, apart: the sum of the weights of keys after the tokens that are drawn

The first `READABLE` tokens are drawn, and of their keys those that the record keeps.
"""

import math
import unicodedata
from collections.abc import Iterator, Sequence
from itertools import groupby

from markupsafe import Markup

from auditor.findings.analyses.attention import READABLE
from auditor.languages import say
from auditor.records.types import AttentionMap
from auditor.report.drawing import formats
from auditor.report.drawing.marks import FONT, INK, MUTED, RULE, SEQUENTIAL, shade

BLANK = "␣"
"""Printed for a token of white space."""
STEPS = 255
"""The byte that stands for a weight of 1."""
_LETTERS = 9
"""The width of a token's label, in Latin letters."""
_MARGIN = 54.0
_LARGEST = 10.0
_WIDEST = 264.0

Row = dict[int, float]
"""Key → weight (0..1), of one query."""


def rows(attention_map: AttentionMap, head: int) -> list[Row]:
    """The stored weights of every query of one head.

    Args:
        attention_map: The map of one document.
        head: layer · n_heads + the number of the head in its layer.
    """
    n_keys = attention_map.n_keys
    size = attention_map.n_tokens * n_keys
    keys = attention_map.keys[head * size : (head + 1) * size]
    weights = attention_map.weights[head * size : (head + 1) * size]
    return [
        {keys[i]: weights[i] / STEPS for i in range(start, start + n_keys) if weights[i]}
        for start in range(0, size, n_keys)
    ]


def label(token: str) -> str:
    """The label of a token at the margin of a drawing: one line, cut at nine Latin letters, never empty."""
    text = formats.visible(" ".join(token.split())) or BLANK
    kept, width_left = "", float(_LETTERS)
    for character in text:
        width_left -= 2.0 if unicodedata.east_asian_width(character) in "WF" else 1.0
        if width_left < 0:
            return kept.rstrip() + "…"
        kept += character
    return kept


def miniature(tokens: Sequence[str], queries: Sequence[Row], title: str) -> Markup:
    """The drawing of one head over the first tokens of a document, as SVG.

    Args:
        tokens: Those of the document.
        queries: The weights of each token's query, as `rows` returns them.
        title: The alternative text.
    """
    n = min(len(tokens), len(queries), READABLE)
    rest = any(key >= n for row in queries[:n] for key in row)
    unit = min(_LARGEST, _WIDEST / (n + 2 * rest))
    side = n * unit
    width, height = _MARGIN + side + (2 * unit if rest else 0) + 1, _MARGIN + side + 1
    frame = Markup('<path d="M{0} {0}h{1}v{1}h-{1}z" fill="none" stroke="{2}" stroke-width="0.6"/>').format(
        _MARGIN, round(side, 2), RULE
    )
    squares = _squares(queries[:n], n, unit)
    labels = _labels([label(token) for token in tokens[:n]], unit, rest=rest)
    return Markup(
        '<svg width="{0}" height="{1}" viewBox="0 0 {0} {1}" role="img"><title>{2}</title>{3}{4}{5}</svg>'
    ).format(math.ceil(width), math.ceil(height), formats.visible(title), squares, frame, labels)


def _squares(queries: Sequence[Row], n: int, unit: float) -> Markup:
    """All squares as one path per shade."""
    paths: dict[int, list[str]] = {}
    for query, row in enumerate(queries):
        steps = {key: step for key, weight in row.items() if key < n and (step := _step(weight))}
        for step, first, length in _runs(steps):
            paths.setdefault(step, []).append(f"M{first} {query}h{length}v1h-{length}z")
        rest = _step(sum(weight for key, weight in row.items() if key >= n))
        if rest:
            paths.setdefault(rest, []).append(f"M{n + 0.8} {query}h1v1h-1z")
    drawn = Markup("").join(
        Markup('<path fill="{}" d="{}"/>').format(SEQUENTIAL[step], "".join(parts))
        for step, parts in sorted(paths.items())
    )
    return Markup('<g transform="translate({0} {0}) scale({1})">{2}</g>').format(_MARGIN, round(unit, 4), drawn)


def _step(weight: float) -> int:
    return shade(math.sqrt(weight), 0.0, 1.0)


def _runs(steps: dict[int, int]) -> Iterator[tuple[int, int, int]]:
    """Runs of neighbouring keys of one shade: shade, first key, number of keys."""
    keys = sorted(steps)
    for (step, _), run in groupby(enumerate(keys), key=lambda pair: (steps[pair[1]], pair[1] - pair[0])):
        members = [key for _, key in run]
        yield step, members[0], len(members)


def _labels(labels: Sequence[str], unit: float, *, rest: bool) -> Markup:
    """The labels of queries at the left and of keys at the top."""
    font = min(8.5, unit * 0.92)
    baselines = [round(_MARGIN + (i + 0.5) * unit + 0.34 * font, 2) for i in range(len(labels))]
    queries = [
        Markup('<text x="{}" y="{}" text-anchor="end">{}</text>').format(_MARGIN - 3, baseline, text)
        for baseline, text in zip(baselines, labels, strict=True)
    ]
    columns = [*zip(baselines, labels, strict=True)]
    if rest:
        columns.append((round(baselines[-1] + 1.8 * unit, 2), say("later")))
    keys = [
        Markup('<text transform="translate({} {}) rotate(-90)">{}</text>').format(baseline, _MARGIN - 3, text)
        for baseline, text in columns
    ]
    return Markup('<g font-family="{}" font-size="{}"><g fill="{}">{}</g><g fill="{}">{}</g></g>').format(
        FONT, round(font, 2), INK, Markup("").join(queries), MUTED, Markup("").join(keys)
    )
