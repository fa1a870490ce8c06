"""`auditor history`: how the numbers of an audit went over its runs."""

from collections.abc import Iterator
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from auditor.errors import EXIT_FINE, StoreError
from auditor.terminal.options import AsJson, Root, RunName
from auditor.terminal.printing import print_lines, print_table, to_json

if TYPE_CHECKING:
    from auditor.findings.history import History, Point, Trend

FORMAT = "auditor.history/1"
_SHOWN = 14
"""Nights that are printed; the JSON has all."""
_FEW = 6
"""Numbers that are printed where none has a check."""

Html = Annotated[Path | None, typer.Option("--html", metavar="FILE", help="Write the page with a line per night.")]


def history(name: RunName = "latest", root: Root = Path("reports"), html: Html = None, as_json: AsJson = False) -> int:
    """Show how the numbers of an audit went. All runs of that of a run, from their manifests; checks first.

    ! stands behind a number that is outside its control limits or fails its check; limits follow from the nights
    before, where there are twelve or more.
    """
    from auditor.findings import history as of
    from auditor.records.store import folder_of, open_run, runs_in, summary_of
    from auditor.running import index

    run = summary_of(open_run(name, root).path)
    made = of.history(of.nights(runs_in(folder_of(run))))
    if html and not made.nights:
        raise StoreError(f"{run.audit}: no run is complete; expected one at least for a page")
    if html:
        index.write(run, made, html)
    if as_json:
        print_lines(to_json({"format": FORMAT, "audit": run.title, **_as_json(made)}))
    else:
        print_lines([run.title, ""])
        _print_nights(made)
        print_lines(_remarks(made))
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


def _print_nights(made: "History") -> None:
    trends, first = made.checked or made.trends[:_FEW], max(len(made.nights) - _SHOWN, 0)
    rows = [
        (night.created[:16].replace("T", " "), night.verdict, *(_value(trend.points[i]) for trend in trends))
        for i, night in enumerate(made.nights)
    ]
    print_table(["night", "verdict", *(f">{_head(trend)}" for trend in trends)], rows[first:])
    print_lines([f"and {first:,} earlier"] if first else [])


def _head(trend: "Trend") -> str:
    """The name, with nats where values are: a perplexity is kept by its logarithm."""
    return f"{trend.name}, nats" if trend.unit == "nats" else trend.name


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
    return f"{_head(trend)}: bad since {first.created[:10]}, run {first.run_id}: {value}{limits}"
