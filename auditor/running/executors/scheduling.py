"""Which shard goes to which worker, and what follows where a worker is lost: for engines whose workers are elsewhere.

A worker has one shard at a time; it is given the next within a millisecond, where a shard takes seconds, so that a
queue of its own would save nothing, and what was lost with a worker is always known. What is in common is here; an
engine brings a `Crew`, which starts workers, sends them shards and says what they answer.

A worker says what it is about to do before it does it. If it then dies, or is not heard for too long, another takes its
seat and the shard is tried again, `retries` times. The next attempt has the probe that was at work measure one document
at a time: the document on which that worker is lost becomes a `Failure`, and the rest of the shard is measured. So a
document is found by one loss more, where halving would take log2(n), each of which loads the weights again; and the
rows of the others depend on the shard and on that document alone.

A lost worker that measured nothing convicts nobody: after `retries` more the shard is given up with an error.
"""

import time
from collections import Counter, deque
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from typing import Final, Protocol

from auditor.errors import AuditorError, InterruptedRunError
from auditor.running.executors.contract import AtWork, Fatal, Outcome, Receipt, Shard

TICK: Final = 0.2
"""Seconds after which it is asked again whether to stop, and who is not heard."""


@dataclass(frozen=True, slots=True)
class Ready:
    """A worker waits for its first shard."""


@dataclass(frozen=True, slots=True)
class Raised:
    """A shard ended with an error, or the worker could not be made."""

    error: Exception


@dataclass(frozen=True, slots=True)
class Lost:
    """A worker is no more."""

    reason: str
    """Behind "the worker": "was killed by SIGKILL"."""


News = Ready | AtWork | Receipt | Raised | Lost


class Crew(Protocol):
    """Workers elsewhere, each in a seat: 0 to `size` - 1."""

    @property
    def size(self) -> int:
        """How many there may be at a time."""
        ...

    def hire(self, seat: int) -> None:
        """Starts a worker in an empty seat; it is heard when it is ready."""
        ...

    def give(self, seat: int, shard: Shard) -> None:
        """Sends a shard to a worker that is ready; returns at once."""
        ...

    def hear(self, seconds: float) -> Iterator[tuple[int, News]]:
        """What workers say, by seat; waits so long where nobody says anything."""
        ...

    def dismiss(self, seat: int) -> None:
        """Kills a worker, who is not heard any more."""
        ...

    def close(self) -> None:
        """Ends all workers: those that do nothing are asked to, others are killed."""
        ...


@dataclass
class _Seat:
    """Who sits here, and since when he was not heard."""

    heard: float
    is_ready: bool = False
    shard: Shard | None = None
    at: AtWork | None = None


