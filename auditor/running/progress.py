"""How far a run is, for whoever waits; this room hands plain strings and numbers over, `auditor.terminal` prints."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Protocol

from auditor.running.executors.contract import Receipt, Shard


class Progress(Protocol):
    """Hears how far the work is."""

    def start(self, total_documents_by_probe: Mapping[str, int]) -> None:
        """The work begins: so many documents for each probe."""
        ...

    def say(self, text: str) -> None:
        """Something worth a line happened."""
        ...

    def advance(self, probe: str, documents: int) -> None:
        """So many more documents are done."""
        ...


@dataclass(frozen=True, slots=True)
class Unheard:
    """The progress of a worker whom nobody hears, such as one in another process: its receipts say what it did."""

    def start(self, total_documents_by_probe: Mapping[str, int]) -> None:
        """Nothing is told."""

    def say(self, text: str) -> None:
        """Nothing is told."""

    def advance(self, probe: str, documents: int) -> None:
        """Nothing is told."""


def tell(progress: Progress, shard: Shard, receipt: Receipt, *, heard: bool) -> None:
    """Tells what a receipt says of a shard.

    Args:
        progress: Who hears it.
        shard: What was done.
        receipt: Of its worker.
        heard: Whether the worker has told itself how many documents it did.
    """
    if receipt.work["halvings"]:
        progress.say(f"shard {shard.index}: out of memory on the device; batches were halved")
    for probe, documents in () if heard else receipt.asked.items():
        progress.advance(probe, documents)
