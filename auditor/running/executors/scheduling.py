"""Which shard goes to which worker, and what follows where a worker is lost: for engines whose workers are elsewhere.

A worker has one shard at a time; it is given the next within a millisecond, where a shard takes seconds, so that a
queue of its own would save nothing, and what was lost with a worker is always known. What is in common is here; an
engine brings a `Pool`, which starts workers, sends them shards and says what they answer.

A worker reports what it is about to do before it does it. If it then dies, loses its device, or reports nothing for too
long, another takes its slot and the shard is tried again, `retries` times. After that `narrowing` finds the document.

A worker that is lost before it measures anything says nothing of documents: after `retries` more the shard is given up
with an error. Workers that others leave no room for are waited for as long as one of them is ready, else until the
timeout; what they wait for is said after half a minute.
"""

import time
from collections import Counter, deque
from collections.abc import Callable, Collection, Iterator, Sequence
from dataclasses import dataclass, field, replace
from typing import Final, Protocol

from auditor.errors import AuditorError, DeviceLostError, InterruptedRunError
from auditor.running.executors.contract import AtWork, Outcome, Receipt, Resources, Shard
from auditor.running.executors.narrowing import narrowed

TICK: Final = 0.2
"""Seconds after which it is asked again whether to stop, and which workers are silent."""
PATIENCE: Final = 30.0
"""Seconds in which no worker has room and nothing is said of it."""


@dataclass(frozen=True, slots=True)
class Ready:
    """A worker waits for its first shard."""


@dataclass(frozen=True, slots=True)
class Raised:
    """A shard ended with an error, or the worker could not be made."""

    error: Exception


@dataclass(frozen=True, slots=True)
class Lost:
    """A worker has ended."""

    reason: str
    """Behind "the worker": "was killed by SIGKILL"."""


Message = Ready | AtWork | Receipt | Raised | Lost


class Pool(Protocol):
    """Workers elsewhere, each in a slot: 0 to `size` - 1."""

    @property
    def size(self) -> int:
        """How many there may be at a time."""
        ...

    def start(self, slot: int) -> None:
        """Starts a worker in an empty slot; it reports when it is ready."""
        ...

    def submit(self, slot: int, shard: Shard) -> None:
        """Sends a shard to a worker that is ready; returns at once."""
        ...

    def receive(self, seconds: float) -> Iterator[tuple[int, Message]]:
        """What workers report, by slot; waits so long where none does."""
        ...

    def stop(self, slot: int) -> None:
        """Kills a worker, of which no report is received any more."""
        ...

    def close(self) -> None:
        """Ends all workers: those that do nothing are asked to, others are killed."""
        ...

    def unplaced(self) -> Collection[int]:
        """Slots whose workers cannot begin before others leave them room."""
        ...

    def room(self) -> str:
        """What workers ask for, and what there is."""
        ...


@dataclass
class _Slot:
    """A worker, and when it reported last."""

    reported: float
    is_ready: bool = False
    shard: Shard | None = None
    at: AtWork | None = None


