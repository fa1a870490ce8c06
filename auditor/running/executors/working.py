"""The worker's end, in whatever process it is: one shard after the other, and an answer for each."""

import pickle

from auditor.errors import one_line
from auditor.running.executors.contract import Announce, Announces, Receipt, Shard, Worker, WorkerFactory
from auditor.running.executors.scheduling import Raised


def made(factory: WorkerFactory, announce: Announce) -> Worker | Raised:
    """A worker that says what it is about to do, if it can; or why there is none."""
    try:
        worker = factory()
    except Exception as error:  # whoever asked for the worker raises it
        return Raised(_sendable(error))
    if isinstance(worker, Announces):
        worker.announce = announce
    return worker


def done(worker: Worker, shard: Shard) -> Receipt | Raised:
    """The receipt of a shard, or what its worker raised."""
    try:
        return worker(shard)
    except Exception as error:  # whatever it is, it concerns this shard only; whoever reads the outcome decides
        return Raised(_sendable(error))


def _sendable(error: Exception) -> Exception:
    """The error, or its text where it cannot be sent to another process."""
    try:
        pickle.loads(pickle.dumps(error))
    except Exception:  # whatever a class of somebody's raises that was not made for it
        return RuntimeError(one_line(error))
    return error
