"""Whether a run is what its manifest says: checksums, plan id, and every table read once."""

from collections.abc import Iterator
from pathlib import Path

from auditor.errors import StoreError
from auditor.records import disk, sums
from auditor.records.run import DOCUMENTS, SET_ASIDE, Run
from auditor.records.sums import Fault
from auditor.records.types import Document

_OUTSIDE_THE_SUMS = ("SHA256SUMS", "manifest.json", disk.LOCK, SET_ASIDE)


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
    faults = [*_compare_sums(run.path, str(manifest.get("sums"))), *_stray(run.path), *_unreadable(run.path)]
    if manifest.get("plan_id") != run.plan_id:
        faults.append(
            Fault("plan.json", f"has the plan id {run.plan_id[:8]}; the manifest says {manifest.get('plan_id')}")
        )
    return sorted(faults, key=str)


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
    files = {path for path in folder.rglob("*") if path.is_file() and not sums.is_leftover(path)}
    return [Fault(path.relative_to(folder).as_posix(), "does not belong to the run") for path in files - known]


def _unreadable(folder: Path) -> list[Fault]:
    """The tables that cannot be decoded, of every probe, and those that lie in the folder of another record."""
    return [fault for probe in sorted(folder.glob("evidence/*")) for fault in _faults_of_tables(folder, probe)]


def _faults_of_tables(folder: Path, probe: Path) -> Iterator[Fault]:
    from auditor.records import schema

    expected = Document.__name__ if probe.name == DOCUMENTS else None
    for path in sorted(probe.glob("*.parquet")):
        try:
            record = schema.check(disk.read(path))
            expected = expected or record
            if record != expected:
                raise StoreError(f"holds {record} rows; expected {expected}")
        except StoreError as error:
            yield Fault(path.relative_to(folder).as_posix(), str(error))