@dataclass
class Schedule:
    """Gives shards to the workers of a crew until all are done."""

    crew: Crew
    waiting: deque[Shard]
    retries: int
    stop: Callable[[], bool]
    timeout: float
    _seats: dict[int, _Seat] = field(default_factory=dict)
    _losses: dict[int, Counter[str]] = field(default_factory=dict)
    _errors: Counter[int] = field(default_factory=Counter)
    _notes: dict[int, list[str]] = field(default_factory=dict)
    _failed_starts: int = 0

    def run(self) -> Iterator[Outcome]:
        """The outcomes, in the order in which they come.

        Raises:
            InterruptedRunError: Workers are lost before they are ready.
            Exception: What kept a worker from being made.
        """
        try:
            while self._seat() or self._is_at_work:
                for seat, news in self.crew.hear(TICK):
                    yield from self._hear(seat, news)
                for seat in self._silent():
                    self.crew.dismiss(seat)
                    yield from self._lose(seat, f"gave no answer within {self.timeout:g} s")
        finally:
            self.crew.close()

    def _seat(self) -> bool:
        """Hires for, and gives, what waits; returns whether anything does."""
        if not self.waiting or self.stop():
            return False
        for seat, sitting in self._seats.items():
            if sitting.is_ready and sitting.shard is None and self.waiting:
                sitting.shard, sitting.at, sitting.heard = self.waiting.popleft(), None, time.monotonic()
                self.crew.give(seat, sitting.shard)
        free = sum(sitting.shard is None for sitting in self._seats.values())
        empty = [seat for seat in range(self.crew.size) if seat not in self._seats]
        for seat in empty[: max(0, len(self.waiting) - free)]:
            self._seats[seat] = _Seat(time.monotonic())
            self.crew.hire(seat)
        return True

    @property
    def _is_at_work(self) -> bool:
        return any(sitting.shard for sitting in self._seats.values())

    def _silent(self) -> list[int]:
        """Seats that were given something to do and were not heard since."""
        long_ago = time.monotonic() - self.timeout
        busy = ((seat, one) for seat, one in self._seats.items() if one.shard or not one.is_ready)
        return [seat for seat, one in busy if one.heard < long_ago]

    def _hear(self, seat: int, news: News) -> Iterator[Outcome]:
        sitting = self._seats.get(seat)
        if sitting is None:
            return
        sitting.heard = time.monotonic()
        if isinstance(news, AtWork):
            sitting.at = news if news.document_ids else None
        elif isinstance(news, Ready):
            sitting.is_ready, self._failed_starts = True, 0
        elif isinstance(news, Lost):
            yield from self._lose(seat, news.reason)
        elif sitting.shard is None:
            if isinstance(news, Raised):
                raise news.error
        else:
            shard, sitting.shard = sitting.shard, None
            yield from self._answered(shard, news)

    def _answered(self, shard: Shard, news: Receipt | Raised) -> Iterator[Outcome]:
        if isinstance(news, Receipt):
            yield self._outcome(shard, receipt=news)
            return
        self._errors[shard.index] += 1
        if isinstance(news.error, AuditorError) or self._errors[shard.index] > self.retries:
            yield self._outcome(shard, error=news.error)
        else:
            self.waiting.appendleft(replace(shard, is_repeated=True))

    def _lose(self, seat: int, reason: str) -> Iterator[Outcome]:
        """An empty seat; what its worker did is to be done again, or known to be fatal."""
        sitting = self._seats.pop(seat)
        if sitting.shard is None:
            self._failed_starts += not sitting.is_ready
            if self._failed_starts > self.retries + self.crew.size:
                raise InterruptedRunError(f"a worker {reason} before it could begin, again and again; nothing is lost")
            return
        shard, losses = sitting.shard, self._losses.setdefault(sitting.shard.index, Counter())
        probe = sitting.at.probe if sitting.at else ""
        losses[probe] += 1
        self._notes.setdefault(shard.index, []).append(_told(shard, sitting.at, reason))
        if losses[probe] > self.retries and sitting.at is None:
            times = f"{losses[probe]} times before it measured a document"
            text = f"shard {shard.index}: the worker {reason}, {times}; nothing is lost: the same command tries again"
            yield self._outcome(shard, error=InterruptedRunError(text))
            return
        if losses[probe] > self.retries and sitting.at is not None:
            shard = _blamed(shard, sitting.at, reason)
        self.waiting.appendleft(replace(shard, is_repeated=True))

    def _outcome(self, shard: Shard, receipt: Receipt | None = None, error: Exception | None = None) -> Outcome:
        return Outcome(shard, receipt, error, tuple(self._notes.pop(shard.index, ())))


def schedule(
    crew: Crew, shards: Sequence[Shard], *, retries: int, stop: Callable[[], bool], timeout: float
) -> Iterator[Outcome]:
    """The outcomes of all shards; see `auditor.running.executors.contract.Executor.map`.

    Args:
        crew: The workers; closed at the end, whatever ends it.
        shards: What to do.
        retries: How often a shard is tried again whose worker was lost, or raised an error.
        stop: Asked before every shard; once true, those at work are finished.
        timeout: Seconds in which a worker that is at work must be heard.
    """
    return Schedule(crew, deque(shards), retries, stop, timeout).run()


def _blamed(shard: Shard, at: AtWork, reason: str) -> Shard:
    """The shard with the one document that was at work as fatal; or with its probe to measure one at a time."""
    if len(at.document_ids) > 1:
        return replace(shard, singly=shard.singly | {at.probe})
    (document_id,) = at.document_ids
    fatal = Fatal(at.probe, document_id, f"the worker that measured it, and nothing else, {reason}")
    return replace(shard, fatal=(*shard.fatal, fatal))


def _told(shard: Shard, at: AtWork | None, reason: str) -> str:
    n = len(at.document_ids) if at else 0
    what = f" at {n} document{'s' * (n > 1)} of {at.probe}" if at else ""
    return f"shard {shard.index}: the worker {reason}{what}; it was replaced"
