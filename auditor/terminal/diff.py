"""`auditor diff A B`: what changed between two runs, as a table, a page, a PDF or JSON."""

import os
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from auditor.collector import without_collector
from auditor.errors import EXIT_CHECK_FAILED, EXIT_FINE, EXIT_NOT_ESTABLISHED, ConfigError
from auditor.terminal.options import Root
from auditor.terminal.printing import print_lines, print_table

if TYPE_CHECKING:
    from auditor.findings.comparing import Night, RunComparison
    from auditor.findings.comparing.types import Circumstance, ExplanationDrift, HeadChanges
    from auditor.records.run import Run

_NAMED = 5
"""Documents that one line names."""

Runs = Annotated[
    list[str], typer.Argument(metavar="[A] B", help="The earlier run, by default the baseline, and the later one.")
]
Html = Annotated[Path | None, typer.Option("--html", metavar="FILE", help="Write the page.")]
Pdf = Annotated[Path | None, typer.Option("--pdf", metavar="FILE", help="Write the PDF.")]
Json = Annotated[Path | None, typer.Option("--json", metavar="FILE", help="Write comparison.json; - prints it.")]
Floors = Annotated[
    list[str] | None,
    typer.Option("--floor", metavar="NAME=SIZE", help="No smaller change of a number is an alarm: accuracy=0.02."),
]


def diff(
    runs: Runs,
    root: Root = Path("reports"),
    html: Html = None,
    pdf: Pdf = None,
    json: Json = None,
    floor: Floors = None,
) -> int:
    """Compare two runs: what changed from A to B. From their evidence: needs neither the models nor torch.

    A and B are named as RUN of other commands. Without A, B is compared with the baseline of its audit.

    Ends with 1 if a number that is judged got worse by more than chance and by more than its floor, with 8 if none did
    but one with a check could not be compared, else with 0. Judged are the numbers that a check is about; where there
    are no checks, all.
    """
    floors = dict(map(_floor, floor or ()))
    os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")  # of narrow products: a second thread would only wait
    with without_collector():
        from auditor.findings import comparing
        from auditor.running.nights import night

        earlier, later = map(night, _opened(runs, root))
        comparison = comparing.compare(earlier, later, floors)
    _require_known(floors, comparison)
    _write_json(comparison, json)
    if html or pdf:
        _write_pages(comparison, earlier, later, html, pdf)
    if json != Path("-"):
        _print(comparison)
    return {"worse": EXIT_CHECK_FAILED, "not established": EXIT_NOT_ESTABLISHED}.get(comparison.result, EXIT_FINE)


def _opened(names: Sequence[str], root: Path) -> "tuple[Run, Run]":
    """The earlier and the later run."""
    from auditor.records import baselines
    from auditor.records.store import open_run

    if len(names) > 2:
        raise ConfigError(f"diff: expected one run or two, found {len(names)}")
    later = open_run(names[-1], root)
    return (open_run(names[0], root) if len(names) == 2 else baselines.open_for(later)), later


def _floor(text: str) -> tuple[str, float]:
    name, _, size = text.rpartition("=")
    try:
        value = float(size)
    except ValueError:
        value = -1.0
    if not name or not 0 <= value < float("inf"):
        raise ConfigError(f"--floor {text}: expected NAME=SIZE with a size of at least 0, such as accuracy=0.02")
    return name, value


def _require_known(floors: Mapping[str, float], comparison: "RunComparison") -> None:
    """Refuses a floor of a number that the runs were not compared by."""
    from auditor.findings import nearest

    known = {one.name for one in comparison.numbers}
    for name in floors:
        if name not in known:
            near = nearest(name, known, 1)
            raise ConfigError(
                f"--floor {name}: no such number was compared{f'; did you mean {near[0]}?' if near else ''}"
            )


