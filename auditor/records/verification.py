"""Whether a run is what its manifest says: checksums, plan id, and every table read once."""

from collections.abc import Iterator
from pathlib import Path

from auditor.errors import StoreError
from auditor.records import disk, reused, sums
from auditor.records.run import DOCUMENTS, SET_ASIDE, Run
from auditor.records.sums import Fault
from auditor.records.types import Document

_OUTSIDE_THE_SUMS = ("SHA256SUMS", "manifest.json", SET_ASIDE, reused.FILE)


def verify(run: Run) -> list[Fault]:
    """Everything that is wrong with a run; empty for a sound one.

    Paths come from the disk, never from SHA256SUMS, so a forged list cannot make this read a file elsewhere.

    Raises:
        StoreError: the manifest has a format that this version does not understand.
        DiskError: a file cannot be read.
    """
    manifest = run.manifest()
    if manifest is None or not run.is_complete:
        return [Fault("manifest.json", "is missing: the run is not complete")]
    faults = [*_compare_sums(run.path, str(manifest.get("sums"))), *_stray(run.path), *_unreadable(run)]
    if manifest.get("plan_id") != run.plan_id:
        faults.append(
            Fault("plan.json", f"has the plan id {run.plan_id[:8]}; the manifest says {manifest.get('plan_id')}")
        )
    return sorted(set(faults), key=str)


def _compare_sums(folder: Path, expected: str) -> list[Fault]:
    try:
        content = disk.read(folder / "SHA256SUMS")
        listed = sums.parse(content)
    except FileNotFoundError:
        return [Fault("SHA256SUMS", "is missing")]
    except StoreError as error:
        return [Fault("SHA256SUMS", str(error))]
    faults = sums.compare(listed, sums.compute(folder))
    if sums.sha256(content) != expected:
        faults.append(Fault("SHA256SUMS", "was changed: its checksum is not the one in manifest.json"))
    return faults


def _stray(folder: Path) -> list[Fault]:
    known = {*sums.covered(folder), *(folder / name for name in _OUTSIDE_THE_SUMS)}
    files = {path for path in folder.rglob("*") if path.is_file() and not _is_trace(path)}
    return [Fault(path.relative_to(folder).as_posix(), "does not belong to the run") for path in files - known]


def _is_trace(path: Path) -> bool:
    """Whether it is what a process that was killed leaves behind."""
    return sums.is_leftover(path) or disk.is_lock(path)


def _unreadable(run: Run) -> Iterator[Fault]:
    """Tables that are not there, that no probe of the plan wrote, that cannot be decoded or hold another record."""
    records = {DOCUMENTS: Document.__name__, **{name: probe.record for name, probe in run.plan.probes.items()}}
    tables = {path.relative_to(run.path).as_posix(): path for path in run.path.glob("evidence/*/*.parquet")}
    planned = {f"evidence/{probe}/{shard:05d}.parquet" for probe in records for shard in range(len(run.plan.shards))}
    yield from (Fault(name, "is missing") for name in planned - tables.keys())
    for name, path in tables.items():
        record = records.get(path.parent.name)
        problem = "does not belong to the run: no such probe is planned" if record is None else _problem(path, record)
        if problem:
            yield Fault(name, problem)


def _problem(table: Path, expected: str) -> str | None:
    from auditor.records import schema

    try:
        record = schema.check(disk.read(table))
    except StoreError as error:
        return str(error)
    return None if record == expected else f"holds {record} rows; expected {expected}"
