"""Which runs of an audit are kept when there are too many: the newest of each of the last days, weeks and months.

Of complete runs, newest first, the newest of a day is kept for the `daily` most recent days that have one; likewise of
a week (ISO 8601) and of a month. Days without a run do not count, so that an audit that rests loses nothing. Times are
UTC, from the plan. Of those days the newest run that failed is kept too: no second run of a day makes it go.

Whatever the numbers say, these stay: the baseline, the newest complete run and the one it was compared with, runs that
another process works on, runs that are not finished and newer than the newest complete one (the same command resumes
them), and runs that this version cannot read. Other unfinished runs go.

Source: the scheme is that of backups (grandfather, father, son), with the rules of restic's `forget`.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from auditor.errors import LockedError
from auditor.records import chain, disk
from auditor.records.baselines import baseline_of, settled
from auditor.records.store import RunSummary

Period = Callable[[datetime], object]


@dataclass(frozen=True, slots=True)
class Retention:
    """How many days, weeks and months keep a run each."""

    daily: int
    weekly: int
    monthly: int

    @property
    def periods(self) -> dict[str, tuple[int, Period]]:
        """Name of a period → how many of them, and which one a moment is in."""
        return {
            "daily": (self.daily, lambda at: at.date()),
            "weekly": (self.weekly, lambda at: at.isocalendar()[:2]),
            "monthly": (self.monthly, lambda at: (at.year, at.month)),
        }


@dataclass(frozen=True, slots=True)
class Decision:
    """What becomes of a run."""

    run: RunSummary
    reasons: tuple[str, ...]
    """Why it is kept; empty where it goes."""

    @property
    def is_kept(self) -> bool:
        """Whether it stays."""
        return bool(self.reasons)


def decide(audit: Path, runs: Sequence[RunSummary], retention: Retention) -> list[Decision]:
    """What becomes of each run of one audit; nothing is removed.

    Args:
        audit: The folder of the audit.
        runs: Its runs, oldest first.
        retention: What is kept.

    Raises:
        StoreError: the baseline is gone, or cannot be read: then nothing may be removed.
    """
    complete = [run for run in runs if run.state == "complete"]
    by_period = _by_period(complete, retention)
    failed = _failed(complete, by_period)
    baseline = baseline_of(audit, runs)
    newest = complete[-1].created if complete else ""
    compared = settled(complete[-1]) if complete else None
    decisions = []
    for run in runs:
        reasons = [
            *(["baseline"] if baseline and run.run_id == baseline.run_id else []),
            *(["newest"] if complete and run is complete[-1] else []),
            *(["the newest is compared with it"] if run.run_id == compared else []),
            *by_period.get(run.run_id, ()),
            *(["failed"] if run.run_id in failed else []),
            *(["unreadable"] if run.state == "unreadable" else []),
            *(["can be resumed"] if run.state == "unfinished" and run.created >= newest else []),
            *(["in use"] if _is_in_use(run.path) else []),
        ]
        decisions.append(Decision(run, tuple(reasons)))
    return decisions


def remove(run: RunSummary) -> bool:
    """Removes the folder of a run, its manifest first; False where another process has begun to work on it.

    Killed in the middle, what is left is an unfinished run. Later runs remember it: see `auditor.records.chain`.

    Raises:
        DiskError: the folder cannot be written.
    """
    with suppress(LockedError), disk.lock(run.path):
        chain.note_pruned(run)
        disk.remove(run.path / "manifest.json")
        disk.remove_folder(run.path)
        return True
    return False


def _by_period(complete: Sequence[RunSummary], retention: Retention) -> dict[str, list[str]]:
    """Run id → the periods of which it is the newest run."""
    reasons: dict[str, list[str]] = {}
    for name, (most, period_of) in retention.periods.items():
        seen: set[object] = set()
        for run, period in _newest_first(complete, period_of):
            if period not in seen and len(seen) < most:
                seen.add(period)
                reasons.setdefault(run.run_id, []).append(name)
    return reasons


def _failed(complete: Sequence[RunSummary], by_period: Mapping[str, Sequence[str]]) -> set[str]:
    """Ids of the newest run that failed of each day that is kept, where another run is the newest of that day."""
    failed = {run.created[:10]: run.run_id for run in complete if run.manifest.get("verdict") == "fail"}
    daily = {run.run_id: run.created[:10] for run in complete if "daily" in by_period.get(run.run_id, ())}
    return {failed[day] for day in daily.values() if day in failed} - daily.keys()


def _newest_first(complete: Sequence[RunSummary], period_of: Period) -> Iterator[tuple[RunSummary, object]]:
    for run in reversed(complete):
        yield run, period_of(datetime.fromisoformat(run.created))


def _is_in_use(folder: Path) -> bool:
    if not (folder / disk.LOCK).exists():
        return False
    try:
        with disk.lock(folder):
            return False
    except LockedError:
        return True
