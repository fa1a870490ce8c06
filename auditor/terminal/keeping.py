"""`auditor baseline` and `auditor prune`: which runs others are compared with, and which are kept."""

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, TypeVar

import typer

from auditor.errors import EXIT_FINE, StoreError
from auditor.terminal.conclusions import run_state, run_summary
from auditor.terminal.options import AsJson, Root, RunName
from auditor.terminal.printing import complain, print_lines, to_json

if TYPE_CHECKING:
    from auditor.records.retention import Decision, Retention
    from auditor.records.store import RunSummary

T = TypeVar("T")

Daily = Annotated[int, typer.Option(min=0, help="Days of which the newest run is kept.")]
Weekly = Annotated[int, typer.Option(min=0, help="Weeks of which the newest run is kept.")]
Monthly = Annotated[int, typer.Option(min=0, help="Months of which the newest run is kept.")]
DryRun = Annotated[bool, typer.Option("--dry-run", help="Say what would be removed, and remove nothing.")]

baseline = typer.Typer(help="Choose the run that others are compared with.", no_args_is_help=True)


@baseline.command(name="set")
def set_baseline(name: RunName, root: Root = Path("reports"), as_json: AsJson = False) -> int:
    """Compare with this run. It is the baseline of its audit until another is chosen."""
    from auditor.records import baselines
    from auditor.records.store import folder_of

    run = _named(name, root)
    baselines.choose(run)
    if as_json:
        print_lines(to_json({"audit": folder_of(run).name, "chosen": True, "run": run_summary(run)}))
    else:
        print_lines(f"{run.run_id}: the baseline of {run.title}")
    return EXIT_FINE


@baseline.command()
def show(root: Root = Path("reports"), as_json: AsJson = False) -> int:
    """Show the baseline of every audit. The chosen run, else the last that passed."""
    from auditor.records import baselines

    rows, faults = _of_each(root, lambda audit, runs: (baselines.baseline_of(audit, runs), baselines.chosen(audit)))
    if as_json:
        values = [
            {"audit": audit.name, "chosen": chosen is not None, "run": run and run_summary(run)}
            for audit, (run, chosen) in rows.items()
        ]
        print_lines(to_json({"baselines": values, "faults": [*map(str, faults)]}))
    else:
        width = max((len(audit.name) for audit in rows), default=0)
        print_lines(f"{audit.name:<{width}}  {_described(*row)}" for audit, row in rows.items())
        print_lines([] if rows or faults else f"no runs in {root}")
    return _complained(faults)


def _described(run: "RunSummary | None", chosen: str | None) -> str:
    if run is None:
        return "none: no run was chosen, and none has passed"
    return f"{run.run_id}  {run_state(run)}  {'chosen' if chosen else 'the last that passed'}"


@baseline.command()
def clear(name: RunName, root: Root = Path("reports"), as_json: AsJson = False) -> int:
    """Forget what was chosen. The baseline of the audit is the last run that passed again."""
    from auditor.records import baselines
    from auditor.records.store import folder_of

    run = _named(name, root)
    audit = folder_of(run)
    was_chosen = baselines.clear(audit)
    if as_json:
        print_lines(to_json({"audit": audit.name, "chosen": False, "was_chosen": was_chosen}))
    else:
        print_lines(f"{run.title}: {'cleared' if was_chosen else 'no run was chosen'}")
    return EXIT_FINE


def prune(
    root: Root = Path("reports"),
    keep_daily: Daily = 14,
    keep_weekly: Weekly = 8,
    keep_monthly: Monthly = 12,
    dry_run: DryRun = False,
    as_json: AsJson = False,
) -> int:
    """Remove old runs. Of each audit, the newest run of the last days, weeks and months stays, and the baseline.

    Runs that another process works on are never touched, nor the newest ones, finished or not. The newest run of a
    day that failed stays as long as that day, although the audit was run again. Nothing goes of an audit whose chosen
    baseline is gone.
    """
    from auditor.records import retention

    kept = retention.Retention(keep_daily, keep_weekly, keep_monthly)
    decided, faults = _of_each(root, lambda audit, runs: retention.decide(audit, runs, kept))
    decisions = [decision for of_audit in decided.values() for decision in of_audit]
    gone = _removed(decisions, dry_run=dry_run)
    removed = {run.path for run in gone}
    if as_json:
        values = [
            {**run_summary(one.run), "kept": list(one.reasons), "removed": one.run.path in removed} for one in decisions
        ]
        print_lines(to_json({"dry_run": dry_run, "runs": values, "faults": [*map(str, faults)]}))
    elif decisions or not faults:
        print_lines(_pruned(decisions, removed, dry_run=dry_run) if decisions else [f"no runs in {root}"])
    return _complained(faults)


def _removed(decisions: "list[Decision]", *, dry_run: bool = False) -> "list[RunSummary]":
    """Removes the runs that are not kept, and takes them off the pages of their audits; returns those that are gone."""
    from auditor.records import retention

    gone = [one.run for one in decisions if not one.is_kept and (dry_run or retention.remove(one.run))]
    if gone and not dry_run:
        from auditor.running import index

        index.renew_without(gone)
    return gone


def _pruned(decisions: "list[Decision]", removed: set[Path], *, dry_run: bool) -> Iterator[str]:
    width = max((len(one.run.run_id) for one in decisions), default=0)
    for one in decisions:
        fate = "removed" if one.run.path in removed else ", ".join(one.reasons) or "in use"
        yield f"{one.run.run_id:<{width}}  {'to be removed' if dry_run and one.run.path in removed else fate}"
    n = len(decisions) - len(removed)
    yield f"{n:,} kept, {len(removed):,} {'to be removed' if dry_run else 'removed'}"


def prune_audit(run: Path, kept: "Retention") -> list[str]:
    """Removes old runs of the audit of a run, and never that run, whatever the clock said; returns their ids."""
    from auditor.records import retention
    from auditor.records.store import folder_of, runs_in, summary_of

    tonight = summary_of(run)
    audit = folder_of(tonight)
    decisions = retention.decide(audit, runs_in(audit), kept)
    return [one.run_id for one in _removed([one for one in decisions if one.run.run_id != tonight.run_id])]


def _named(name: str, root: Path) -> "RunSummary":
    """The run that a person means, as a listing shows it."""
    from auditor.records.store import open_run, summary_of

    return summary_of(open_run(name, root).path)


def _of_each(root: Path, ask: "Callable[[Path, list[RunSummary]], T]") -> tuple[dict[Path, T], list[StoreError]]:
    """What is asked of the folder and the runs, oldest first, of each audit; and why it cannot be said of others."""
    from auditor.records.store import runs

    audits: dict[Path, list[RunSummary]] = {}
    for run in runs(root):
        if run.audit:
            audits.setdefault(run.audit, []).append(run)
    answers, faults = dict[Path, T](), list[StoreError]()
    for audit, its_runs in audits.items():
        try:
            answers[audit] = ask(audit, its_runs)
        except StoreError as fault:
            faults.append(fault)
    return answers, faults


def _complained(faults: list[StoreError]) -> int:
    """The exit code, after each fault was told."""
    for fault in faults:
        complain(str(fault))
    return faults[0].exit_code if faults else EXIT_FINE
