"""One picture of all figures: how far from its target each is. Readable in grey: hatching, not colour, says missed."""

from collections.abc import Sequence
from pathlib import Path

import matplotlib as mpl
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import FuncFormatter, LogLocator, NullFormatter

from tests.benchmarks.measuring import short
from tests.benchmarks.results import Row

HEIGHT, WIDTH = 0.36, 9.0
REACHED, MISSED, EDGE = "0.55", "1.0", "0.15"


def draw(rows: Sequence[Row], path: Path) -> None:
    """Horizontal bars with a mark at each target: how many times cheaper than a peer, how far above a limit."""
    panels = [(is_log, own) for is_log in (True, False) if (own := [row for row in rows if _is_peer(row) == is_log])]
    if not panels:
        return
    sizes = [len(own) + 2 for _, own in panels]
    with mpl.rc_context({"svg.hashsalt": "auditor", "font.size": 8, "hatch.linewidth": 0.6}):
        figure = Figure(figsize=(WIDTH, HEIGHT * sum(sizes)), layout="constrained")
        axes = figure.subplots(len(panels), 1, squeeze=False, height_ratios=sizes)[:, 0]
        for (is_log, own), place in zip(panels, axes, strict=True):
            _bars(place, own, base=1.0 if is_log else 0.0)
            _frame(place, own, is_log=is_log)
        figure.savefig(path, metadata={"Date": None})


def _is_peer(row: Row) -> bool:
    return row.bound is None or row.bound.sign == "≥"


def _bars(place: Axes, rows: Sequence[Row], base: float) -> None:
    for y, row in enumerate(rows):
        value, target = _placed(row)
        look = {"color": MISSED, "hatch": "////"} if row.met is False else {"color": REACHED}
        place.barh(y, value - base, 0.62, left=base, edgecolor=EDGE, lw=0.6, **look)
        if target is not None:
            place.plot([target, target], [y - 0.42, y + 0.42], color="black", lw=1.8, solid_capstyle="butt")
        end = (max(value, target or 0), y)
        place.annotate(_label(row), end, (5, 0), textcoords="offset points", va="center", fontsize=7)


def _frame(place: Axes, rows: Sequence[Row], *, is_log: bool) -> None:
    names = [f"{row.what}\nagainst {row.against}" for row in rows]
    place.set_yticks(range(len(rows)), names, fontsize=6)
    place.set_ylim(len(rows) - 0.4, -0.6)
    far = 1.15 * max(max(value, target or 0) for value, target in map(_placed, rows))
    if is_log:
        near = min(1.0, 0.9 * min(_placed(row)[0] for row in rows))
        place.set_xscale("log")
        place.set_xlim(near, far**1.2)
        place.xaxis.set_major_locator(LogLocator(subs=(1, 2, 5)))
        place.xaxis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:g}"))
        place.xaxis.set_minor_formatter(NullFormatter())
        place.set_title("times cheaper than the peer: longer is better (mark: target)", loc="left", fontsize=8)
    else:
        place.set_xlim(0, far * 1.15)
        place.set_title("multiple of the limit: shorter is better (mark: target)", loc="left", fontsize=8)
    place.spines[["top", "right"]].set_visible(False)
    place.axvline(1, color="0.6", lw=0.8, zorder=0)


def _placed(row: Row) -> tuple[float, float | None]:
    """Where bar and mark end; a quantity with a bound of its own is shown as a share of it."""
    value, target = row.figure.median, row.bound.value if row.bound else None
    return (value / target, 1.0) if row.theirs is None and target else (value, target)


def _label(row: Row) -> str:
    return f"{short(row.figure.median)} {row.figure.unit}{'  missed' if row.met is False else ''}"
