"""Draws figures with matplotlib, which is imported in this file only.

The same numbers give the same bytes: the salt of the SVG's ids is fixed, no date is written, and points are spread by a
fixed sequence instead of at random. Text becomes outlines of the vendored fonts and is never parsed as mathematics;
characters without a glyph are printed as their code point.
"""

import base64
import functools
import io
import math
from collections.abc import Sequence
from dataclasses import dataclass
from os import PathLike

import matplotlib
from matplotlib import font_manager
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.patches import PathPatch
from matplotlib.path import Path

from auditor.findings.analyses.calibration import CalibrationBin
from auditor.findings.statistics.exponentials import BEYOND, quarters
from auditor.languages import numbers, say
from auditor.languages.marks import is_marking
from auditor.report.branding import fonts
from auditor.report.drawing import formats
from auditor.report.drawing.log_ticks import log_ticks

INK, MUTED, HAIR, BAND, BLUE = "#1b1f24", "#57606a", "#e1e5ea", "#d9dee5", "#1f5fa8"
_STYLE = {
    "svg.hashsalt": "auditor",
    "svg.fonttype": "path",
    "text.parse_math": False,
    "text.usetex": False,
    "path.simplify": False,
    "font.size": 8.5,
    "text.color": INK,
    "axes.edgecolor": MUTED,
    "axes.labelcolor": MUTED,
    "axes.linewidth": 0.6,
    "xtick.color": MUTED,
    "ytick.color": MUTED,
    "xtick.major.width": 0.6,
    "ytick.major.width": 0.6,
    "xtick.minor.size": 0,
}
_FULL_WIDTH = 6.93
"""Inches of the text column: 176 mm."""
_PANELS = 3
"""In a row."""
_WIDE = 8
"""A profile whose largest value is more than so many times the smallest is drawn on a log axis."""
MOST_POINTS = 1500
"""Points drawn of one strip; more would only enlarge the file."""


@dataclass(frozen=True, slots=True)
class Strip:
    """One row of a strip plot: a slice and its sorted values."""

    label: str
    values: tuple[float, ...]
    """Logarithms of perplexities, nats."""


@dataclass(frozen=True, slots=True)
class Curve:
    """A line over the steps of a panel; what is None is left out."""

    values: tuple[float | None, ...]
    intervals: tuple[tuple[float, float] | None, ...]


@dataclass(frozen=True, slots=True)
class Panel:
    """One of several small plots with the same axes."""

    label: str
    first: Curve
    """Drawn as a solid line over a band."""
    second: Curve
    """Drawn as a dashed line between whiskers."""


@dataclass(frozen=True, slots=True)
class Profile:
    """A number of every layer."""

    label: str
    values: tuple[float, ...]
    ends: tuple[tuple[float, float] | None, ...] = ()
    """Intervals, drawn as a band."""
    bound: float | None = None
    """Drawn as a dotted line."""


def draw_profiles(profiles: tuple[Profile, Profile], layers: Sequence[str], axis_label: str) -> str:
    """Draw two numbers layer by layer, side by side; on log axes where they span more than `_WIDE`.

    Returns:
        The figure as a `data:` URL of an SVG image.
    """
    with matplotlib.rc_context(_style()):
        figure = Figure(figsize=(_FULL_WIDTH, 1.75))
        for i, profile in enumerate(profiles):
            _draw_profile(figure.add_axes((0.065 + 0.5 * i, 0.23, 0.425, 0.62)), profile, layers)
            figure.axes[i].set_xlabel(axis_label, labelpad=2)
        return _data_url(figure)


