"""One run by several processes that know nothing of each other but a shared folder, and their own number.

Part k of n measures the shards k - 1, k - 1 + n, k - 1 + 2n and so on. Whoever comes first makes the run, others find
it by its plan; each holds a lock of its own. When all are done, `auditor finish` draws the conclusions.

A part does not use rows of runs before (see `Preflight.without_cache`). What it has done, and how much its models
computed for it, it leaves in the folder until the run is finished.
"""

import json
import re
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final, TypeVar

from auditor.errors import ConfigError, InterruptedRunError, TooManyFailuresError
from auditor.records import disk
from auditor.records.json_files import to_json
from auditor.records.run import DOCUMENTS, Run
from auditor.records.types import Failure
from auditor.running.executors.contract import Receipt, Shard
from auditor.running.preflight import Preflight

T = TypeVar("T")

VARIABLES: Final = (
    ("RANK", "WORLD_SIZE"),
    ("SLURM_PROCID", "SLURM_NTASKS"),
    ("JOB_COMPLETION_INDEX", "JOB_COMPLETIONS"),
)
"""Of torchrun, of srun, and of an indexed Job of Kubernetes, which must be told its count: number from 0, and count."""
_NAMED = 12
_GIVEN = re.compile(r"(\d+)/(\d+)")
_NUMBER = re.compile(r"\d+")


@dataclass(frozen=True, slots=True)
class Part:
    """Part `number` of `of`, counted from 1."""

    number: int
    of: int

    @property
    def name(self) -> str:
        """As it stands in file names."""
        return f"part-{self.number}-of-{self.of}"

    def __str__(self) -> str:
        return f"part {self.number} of {self.of}"

    def among(self, shards: Sequence[T]) -> tuple[T, ...]:
        """Those of all shards that are its own."""
        return tuple(shards[self.number - 1 :: self.of])


def part_of(given: str | None, environment: Mapping[str, str]) -> Part | None:
    """The part that this process is to do; None for the whole run.

    Args:
        given: `k/n`, which counts from 1 and takes precedence; `1/1` is the whole run whatever the environment says.
        environment: Of the process; see `VARIABLES`.

    Raises:
        ConfigError: There is no such part.
    """
    if given is not None:
        match = _GIVEN.fullmatch(given)
        if match is None:
            raise ConfigError(f"--shard-of {given}: expected K/N, such as 2/4 for the second of four")
        return _checked(int(match[1]), int(match[2]), f"--shard-of {given}")
    for index, count in VARIABLES:
        number, of = environment.get(index, ""), environment.get(count, "")
        if _NUMBER.fullmatch(number) and _NUMBER.fullmatch(of):
            return _checked(int(number) + 1, int(of), f"{index}={number}, {count}={of}")
        if index == "JOB_COMPLETION_INDEX" and number:
            raise ConfigError(f"{index}={number}, but {count} is not set to the number of completions; see --shard-of")
    return None


def _checked(number: int, of: int, where: str) -> Part | None:
    if not 1 <= number <= of:
        raise ConfigError(f"{where}: there are parts 1 to {of}" if of else f"{where}: expected one part at least")
    return None if of == 1 else Part(number, of)


def asked(preflight: Preflight, shards: Sequence[Shard]) -> dict[str, int]:
    """Probe → documents that it is given in these shards."""
    names = [document.id for shard in shards for document in preflight.documents[shard.start : shard.stop]]
    return {probe: sum(name in ids for name in names) for probe, ids in preflight.chosen.items()}


def leave(run: Run, part: Part, total: Receipt, max_failures: float) -> None:
    """Says in the folder that a part is done; of one that was interrupted before, its work comes to that of before.

    Raises:
        DiskError: The disk is full.
    """
    for name, kept in _left(run):
        if name == part.name:
            total.add_work(_receipt(kept))
    disk.write(run.path / f".{part.name}.json", to_json({**total.as_facts(), "max_failures": max_failures}))


def missing(run: Run) -> list[int]:
    """Shards of which not all rows are there."""
    folders = (DOCUMENTS, *run.plan.probes)
    return [index for index in range(len(run.plan.shards)) if not all(run.has(name, index) for name in folders)]


def require_all(run: Run) -> None:
    """Refuses to conclude from less than everything.

    Raises:
        InterruptedRunError: Names the shards that are missing.
        TooManyFailuresError: All parts together have more failures than one of them would allow.
    """
    absent = missing(run)
    if absent:
        named = ", ".join(map(str, absent[:_NAMED])) + (", …" if len(absent) > _NAMED else "")
        raise InterruptedRunError(
            f"{run.path}: {len(absent)} of {len(run.plan.shards)} shards are missing: {named}"
            f"{_whose(run, absent)}; the command that was to measure them does what is missing"
        )
    most = min((kept["max_failures"] for _, kept in _left(run)), default=1.0)
    for probe, planned in run.plan.probes.items():
        failed = sum(isinstance(row, Failure) for row in run.read_facts(probe))
        if failed > most * planned.n_documents:
            raise TooManyFailuresError(
                f"probe {probe}: {failed} of {planned.n_documents} documents failed in all parts together; "
                f"run.max_failures = {most:g} does not allow that"
            )


def total_of(run: Run) -> Receipt:
    """How much the models computed for all parts."""
    total = Receipt()
    for _, kept in _left(run):
        total.add_work(_receipt(kept))
    return total


def forget(run: Run) -> None:
    """Removes what parts left.

    Raises:
        DiskError: The folder cannot be written.
    """
    for path in run.path.glob(".part-*-of-*.json"):
        disk.remove(path)


def _whose(run: Run, absent: Sequence[int]) -> str:
    """The parts that these shards belong to, where a part that is done tells how many there are."""
    counts = {int(name.rpartition("-")[2]) for name, _ in _left(run)}
    if len(counts) != 1:
        return ""
    (of,) = counts
    parts = sorted({index % of + 1 for index in absent})
    return f" (of {', '.join(f'{number}/{of}' for number in parts[:_NAMED])})"


def _receipt(kept: Mapping[str, Any]) -> Receipt:
    return Receipt(Counter(kept["work"]), batch_tokens=dict(kept.get("batch_tokens", {})))


def _left(run: Run) -> Iterator[tuple[str, dict[str, Any]]]:
    for path in sorted(run.path.glob(".part-*-of-*.json")):
        yield path.name.removeprefix(".").removesuffix(".json"), json.loads(disk.read(path))
