"""One process on this machine for each device, with a pipe of its own: the engine for several devices.

Processes are spawned, so that none inherits a CUDA context or a lock. On CUDA each sees one device alone; on a CPU the
threads are divided among them, unless OMP_NUM_THREADS says how many each has.

A worker ends with the process that started it, however that ends. Signals it does not heed: a Ctrl-C reaches every
process of a terminal, and it is for the one that started them to say whether the shard at work is finished.
"""

import multiprocessing
import os
import pickle
import signal
import sys
import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from multiprocessing.connection import Connection, Pipe, wait
from multiprocessing.context import SpawnProcess
from typing import ClassVar, Final, Self

from auditor.running.executors.contract import Outcome, Resources, Shard, WorkerFactory
from auditor.running.executors.scheduling import Lost, Message, Raised, Ready, schedule
from auditor.running.executors.working import done, made

MOST_ON_CPU: Final = 4
"""Workers by default where there is no device to deal out: each has the models in memory."""
PATIENCE: Final = 5.0
"""Seconds in which a worker without work is to end by itself."""
_SPAWN = multiprocessing.get_context("spawn")
_SIGNALS = ("SIGINT", "SIGTERM", "SIGHUP")
_THREADS = ("OMP_NUM_THREADS", "MKL_NUM_THREADS", "OPENBLAS_NUM_THREADS")
ALONE: Final = Resources(workers=None, visible=(), uses_gpu=False, timeout=3600.0)


@dataclass(frozen=True, slots=True)
class LocalExecutor:
    """See `auditor.running.executors.contract`. Outcomes come as shards are done."""

    in_process: ClassVar[bool] = False
    resources: Resources = ALONE

    def equipped(self, resources: Resources) -> Self:
        """See `auditor.running.executors.contract.Equipped`."""
        return type(self)(resources)

    def map(
        self, factory: WorkerFactory, shards: Sequence[Shard], *, retries: int, stop: Callable[[], bool]
    ) -> Iterator[Outcome]:
        """See `auditor.running.executors.contract.Executor`."""
        size = default_workers(self.resources, n_cores())
        pool = Processes(pickle.dumps(factory), [_environment(self.resources, slot, size) for slot in range(size)])
        yield from schedule(pool, shards, retries=retries, stop=stop, resources=self.resources)


def default_workers(resources: Resources, n_cores: int) -> int:
    """How many workers there are: what was asked for, else one for each device, else for each processor."""
    several = 1 if resources.uses_gpu else min(n_cores, MOST_ON_CPU)
    return resources.workers or len(resources.visible) or several


def n_cores() -> int:
    """Processors that this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


@dataclass
class Processes:
    """See `auditor.running.executors.scheduling.Pool`."""

    content: bytes
    """The factory, pickled."""
    environments: Sequence[Mapping[str, str]]
    """Of each slot."""
    _workers: dict[int, tuple[SpawnProcess, Connection]] = field(default_factory=dict)

    @property
    def size(self) -> int:
        """How many there may be at a time."""
        return len(self.environments)

    def start(self, slot: int) -> None:
        """Spawns a process."""
        here, there = Pipe()
        with _within(self.environments[slot]):
            process = _SPAWN.Process(target=_work, args=(there, self.content), daemon=True)
            process.start()
        there.close()
        self._workers[slot] = process, here

    def submit(self, slot: int, shard: Shard) -> None:
        """Sends a shard; a process that has ended is noticed later."""
        with suppress(OSError):
            self._workers[slot][1].send(shard)

    def receive(self, seconds: float) -> Iterator[tuple[int, Message]]:
        """What stands in the pipes; a pipe that is closed is a lost worker."""
        slots = {connection: slot for slot, (_, connection) in self._workers.items()}
        for connection in wait(list(slots), seconds):
            slot = slots[connection]  # type: ignore[index]
            try:
                message: Message = self._workers[slot][1].recv()
            except (EOFError, OSError):
                message = Lost(self._ended(slot))
            yield slot, message

    def stop(self, slot: int) -> None:
        """Kills a process."""
        process, connection = self._workers.pop(slot)
        process.kill()
        process.join()
        connection.close()

    def close(self) -> None:
        """Ends all processes."""
        for _, connection in self._workers.values():
            with suppress(OSError):
                connection.send(None)
        for slot, (process, _) in list(self._workers.items()):
            process.join(0 if sys.exc_info()[0] else PATIENCE)
            self.stop(slot)

    def unplaced(self) -> tuple[int, ...]:
        """None: a process waits for no other."""
        return ()

    def room(self) -> str:
        """What there is."""
        return f"{n_cores()} processors"

    def _ended(self, slot: int) -> str:
        """How a process ended whose pipe is closed."""
        process, _ = self._workers[slot]
        process.join(PATIENCE)
        code = process.exitcode
        self.stop(slot)
        if code is not None and code < 0:
            return f"was killed by {signal.Signals(-code).name}"
        return f"ended with exit code {code}"


def _environment(resources: Resources, slot: int, size: int) -> dict[str, str]:
    if resources.visible:
        return {"CUDA_VISIBLE_DEVICES": resources.visible[slot % len(resources.visible)]}
    if resources.uses_gpu or "OMP_NUM_THREADS" in os.environ:
        return {}
    return dict.fromkeys(_THREADS, str(max(1, n_cores() // size)))


@contextmanager
def _within(environment: Mapping[str, str]) -> Iterator[None]:
    """Sets variables of the environment, which a process that is started within the block has from its beginning."""
    before = {name: os.environ.get(name) for name in environment}
    os.environ.update(environment)
    try:
        yield
    finally:
        for name, value in before.items():
            if value is None:
                del os.environ[name]
            else:
                os.environ[name] = value


def _work(connection: Connection, content: bytes) -> None:
    """The life of a worker."""
    for name in _SIGNALS:
        signal.signal(getattr(signal, name), signal.SIG_IGN)
    threading.Thread(target=_end_with_parent, daemon=True).start()
    worker = made(lambda: pickle.loads(content)(), connection.send)
    if isinstance(worker, Raised):
        connection.send(worker)
        return
    connection.send(Ready())
    for shard in iter(connection.recv, None):
        connection.send(done(worker, shard))


def _end_with_parent() -> None:
    """Ends this process with the one that started it, also in the midst of a shard: another may be at it by then."""
    parent = multiprocessing.parent_process()
    if parent is not None:
        wait([parent.sentinel])
        os._exit(1)