def draw_panels(panels: Sequence[Panel], steps: Sequence[str], bound: float, labels: tuple[str, str]) -> str:
    """Draw correlations step by step, a panel for each method, with zero and a bound across.

    Args:
        panels: In the order of reading, three in a row.
        steps: Names of the steps.
        bound: Above which a correlation is remarkable.
        labels: What is drawn as the first and the second curve.

    Returns:
        The figure as a `data:` URL of an SVG image.
    """
    n_rows = math.ceil(len(panels) / _PANELS)
    with matplotlib.rc_context(_style()):
        figure = Figure(figsize=(_FULL_WIDTH, 0.15 + 1.75 * n_rows))
        height = 1.75 / figure.get_figheight()
        for i, panel in enumerate(panels):
            row, column = divmod(i, _PANELS)
            left, bottom = 0.055 + column * 0.322, (n_rows - 1 - row) * height
            axes = figure.add_axes((left, bottom + 0.2 * height, 0.285, 0.66 * height))
            _draw_panel(axes, panel, steps, bound)
            if column:
                axes.set_yticklabels([])
        _draw_legend(figure, labels)
        return _data_url(figure)


def draw_strips(strips: Sequence[Strip], axis_label: str) -> str:
    """Draw the perplexities of each slice as points on one log axis, the median as a bar and the quartiles as a band.

    Returns:
        The figure as a `data:` URL of an SVG image.
    """
    with matplotlib.rc_context(_style()):
        figure = Figure(figsize=(_FULL_WIDTH, 0.5 + 0.4 * len(strips)))
        axes = figure.add_axes((0.2, 0.45 / figure.get_figheight(), 0.78, 1 - 0.5 / figure.get_figheight()))
        for row, strip in enumerate(strips):
            _draw_strip(axes, len(strips) - 1 - row, strip)
        axes.set_ylim(-0.6, len(strips) - 0.4)
        axes.set_yticks([])
        axes.set_xlabel(axis_label)
        _label_log_axis(axes, [v for strip in strips for v in strip.values])
        _keep_bottom_only(axes)
        return _data_url(figure)


def draw_calibration(bins: Sequence[CalibrationBin]) -> str:
    """Draw the share correct against the stated probability, with 95 % intervals, and the diagonal of calibration.

    Returns:
        The figure as a `data:` URL of an SVG image.
    """
    shown = [b for b in bins if b.n and b.mean_probability is not None and b.accuracy.value is not None]
    with matplotlib.rc_context(_style()):
        figure = Figure(figsize=(3.1, 2.1))
        axes = figure.add_axes((0.16, 0.24, 0.81, 0.73))
        axes.plot([0, 1], [0, 1], color=MUTED, linewidth=0.8, linestyle=(0, (3, 2)))
        for calibration_bin in shown:
            _draw_bin(axes, calibration_bin)
        low = min([0.5, *(b.low for b in shown)])
        axes.set_xlim(low - 0.02, 1.02)
        axes.set_ylim(-0.02, 1.02)
        axes.set_xlabel(say("stated probability, mean of the bin"))
        axes.set_ylabel(say("share correct"))
        axes.grid(color=HAIR, linewidth=0.5)
        axes.set_axisbelow(True)
        for side in ("top", "right"):
            axes.spines[side].set_visible(False)
        return _data_url(figure)


def _draw_strip(axes: Axes, y: int, strip: Strip) -> None:
    low, median, high = quarters(strip.values)
    axes.fill_between([low, high], y - 0.36, y + 0.36, color=BAND, linewidth=0)
    points = _thinned(strip.values)
    heights = [y + 0.56 * (_van_der_corput(i + 1) - 0.5) for i in range(len(points))]
    axes.add_patch(_dots(points, heights))
    axes.plot([median, median], [y - 0.38, y + 0.38], color=INK, linewidth=1.6, solid_capstyle="butt")
    transform = axes.get_yaxis_transform()
    axes.text(-0.02, y + 0.17, _printable(strip.label), ha="right", va="center", transform=transform)
    summary = say(
        "median {median} · n {n}",
        median=formats.quantity(median, "nats", 1) if median > BEYOND else formats.perplexity(median),
        n=formats.count(len(strip.values)),
    )
    axes.text(-0.02, y - 0.21, summary, ha="right", va="center", transform=transform, color=MUTED, size=7)


