"""One shard after the other, in this process: the engine for one device.

A device that is lost to this process is lost to every shard after it: the first error of that kind ends the run, with
all that was measured before; the same command goes on. The engine `local` replaces the process instead.
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import ClassVar

from auditor.errors import AuditorError, DeviceLostError
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
        except DeviceLostError as error:
            return Outcome(shard, error=_ended(shard, error))
        except AuditorError as error:
            return Outcome(shard, error=error)
        except Exception as error:  # whatever it is, it concerns this shard only; whoever reads the outcome decides
            if not left:
                return Outcome(shard, error=error)
    raise ValueError(f"retries must not be negative, found {retries}")


def _ended(shard: Shard, error: DeviceLostError) -> DeviceLostError:
    where = f"shard {shard.index} (documents {shard.start + 1} to {shard.stop} of the corpus)"
    cure = "--executor local replaces the process, and finds the document, if one does it"
    return DeviceLostError(f"{where}: {error}; what was measured is kept, the same command goes on: {cure}")
