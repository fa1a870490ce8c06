"""How far a run is, for whoever waits; this room hands plain strings and numbers over, `auditor.terminal` prints."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Protocol

from auditor.running.executors.contract import Outcome, Receipt


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


def tell(progress: Progress, outcome: Outcome, receipt: Receipt, *, heard: bool) -> None:
    """Tells how a shard went.

    Args:
        progress: Who hears it.
        outcome: Of the shard.
        receipt: Of its worker.
        heard: Whether the worker has told itself how many documents it did.
    """
    for note in outcome.notes:
        progress.say(note)
    if receipt.work["halvings"]:
        sizes = ", ".join(f"{model} {n:,}" for model, n in receipt.batch_tokens.items())
        progress.say(f"shard {outcome.shard.index}: out of memory on the device; tokens per batch now: {sizes}")
    for probe, documents in () if heard else receipt.asked.items():
        progress.advance(probe, documents)