def _draw_panel(axes: Axes, panel: Panel, steps: Sequence[str], bound: float) -> None:
    axes.axhline(0, color=MUTED, linewidth=0.6)
    axes.axhline(bound, color=MUTED, linewidth=0.6, linestyle=(0, (1, 2)))
    for curve, colour, style in ((panel.first, BLUE, "-"), (panel.second, INK, (0, (3, 2)))):
        known = [(x, y) for x, y in enumerate(curve.values) if y is not None]
        axes.plot([x for x, _ in known], [y for _, y in known], color=colour, linewidth=1.3, linestyle=style)
        axes.plot([x for x, _ in known], [y for _, y in known], "o", color=colour, markersize=2.6)
    shown = [(x, *ends) for x, ends in enumerate(panel.first.intervals) if ends]
    if shown:
        steps_shown, lows, highs = zip(*shown, strict=True)
        axes.fill_between(steps_shown, lows, highs, color=BLUE, alpha=0.16, linewidth=0)
    for x, ends in enumerate(panel.second.intervals):
        if ends:
            axes.plot([x, x], ends, color=INK, linewidth=0.6)
    axes.set_xlim(-0.3, len(steps) - 0.7)
    axes.set_ylim(-1.05, 1.08)
    axes.set_yticks([-1, -0.5, 0, 0.5, 1], [numbers.shortest(y) for y in (-1, -0.5, 0, 0.5, 1)], size=7)
    axes.set_xticks(range(len(steps)), steps, size=6.5)
    axes.set_title(_printable(panel.label), size=8.5, loc="left", pad=4)
    axes.grid(axis="y", color=HAIR, linewidth=0.5)
    axes.set_axisbelow(True)
    _keep_bottom_only(axes)
    axes.tick_params(axis="y", length=0)


def _draw_profile(axes: Axes, profile: Profile, layers: Sequence[str]) -> None:
    at = range(len(layers))
    shown = [(x, *ends) for x, ends in enumerate(profile.ends) if ends]
    if shown:
        steps, lows, highs = zip(*shown, strict=True)
        axes.fill_between(steps, lows, highs, color=BLUE, alpha=0.16, linewidth=0)
    axes.plot(at, profile.values, "o-", color=BLUE, linewidth=1.3, markersize=2.6)
    if profile.bound is not None:
        axes.axhline(profile.bound, color=INK, linewidth=0.8, linestyle=(0, (1, 2)))
    positive = [value for value in profile.values if value > 0]
    if positive and max(positive) > _WIDE * min(positive) and len(positive) == len(profile.values):
        low, high = math.log(min(positive)) - 0.2, math.log(max(positive)) + 0.2
        axes.set_yscale("log")
        axes.set_yticks([math.exp(tick) for tick in log_ticks(low, high)], list(log_ticks(low, high).values()), size=7)
        axes.set_yticks([], minor=True)
    else:
        axes.set_ylim(0, 1.08 * max([*profile.values, profile.bound or 0.0, 1e-12]))
        axes.yaxis.set_major_formatter(lambda value, _: numbers.shortest(round(value, 9)))
        axes.tick_params(axis="y", labelsize=7)
    every = max(1, math.ceil(len(layers) / 16))
    axes.set_xticks(at[::every], layers[::every], size=7)
    axes.set_title(_printable(profile.label), size=8.5, loc="left", pad=4)
    axes.grid(axis="y", color=HAIR, linewidth=0.5)
    axes.set_axisbelow(True)
    _keep_bottom_only(axes)


