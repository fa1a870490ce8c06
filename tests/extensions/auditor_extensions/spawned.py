"""An executor in one file: two processes that share nothing with the one that asked, but the folder of the run."""

import multiprocessing
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Future, ProcessPoolExecutor, as_completed
from dataclasses import dataclass
from typing import ClassVar

from auditor.running.executors.contract import Outcome, Receipt, Shard, Worker, WorkerFactory

_worker: Worker | None = None


def _make(factory: WorkerFactory) -> None:
    global _worker
    _worker = factory()


def _work(shard: Shard) -> Receipt:
    assert _worker is not None
    return _worker(shard)


@dataclass(frozen=True)
class SpawnedExecutor:
    """Gives every shard to whichever process is free."""

    in_process: ClassVar[bool] = False

    def map(
        self,
        factory: WorkerFactory,
        shards: Sequence[Shard],
        *,
        retries: int,  # noqa: ARG002 - a shard that failed is left to the same command again
        stop: Callable[[], bool],
    ) -> Iterator[Outcome]:
        spawn = multiprocessing.get_context("spawn")
        with ProcessPoolExecutor(2, mp_context=spawn, initializer=_make, initargs=(factory,)) as pool:
            begun: dict[Future[Receipt], Shard] = {}
            for shard in shards:
                if stop():
                    break
                begun[pool.submit(_work, shard)] = shard
            for done in as_completed(begun):
                yield _outcome(begun[done], done)


def _outcome(shard: Shard, done: "Future[Receipt]") -> Outcome:
    error = done.exception()
    if error is None:
        return Outcome(shard, receipt=done.result())
    return Outcome(shard, error=error if isinstance(error, Exception) else RuntimeError(str(error)))
