"""One head over one document as a small drawing: queries down, keys across, every token named.

    square   the weight that the query of its row gives to the key of its column, in eight shades by its square root, so
             that 0.02, 0.06, 0.14, 0.25, 0.39, 0.56 and 0.77 are where the shade changes
    rest     a last column, apart, for what goes to tokens behind those that are drawn

Only the keys that the record keeps are drawn; the first `READABLE` tokens are.
"""

import math
import unicodedata
from collections.abc import Iterator, Sequence
from itertools import groupby

from markupsafe import Markup

from auditor.findings.analyses.heads import READABLE
from auditor.languages import say
from auditor.records.types import AttentionMap
from auditor.report.drawing import formats
from auditor.report.drawing.marks import FONT, INK, MUTED, RULE, SEQUENTIAL, shade

BLANK = "␣"
"""Stands for a token of white space."""
STEPS = 255
_LETTERS = 9
"""How much of a token is printed at the margin, in Latin letters."""
_MARGIN = 54.0
_LARGEST = 10.0
_WIDEST = 264.0

Row = dict[int, float]
"""Key → weight."""


def rows(found: AttentionMap, cell: int) -> list[Row]:
    """What each query of one head gives to which keys; heads are counted through all layers."""
    size = found.n_tokens * found.n_keys
    keys = found.keys[cell * size : (cell + 1) * size]
    weights = found.weights[cell * size : (cell + 1) * size]
    return [
        {keys[i]: weights[i] / STEPS for i in range(start, start + found.n_keys) if weights[i]}
        for start in range(0, size, found.n_keys)
    ]


def label(token: str) -> str:
    """A token at the margin of a drawing: on one line, cut where it is too long, and never nothing."""
    text = formats.visible(" ".join(token.split())) or BLANK
    shown, room = "", float(_LETTERS)
    for character in text:
        room -= 2.0 if unicodedata.east_asian_width(character) in "WF" else 1.0
        if room < 0:
            return shown.rstrip() + "…"
        shown += character
    return shown


def miniature(tokens: Sequence[str], found: Sequence[Row], title: str) -> Markup:
    """The drawing of one head over the first tokens of a document."""
    n = min(len(tokens), len(found), READABLE)
    rest = any(key >= n for row in found[:n] for key in row)
    unit = min(_LARGEST, _WIDEST / (n + 2 * rest))
    side = n * unit
    width, height = _MARGIN + side + (2 * unit if rest else 0) + 1, _MARGIN + side + 1
    frame = Markup('<path d="M{0} {0}h{1}v{1}h-{1}z" fill="none" stroke="{2}" stroke-width="0.6"/>').format(
        _MARGIN, round(side, 2), RULE
    )
    squares = _squares(found[:n], n, unit)
    names = _names([label(token) for token in tokens[:n]], unit, rest=rest)
    return Markup(
        '<svg width="{0}" height="{1}" viewBox="0 0 {0} {1}" role="img"><title>{2}</title>{3}{4}{5}</svg>'
    ).format(math.ceil(width), math.ceil(height), formats.visible(title), squares, frame, names)


def _squares(found: Sequence[Row], n: int, unit: float) -> Markup:
    paths: dict[int, list[str]] = {}
    for query, row in enumerate(found):
        steps = {key: step for key, weight in row.items() if key < n and (step := _step(weight))}
        for step, first, length in _runs(steps):
            paths.setdefault(step, []).append(f"M{first} {query}h{length}v1h-{length}z")
        behind = _step(sum(weight for key, weight in row.items() if key >= n))
        if behind:
            paths.setdefault(behind, []).append(f"M{n + 0.8} {query}h1v1h-1z")
    drawn = Markup("").join(
        Markup('<path fill="{}" d="{}"/>').format(SEQUENTIAL[step], "".join(parts))
        for step, parts in sorted(paths.items())
    )
    return Markup('<g transform="translate({0} {0}) scale({1})">{2}</g>').format(_MARGIN, round(unit, 4), drawn)


def _step(weight: float) -> int:
    return shade(math.sqrt(weight), 0.0, 1.0)


def _runs(steps: dict[int, int]) -> Iterator[tuple[int, int, int]]:
    """Neighbouring keys of one shade: shade, first key, how many."""
    keys = sorted(steps)
    for (step, _), run in groupby(enumerate(keys), key=lambda pair: (steps[pair[1]], pair[1] - pair[0])):
        own = [key for _, key in run]
        yield step, own[0], len(own)


def _names(labels: Sequence[str], unit: float, *, rest: bool) -> Markup:
    font = min(8.5, unit * 0.92)
    places = [round(_MARGIN + (i + 0.5) * unit + 0.34 * font, 2) for i in range(len(labels))]
    queries = [
        Markup('<text x="{}" y="{}" text-anchor="end">{}</text>').format(_MARGIN - 3, place, text)
        for place, text in zip(places, labels, strict=True)
    ]
    columns = [*zip(places, labels, strict=True)]
    if rest:
        columns.append((round(places[-1] + 1.8 * unit, 2), say("later")))
    keys = [
        Markup('<text transform="translate({} {}) rotate(-90)">{}</text>').format(place, _MARGIN - 3, text)
        for place, text in columns
    ]
    return Markup('<g font-family="{}" font-size="{}"><g fill="{}">{}</g><g fill="{}">{}</g></g>').format(
        FONT, round(font, 2), INK, Markup("").join(queries), MUTED, Markup("").join(keys)
    )