def _draw_legend(figure: Figure, labels: tuple[str, str]) -> None:
    """Names of both curves, at the upper right of the figure."""
    top = 1 - 0.1 / figure.get_figheight()
    for x, label, colour, style in ((0.055, labels[0], BLUE, "-"), (0.377, labels[1], INK, (0, (3, 2)))):
        figure.add_artist(Line2D([x, x + 0.03], [top, top], color=colour, linewidth=1.3, linestyle=style))
        figure.text(x + 0.038, top, label, va="center", size=7.5, color=MUTED)


def _dots(xs: Sequence[float], ys: Sequence[float]) -> PathPatch:
    """Points as one path of lines of length zero with round caps, for every element costs the PDF a millisecond."""
    ends = [point for point in zip(xs, ys, strict=True) for _ in range(2)]
    path = Path(ends, [Path.MOVETO, Path.LINETO] * len(xs))
    return PathPatch(path, fill=False, edgecolor=BLUE, alpha=0.75, linewidth=2, capstyle="round")


def _draw_bin(axes: Axes, calibration_bin: CalibrationBin) -> None:
    x, accuracy = calibration_bin.mean_probability, calibration_bin.accuracy
    if x is None or accuracy.value is None:
        return
    if accuracy.low is not None and accuracy.high is not None:
        axes.plot([x, x], [accuracy.low, accuracy.high], color=BLUE, linewidth=1.6)
    axes.plot([x], [accuracy.value], "o", color=BLUE, markersize=4)


def _label_log_axis(axes: Axes, values: Sequence[float]) -> None:
    """Set ticks at round perplexities; `values` are logarithms, in nats."""
    low, high = min(values), max(values)
    room = math.log(1.5 if high - low < math.log(1.5) else 1.12)
    low, high = low - room, high + room
    axes.set_xlim(low, high)
    ticks = log_ticks(low, high)
    axes.set_xticks(list(ticks), list(ticks.values()))
    axes.set_xticks([], minor=True)
    axes.grid(axis="x", color=HAIR, linewidth=0.5)
    axes.set_axisbelow(True)


def _keep_bottom_only(axes: Axes) -> None:
    for side in ("top", "left", "right"):
        axes.spines[side].set_visible(False)


def _thinned(values: Sequence[float]) -> Sequence[float]:
    """At most `MOST_POINTS` of the sorted values, evenly spaced by rank, the ends included."""
    if len(values) <= MOST_POINTS:
        return values
    return [values[round(i * (len(values) - 1) / (MOST_POINTS - 1))] for i in range(MOST_POINTS)]


def _van_der_corput(n: int) -> float:
    """The n-th term, from 1, of the van der Corput sequence in base 2: 1/2, 1/4, 3/4, 1/8 and so on."""
    value, denominator = 0.0, 1.0
    while n:
        denominator *= 2
        n, bit = divmod(n, 2)
        value += bit / denominator
    return value


def _printable(label: str) -> str:
    """A label of at most 24 characters; those without a glyph as their code point."""
    text = formats.excerpt(formats.visible(label), 24)
    return formats.spelled_out(text, fonts.missing(text))


def _style() -> dict[str, object]:
    """Matplotlib's settings, with the families of the report in their order of fallback; registers their files."""
    _register(tuple(fonts.matplotlib_files()))
    return {**_STYLE, "font.family": [family for family in fonts.families() if family != fonts.MONO]}


@functools.lru_cache(maxsize=1)
def _register(files: tuple[PathLike[str], ...]) -> None:
    """Register font files with matplotlib, in place of fonts of the same families that it knew before."""
    manager = font_manager.fontManager
    families = fonts.families()
    manager.ttflist = [entry for entry in manager.ttflist if entry.name not in families]
    for path in files:
        manager.addfont(path)


def _data_url(figure: Figure) -> str:
    if is_marking():
        return "data:,"  # numbers of drawings are paths, which nobody reads back
    buffer = io.BytesIO()
    figure.savefig(buffer, format="svg", metadata={"Date": None}, transparent=True)
    return "data:image/svg+xml;base64," + base64.b64encode(buffer.getvalue()).decode("ascii")
