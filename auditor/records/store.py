"""The runs under one folder: the one to make, to reuse or to resume; all of them; the one a person means.

A run of the same plan id is the same work: a complete one is reused, an incomplete one is resumed.
"""

import hashlib
import itertools
import os
import re
import unicodedata
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Literal

from auditor.errors import NoSuchRunError, StoreError
from auditor.records import disk, sums
from auditor.records import plan as plans
from auditor.records.json_files import is_moment, read_json
from auditor.records.plan import Plan
from auditor.records.run import PLAN, Run, manifest_of

__all__ = ["Run", "RunSummary", "find_or_create", "open_run", "runs"]

_LONG = 60


def find_or_create_together(root: Path, plan: Plan, *, now: datetime) -> Run:
    """The run of this plan, for several processes that ask for it at the same time: one makes it, all find it.

    Raises:
        DiskError: `root` cannot be written.
        StoreError: SOURCE_DATE_EPOCH is not a number of seconds.
    """
    with disk.turn(root / _slug(plan.title)):  # of all titles that give this name
        return find_or_create(root, plan, now=now)


def find_or_create(root: Path, plan: Plan, *, fresh: bool = False, again: bool = False, now: datetime) -> Run:
    """The newest run of this plan, complete or to be resumed; a new one if there is none.

    Args:
        root: The folder of all audits.
        plan: The folder of the audit is named after its title; a plan of another id is other work.
        fresh: Make a new run in any case.
        again: Make a new one where the newest is complete.
        now: When the run was started. The environment variable SOURCE_DATE_EPOCH takes precedence.

    Raises:
        DiskError: `root` cannot be written.
        LockedError: another process is making the same run at this moment.
        StoreError: SOURCE_DATE_EPOCH is not a number of seconds.
    """
    audit, identity = _folder(root, plan.title), plan.id
    same = [] if fresh else [run for run in _runs_like(audit, identity) if run.plan_id == identity]
    if same and not (again and same[-1].is_complete):
        return same[-1]
    created = _moment(now)
    folder = _free_folder(audit, f"{created:%Y%m%d-%H%M%S}-{identity[:8]}")
    content = plans.write(replace(plan, run_id=folder.name, created=f"{created:%Y-%m-%dT%H:%M:%SZ}"))
    disk.make_folder(folder)
    with disk.lock(folder):
        disk.write(folder / PLAN, content)
    return _open(folder)


def runs_of(root: Path, name: str) -> list[Run]:
    """The readable runs of one audit, oldest first; of several with one plan the newest alone, which stands for them.

    Args:
        root: The folder of all audits.
        name: Title of the audit.
    """
    newest = {run.plan_id: run for run in _readable(_folder(root, name).glob("*/plan.json"))}
    return sorted(newest.values(), key=lambda run: _age(run.created, run.run_id))


@dataclass(frozen=True, slots=True)
class RunSummary:
    """One line of `auditor list`."""

    path: Path
    run_id: str
    title: str
    created: str
    state: Literal["complete", "unfinished", "unreadable"]
    manifest: Mapping[str, Any]
    """Empty if the run was never complete."""

    @property
    def audit(self) -> Path | None:
        """The folder of its audit; None for a run that lies elsewhere, such as a copy."""
        above = self.path.parent if self.path.parent.name else self.path.absolute().parent  # of a run named from there
        return above if above.name in (_slug(self.title), _own_slug(self.title)) else None


def runs(root: Path) -> list[RunSummary]:
    """Every run under a folder of audits, oldest first; reads plans and manifests only."""
    return _summaries({path.parent for pattern in ("*/plan.json", "*/*/plan.json") for path in root.glob(pattern)})


def runs_in(audit: Path) -> list[RunSummary]:
    """The runs of one audit, oldest first; reads nothing of the others."""
    return [run for run in _summaries({path.parent for path in audit.glob("*/plan.json")}) if run.audit == audit]


def folder_of(run: RunSummary) -> Path:
    """The folder of the audit of a run.

    Raises:
        StoreError: the run lies elsewhere.
    """
    if run.audit is None:
        raise StoreError(f"{run.path}: lies outside the folder of its audit; expected a run where `auditor run` put it")
    return run.audit


