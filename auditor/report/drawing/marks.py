"""Small drawings in tables and cards: SVG with presentation attributes, without style or script.

Every mark has a `<title>` with its values: the alternative text of the PDF and the tooltip of a browser. Colours differ
in lightness as well as in hue, and each mark is beside its numbers, so that nothing is lost in greyscale. Lengths are
CSS pixels (96 to the inch).
"""

import math
from collections.abc import Collection, Sequence
from dataclasses import dataclass, replace

from markupsafe import Markup

from auditor.findings.contract.numbers import on_scale
from auditor.findings.contract.types import Check, Number
from auditor.languages import plural, say
from auditor.report.drawing import formats

INK = "#1b1f24"
MUTED = "#57606a"
RULE = "#a9b2bc"
SHADE = "#eceff2"
TONES = {
    "pass": "#1f5fa8",
    "fail": "#a3201d",
    "watch": "#8a5a00",
    "not judged": "#6e7781",
    "supports": "#1f5fa8",
    "opposes": "#a8500a",
    "unclear": "#6e7781",
}
SEQUENTIAL = ("#f3f6fa", "#dfe8f2", "#c6d6e8", "#a6bfdb", "#7fa3cb", "#3f72ab", "#2d619b", "#12406f")
"""Eight steps from light to dark; text on the first five is in ink, on the others white."""
_FIRST_DARK = 5
_GRID_HEIGHT = 250.0
_CHARACTER = 5.5
"""Width of a digit at a font size of ten pixels."""
FONT = "Source Sans 3, sans-serif"
SURPRISE = "#6a51a3"
BESIDE = 264
"""Width of a drawing beside a text: 70 mm."""


@dataclass(frozen=True, slots=True)
class Axis:
    """The shared horizontal axis of a column of marks."""

    low: float
    high: float
    ticks: tuple[float, ...]
    width: int = 110
    unit: str = "probability"
    reference: float | None = None
    """A value to compare with, drawn as a dashed line."""

    def x(self, value: float) -> float:
        """The position of a value in pixels; values outside the axis are at its ends."""
        share = (value - self.low) / (self.high - self.low)
        return round(4 + min(max(share, 0.0), 1.0) * (self.width - 8), 2)


def shared_axis(values: Collection[float], *, zero: bool = False, width: int = 110, unit: str = "probability") -> Axis:
    """An axis with round ends over all values, with `zero` over zero too."""
    low, high = min(values, default=0.0), max(values, default=1.0)
    if zero:
        low, high = min(low, 0.0), max(high, 0.0)
    if high - low <= 1e-9 * max(1.0, abs(low), abs(high)):  # the same number, but for rounding
        low, high = low - 0.5, high + 0.5
    step = _round_step((high - low) / 6)
    first, last = math.floor(low / step + 1e-9), math.ceil(high / step - 1e-9)
    ticks = tuple(round(i * step, 12) for i in range(first, last + 1))
    if unit == "share":
        ticks = tuple(tick for tick in ticks if 0 <= tick <= 1)
    return Axis(ticks[0], ticks[-1], ticks, width, unit)


def with_reference(axis: Axis, value: float) -> Axis:
    """A copy of the axis with a dashed line at a value."""
    return replace(axis, reference=value)


def axis_labels(axis: Axis) -> Markup:
    """The labels of an axis for the head of its column: its ends, and zero where there is room between them."""
    ticks = sorted({axis.low, axis.high} | ({0.0} if _has_room_for_zero(axis) else set()))
    digits = max(_decimals_of(t) for t in ticks)
    texts = [formats.quantity(t, axis.unit, digits if t else 0, suffix=False) for t in ticks]
    body = Markup("").join(
        Markup('<text x="{}" y="10" text-anchor="{}">{}</text>').format(axis.x(tick), _anchor(axis, tick), text)
        for tick, text in zip(ticks, texts, strict=True)
    )
    group = Markup('<g font-family="{}" font-size="10" fill="{}">{}</g>').format(FONT, MUTED, body)
    return svg(axis.width, 13, say("Axis from {low} to {high}", low=texts[0], high=texts[-1]), group)


def interval(
    axis: Axis,
    low: float | None,
    value: float | None,
    high: float | None,
    *,
    tone: str = "pass",
    title: str = "",
    height: int = 22,
) -> Markup:
    """A 95 % interval as a line with its value as a vertical tick, over hairlines at the axis' ticks."""
    lines = _verticals([axis.x(t) for t in axis.ticks], height, SHADE)
    zero = _verticals([axis.x(0.0)], height, RULE) if axis.low <= 0 <= axis.high else Markup("")
    ground = lines + zero + (Markup("") if axis.reference is None else _dashed(axis.x(axis.reference), height, MUTED))
    return svg(axis.width, height, title, ground + _whisker(axis, low, value, high, TONES[tone], height))


