"""What an executor is: it maps a worker over shards and says of each how it went.

A worker is made where it runs, once, by a factory: it loads the model, then takes shard after shard, writes the rows of
each into the run folder itself, and returns a small receipt. So a killed engine loses one shard, and resuming is the
same command again.
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Generic, Protocol, TypeVar

Receipt = TypeVar("Receipt")

Worker = Callable[["Shard"], Receipt]


@dataclass(frozen=True, slots=True)
class Shard:
    """Documents `start` to `stop` of the corpus; batches never cross its borders."""

    index: int
    start: int
    stop: int


@dataclass(frozen=True, slots=True)
class Outcome(Generic[Receipt]):
    """How one shard went: with a receipt, or with the error that its last attempt raised."""

    shard: Shard
    receipt: Receipt | None = None
    error: Exception | None = None


class Executor(Protocol):
    """An engine that runs workers."""

    def map(
        self,
        worker_factory: Callable[[], Worker[Receipt]],
        shards: Sequence[Shard],
        *,
        retries: int,
        stop: Callable[[], bool],
    ) -> Iterator[Outcome[Receipt]]:
        """Run every shard; outcomes come in no particular order, one per shard that was begun.

        Args:
            worker_factory: Makes a worker. Not called if there is nothing to do. What it raises is raised here: no
                shard could be measured without a worker.
            shards: What to do.
            retries: How often a shard that failed is tried again. An `AuditorError` is not: it is the user's to mend.
            stop: Asked before every shard; once true, no other shard is begun.

        Raises:
            KeyboardInterrupt: as it is, and so SystemExit. An exception of one shard is an `Outcome` and never raised.
        """
        ...


def cut(n_documents: int, shard_size: int) -> tuple[Shard, ...]:
    """The shards of a corpus: all of `shard_size` documents but the last."""
    starts = range(0, n_documents, shard_size)
    return tuple(Shard(i, start, min(start + shard_size, n_documents)) for i, start in enumerate(starts))
