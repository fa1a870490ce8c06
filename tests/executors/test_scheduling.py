"""Who is submitted what, and what follows from losses, with workers that are objects of this process."""

import random
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any

import pytest

from auditor.errors import DeviceLostError, DiskError, InterruptedRunError
from auditor.running.executors import scheduling
from auditor.running.executors.contract import Outcome, Receipt, Resources, Shard, cut, no_notice
from auditor.running.executors.scheduling import Lost, Message, Raised, Ready, schedule
from tests.executors.faulty import PROBE, Faulty


class ProcessEndError(BaseException):
    """Stands for the end of a process."""


class HangError(BaseException):
    """Stands for a process that does nothing any more."""


class InProcess(Faulty):
    def _meet(self, name: str) -> None:
        match self.faults.get(name, "").split():
            case ["kill"]:
                raise ProcessEndError("was killed by SIGKILL")
            case ["kill", n]:
                self.faults[name] = f"kill {int(n) - 1}" if n != "1" else ""
                raise ProcessEndError("was killed by SIGKILL")
            case ["together", *others]:
                if len(self.at) > len(others):
                    raise ProcessEndError("was killed by SIGKILL")
            case ["hang"]:
                raise HangError
            case ["device"]:
                raise DeviceLostError("the process lost its device (CUDA error: device-side assert triggered)")
            case ["raise", *_]:
                raise RuntimeError(name)
            case ["full"]:
                raise DiskError("full")


@dataclass
class FakePool:
    """Workers that are objects; each answers at once, and one that hangs says nothing."""

    faults: dict[str, str]
    size: int = 2
    failing_starts: int = 0
    """How many workers end before they are ready."""
    submitted: list[tuple[int, Shard]] = field(default_factory=list)
    started: list[int] = field(default_factory=list)
    stopped: list[int] = field(default_factory=list)
    is_closed: bool = False
    full_for: int = 0
    """How often it is asked before there is room."""
    _messages: list[tuple[int, Message]] = field(default_factory=list)

    def start(self, slot: int) -> None:
        self.started.append(slot)
        if self.failing_starts:
            self.failing_starts -= 1
            self._messages.append((slot, Lost("ended with exit code 1")))
        else:
            self._messages.append((slot, Ready()))

    def submit(self, slot: int, shard: Shard) -> None:
        self.submitted.append((slot, shard))
        worker = InProcess(self.faults)
        worker.announce = lambda at: self._messages.append((slot, at))
        names = {f"d{i}" for i in range(shard.start, shard.stop)}
        if any(self.faults.get(name) == "early" for name in names):
            self._messages.append((slot, Lost("was killed by SIGKILL")))
            return
        try:
            answer: Any = worker(shard)
        except HangError:
            return
        except ProcessEndError as end:
            answer = Lost(str(end))
        except Exception as error:
            answer = Raised(error)
        self._messages.append((slot, answer))

    def receive(self, seconds: float) -> Iterator[tuple[int, Message]]:  # noqa: ARG002
        if self.full_for > 0:
            return
        messages, self._messages = self._messages, []
        yield from messages

    def stop(self, slot: int) -> None:
        self.stopped.append(slot)

    def close(self) -> None:
        self.is_closed = True

    def unplaced(self) -> list[int]:
        self.full_for -= 1
        return self.started if self.full_for > 0 else []

    def room(self) -> str:
        return "2 workers ask for 1 GPU each; the cluster has 8 GPU, 0 free"


def run(pool: FakePool, n: int = 12, size: int = 4, **how: Any) -> dict[int, Outcome]:
    how = {"retries": 1, "stop": lambda: False, "resources": within(60.0), **how}
    return {one.shard.index: one for one in schedule(pool, cut(n, size), **how)}


def within(seconds: float, say: Callable[[str], None] = no_notice) -> Resources:
    return Resources(workers=None, visible=(), uses_gpu=False, timeout=seconds, say=say)


def failed(outcome: Outcome) -> list[str]:
    assert outcome.receipt is not None
    return [row.document_id for row in outcome.receipt.failures[PROBE]]


