"""How a number went, night by night, as a small line: limits behind it, the bound across, bad nights marked.

Nights stand at their time, so that a pause is a gap in the row of ticks. A bad night is a square, any other a dot: the
sign tells them apart without its colour.
"""

from collections.abc import Iterator, Sequence

from markupsafe import Markup

from auditor.findings.history import Point, Trend
from auditor.languages import plural
from auditor.report.drawing import formats
from auditor.report.drawing.marks import MUTED, SHADE, TONES, svg

_INSET = 5


class _Scale:
    """Times and values to pixels."""

    def __init__(self, trend: Trend, width: int, height: int) -> None:
        self._width, self._height = width, height
        self._times = [formats.instant(point.created).timestamp() for point in trend.points]
        shown = [value for point in trend.points for value in _extent(point)]
        shown += [] if trend.bound is None else [trend.bound]
        self._low, self._high = min(shown, default=0.0), max(shown, default=1.0)

    def x(self, i: int) -> float:
        first, last = self._times[0], self._times[-1]
        share = (self._times[i] - first) / (last - first) if last > first else 0.5
        return round(_INSET + share * (self._width - 2 * _INSET), 1)

    def y(self, value: float) -> float:
        share = (value - self._low) / (self._high - self._low) if self._high > self._low else 0.5
        return round(self._height - _INSET - share * (self._height - 2 * _INSET), 1)


def trend_line(trend: Trend, width: int = 240, height: int = 40) -> Markup:
    """The line of a number over all nights; empty where no night has it."""
    measured = [(i, point.value) for i, point in enumerate(trend.points) if point.value is not None]
    if not measured:
        return Markup("")
    scale = _Scale(trend, width, height)
    line = "M" + "L".join(f"{scale.x(i)} {scale.y(value)}" for i, value in measured)
    parts = [_limits(trend.points, scale), _bound(trend, scale, width)]
    parts.append(Markup('<path d="{}" stroke="{}" stroke-width="1.2" fill="none"/>').format(line, MUTED))
    parts += [_mark(scale.x(i), scale.y(value), trend.points[i]) for i, value in measured]
    n_bad = sum(point.is_bad for point in trend.points)
    title = plural(
        len(measured),
        "{title}: {n} night, last {value}; {bad} bad",
        "{title}: {n} nights, last {value}; {bad} bad",
        title=trend.title,
        value=formats.quantity(measured[-1][1], trend.unit),
        bad=formats.count(n_bad),
    )
    return svg(width, height, title, Markup("").join(parts))


def _extent(point: Point) -> Iterator[float]:
    if point.value is not None:
        yield point.value
    if point.limits:
        yield from (point.limits.low, point.limits.high)


def _limits(points: Sequence[Point], scale: _Scale) -> Markup:
    """The control limits, as a band behind the line."""
    known = [(scale.x(i), point.limits) for i, point in enumerate(points) if point.limits]
    if len(known) < 2:
        return Markup("")
    above = "L".join(f"{x} {scale.y(limits.high)}" for x, limits in known)
    below = "L".join(f"{x} {scale.y(limits.low)}" for x, limits in reversed(known))
    return Markup('<path d="M{}L{}z" fill="{}"/>').format(above, below, SHADE)


def _bound(trend: Trend, scale: _Scale, width: int) -> Markup:
    if trend.bound is None:
        return Markup("")
    return Markup('<path d="M0 {0}H{1}" stroke="{2}" stroke-width="1" stroke-dasharray="3 2" fill="none"/>').format(
        scale.y(trend.bound), width, TONES["watch"]
    )


def _mark(x: float, y: float, point: Point) -> Markup:
    if point.is_bad:
        return Markup('<path d="M{} {}h5v5h-5z" fill="{}"/>').format(
            round(x - 2.5, 1), round(y - 2.5, 1), TONES["fail"]
        )
    return Markup('<circle cx="{}" cy="{}" r="1.6" fill="{}"/>').format(x, y, TONES["pass"])
