"""The contract of executors, shown with workers that fail on purpose."""

import pytest

from auditor.errors import DeviceLostError, DiskError
from auditor.running.executors.contract import Outcome, Shard, cut
from auditor.running.executors.serial import SerialExecutor

SHARDS = cut(10, 4)


class Worker:
    """Counts its calls; raises what it is told to, as often as it is told to."""

    def __init__(self, faults=None):
        self.faults, self.calls = dict(faults or {}), []

    def __call__(self, shard):
        self.calls.append(shard.index)
        error, times = self.faults.get(shard.index, (None, 0))
        if times:
            self.faults[shard.index] = (error, times - 1)
            raise error
        return shard.stop - shard.start


def run(worker, shards=SHARDS, retries=0, stop=lambda: False):
    return list(SerialExecutor().map(lambda: worker, shards, retries=retries, stop=stop))


def test_shards_cover_the_corpus_once():
    assert (Shard(0, 0, 4), Shard(1, 4, 8), Shard(2, 8, 10)) == SHARDS
    assert cut(8, 4) == SHARDS[:2]
    assert cut(0, 4) == ()


def test_every_shard_has_one_outcome_with_its_receipt():
    assert run(Worker()) == [Outcome(shard, receipt=n) for shard, n in zip(SHARDS, (4, 4, 2), strict=True)]


def test_a_failing_shard_is_an_outcome_and_the_others_go_on():
    error = RuntimeError("device lost")
    outcomes = run(Worker({1: (error, 1)}))
    assert [outcome.error for outcome in outcomes] == [None, error, None]
    assert [outcome.receipt for outcome in outcomes] == [4, None, 2]


def test_a_shard_is_tried_again_as_often_as_allowed():
    worker = Worker({0: (RuntimeError(), 2), 1: (RuntimeError(), 3)})
    outcomes = run(worker, retries=2)
    assert [outcome.error is None for outcome in outcomes] == [True, False, True]
    assert worker.calls == [0, 0, 0, 1, 1, 1, 2]


def test_what_the_user_must_mend_is_not_tried_again():
    worker = Worker({0: (DiskError("full"), 9)})
    [outcome, *_] = run(worker, retries=5)
    assert isinstance(outcome.error, DiskError)
    assert worker.calls == [0, 1, 2]


def test_stop_is_asked_between_shards_and_nothing_is_begun_after_it():
    worker = Worker()
    outcomes = run(worker, stop=lambda: len(worker.calls) == 2)
    assert [outcome.shard.index for outcome in outcomes] == [0, 1]


def test_a_device_that_is_lost_ends_the_run_and_the_error_says_where_and_what_to_do():
    worker = Worker({1: (DeviceLostError("the process lost its device (CUDA error: misaligned address)"), 9)})
    outcomes = SerialExecutor().map(lambda: worker, SHARDS, retries=3, stop=lambda: False)
    assert next(outcomes).receipt == 4
    error = next(outcomes).error
    assert isinstance(error, DeviceLostError)
    assert str(error) == (
        "shard 1 (documents 5 to 8 of the corpus): the process lost its device (CUDA error: misaligned address); what "
        "was measured is kept, the same command goes on: --executor local replaces the process, and finds the "
        "document, if one does it"
    )
    assert (error.exit_code, worker.calls) == (5, [0, 1])


@pytest.mark.parametrize("interruption", [KeyboardInterrupt, SystemExit])
def test_an_interruption_is_no_fault_of_the_shard(interruption):
    with pytest.raises(interruption):
        run(Worker({1: (interruption(), 1)}), retries=3)


def test_one_worker_serves_all_shards_and_none_is_made_for_nothing():
    made = []

    def factory():
        made.append(Worker())
        return made[-1]

    executor = SerialExecutor()
    assert list(executor.map(factory, (), retries=0, stop=lambda: False)) == []
    assert list(executor.map(factory, SHARDS, retries=0, stop=lambda: True)) == []
    assert made == []
    assert len(list(executor.map(factory, SHARDS, retries=0, stop=lambda: False))) == 3
    assert len(made) == 1


def test_a_worker_that_cannot_be_made_is_raised():
    def factory():
        raise DiskError("no weights")

    with pytest.raises(DiskError, match="no weights"):
        list(SerialExecutor().map(factory, SHARDS, retries=0, stop=lambda: False))


def test_a_shard_is_begun_only_when_its_outcome_is_asked_for():
    worker = Worker()
    outcomes = SerialExecutor().map(lambda: worker, SHARDS, retries=0, stop=lambda: False)
    next(outcomes)
    assert worker.calls == [0]