def attempts(pool: FakePool, index: int) -> list[Shard]:
    return [shard for _, shard in pool.submitted if shard.index == index]


def test_every_shard_has_one_outcome_and_no_more_are_started_than_shards():
    pool = FakePool({}, size=8)
    assert sorted(run(pool)) == [0, 1, 2]
    assert sorted(pool.started) == [0, 1, 2]
    assert pool.is_closed


def test_a_worker_lost_once_says_nothing_of_documents_and_its_shard_is_measured_as_ever():
    pool = FakePool({"d5": "kill 1"})
    outcomes = run(pool)
    assert all(failed(one) == [] for one in outcomes.values())
    first, second = attempts(pool, 1)
    assert (first.is_repeated, second.is_repeated, second.groups) == (False, True, ())
    assert outcomes[1].notes == ("shard 1: the worker was killed by SIGKILL at 4 documents of probe; it was replaced",)


@pytest.mark.parametrize("fatal", [{"d5"}, {"d4", "d7"}, {"d4", "d5", "d6", "d7"}, {"d0", "d11"}])
def test_documents_that_no_worker_survives_are_found_and_the_others_measured(fatal):
    pool = FakePool(dict.fromkeys(fatal, "kill"))
    outcomes = run(pool)
    assert {name for one in outcomes.values() for name in failed(one)} == fatal
    assert len(outcomes) == 3
    assert len(pool.started) <= len(pool.submitted) - len(outcomes) + 2, "only who was lost is replaced"


@pytest.mark.parametrize("n", [1, 2, 3, 4, 5, 16, 25, 100, 500])
def test_each_document_is_found_by_three_losses_at_most_and_two_retries_whatever_the_size_of_the_shard(n):
    draw = random.Random(n)
    for fatal in (1, 2, 3, 7):
        names = {f"d{i}" for i in draw.sample(range(n), min(fatal, n))}
        pool = FakePool(dict.fromkeys(names, "kill"), size=1)
        (outcome,) = run(pool, n=n, size=n).values()
        assert {*failed(outcome)} == names
        losses = len(pool.submitted) - 1
        assert len(names) + 1 <= losses <= 1 + 3 * len(names)
        assert pool.submitted[-1][1].groups == (), "the others are measured together, as a whole shard is"
        assert len(pool.started) == losses + 1, "so often the weights were loaded"


def test_documents_that_only_together_are_too_much_are_measured_in_groups():
    pool = FakePool({"d3": "together " + "x " * 6}, size=1)
    (outcome,) = run(pool, n=25, size=25).values()
    assert failed(outcome) == []
    *lost, last = pool.submitted
    assert len(lost) == 2
    assert [len(group.document_ids) for group in last[1].groups] == [5] * 5


def test_a_worker_lost_by_chance_while_a_document_is_looked_for_fails_no_other():
    pool = FakePool({"d3": "kill", "d9": "kill 1"}, size=1)
    (outcome,) = run(pool, n=25, size=25).values()
    assert failed(outcome) == ["d3"]


def test_a_worker_that_lost_its_device_is_replaced_and_the_document_found():
    pool = FakePool({"d6": "device"})
    outcomes = run(pool)
    (fatal,) = outcomes[1].receipt.failures[PROBE]
    assert fatal.document_id == "d6"
    assert fatal.message == (
        "the worker that measured it, and nothing else, failed: the process lost its device "
        "(CUDA error: device-side assert triggered)"
    )
    assert len(pool.stopped) == 4, "of each that failed its process is ended"
    assert failed(outcomes[0]) == failed(outcomes[2]) == []


def test_what_all_workers_wait_for_is_said_once_and_the_run_goes_on_when_there_is_room(monkeypatch):
    monkeypatch.setattr(scheduling, "PATIENCE", -1.0)
    said: list[str] = []
    assert len(run(FakePool({}, full_for=5), resources=within(60.0, said.append))) == 3
    assert said == ["no worker could begin yet: 2 workers ask for 1 GPU each; the cluster has 8 GPU, 0 free"]


