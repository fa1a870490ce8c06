"""`auditor history`: how the numbers of an audit went over its runs."""

from collections.abc import Iterator
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from auditor.errors import EXIT_FINE, StoreError
from auditor.terminal.printing import print_lines, to_json

if TYPE_CHECKING:
    from auditor.findings.history import History, Point, Trend

FORMAT = "auditor.history/1"
_SHOWN = 14
"""Nights that are printed; the JSON has all."""

RunName = Annotated[
    str, typer.Argument(metavar="RUN", help="Any run of the audit: its folder, id, the beginning of it, or latest.")
]
Root = Annotated[Path, typer.Option("--root", help="The folder of all audits.")]
Html = Annotated[Path | None, typer.Option("--html", metavar="FILE", help="Write the page with a line per night.")]
AsJson = Annotated[bool, typer.Option("--json", help="Print one JSON object, with all nights and numbers.")]


def history(name: RunName = "latest", root: Root = Path("reports"), html: Html = None, as_json: AsJson = False) -> int:
    """Show how the numbers of an audit went. All its runs, from their manifests; checks first.

    ! stands behind a number that is outside its control limits or fails its check; limits follow from the nights
    before, where there are twelve or more.
    """
    from auditor.findings import history as of
    from auditor.records.store import open_run, runs, summary_of
    from auditor.running import index

    run = summary_of(open_run(name, root).path)
    if run.audit is None:
        raise StoreError(f"{run.path}: lies outside the folder of its audit; expected a run where `auditor run` put it")
    made = of.history(of.nights(one for one in runs(run.audit.parent) if one.audit == run.audit))
    if html and not made.nights:
        raise StoreError(f"{run.audit}: no run is complete; expected one at least for a page")
    if html:
        index.write(run, made, html)
    if as_json:
        print_lines(to_json({"format": FORMAT, "audit": run.title, **_as_json(made)}))
    else:
        print_lines([run.title, "", *_table(made), *_remarks(made)])
    return EXIT_FINE


def _as_json(made: "History") -> dict[str, Any]:
    """Nights, trends and gaps; the points of a trend stand in the order of the nights."""
    keys = ("run_id", "created", "verdict", "headline", "plan_id")
    return {
        "nights": [{key: getattr(night, key) for key in keys} for night in made.nights],
        "trends": [
            {
                "name": trend.name,
                "title": trend.title,
                "unit": trend.unit,
                "check": {"direction": trend.direction, "bound": trend.bound} if trend.direction else None,
                "first_bad": trend.first_bad and trend.first_bad.run_id,
                "points": [_point(point) for point in trend.points],
            }
            for trend in made.trends
        ],
        "gaps": [asdict(gap) for gap in made.gaps],
    }


def _point(point: "Point") -> dict[str, Any]:
    limits = [point.limits.low, point.limits.high] if point.limits else None
    measured = {"value": point.value, "low": point.low, "high": point.high}
    return {**measured, "limits": limits, "result": point.result, "is_bad": point.is_bad}


def _table(made: "History") -> Iterator[str]:
    trends = made.checked or made.trends[:6]
    shown = len(made.nights) - min(len(made.nights), _SHOWN)
    rows = [["night", "verdict", *(trend.name for trend in trends)]]
    for i, night in enumerate(made.nights):
        cells = [_value(trend.points[i]) for trend in trends]
        rows.append([night.created[:16].replace("T", " "), night.verdict, *cells])
    rows = [rows[0], *rows[1 + shown :]]
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    for when, verdict, *cells in rows:
        numbers = (f"{cell:>{width}}" for cell, width in zip(cells, widths[2:], strict=True))
        yield "  ".join([f"{when:<{widths[0]}}", f"{verdict:<{widths[1]}}", *numbers]).rstrip()
    if shown:
        yield f"and {shown:,} earlier"


def _value(point: "Point") -> str:
    value = "-" if point.value is None else f"{point.value:.4g}"
    return f"{value} !" if point.is_bad else f"{value}  "


def _remarks(made: "History") -> Iterator[str]:
    bad = [trend for trend in made.trends if trend.first_bad]
    yield from ["", *map(_since, bad)] if bad else []
    for gap in made.gaps:
        nights = "a night is" if gap.n_missing == 1 else f"about {gap.n_missing:,} nights are"
        yield f"{nights} missing between {gap.after[:10]} and {gap.before[:10]}"


def _since(trend: "Trend") -> str:
    first = trend.first_bad
    assert first is not None
    limits = f", expected {first.limits.low:.4g} to {first.limits.high:.4g}" if first.limits else ""
    value = "no value" if first.value is None else f"{first.value:.4g}"
    return f"{trend.name}: bad since {first.created[:10]}, run {first.run_id}: {value}{limits}"
