"""Who is given what, and what follows from losses, with workers that are objects of this process."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

import pytest

from auditor.errors import DiskError, InterruptedRunError
from auditor.running.executors import scheduling
from auditor.running.executors.contract import AtWork, Outcome, Receipt, Shard, cut
from auditor.running.executors.scheduling import Lost, News, Raised, Ready, schedule
from tests.executors.faulty import PROBE, Faulty


class GoneError(BaseException):
    """Stands for the end of a process."""


class Mortal(Faulty):
    def _meet(self, name: str) -> None:
        match self.faults.get(name, "").split():
            case ["kill"]:
                raise GoneError("was killed by SIGKILL")
            case ["kill", n]:
                self.faults[name] = f"kill {int(n) - 1}" if n != "1" else ""
                raise GoneError("was killed by SIGKILL")
            case ["raise", *_]:
                raise RuntimeError(name)
            case ["full"]:
                raise DiskError("full")


@dataclass
class Toys:
    """A crew of objects; each answers at once, and one that hangs says nothing."""

    faults: dict[str, str]
    size: int = 2
    stillborn: int = 0
    """How many workers end before they are ready."""
    given: list[tuple[int, Shard]] = field(default_factory=list)
    hired: list[int] = field(default_factory=list)
    dismissed: list[int] = field(default_factory=list)
    is_closed: bool = False
    _news: list[tuple[int, News]] = field(default_factory=list)

    def hire(self, seat: int) -> None:
        self.hired.append(seat)
        if self.stillborn:
            self.stillborn -= 1
            self._news.append((seat, Lost("ended with exit code 1")))
        else:
            self._news.append((seat, Ready()))

    def give(self, seat: int, shard: Shard) -> None:
        self.given.append((seat, shard))
        worker = Mortal(self.faults)
        worker.announce = lambda at: self._news.append((seat, at))
        names = {f"d{i}" for i in range(shard.start, shard.stop)} - {one.document_id for one in shard.fatal}
        if any(self.faults.get(name) == "hang" for name in names):
            alone = (name for name in sorted(names) if self.faults.get(name) == "hang")
            worker.announce(AtWork(PROBE, (next(alone),) if shard.singly else tuple(names)))
            return
        if any(self.faults.get(name) == "early" for name in names):
            self._news.append((seat, Lost("was killed by SIGKILL")))
            return
        try:
            answer: Any = worker(shard)
        except GoneError as end:
            answer = Lost(str(end))
        except Exception as error:
            answer = Raised(error)
        self._news.append((seat, answer))

    def hear(self, seconds: float) -> Iterator[tuple[int, News]]:  # noqa: ARG002
        news, self._news = self._news, []
        yield from news

    def dismiss(self, seat: int) -> None:
        self.dismissed.append(seat)

    def close(self) -> None:
        self.is_closed = True


def run(crew: Toys, n: int = 12, size: int = 4, **how: Any) -> dict[int, Outcome]:
    how = {"retries": 1, "stop": lambda: False, "timeout": 60.0, **how}
    return {one.shard.index: one for one in schedule(crew, cut(n, size), **how)}


def failed(outcome: Outcome) -> list[str]:
    assert outcome.receipt is not None
    return [row.document_id for row in outcome.receipt.failures[PROBE]]


def attempts(crew: Toys, index: int) -> list[Shard]:
    return [shard for _, shard in crew.given if shard.index == index]


def test_every_shard_has_one_outcome_and_no_more_are_hired_than_shards():
    crew = Toys({}, size=8)
    assert sorted(run(crew)) == [0, 1, 2]
    assert sorted(crew.hired) == [0, 1, 2]
    assert crew.is_closed


def test_a_worker_lost_once_convicts_nobody_and_its_shard_is_measured_as_ever():
    crew = Toys({"d5": "kill 1"})
    outcomes = run(crew)
    assert all(failed(one) == [] for one in outcomes.values())
    first, second = attempts(crew, 1)
    assert (first.is_repeated, second.is_repeated, second.singly) == (False, True, frozenset())
    assert outcomes[1].notes == ("shard 1: the worker was killed by SIGKILL at 4 documents of probe; it was replaced",)


@pytest.mark.parametrize("fatal", [{"d5"}, {"d4", "d7"}, {"d4", "d5", "d6", "d7"}, {"d0", "d11"}])
def test_documents_that_no_worker_survives_are_found_and_the_others_measured(fatal):
    crew = Toys(dict.fromkeys(fatal, "kill"))
    outcomes = run(crew)
    assert {name for one in outcomes.values() for name in failed(one)} == fatal
    assert len(outcomes) == 3
    for index in range(3):
        n = sum(f"d{i}" in fatal for i in range(4 * index, 4 * index + 4))
        assert len(attempts(crew, index)) == (3 + n if n else 1), "two losses, then one for each document"
    assert len(crew.hired) <= len(crew.given) - len(outcomes) + 2, "only who was lost is replaced"


def test_a_shard_of_one_document_needs_no_further_proof():
    crew = Toys({"d1": "kill"})
    outcomes = run(crew, n=3, size=1)
    assert failed(outcomes[1]) == ["d1"]
    assert len(attempts(crew, 1)) == 3


def test_a_reason_names_how_it_ended_and_the_row_says_it():
    (fatal,) = run(Toys({"d1": "kill"}))[0].receipt.failures[PROBE]
    assert fatal.message == "the worker that measured it, and nothing else, was killed by SIGKILL"


def test_a_document_on_which_a_worker_hangs_is_found_too(monkeypatch):
    monkeypatch.setattr(scheduling, "TICK", 0.0)
    crew = Toys({"d6": "hang"})
    outcomes = run(crew, timeout=0.02)
    assert failed(outcomes[1]) == ["d6"]
    assert len(crew.dismissed) == 3
    assert "gave no answer within 0.02 s at 1 document of probe" in outcomes[1].notes[-1]


def test_losses_before_anything_is_measured_convict_nobody_and_end_in_an_error():
    outcomes = run(Toys({"d1": "early"}))
    assert isinstance(outcomes[0].error, InterruptedRunError)
    assert "2 times before it measured a document" in str(outcomes[0].error)
    assert outcomes[1].error is outcomes[2].error is None


@pytest.mark.parametrize(("retries", "n"), [(0, 1), (1, 2), (3, 4)])
def test_an_error_is_tried_again_as_often_as_allowed(retries, n):
    crew = Toys({"d1": "raise"})
    outcomes = run(crew, retries=retries)
    assert isinstance(outcomes[0].error, RuntimeError)
    assert len(attempts(crew, 0)) == n
    assert len(crew.hired) == 2, "a worker that raises an error goes on"


def test_what_the_user_must_mend_is_not_tried_again():
    crew = Toys({"d1": "full"})
    assert isinstance(run(crew, retries=5)[0].error, DiskError)
    assert len(attempts(crew, 0)) == 1


def test_workers_that_never_begin_end_the_run():
    with pytest.raises(InterruptedRunError, match="ended with exit code 1 before it could begin, again and again"):
        run(Toys({}, stillborn=99))
    assert len(run(Toys({}, stillborn=2))) == 3


def test_after_stop_what_is_at_work_is_finished_and_nothing_else_begun():
    crew = Toys({})
    outcomes = run(crew, n=40, stop=lambda: len(crew.given) >= 2)
    assert sorted(outcomes) == [0, 1]
    assert crew.is_closed


def test_nothing_is_hired_for_nothing():
    crew = Toys({})
    assert run(crew, n=0) == {}
    assert run(crew, stop=lambda: True) == {}
    assert crew.hired == []


def test_a_caller_that_goes_away_closes_the_crew():
    crew = Toys({})
    outcomes = schedule(crew, cut(12, 4), retries=0, stop=lambda: False, timeout=9.0)
    assert isinstance(next(outcomes), Outcome)
    outcomes.close()
    assert crew.is_closed


def test_why_a_worker_cannot_be_made_is_raised():
    class Unmade(Toys):
        def hire(self, seat: int) -> None:
            self._news.append((seat, Raised(DiskError("no weights"))))

    with pytest.raises(DiskError, match="no weights"):
        run(Unmade({}))


def test_receipts_of_nobody_known_are_not_heard():
    class Late(Toys):
        def hear(self, seconds: float) -> Iterator[tuple[int, News]]:
            yield 7, Receipt()
            yield from super().hear(seconds)

    assert sorted(run(Late({}))) == [0, 1, 2]
