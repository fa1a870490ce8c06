"""One shard after the other, in this process: the engine for one device."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

from auditor.errors import AuditorError
from auditor.running.executors.contract import Outcome, Receipt, Shard, Worker


@dataclass(frozen=True, slots=True)
class SerialExecutor:
    """See `auditor.running.executors.contract`. Outcomes come in the order of the shards."""

    def map(
        self,
        worker_factory: Callable[[], Worker[Receipt]],
        shards: Sequence[Shard],
        *,
        retries: int = 0,
        stop: Callable[[], bool] = lambda: False,
    ) -> Iterator[Outcome[Receipt]]:
        """See `auditor.running.executors.contract.Executor`."""
        worker: Worker[Receipt] | None = None
        for shard in shards:
            if stop():
                return
            worker = worker or worker_factory()
            yield _attempt(worker, shard, retries)


def _attempt(worker: Worker[Receipt], shard: Shard, retries: int) -> Outcome[Receipt]:
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
