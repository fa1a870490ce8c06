"""How many rows of a run were measured by it, and how many by runs before it, as `reused.jsonl` in its folder says.

One line for each probe and shard, written before the rows are, so that what an interrupted run says is true when it is
resumed; of two lines about the same shard the later one counts. The file is in no sum: a run that reused everything
has the evidence of one that measured everything.
"""

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Final

from auditor.errors import DiskError
from auditor.records import disk

FILE: Final = "reused.jsonl"


@dataclass(frozen=True, slots=True)
class Rows:
    """Of one probe."""

    computed: int = 0
    reused: int = 0
    since: str | None = None
    """When the oldest run was created that measured some of those reused: ISO 8601, UTC."""

    def __add__(self, other: "Rows") -> "Rows":
        since = min((one for one in (self.since, other.since) if one), default=None)
        return Rows(self.computed + other.computed, self.reused + other.reused, since)


def note(folder: Path, probe: str, shard: int, rows: Rows) -> None:
    """Say of one shard how many rows were reused.

    Raises:
        DiskError: the disk is full or cannot be written.
    """
    disk.append(folder / FILE, (json.dumps({"probe": probe, "shard": shard, **asdict(rows)}) + "\n").encode())


def read(folder: Path) -> dict[str, Rows]:
    """Probe → its rows; empty where nobody looked for rows to reuse. Lines that were cut are passed over."""
    try:
        lines = disk.read(folder / FILE).decode("utf-8", "replace").splitlines()
    except (FileNotFoundError, DiskError):
        return {}
    by_shard: dict[tuple[str, int], Rows] = {}
    for line in lines:
        try:
            said = json.loads(line)
            rows = Rows(int(said["computed"]), int(said["reused"]), said["since"] and str(said["since"]))
            by_shard[str(said["probe"]), int(said["shard"])] = rows
        except (ValueError, TypeError, KeyError):
            continue
    total: dict[str, Rows] = {}
    for (probe, _), rows in sorted(by_shard.items()):
        total[probe] = total.get(probe, Rows()) + rows
    return total


def total(by_probe: Mapping[str, Rows]) -> Rows:
    """Of all probes together."""
    return sum(by_probe.values(), Rows())


def told(by_probe: Mapping[str, Rows]) -> str:
    """How many rows of each probe were reused, in one line for people."""
    whole = total(by_probe)
    if not whole.reused:
        return f"no rows were reused: {whole.computed:,} were measured"
    parts = (f"{probe} {rows.reused:,} of {rows.computed + rows.reused:,}" for probe, rows in by_probe.items())
    return (
        f"reused {whole.reused:,} of {whole.computed + whole.reused:,} rows, measured since {whole.since}: "
        f"{', '.join(parts)}"
    )