def judged(check: Check, width: int = 160) -> Markup:
    """The interval of a check against its bound: the failing side is shaded, the bound is dotted; "" without a number.

    Each check has an axis for itself; that of perplexities is logarithmic, as their comparison is.
    """
    number, height = check.number, 18
    if number is None or number.compared.value is None:
        return Markup("")
    compared, limit = number.compared, on_scale(number, check.bound)
    ends = [x for x in (compared.low, compared.value, compared.high, limit) if x is not None]
    axis = _padded(min(ends), max(ends), width)
    edge = axis.x(limit)
    left, failing = (0.0, edge) if check.direction == "at_least" else (edge, round(width - edge, 2))
    shade = Markup('<rect x="{}" y="0" width="{}" height="{}" fill="{}"/>').format(left, failing, height, SHADE)
    dotted = _dashed(edge, height, INK)
    title = say(
        "{number}: {value}, interval {interval}, bound {bound}",
        number=check.title,
        value=formats.value(number, formats.check_digits(check)),
        interval=formats.interval(number, formats.check_digits(check)),
        bound=formats.bound(check),
    )
    whisker = _whisker(axis, compared.low, compared.value, compared.high, TONES[check.result], height)
    return svg(width, height, title, shade + dotted + whisker)


def number_mark(axis: Axis, number: Number, tone: str = "pass", height: int = 22) -> Markup:
    """A number's interval on a shared axis."""
    title = say("{value}, interval {interval}", value=formats.value(number), interval=formats.interval(number))
    return interval(axis, number.low, number.value, number.high, tone=tone, title=title, height=height)


def shade(value: float, low: float, high: float) -> int:
    """The step 0..7 of `SEQUENTIAL` for a value between `low` and `high`."""
    if not high > low:
        return 0
    return min(max(int((value - low) / (high - low) * len(SEQUENTIAL)), 0), len(SEQUENTIAL) - 1)


def is_dark(step: int) -> bool:
    """Whether text on a step of `SEQUENTIAL` must be white."""
    return step >= _FIRST_DARK


def heat_grid(
    rows: Sequence[Sequence[float]],
    low: float,
    high: float,
    notable: Collection[tuple[int, int]],
    *,
    digits: int,
    title: str,
    width: int = 318,
) -> Markup:
    """A heat map, layers down and heads across; notable cells have their value, or a dot where they are small."""
    n_heads = len(rows[0])
    cell = min((width - 26) / n_heads, 36.0)
    row_height = min(max(_GRID_HEIGHT / len(rows), 4.0), 15.0)
    size = _Grid(26.0, 14.0, cell, row_height)
    shades: dict[int, list[str]] = {}
    for layer, values in enumerate(rows):
        for head, value in enumerate(values):
            shades.setdefault(shade(value, low, high), []).append(size.path(layer, head))
    fills = Markup("").join(
        Markup('<path fill="{}" d="{}"/>').format(SEQUENTIAL[step], "".join(paths))
        for step, paths in sorted(shades.items())
    )
    values_shown = _grid_values(rows, size, low, high, notable, digits)
    labels = _grid_labels(len(rows), n_heads, size)
    height = math.ceil(size.top + row_height * len(rows) + 1)
    return svg(math.ceil(size.left + cell * n_heads + 1), height, title, fills + values_shown + labels)


def surprise_line(bits: Sequence[float], width: int = 640, height: int = 34) -> Markup:
    """One bar per token, as high as its surprise −log2 p in bits, over hairlines at every five bits."""
    if not bits:
        return Markup("")
    top = max(15.0, *bits)
    step = min((width - 24) / len(bits), 9.0)
    gap = min(1.0, step / 4)
    ground = height - 2
    bars = "".join(
        f"M{24 + i * step:.2f} {ground}h{step - gap:.2f}v{-b / top * (ground - 6):.2f}h{-(step - gap):.2f}z"
        for i, b in enumerate(bits)
    )
    lines = Markup("").join(_level(level, top, ground, width) for level in range(5, int(top) + 1, _level_step(top)))
    path = Markup('<path d="{}" fill="{}"/>').format(bars, SURPRISE)
    title = plural(
        len(bits),
        "Surprise of {n} token: {bits} bits",
        "Surprise of {n} tokens, at most {bits} bits",
        bits=formats.decimal(max(bits), 1),
    )
    return svg(width, height, title, lines + path)


@dataclass(frozen=True, slots=True)
class _Grid:
    """The cells of a heat map: the corner of the first, and the size of each."""

    left: float
    top: float
    width: float
    height: float

    def path(self, layer: int, head: int) -> str:
        x, y = self.left + head * self.width, self.top + layer * self.height
        return f"M{x + 0.4:.2f} {y + 0.4:.2f}h{self.width - 0.8:.2f}v{self.height - 0.8:.2f}h{0.8 - self.width:.2f}z"

    def centre(self, layer: int, head: int) -> tuple[float, float]:
        return round(self.left + (head + 0.5) * self.width, 2), round(self.top + (layer + 0.5) * self.height, 2)


