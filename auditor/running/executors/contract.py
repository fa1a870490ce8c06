"""What an executor is: an engine that gives shards of documents to workers and says of each how it went.

A worker is made where it runs, once, by a factory: it loads the model, then takes shard after shard, writes the rows of
each into the run folder itself, and returns a small receipt. So a killed engine loses one shard, and resuming is the
same command again. Factory, shards and receipts can be pickled: a worker may run in another process, or elsewhere.

Third parties register theirs by the entry point `auditor.executors`; `run.executor` in a configuration names one. What
engines have in common whose workers are elsewhere is in `auditor.running.executors.scheduling`.
"""

from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import ClassVar, Protocol, Self, runtime_checkable

from auditor.records.types import Failure


@dataclass(frozen=True, slots=True)
class AtWork:
    """What a worker is about to do."""

    probe: str
    document_ids: tuple[str, ...] = ()
    """The documents that it measures now; none while it prepares, reads or writes."""


@dataclass(frozen=True, slots=True)
class Fatal:
    """A document that no worker survives when this probe measures it."""

    probe: str
    document_id: str
    reason: str


@dataclass(frozen=True, slots=True)
class Group:
    """Documents that a probe is to measure by themselves, to find those that no worker survives."""

    probe: str
    document_ids: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Shard:
    """Documents `start` to `stop` of the corpus; batches never cross its borders."""

    index: int
    start: int
    stop: int
    is_repeated: bool = False
    """Whether a worker was lost that had begun it, and with it the receipt."""
    groups: tuple[Group, ...] = ()
    """In this order; what a probe is given besides, it measures together."""
    fatal: tuple[Fatal, ...] = ()
    """Documents that are not to be measured."""


@dataclass(slots=True)
class Receipt:
    """What a worker did for one shard; the rows themselves are in the run folder."""

    work: Counter[str] = field(default_factory=Counter)
    """How much the models computed, by what is counted; see `auditor.models.computing.batching.Batcher`."""
    asked: dict[str, int] = field(default_factory=dict)
    """Probe → documents of the shard that it was given, also those that were measured before."""
    failures: dict[str, tuple[Failure, ...]] = field(default_factory=dict)
    """Probe → those among the rows that this worker wrote, or one that was lost before it could say so."""
    batch_tokens: dict[str, int] = field(default_factory=dict)
    """Model → tokens per batch that it came down to, where the device ran out of memory."""

    def add_work(self, other: "Receipt") -> None:
        """Makes it that of other shards too, as far as the work goes."""
        self.work.update(other.work)
        for model, n in other.batch_tokens.items():
            self.batch_tokens[model] = min(n, self.batch_tokens.get(model, n))

    def as_facts(self) -> dict[str, dict[str, int]]:
        """Work, and the smallest batches where there was no room for others; for the manifest."""
        return {"work": dict(self.work)} | ({"batch_tokens": self.batch_tokens} if self.batch_tokens else {})


@dataclass(frozen=True, slots=True)
class Outcome:
    """How one shard went: with a receipt, or with the error that its last attempt raised."""

    shard: Shard
    receipt: Receipt | None = None
    error: Exception | None = None
    notes: tuple[str, ...] = ()
    """What went wrong on the way, a line each."""


Worker = Callable[[Shard], Receipt]
"""Does one shard; asked once more about the same one, it does what is missing."""
WorkerFactory = Callable[[], Worker]
"""Makes a worker where it is called."""
Announce = Callable[[AtWork], None]
"""Hears what a worker is about to do, before it is done."""
Notify = Callable[[str], None]
"""Tells people something that is worth a line."""


def no_notice(_: str) -> None:
    """Tells nobody."""


@runtime_checkable
class Separable(Protocol):
    """A factory whose workers use something that one machine alone can have."""

    def on_several_machines(self) -> WorkerFactory:
        """One whose workers do without it."""
        ...


@runtime_checkable
class Announces(Protocol):
    """A worker that says what it is about to do; so that it is known what it did not survive."""

    announce: Announce


@dataclass(frozen=True, slots=True)
class Resources:
    """What an engine may use."""

    workers: int | None
    """How many; None for one on each device, or what the processors are good for."""
    visible: tuple[str, ...]
    """The devices of this machine, as CUDA_VISIBLE_DEVICES names them, to be dealt out to workers; empty where there is
    nothing to deal out."""
    uses_gpu: bool
    """Whether models are on one."""
    timeout: float
    """Seconds in which a worker that is at work must report, and one of those that wait for room must get it."""
    say: Notify = no_notice
    """Told what is waited for."""


@runtime_checkable
class Equipped(Protocol):
    """An executor that is told what it may use, after it was built."""

    def equipped(self, resources: Resources) -> Self:
        """The same with these resources.

        Raises:
            AuditorError: It cannot run here.
        """
        ...


class Executor(Protocol):
    """An engine that runs workers; it is built without arguments."""

    in_process: ClassVar[bool]
    """Whether its workers run in this process, one at a time, where they can tell how far they are within a shard."""

    def map(
        self, factory: WorkerFactory, shards: Sequence[Shard], *, retries: int, stop: Callable[[], bool]
    ) -> Iterator[Outcome]:
        """Run every shard; outcomes come in no particular order, one per shard that was begun.

        Args:
            factory: Makes a worker. Not called if there is nothing to do. What it raises is raised here: no shard could
                be measured without a worker.
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
