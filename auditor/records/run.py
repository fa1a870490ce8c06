"""A run is a folder. Kill the writer at any moment: whole shards stay, and the same plan finds them again.

    <root>/<audit>/<run id>/
        plan.json                       what was to be done; never changes
        structure.json                  what the models are made of, found when they are loaded
        baseline.json                   which run it is compared with, settled when it begins
        evidence/<probe>/00042.parquet  one row per document of shard 42
        findings.json report.html report.pdf
        comparison.json comparison.html what changed since the baseline, where there is one
        documents.html documents.parquet   where report.html cannot hold all documents
        SHA256SUMS                      of all the above
        reused.jsonl                    how many rows are those of runs before; see `auditor.records.reused`
        manifest.json                   written last: its presence means that the run is complete

Whatever changes a complete run first
sets its manifest aside, so that no run ever claims to be complete with wrong sums.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, suppress
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

from auditor.errors import DiskError, LockedError, StoreError
from auditor.records import disk, sums
from auditor.records import plan as plans
from auditor.records.json_files import decode, encode, read_json, to_json
from auditor.records.plan import Plan
from auditor.records.proof import Proof
from auditor.records.structure import FORMAT as STRUCTURE_FORMAT
from auditor.records.structure import Structure
from auditor.records.types import Unmeasured

if TYPE_CHECKING:
    from auditor.records import arrays

RUN_FORMAT = "auditor.run/1"
PLAN = "plan.json"

R = TypeVar("R")

SET_ASIDE = ".manifest.json.aside"
DOCUMENTS = "documents"
"""The folder in `evidence/` that keeps the documents; every other one is named after a probe."""


@dataclass(frozen=True)
class Run:
    """One run folder."""

    path: Path
    plan: Plan

    @property
    def plan_id(self) -> str:
        """SHA-256 by which runs of the same work are recognised; see `Plan.id`."""
        return self.plan.id

    @property
    def run_id(self) -> str:
        """`20260131-235959-` and the first 8 digits of the plan id; `-2` and so on behind it where that was taken."""
        return self.plan.run_id

    @property
    def created(self) -> str:
        """ISO 8601, UTC, to the second."""
        return self.plan.created

    @property
    def is_complete(self) -> bool:
        """Whether everything was written and summed."""
        return (self.path / "manifest.json").exists()

    def manifest(self) -> dict[str, Any] | None:
        """The manifest; of a run that is being rewritten the one it had before; None if it was never complete."""
        return manifest_of(self.path)

    def lock(self) -> AbstractContextManager[None]:
        """Hold the run against other processes while it is written.

        Raises:
            LockedError: another process holds it.
            DiskError: the folder cannot be written.
        """
        return disk.lock(self.path)

    def share(self, part: str) -> AbstractContextManager[None]:
        """Hold one part of the run, while other processes write others.

        Raises:
            LockedError: another process holds the same part, or the whole run.
            DiskError: the folder cannot be written.
        """
        return disk.share(self.path, part)

    def settle(self, proofs: Sequence[Proof]) -> None:
        """Add to the plan on the disk how models are asked, question by question; what stands there already stays.

        Raises:
            DiskError: the disk is full or cannot be written.
            StoreError: the plan there cannot be read.
        """
        with disk.turn(self.path):
            before = self.read_again().plan
            after = before.settled(proofs)
            if after.computing != before.computing:
                self._open_again()
                disk.write(self.path / PLAN, plans.write(after))

    def describe(self, structures: Sequence[Structure]) -> None:
        """Keep what models are made of; what is kept of a model already stays.

        Raises:
            DiskError: the disk is full or cannot be written.
            StoreError: what is kept already cannot be read.
        """
        with disk.turn(self.path):
            known = {one.model: one for one in self.structures()}
            after = {one.model: one for one in structures} | known
            if after.keys() != known.keys():
                self._open_again()
                models = [encode(after[name]) for name in sorted(after)]
                disk.write(self.path / sums.STRUCTURE, to_json({"format": STRUCTURE_FORMAT, "models": models}))

    def structures(self) -> tuple[Structure, ...]:
        """What the models are made of, in the order of their names; nothing of a run that did not look.

        Raises:
            StoreError: the file is damaged or of another format.
        """
        path = self.path / sums.STRUCTURE
        try:
            content = read_json(path, STRUCTURE_FORMAT)
            return decode(tuple[Structure, ...], content.get("models"), "models")
        except FileNotFoundError:
            return ()
        except ValueError as error:
            raise StoreError(f"{path}: {error}; the file was damaged or changed: audit anew") from error

    def settle_baseline(self, content: bytes) -> None:
        """Keep which run this one is compared with.

        Raises:
            DiskError: the disk is full or cannot be written.
        """
        self._open_again()
        disk.write(self.path / sums.BASELINE, content)

    def read_again(self) -> "Run":
        """The same run with its plan as it is on the disk now."""
        return Run(self.path, plans.read(self.path / PLAN))

    def has(self, probe: str, shard: int) -> bool:
        """Whether the rows of a shard are there (whole: half a shard never is)."""
        return self._shard(probe, shard).exists()

    def write_shard(self, probe: str, record: type[R], shard: int, rows: Sequence[R | Unmeasured]) -> bytes:
        """Keep the rows that a probe gave for one shard, or the documents of it; returns the content of the file.

        Args:
            probe: Name of the probe, or `DOCUMENTS`; two probes of one record type have a folder each.
            record: What a row is.
            shard: Index of the shard.
            rows: One for each document that the probe was given, in order.

        Raises:
            DiskError: the disk is full or cannot be written; all other shards are kept.
        """
        from auditor.records import schema  # imports pyarrow, which `auditor list` need not wait for

        content = schema.to_bytes(record, rows)
        self.write_bytes(probe, shard, content)
        return content

    def write_bytes(self, probe: str, shard: int, content: bytes) -> None:
        """Keep the rows of one shard, as `schema.to_bytes` gives them.

        Raises:
            DiskError: the disk is full or cannot be written; all other shards are kept.
        """
        self._open_again()
        disk.write(self._shard(probe, shard), content)

    def read(
        self, probe: str, record: type[R], shared: "arrays.Shared | None" = None, *, whole: bool = False
    ) -> Iterator[R | Unmeasured]:
        """The rows of all shards that are there, in the order of the documents; one shard in memory at a time.

        Args:
            probe: Name of the probe, or `DOCUMENTS`.
            record: What a row is.
            shared: What rows of other records have already, such as the ids of the documents.
            whole: Whether to read large fields too, such as the masks of neighbourhoods; they are None otherwise.

        Raises:
            StoreError: a file is damaged, of another format or another record.
        """
        from auditor.records import schema

        seen: arrays.Shared = {} if shared is None else shared
        for path in self._shards(probe):
            decode = partial(schema.from_bytes, record, shared=seen, whole=whole, source=str(path))
            yield from self._decoded(path, decode)

    def read_shard(self, probe: str, record: type[R], shard: int) -> list[R | Unmeasured]:
        """The rows of one shard, large fields too.

        Raises:
            FileNotFoundError: they are not there.
            StoreError: the file is damaged, of another format or another record.
        """
        from auditor.records import schema

        return self._decoded(self._shard(probe, shard), lambda content: schema.from_bytes(record, content, whole=True))

    def read_facts(self, probe: str) -> Iterator[dict[str, Any] | Unmeasured]:
        """As `read`, for a probe whose record class is not at hand; the first key is the document's id.

        Raises:
            StoreError: a file is damaged or of another format.
        """
        from auditor.records import schema

        for path in self._shards(probe):
            yield from self._decoded(path, schema.facts_from_bytes)

    def write(self, name: str, content: bytes) -> None:
        """Keep one of `sums.ARTEFACTS`.

        Raises:
            DiskError: the disk is full or cannot be written; what had that name before is untouched.
        """
        self._open_again()
        disk.write(self._artefact(name), content)

    def read_bytes(self, name: str) -> bytes:
        """The content that `write` was given.

        Raises:
            StoreError: it is not there.
        """
        try:
            return disk.read(self._artefact(name))
        except FileNotFoundError:
            state = "the run is not finished, start it again" if not self.is_complete else "see `auditor verify`"
            raise StoreError(f"{self.path}: has no {name}: {state}") from None

    def remove(self, name: str) -> None:
        """Delete a file that `write` wrote, if it is there: a PDF that was rendered before and not this time."""
        if self._artefact(name).exists():
            self._open_again()
            disk.remove(self._artefact(name))

    def finish(self, manifest: Mapping[str, Any]) -> None:
        """Write the sums, then the manifest: from now on the run is complete.

        Args:
            manifest: Anything worth knowing that may differ between two runs of one plan (started, finished, timings),
                and what a listing shows (verdict).

        Raises:
            DiskError: the disk is full or cannot be written; the run stays incomplete and can be finished later.
        """
        self._open_again()
        former = self.manifest() or {}
        summed = sums.render(sums.compute(self.path))
        disk.write(self.path / "SHA256SUMS", summed)
        identity = {"format": RUN_FORMAT, "run_id": self.run_id, "plan_id": self.plan_id, "created": self.created}
        identity |= {"title": self.plan.title, "sums": sums.sha256(summed)}
        kept = [one for one in (*former.get("sums_before", ()), former.get("sums")) if one and one != identity["sums"]]
        history = {"sums_before": list(dict.fromkeys(kept))} if kept else {}
        disk.write(self.path / "manifest.json", to_json({**manifest, **identity, **history}))
        disk.remove(self.path / SET_ASIDE)

    def annotate(self, facts: Mapping[str, Any]) -> None:
        """Add facts to the manifest of a complete run; where it cannot be written, nothing happens."""
        with suppress(DiskError, LockedError), self.lock():
            manifest = self.manifest()
            if manifest is not None and self.is_complete and manifest != {**manifest, **facts}:
                disk.write(self.path / "manifest.json", to_json({**manifest, **facts}))

    def _shards(self, probe: str) -> list[Path]:
        """The files of all shards that are there, in their order."""
        files = (self.path / "evidence" / probe).glob("*.parquet")
        return sorted((path for path in files if path.stem.isdecimal()), key=lambda path: int(path.stem))

    def _decoded(self, path: Path, decode: Callable[[bytes], list[Any]]) -> list[Any]:
        content = disk.read(path)
        try:
            return decode(content)
        except StoreError as error:
            raise StoreError(f"{path}: {error}") from error

    def _shard(self, probe: str, shard: int) -> Path:
        return self.path / "evidence" / probe / f"{shard:05d}.parquet"

    def _artefact(self, name: str) -> Path:
        if name not in sums.ARTEFACTS:
            raise ValueError(f"{name} would not be summed: expected one of {', '.join(sums.ARTEFACTS)}")
        return self.path / name

    def _open_again(self) -> None:
        if self.is_complete:
            disk.rename(self.path / "manifest.json", self.path / SET_ASIDE)


def manifest_of(folder: Path) -> dict[str, Any] | None:
    """The manifest in a run folder, or the one that is set aside while the run is rewritten; None where neither is.

    Raises:
        StoreError: it has a format that this version does not understand.
    """
    for name in ("manifest.json", SET_ASIDE):
        try:
            return read_json(folder / name, RUN_FORMAT)
        except FileNotFoundError:
            continue
    return None
