"""When a run is hopeless: more of a probe's documents failed than `max_failures` allows.

Whoever measures counts: a worker what it wrote itself, so that it stops within a shard; whoever reads the receipts all
workers together. Both begin with what an interrupted run left behind.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from math import floor

from auditor.errors import TooManyFailuresError
from auditor.records.run import Run
from auditor.records.types import Failure
from auditor.running.preflight import Preflight


@dataclass(frozen=True)
class Failures:
    """The failed documents of every probe, and how many there may be."""

    asked: Mapping[str, int]
    """Probe → all the documents that it is given."""
    most: float
    """The share of these that may fail."""
    by_probe: dict[str, list[Failure]]

    @classmethod
    def of_run(cls, preflight: Preflight, run: Run) -> "Failures":
        """The failures in the evidence so far.

        Raises:
            StoreError: A file of the evidence is damaged.
        """
        rows = {
            probe.name: [row for row in run.read(probe.name, probe.record) if isinstance(row, Failure)]
            for probe in preflight.probes
        }
        return cls(preflight.asked, preflight.config.run.max_failures, rows)

    def copy(self) -> "Failures":
        """A copy whose lists can grow independently."""
        return Failures(self.asked, self.most, {probe: list(rows) for probe, rows in self.by_probe.items()})

    def add(self, probe: str, rows: Iterable[Failure]) -> None:
        """Adds failures of a probe."""
        self.by_probe[probe] += rows

    def require_few(self, probe: str) -> None:
        """Refuses to go on where more documents of a probe failed than `run.max_failures` allows.

        Raises:
            TooManyFailuresError: Names the share, and the last document with its reason.
        """
        failed, asked = self.by_probe[probe], self.asked[probe]
        if failed and len(failed) / asked > self.most:
            last = failed[-1]
            raise TooManyFailuresError(
                f"probe {probe}: {len(failed)} of {asked} documents failed, a share of {len(failed) / asked:.3g}; "
                f"run.max_failures = {self.most:g} allows {floor(self.most * asked + 1e-9)} of {asked}; "
                f"the last was {last.document_id!r}: {last.message}; leave such documents out or raise max_failures"
            )
