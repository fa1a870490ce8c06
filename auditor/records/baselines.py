"""The run of an audit that later ones are compared with: the one that a person chose, else the last that passed.

    <root>/<audit>/baseline.json    {"format": "auditor.baseline/1", "run_id": "20260131-235959-0a1b2c3d"}

A run settles its baseline when it begins, in a file of the same format in its own folder: a run that is resumed, or
rendered again after another one was chosen, is compared with the same.

Passed has a run with the verdict "pass", or with conditions; but not where a check against the baseline is watched or
failed: else a number could get worse night by night, each time by less than its check notices.

A choice holds until it is cleared, whatever later runs come to. A chosen run that is gone is an error, not a reason to
compare with another one in silence.
"""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Final

from auditor.errors import NoSuchRunError, StoreError
from auditor.records import disk, sums
from auditor.records.json_files import read_json, to_json
from auditor.records.plan import SINCE_BASELINE
from auditor.records.run import Run
from auditor.records.store import RunSummary, folder_of, open_run, runs_in, summary_of

FORMAT: Final = "auditor.baseline/1"
FILE: Final = "baseline.json"
PASSED: Final = ("pass", "pass with conditions")
"""Verdicts with which a run may become the baseline by itself."""


def choose(run: RunSummary) -> None:
    """Makes a complete run the baseline of its audit.

    Raises:
        StoreError: it is not complete, or not in the folder of its audit.
        DiskError: that folder cannot be written.
    """
    if run.state != "complete":
        raise StoreError(f"{run.path}: is {run.state}; expected a complete run as baseline")
    disk.write(folder_of(run) / FILE, to_json({"format": FORMAT, "run_id": run.run_id}))


def clear(audit: Path) -> bool:
    """Forgets the choice for the folder of an audit; whether there was one.

    Raises:
        DiskError: the folder cannot be written.
    """
    was_chosen = (audit / FILE).exists()
    disk.remove(audit / FILE)
    return was_chosen


def chosen(audit: Path) -> str | None:
    """The run id that was chosen for the folder of an audit.

    Raises:
        StoreError: the file is damaged or of another format.
    """
    try:
        run_id = read_json(audit / FILE, FORMAT).get("run_id")
    except FileNotFoundError:
        return None
    if not isinstance(run_id, str):
        raise StoreError(f"{audit / FILE}: has no run_id; choose again with `auditor baseline set RUN`")
    return run_id


def baseline_of(audit: Path, known: Sequence[RunSummary], *, before: str | None = None) -> RunSummary | None:
    """The baseline of an audit; None where nobody chose one and none has passed.

    Args:
        audit: The folder of the audit.
        known: Its runs, oldest first.
        before: A run id: by default only runs older than this one count, and it never is its own baseline.

    Raises:
        StoreError: the chosen run is gone or not complete, or the choice cannot be read.
    """
    complete = {run.run_id: run for run in known if run.state == "complete"}
    name = chosen(audit)
    if name is not None:
        if name not in complete:
            raise StoreError(
                f"{audit}: the baseline {name} is gone or not complete; choose another with `auditor baseline set "
                "RUN`, or `auditor baseline clear RUN` for the last run that passed"
            )
        return complete[name]
    ids = [run.run_id for run in known]
    older = ids[: ids.index(before)] if before in ids else ids
    passed = [name for name in older if name in complete and _has_passed(complete[name].manifest)]
    return complete[passed[-1]] if passed else None


def _has_passed(manifest: Mapping[str, Any]) -> bool:
    """Whether a run may become the baseline by itself."""
    kept = manifest.get("checks")
    checks = kept.items() if isinstance(kept, dict) else ()
    against = [one for name, one in checks if name.endswith(SINCE_BASELINE) and isinstance(one, dict)]
    is_worse = any(one.get("result") in ("watch", "fail") for one in against)
    return manifest.get("verdict") in PASSED and not is_worse


def find(run: Run) -> RunSummary | None:
    """The baseline that a run is compared with; None where there is none, or it is the run itself.

    Raises:
        StoreError: the chosen run is gone, or the choice cannot be read.
    """
    audit = folder_of(summary_of(run.path))
    baseline = baseline_of(audit, runs_in(audit), before=run.run_id)
    return baseline if baseline and baseline.run_id != run.run_id else None


def is_settled(run: Run) -> bool:
    """Whether it is known which run it is compared with, if only that there was none."""
    return (run.path / sums.BASELINE).exists()


def settle(run: Run) -> None:
    """Settles which run a new run is compared with; nothing where that is settled.

    Raises:
        StoreError: the chosen run is gone, or the choice cannot be read.
        DiskError: the folder cannot be written.
    """
    with disk.turn(run.path):  # parts of a run begin at the same time
        if not is_settled(run):
            baseline = find(run)
            run.settle_baseline(to_json({"format": FORMAT, "run_id": baseline.run_id if baseline else None}))


def settled(run: Run | RunSummary) -> str | None:
    """The id of the run that a run is compared with; None where there was none, or it did not ask.

    Raises:
        StoreError: the file is damaged or of another format.
    """
    try:
        run_id = read_json(run.path / sums.BASELINE, FORMAT).get("run_id")
    except FileNotFoundError:
        return None
    return None if run_id is None else str(run_id)


def open_for(run: Run) -> Run:
    """The baseline that a run is compared with.

    Raises:
        StoreError: there is none, it is the run itself, or the choice or the run cannot be read.
    """
    baseline = find(run)
    if baseline is None:
        raise NoSuchRunError(
            f"{run.path.parent}: has no baseline for {run.run_id}: it is the baseline itself, or no run was chosen and "
            "none that passed before it is still there; name the earlier run, or choose one with `auditor baseline set "
            "RUN`"
        )
    return open_run(baseline.path, baseline.path.parents[1])
