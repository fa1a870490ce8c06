"""An actor of Ray Core for each device, on one machine or many: the engine for a cluster.

RAY_ADDRESS is honoured, then a cluster that `ray start` began on this machine; without either one is begun here and
ended again. An actor asks for one GPU where models are on GPUs, else for half a processor, and actors are spread over
the machines. It loads the weights once. The folder in which the audit was started, the one of the runs, the models and
the corpus must have the same paths on all machines; actors work in that folder.

What an actor is about to do it reports to another, which outlives it, and goes on when that has it: an actor or a
machine that is lost reports nothing any more. Ray restarts nothing by itself here: `scheduling` does, as for processes.
Until there is room for an actor it reports nothing at all: by that it is known which wait for room.
"""

import os
import socket
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from importlib.util import find_spec
from pathlib import Path
from typing import Any, ClassVar, Final, Self

from auditor.errors import InstallationError, StoreError, one_line
from auditor.running.executors.contract import AtWork, Outcome, Resources, Separable, Shard, Worker, WorkerFactory
from auditor.running.executors.local import ALONE, default_workers
from auditor.running.executors.scheduling import Lost, Message, Raised, Ready, schedule
from auditor.running.executors.working import done, made

CURE: Final = "pip install 'auditor[ray]'"
CPUS: Final = 0.5
"""Of an actor without a GPU, for Ray to count: it uses what the machine has."""


@dataclass(frozen=True, slots=True)
class RayExecutor:
    """See `auditor.running.executors.contract`. Outcomes come as shards are done."""

    in_process: ClassVar[bool] = False
    resources: Resources = ALONE

    def equipped(self, resources: Resources) -> Self:
        """See `auditor.running.executors.contract.Equipped`."""
        if find_spec("ray") is None:
            raise InstallationError(f'run.executor = "ray" needs the package ray: {CURE}')
        return type(self)(resources)

    def map(
        self, factory: WorkerFactory, shards: Sequence[Shard], *, retries: int, stop: Callable[[], bool]
    ) -> Iterator[Outcome]:
        """See `auditor.running.executors.contract.Executor`."""
        import ray

        if not shards or stop():
            return
        is_ours = not ray.is_initialized()
        if is_ours:
            _init()
        try:
            if isinstance(factory, Separable) and sum(node["Alive"] for node in ray.nodes()) > 1:
                factory = factory.on_several_machines()
            actors = Actors(self._size(ray.cluster_resources()), ray.put(factory), uses_gpu=self.resources.uses_gpu)
            yield from schedule(actors, shards, retries=retries, stop=stop, resources=self.resources)
        finally:
            if is_ours:
                ray.shutdown()

    def _size(self, cluster: dict[str, float]) -> int:
        if self.resources.uses_gpu:
            return self.resources.workers or max(1, int(cluster.get("GPU", 0)))
        return default_workers(self.resources, int(cluster.get("CPU", 1)))


def _init() -> None:
    import ray

    try:
        ray.init(include_dashboard=False, log_to_driver=False, logging_level="warning")
    except (ConnectionError, RuntimeError, ValueError) as error:
        where = os.environ.get("RAY_ADDRESS")
        raise InstallationError(
            f"{f'RAY_ADDRESS={where}' if where else 'ray'}: no cluster can be reached or begun: {one_line(error)}"
        ) from error


class LastReports:
    """What each actor reported last, with how often it reported; that it has room is its first report."""

    def __init__(self) -> None:
        self.by_actor: dict[int, tuple[int, AtWork | None]] = {}

    def put(self, number: int, at: AtWork | None) -> None:
        """Replaces the report before."""
        self.by_actor[number] = self.by_actor.get(number, (0, at))[0] + 1, at

    def read(self) -> dict[int, tuple[int, AtWork | None]]:
        """All of it."""
        return self.by_actor


class Actor:
    """The worker's end; `reports` is the handle of the actor with `LastReports`."""

    def __init__(self, factory: WorkerFactory, reports: Any, number: int, folder: str) -> None:
        import ray

        reports.put.remote(number, None)

        def make() -> Worker:
            try:
                os.chdir(folder)
            except OSError as error:
                host = socket.gethostname()
                raise StoreError(f"{folder}: is not on {host}; start the audit in a folder that all share") from error
            return factory()

        self.worker = made(make, lambda at: ray.get(reports.put.remote(number, at)))

    def begin(self) -> Message:
        """Whether there is a worker."""
        return self.worker if isinstance(self.worker, Raised) else Ready()

    def do(self, shard: Shard) -> Message:
        """The receipt of a shard, or what its worker raised."""
        return self.worker if isinstance(self.worker, Raised) else done(self.worker, shard)


