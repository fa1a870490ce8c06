"""One shard after the other, in this process: the engine for one device."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import ClassVar

from auditor.errors import AuditorError
from auditor.running.executors.contract import Outcome, Shard, Worker, WorkerFactory


@dataclass(frozen=True, slots=True)
class SerialExecutor:
    """See `auditor.running.executors.contract`. Outcomes come in the order of the shards."""

    in_process: ClassVar[bool] = True

    def map(
        self, factory: WorkerFactory, shards: Sequence[Shard], *, retries: int, stop: Callable[[], bool]
    ) -> Iterator[Outcome]:
        """See `auditor.running.executors.contract.Executor`."""
        worker: Worker | None = None
        for shard in shards:
            if stop():
                return
            worker = worker or factory()
            yield _attempt(worker, shard, retries)


def _attempt(worker: Worker, shard: Shard, retries: int) -> Outcome:
    """Run one shard, again after an error that a second attempt may not meet."""
    for left in range(retries, -1, -1):
        try:
            return Outcome(shard, receipt=worker(shard))
        except AuditorError as error:
            return Outcome(shard, error=error)
        except Exception as error:  # whatever it is, it concerns this shard only; whoever reads the outcome decides
            if not left:
                return Outcome(shard, error=error)
    raise ValueError(f"retries must not be negative, found {retries}")
