"""Whether a run is what its manifest says: checksums, plan id, and every table read once."""

from pathlib import Path

from auditor.errors import StoreError
from auditor.records import disk, sums
from auditor.records.run import SET_ASIDE, Run, folder_of
from auditor.records.sums import Fault
from auditor.records.types import (
    AttentionStatistics,
    Document,
    Explanation,
    Perplexity,
    Prediction,
    PseudoPerplexity,
)

_RECORDS = {
    folder_of(kind): kind
    for kind in (Document, Prediction, Explanation, AttentionStatistics, Perplexity, PseudoPerplexity)
}
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
    from auditor.records import schema

    faults = []
    for path in sorted((folder / "evidence").glob("*/*.parquet")):
        record = _RECORDS.get(path.parent.name)
        try:
            if record is not None:
                schema.from_bytes(record, disk.read(path))
        except StoreError as error:
            faults.append(Fault(path.relative_to(folder).as_posix(), str(error)))
    return faults