def test_where_there_is_never_room_the_run_ends_with_what_was_asked_for_and_what_there_is():
    pool, said = FakePool({}, full_for=10**9), []
    with pytest.raises(InterruptedRunError, match=r"within 0.02 s: 2 workers ask for 1 GPU each; the cluster has 8"):
        run(pool, resources=within(0.02, said.append))
    assert pool.is_closed
    assert said == []


def test_a_shard_of_one_document_needs_no_further_proof():
    pool = FakePool({"d1": "kill"})
    outcomes = run(pool, n=3, size=1)
    assert failed(outcomes[1]) == ["d1"]
    assert len(attempts(pool, 1)) == 3


def test_a_reason_names_how_it_ended_and_the_row_says_it():
    (fatal,) = run(FakePool({"d1": "kill"}))[0].receipt.failures[PROBE]
    assert fatal.message == "the worker that measured it, and nothing else, was killed by SIGKILL"


def test_a_document_on_which_a_worker_hangs_is_found_too(monkeypatch):
    monkeypatch.setattr(scheduling, "TICK", 0.0)
    pool = FakePool({"d6": "hang"})
    outcomes = run(pool, resources=within(0.02))
    assert failed(outcomes[1]) == ["d6"]
    assert len(pool.stopped) == 4
    assert "gave no answer within 0.02 s at 1 document of probe" in outcomes[1].notes[-1]


def test_losses_before_anything_is_measured_say_nothing_of_documents_and_end_in_an_error():
    outcomes = run(FakePool({"d1": "early"}))
    assert isinstance(outcomes[0].error, InterruptedRunError)
    assert "2 times before it measured a document" in str(outcomes[0].error)
    assert outcomes[1].error is outcomes[2].error is None


@pytest.mark.parametrize(("retries", "n"), [(0, 1), (1, 2), (3, 4)])
def test_an_error_is_tried_again_as_often_as_allowed(retries, n):
    pool = FakePool({"d1": "raise"})
    outcomes = run(pool, retries=retries)
    assert isinstance(outcomes[0].error, RuntimeError)
    assert len(attempts(pool, 0)) == n
    assert len(pool.started) == 2, "a worker that raises an error goes on"


def test_what_the_user_must_mend_is_not_tried_again():
    pool = FakePool({"d1": "full"})
    assert isinstance(run(pool, retries=5)[0].error, DiskError)
    assert len(attempts(pool, 0)) == 1


def test_workers_that_never_begin_end_the_run():
    with pytest.raises(InterruptedRunError, match="ended with exit code 1 before it could begin, again and again"):
        run(FakePool({}, failing_starts=99))
    assert len(run(FakePool({}, failing_starts=2))) == 3


def test_after_stop_what_is_at_work_is_finished_and_nothing_else_begun():
    pool = FakePool({})
    outcomes = run(pool, n=40, stop=lambda: len(pool.submitted) >= 2)
    assert sorted(outcomes) == [0, 1]
    assert pool.is_closed


def test_nothing_is_started_for_nothing():
    pool = FakePool({})
    assert run(pool, n=0) == {}
    assert run(pool, stop=lambda: True) == {}
    assert pool.started == []


def test_a_caller_that_goes_away_closes_the_pool():
    pool = FakePool({})
    outcomes = schedule(pool, cut(12, 4), retries=0, stop=lambda: False, resources=within(9.0))
    assert isinstance(next(outcomes), Outcome)
    outcomes.close()
    assert pool.is_closed


def test_why_a_worker_cannot_be_made_is_raised():
    class Unmade(FakePool):
        def start(self, slot: int) -> None:
            self._messages.append((slot, Raised(DiskError("no weights"))))

    with pytest.raises(DiskError, match="no weights"):
        run(Unmade({}))


def test_receipts_of_nobody_known_are_not_heard():
    class Late(FakePool):
        def receive(self, seconds: float) -> Iterator[tuple[int, Message]]:
            yield 7, Receipt()
            yield from super().receive(seconds)

    assert sorted(run(Late({}))) == [0, 1, 2]
