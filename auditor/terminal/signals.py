"""Ctrl-C, SIGTERM, a closed terminal: the shard being measured is finished, then the run stops and can be resumed."""

import os
import signal
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from types import FrameType

_SIGNALS = (signal.SIGINT, signal.SIGTERM, *([signal.SIGHUP] if hasattr(signal, "SIGHUP") else []))


def interrupt(*_: object) -> None:
    """Stop at once."""
    raise KeyboardInterrupt


@contextmanager
def signals(answer: Callable[[int, FrameType | None], None]) -> Iterator[None]:
    """Answer these signals alike."""
    before = {number: signal.signal(number, answer) for number in _SIGNALS}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


@contextmanager
def finishing_the_shard() -> Iterator[Callable[[], bool]]:
    """Yields what an executor asks between shards; a second signal does not wait for the shard."""
    received: list[int] = []

    def answer(number: int, _: FrameType | None) -> None:
        if received:
            interrupt()
        received.append(number)
        # not through sys.stderr: the signal may have come in the middle of a write to it
        with suppress(OSError):  # nor may it matter that nobody reads
            os.write(2, b"auditor: stopping after this shard; once more stops at once\n")

    with signals(answer):
        yield lambda: bool(received)