def _write_json(comparison: "RunComparison", path: Path | None) -> None:
    from auditor.findings import comparing
    from auditor.records import disk

    if path is None:
        return
    content = comparing.write(comparison)
    if path == Path("-"):
        print_lines(content.decode().rstrip("\n"))
    else:
        disk.write(path, content)


def _write_pages(
    comparison: "RunComparison", before: "Night", after: "Night", html: Path | None, pdf: Path | None
) -> None:
    from auditor import report
    from auditor.findings import comparing
    from auditor.records import disk

    page = report.render_comparison(comparison, before, after)
    if html:
        disk.write(html, page.encode())
    if pdf:
        attachments = {"comparison.json": comparing.write(comparison)}
        said = report.read_said_of_comparison(comparison, before, after)
        disk.write(pdf, report.render_comparison_pdf(page, comparison, attachments, said))


def _print(comparison: "RunComparison") -> None:
    documents = comparison.documents
    print_lines([f"{comparison.before.run_id} → {comparison.after.run_id}", comparison.headline, ""])
    print_lines(_circumstances(comparison.circumstances))
    counts = {"added": documents.added, "removed": documents.removed, "changed": documents.changed}
    named = [f"{len(ids):,} {what} ({_few(ids)})" for what, ids in counts.items() if ids]
    renamed = [f"{documents.n_renamed:,} of them under another id"] if documents.n_renamed else []
    print_lines([", ".join([f"{documents.n_paired:,} documents in both", *renamed, *named]), ""])
    _print_numbers(comparison)
    print_lines(["", *_flips(comparison), *map(_drift, comparison.drifts), *map(_heads, comparison.heads)])


def _circumstances(circumstances: Sequence["Circumstance"]) -> Iterator[str]:
    for one in circumstances:
        text = f"  {one.text}" if one.text else ""
        yield f"{one.role:<8}  {one.title}: {one.before} → {one.after}{text}"
    if circumstances:
        yield ""


def _print_numbers(comparison: "RunComparison") -> None:
    from auditor.findings.comparing.wording import shown

    columns = ("Number", ">Before", ">After", ">Difference", "95% interval", ">p", ">Detectable", ">n", "")
    rows = []
    for one in comparison.numbers:
        figures = shown(one)
        numbers = (figures.before, figures.after, figures.difference, figures.interval, figures.p, figures.detectable)
        rows.append((f"{one.title}{' *' if one.judged else ''}", *numbers, f"{one.n:,}", one.reason or figures.change))
    print_table(columns, rows)
    print_lines(
        f"* judged; p corrected for {comparison.n_corrected} of these; more than chance below {comparison.alpha:g}"
    )


def _flips(comparison: "RunComparison") -> Iterator[str]:
    flips = comparison.flips
    if flips is not None:
        broken = [flip.document_id for flip in flips.documents if flip.effect == "broken"]
        named = f" ({_few(broken)})" if broken else ""
        yield (
            f"{flips.n_flipped:,} of {flips.n_compared:,} answers changed: {flips.n_broken:,} right before{named}, "
            f"{flips.n_mended:,} right now"
        )


def _drift(drift: "ExplanationDrift") -> str:
    n = round((drift.share.value or 0.0) * drift.n_compared)
    named = f" ({_few([one.document_id for one in drift.documents])})" if drift.documents else ""
    return (
        f"{drift.probe}: same answer for other reasons in {n:,} of {drift.n_compared:,} documents{named}; by chance at "
        f"most {drift.by_chance:.2g}"
    )


def _heads(changes: "HeadChanges") -> str:
    named = f" ({_few([f'{one.layer}.{one.head}' for one in changes.heads])})" if changes.heads else ""
    return f"{changes.probe}: {changes.n_changed:,} of {changes.n_heads:,} heads changed their entropy{named}"


def _few(ids: Sequence[str]) -> str:
    more = [f"{len(ids) - _NAMED:,} more"] if len(ids) > _NAMED else []
    return ", ".join([*ids[:_NAMED], *more])
