"""Work for the host while the device computes."""

from collections.abc import Callable, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from typing import TypeVar

T = TypeVar("T")
P = TypeVar("P")
A = TypeVar("A")


def overlapped(
    tasks: Sequence[T],
    prepare: Callable[[T], P],
    compute: Callable[[T, P], A],
    conclude: Callable[[T, A], None],
) -> None:
    """Takes each task through three stages, in order; the host prepares the next and concludes the last meanwhile.

        caller         ·········[compute 0]·[compute 1]·[compute 2]
        second thread  [prepare 0][prepare 1][conclude 0][prepare 2][conclude 1] [conclude 2]

    Args:
        tasks: What is to be done; no two share what a stage changes.
        prepare: On the host, in a second thread: what the device needs.
        compute: In the caller's thread: what the device answers.
        conclude: On the host, in the second thread: what follows from it.

    Raises:
        Exception: What a stage raised.
    """
    with ThreadPoolExecutor(max_workers=1, thread_name_prefix="host") as host:
        prepared = [host.submit(prepare, task) for task in tasks[:1]]
        concluded: list[Future[None]] = []
        for i, task in enumerate(tasks):
            ready = prepared.pop().result()
            prepared += [host.submit(prepare, following) for following in tasks[i + 1 : i + 2]]
            concluded.append(host.submit(conclude, task, compute(task, ready)))
        for one in concluded:
            one.result()