def _grid_values(
    rows: Sequence[Sequence[float]],
    size: _Grid,
    low: float,
    high: float,
    notable: Collection[tuple[int, int]],
    digits: int,
) -> Markup:
    font = min(8.5, size.height - 0.4)
    fits = font >= 7 and size.width >= 2.4 * font
    cells = []
    for layer, head in sorted(notable):
        value = rows[layer][head]
        x, y = size.centre(layer, head)
        colour = "#ffffff" if is_dark(shade(value, low, high)) else INK
        if fits:
            text = formats.decimal(value, digits)
            cells.append(
                Markup('<text x="{}" y="{}" fill="{}">{}</text>').format(x, round(y + 0.35 * font, 2), colour, text)
            )
        else:
            cells.append(Markup('<circle cx="{}" cy="{}" r="1.6" fill="{}"/>').format(x, y, colour))
    return Markup('<g font-family="{}" font-size="{}" font-weight="600" text-anchor="middle">{}</g>').format(
        FONT, round(font, 2), Markup("").join(cells)
    )


def _grid_labels(n_layers: int, n_heads: int, size: _Grid) -> Markup:
    every_head = max(1, math.ceil(13 / size.width))
    every_layer = max(1, math.ceil(9 / size.height))
    across = [
        Markup('<text x="{}" y="10" text-anchor="middle">{}</text>').format(size.centre(0, h)[0], h)
        for h in range(0, n_heads, every_head)
    ]
    down = [
        Markup('<text x="21" y="{}" text-anchor="end">{}</text>').format(size.centre(layer, 0)[1] + 3, layer)
        for layer in range(0, n_layers, every_layer)
    ]
    return Markup('<g font-family="{}" font-size="8.5" fill="{}">{}</g>').format(
        FONT, MUTED, Markup("").join(across + down)
    )


def _whisker(
    axis: Axis, low: float | None, value: float | None, high: float | None, colour: str, height: int
) -> Markup:
    if value is None:
        return Markup("")
    y = height / 2
    line = ""
    if low is not None and high is not None:
        line = f"M{axis.x(low)} {y}H{axis.x(high)}"
    tick = f"M{axis.x(value)} {y - 5}V{y + 5}"
    return Markup('<path d="{}" stroke="{}" stroke-width="2.4" fill="none"/>').format(line + tick, colour)


def svg(width: int, height: int, title: str, body: Markup) -> Markup:
    """A drawing of a size in pixels, with its alternative text."""
    label = Markup("<title>{}</title>").format(formats.visible(title))
    return Markup('<svg width="{0}" height="{1}" viewBox="0 0 {0} {1}" role="img">{2}{3}</svg>').format(
        width, height, label, body
    )


def _verticals(xs: Sequence[float], height: int, colour: str) -> Markup:
    path = "".join(f"M{x} 0V{height}" for x in xs)
    return Markup('<path d="{}" stroke="{}" fill="none"/>').format(path, colour) if path else Markup("")


def _dashed(x: float, height: int, colour: str) -> Markup:
    return Markup('<path d="M{} 0V{}" stroke="{}" stroke-width="1.2" stroke-dasharray="2 2" fill="none"/>').format(
        x, height, colour
    )


def _level(level: int, top: float, ground: int, width: int) -> Markup:
    y = round(ground - level / top * (ground - 6), 2)
    return Markup(
        '<path d="M24 {0}H{1}" stroke="{2}" stroke-width="0.7"/>'
        '<text x="19" y="{3}" text-anchor="end" font-family="{4}" font-size="8" fill="{5}">{6}</text>'
    ).format(y, width, SHADE, round(y + 2.6, 2), FONT, MUTED, level)


def _level_step(top: float) -> int:
    return 5 * max(1, math.ceil(top / 20))


def _padded(low: float, high: float, width: int) -> Axis:
    span = (high - low) or max(abs(high), 1e-9)
    return Axis(low - span * 0.12, high + span * 0.12, (), width)


def _round_step(value: float) -> float:
    power = 10.0 ** math.floor(math.log10(value))
    return min((m * power for m in (1.0, 2.0, 5.0, 10.0) if m * power >= value * (1 - 1e-9)), default=10 * power)


def _decimals_of(value: float) -> int:
    text = f"{value:.6f}".rstrip("0")
    return len(text.split(".")[1])


def _has_room_for_zero(axis: Axis) -> bool:
    """Whether a label at zero would not touch the labels at the ends."""
    if not axis.low < 0 < axis.high:
        return False
    digits = max(_decimals_of(axis.low), _decimals_of(axis.high))
    widths = [_CHARACTER * len(formats.quantity(end, axis.unit, digits, suffix=False)) for end in (axis.low, axis.high)]
    beside = (axis.x(0.0) - axis.x(axis.low), axis.x(axis.high) - axis.x(0.0))
    return all(gap > width + 2 * _CHARACTER for gap, width in zip(beside, widths, strict=True))


def _anchor(axis: Axis, tick: float) -> str:
    if tick == axis.low:
        return "start"
    return "end" if tick == axis.high else "middle"