def summary_of(folder: Path) -> RunSummary:
    """A run as a listing shows it; reads plan and manifest only."""
    try:
        manifest = manifest_of(folder)
        if manifest is None:
            plan = plans.read(folder / PLAN)
            return RunSummary(folder, plan.run_id, plan.title, plan.created, "unfinished", {})
        read_json(folder / PLAN, plans.FORMAT)
    except (StoreError, OSError):
        return RunSummary(folder, folder.name, "", "", "unreadable", {})
    state: Literal["complete", "unfinished"] = "complete" if (folder / "manifest.json").exists() else "unfinished"
    title, created = str(manifest.get("title", "")), str(manifest.get("created", ""))
    if not is_moment(created):
        return RunSummary(folder, folder.name, title, "", "unreadable", {})
    return RunSummary(folder, str(manifest.get("run_id", folder.name)), title, created, state, manifest)


def open_run(name: str | Path, root: Path) -> Run:
    """The run that a person means by a folder, a run id, the unique beginning of one, or `latest`.

    Raises:
        StoreError: there is none, there are several, or it was written in a format that this version does not know.
    """
    if (Path(name) / "plan.json").is_file():
        return _open(Path(name))
    known = runs(root)
    if str(name) == "latest" and known:
        return _open(([run for run in known if run.state != "unreadable"] or known)[-1].path)
    exact = [run for run in known if run.run_id == str(name)]
    matches = exact or [run for run in known if run.run_id.startswith(str(name))]
    if len(matches) == 1:
        return _open(matches[0].path)
    if matches:
        few = ", ".join(str(run.path) if exact else run.run_id for run in matches[:5])
        more = "the folder" if exact else "more of the run id"
        raise NoSuchRunError(f"{name}: means {len(matches)} runs ({few}); give {more}")
    if Path(name).is_dir():
        raise NoSuchRunError(f"{name}: is no run folder: it has no plan.json")
    raise NoSuchRunError(f"{name}: no such run in {root}; `auditor list --root {root}` shows what is there")


def _open(path: Path) -> Run:
    """A run whose plan and manifest this version understands."""
    run = Run(path, plans.read(path / PLAN))
    run.manifest()
    return run


def _runs_like(audit: Path, identity: str) -> list[Run]:
    """The readable runs of one audit whose id ends like a plan id, oldest first."""
    return _readable(audit.glob(f"*-{identity[:8]}*/plan.json"))


def _readable(plans: Iterable[Path]) -> list[Run]:
    """The runs that have these plans, oldest first."""
    runs = []
    for path in plans:
        try:
            runs.append(_open(path.parent))
        except StoreError:
            continue  # of another format, so certainly of another plan
    return sorted(runs, key=lambda run: _age(run.created, run.run_id))


def _free_folder(audit: Path, run_id: str) -> Path:
    """The folder for a new run: one that is not there, or in which a killed process wrote nothing yet."""
    names = itertools.chain([run_id], (f"{run_id}-{count}" for count in itertools.count(2)))
    return next(audit / name for name in names if not _holds_anything(audit / name))


def _holds_anything(folder: Path) -> bool:
    return folder.exists() and any(not disk.is_lock(path) and not sums.is_leftover(path) for path in folder.iterdir())


def _summaries(folders: Iterable[Path]) -> list[RunSummary]:
    return sorted(map(summary_of, folders), key=lambda run: _age(run.created, run.run_id))


def _age(created: str, run_id: str) -> tuple[str, int, str]:
    """A key that sorts oldest first; of runs made in the same second `-10` behind `-9`."""
    return created, len(run_id), run_id


def _folder(root: Path, title: str) -> Path:
    """The folder of an audit: named after its title, with a hash of it where another title gave that name before."""
    plain, own = root / _slug(title), root / _own_slug(title)
    if own.exists():
        return own
    others = (summary_of(path.parent).title for path in sorted(plain.glob("*/plan.json")))
    return plain if next(filter(None, others), title) == title else own


def _slug(title: str) -> str:
    """A folder name: letters and digits of any script, everything else a hyphen, 60 characters at most."""
    plain = re.sub(r"[\W_]+", "-", unicodedata.normalize("NFKC", title).casefold())
    return plain[:_LONG].strip("-") or "audit"


def _own_slug(title: str) -> str:
    """The same with the beginning of the SHA-256 of the title, which tells it from all others."""
    digest = hashlib.sha256(title.encode("utf-8", "surrogatepass")).hexdigest()
    return f"{_slug(title)[: _LONG - 9].strip('-')}-{digest[:8]}"


def _moment(now: datetime) -> datetime:
    epoch = os.environ.get("SOURCE_DATE_EPOCH")
    if epoch is None:
        return now.astimezone(UTC)
    try:
        return datetime.fromtimestamp(int(epoch), UTC)
    except (ValueError, OverflowError, OSError):
        raise StoreError(f"SOURCE_DATE_EPOCH must be a whole number of seconds since 1970, found {epoch!r}") from None