@dataclass
class Actors:
    """See `auditor.running.executors.scheduling.Pool`."""

    size: int
    factory: Any
    """A reference to the factory, which Ray sends to every machine once."""
    uses_gpu: bool
    _reports: Any = None
    _n_reports: dict[int, int] = field(default_factory=dict)
    """Number of an actor → how often it has reported."""
    _numbers: dict[int, int] = field(default_factory=dict)
    """Slot → number of its actor: of all that ever were, so that none is taken for one that had its slot before."""
    _started: int = 0
    _actors: dict[int, Any] = field(default_factory=dict)
    _answers: dict[Any, int] = field(default_factory=dict)
    """Reference of what is to come → slot."""

    def __post_init__(self) -> None:
        import ray
        from ray.util.scheduling_strategies import NodeAffinitySchedulingStrategy

        here = NodeAffinitySchedulingStrategy(ray.get_runtime_context().get_node_id(), soft=False)
        self._reports = ray.remote(num_cpus=0, scheduling_strategy=here)(LastReports).remote()

    def start(self, slot: int) -> None:
        """Asks Ray for an actor; it reports when there is room for it."""
        import ray

        needs: dict[str, float] = {"num_gpus": 1, "num_cpus": 0} if self.uses_gpu else {"num_cpus": CPUS}
        kind = ray.remote(max_restarts=0, max_task_retries=0, scheduling_strategy="SPREAD", **needs)(Actor)
        self._started += 1
        self._numbers[slot] = self._started
        self._actors[slot] = kind.remote(self.factory, self._reports, self._started, str(Path.cwd()))
        self._answers[self._actors[slot].begin.remote()] = slot

    def submit(self, slot: int, shard: Shard) -> None:
        """Sends a shard."""
        self._answers[self._actors[slot].do.remote(shard)] = slot

    def receive(self, seconds: float) -> Iterator[tuple[int, Message]]:
        """Reports, then what is done; an answer that fails is a lost actor."""
        import ray

        if not self._answers:
            time.sleep(seconds)
            return
        ready, _ = ray.wait(list(self._answers), num_returns=1, timeout=seconds)
        yield from self._new(ray.get(self._reports.read.remote()))
        for answer in ready:
            slot = self._answers.pop(answer)
            try:
                message: Message = ray.get(answer)
            except ray.exceptions.RayError as error:
                self.stop(slot)
                message = Lost(_ended(error))
            yield slot, message

    def _new(self, reports: dict[int, tuple[int, AtWork | None]]) -> Iterator[tuple[int, AtWork]]:
        for slot, number in list(self._numbers.items()):
            n, at = reports.get(number, (0, None))
            if n != self._n_reports.get(number, 0):
                self._n_reports[number] = n
                if at is not None:
                    yield slot, at

    def unplaced(self) -> list[int]:
        """Slots of actors that have not reported yet."""
        return [slot for slot in self._actors if not self._n_reports.get(self._numbers[slot], 0)]

    def room(self) -> str:
        """What actors ask for, and what the cluster has."""
        import ray

        kind, needs = ("GPU", 1.0) if self.uses_gpu else ("CPU", CPUS)
        there, free = (of.get(kind, 0.0) for of in (ray.cluster_resources(), ray.available_resources()))
        workers = f"{self.size} worker{'s' * (self.size > 1)} ask{'s' * (self.size == 1)}"
        return f"{workers} for {needs:g} {kind} each; the cluster has {there:g} {kind}, {free:g} free"

    def stop(self, slot: int) -> None:
        """Kills an actor."""
        import ray

        self._answers = {answer: one for answer, one in self._answers.items() if one != slot}
        ray.kill(self._actors.pop(slot), no_restart=True)

    def close(self) -> None:
        """Ends all actors."""
        import ray

        for slot in list(self._actors):
            self.stop(slot)
        ray.kill(self._reports, no_restart=True)


def _ended(error: Exception) -> str:
    """How an actor was lost, without numbers of processes or machines."""
    name = type(error).__name__
    reasons = {"NodeDiedError": "was lost with its machine", "OutOfMemoryError": "was killed for want of memory"}
    cause = str(error).strip().rpartition("\n")[2] if "creation task" in str(error) else name
    return reasons.get(name, f"was lost ({cause})")