@dataclass
class Schedule:
    """Gives shards to the workers of a pool until all are done."""

    pool: Pool
    waiting: deque[Shard]
    retries: int
    stop: Callable[[], bool]
    resources: Resources
    _slots: dict[int, _Slot] = field(default_factory=dict)
    _losses: dict[int, Counter[str]] = field(default_factory=dict)
    _errors: Counter[int] = field(default_factory=Counter)
    _notes: dict[int, list[str]] = field(default_factory=dict)
    _failed_starts: int = 0
    _placed: float = field(default_factory=time.monotonic)
    """When a worker had room last, or there was none that could want it."""
    _is_said: bool = False

    def run(self) -> Iterator[Outcome]:
        """The outcomes, in the order in which they come.

        Raises:
            InterruptedRunError: Workers are lost before they are ready, or there is no room for any.
            Exception: What kept a worker from being made.
        """
        try:
            while self._submit() or self._is_at_work:
                for slot, message in self.pool.receive(TICK):
                    yield from self._receive(slot, message)
                for slot in self._silent():
                    self.pool.stop(slot)
                    yield from self._lose(slot, f"gave no answer within {self.resources.timeout:g} s")
        finally:
            self.pool.close()

    def _submit(self) -> bool:
        """Starts workers for, and submits, what waits; returns whether anything does."""
        if not self.waiting or self.stop():
            return False
        for number, slot in self._slots.items():
            if slot.is_ready and slot.shard is None and self.waiting:
                slot.shard, slot.at, slot.reported = self.waiting.popleft(), None, time.monotonic()
                self.pool.submit(number, slot.shard)
        free = sum(slot.shard is None for slot in self._slots.values())
        empty = [number for number in range(self.pool.size) if number not in self._slots]
        for number in empty[: max(0, len(self.waiting) - free)]:
            self._slots[number] = _Slot(time.monotonic())
            self.pool.start(number)
        return True

    @property
    def _is_at_work(self) -> bool:
        return any(slot.shard for slot in self._slots.values())

    def _silent(self) -> list[int]:
        """Slots of workers that have something to do and reported nothing within the timeout."""
        now = time.monotonic()
        unplaced = [number for number in self.pool.unplaced() if not self._slots[number].is_ready]
        for number in unplaced:
            self._slots[number].reported = now
        if len(unplaced) < len(self._slots):
            self._placed, self._is_said = now, False
        elif unplaced:
            self._wait(now - self._placed)
        busy = ((number, one) for number, one in self._slots.items() if one.shard or not one.is_ready)
        return [number for number, one in busy if one.reported < now - self.resources.timeout]

    def _wait(self, seconds: float) -> None:
        """Says what all workers wait for.

        Raises:
            InterruptedRunError: They have waited too long.
        """
        if seconds > self.resources.timeout:
            raise InterruptedRunError(
                f"no worker could begin within {self.resources.timeout:g} s: {self.pool.room()}; nothing is lost: the "
                "same command goes on when there is more, or with fewer --workers"
            )
        if seconds > PATIENCE and not self._is_said:
            self._is_said = True
            self.resources.say(f"no worker could begin yet: {self.pool.room()}")

    def _receive(self, number: int, message: Message) -> Iterator[Outcome]:
        slot = self._slots.get(number)
        if slot is None:
            return
        slot.reported = time.monotonic()
        if isinstance(message, AtWork):
            slot.at = message if message.document_ids else None
        elif isinstance(message, Ready):
            slot.is_ready, self._failed_starts = True, 0
        elif isinstance(message, Lost):
            yield from self._lose(number, message.reason)
        elif slot.shard is None:
            if isinstance(message, Raised):
                raise message.error
        elif isinstance(message, Raised) and isinstance(message.error, DeviceLostError):
            self.pool.stop(number)
            yield from self._lose(number, f"failed: {message.error}")
        else:
            shard, slot.shard = slot.shard, None
            yield from self._answered(shard, message)

    def _answered(self, shard: Shard, message: Receipt | Raised) -> Iterator[Outcome]:
        if isinstance(message, Receipt):
            yield self._outcome(shard, receipt=message)
            return
        self._errors[shard.index] += 1
        if isinstance(message.error, AuditorError) or self._errors[shard.index] > self.retries:
            yield self._outcome(shard, error=message.error)
        else:
            self.waiting.appendleft(replace(shard, is_repeated=True))

    def _lose(self, number: int, reason: str) -> Iterator[Outcome]:
        """An empty slot; what its worker did is to be done again, or known to be fatal."""
        slot = self._slots.pop(number)
        if slot.shard is None:
            self._failed_starts += not slot.is_ready
            if self._failed_starts > self.retries + self.pool.size:
                raise InterruptedRunError(f"a worker {reason} before it could begin, again and again; nothing is lost")
            return
        shard, losses = slot.shard, self._losses.setdefault(slot.shard.index, Counter())
        probe = slot.at.probe if slot.at else ""
        losses[probe] += 1
        self._notes.setdefault(shard.index, []).append(_told(shard, slot.at, reason))
        if losses[probe] > self.retries and slot.at is None:
            times = f"{losses[probe]} times before it measured a document"
            text = f"shard {shard.index}: the worker {reason}, {times}; nothing is lost: the same command tries again"
            yield self._outcome(shard, error=InterruptedRunError(text))
            return
        if losses[probe] > self.retries and slot.at is not None:
            shard = narrowed(shard, slot.at, reason)
        self.waiting.appendleft(replace(shard, is_repeated=True))

    def _outcome(self, shard: Shard, receipt: Receipt | None = None, error: Exception | None = None) -> Outcome:
        return Outcome(shard, receipt, error, tuple(self._notes.pop(shard.index, ())))


def schedule(
    pool: Pool, shards: Sequence[Shard], *, retries: int, stop: Callable[[], bool], resources: Resources
) -> Iterator[Outcome]:
    """The outcomes of all shards; see `auditor.running.executors.contract.Executor.map`.

    Args:
        pool: The workers; closed at the end, whatever ends it.
        shards: What to do.
        retries: How often a shard is tried again whose worker was lost, or raised an error.
        stop: Asked before every shard; once true, those at work are finished.
        resources: Seconds in which a worker that is at work must report, and who is told what is waited for.
    """
    return Schedule(pool, deque(shards), retries, stop, resources).run()


def _told(shard: Shard, at: AtWork | None, reason: str) -> str:
    n = len(at.document_ids) if at else 0
    what = f" at {n} document{'s' * (n > 1)} of {at.probe}" if at else ""
    return f"shard {shard.index}: the worker {reason}{what}; it was replaced"
