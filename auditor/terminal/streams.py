"""stdout and stderr that nobody may be reading: closed from the start, a pipe whose reader has gone, a closed terminal.

An audit goes on without them: what is measured, written and decided does not depend on who listens. So a standard
stream that is closed becomes the null device, before a file of evidence could be given its number; and of what is
written to a stream that breaks, the rest is dropped, also what the interpreter flushes at its end. A result that does
not fit on a full disk is still an error: it is not the reader who has gone.
"""

import errno
import io
import os
import sys
from typing import Any, TextIO

_GONE = (errno.EPIPE, errno.EBADF, errno.EIO, errno.ECONNRESET, errno.ENXIO)
"""What a write says where nobody is left to read."""


class Unheard(io.RawIOBase):
    """A file descriptor; from the first write on that fails, everything is dropped."""

    def __init__(self, number: int, forgives: tuple[int, ...] | None) -> None:
        super().__init__()
        self._number, self._forgives, self._is_broken = number, forgives, False

    def write(self, data: Any) -> int:  # whatever has bytes
        """Writes the bytes, or drops them after a failure; returns their number.

        Raises:
            OSError: The first failure, unless its errno is one of `forgives`; None forgives all.
        """
        size = memoryview(data).nbytes
        if self._is_broken:
            return size
        try:
            return os.write(self._number, data)
        except OSError as error:
            self._is_broken = True
            if self._forgives is None or error.errno in self._forgives:
                return size
            raise

    def writable(self) -> bool:
        """Always."""
        return True

    def fileno(self) -> int:
        """The descriptor itself."""
        return self._number

    def isatty(self) -> bool:
        """Whether a person may be looking."""
        try:
            return os.isatty(self._number)
        except OSError:
            return False


def mend() -> None:
    """Gives the process a stdout and a stderr that can always be written to, whatever the caller made of them.

    Streams that are no files of the process, such as those of a test, only learn to write any character.
    """
    _open_closed()
    sys.stdout = _mended(sys.stdout, 1, _GONE)
    sys.stderr = _mended(sys.stderr, 2, None)


def _open_closed() -> None:
    """The null device in the place of every standard descriptor that is closed; lowest first, as `open` counts."""
    for number in (0, 1, 2):
        try:
            os.fstat(number)
        except OSError:
            os.set_inheritable(os.open(os.devnull, os.O_RDWR), True)


def _mended(stream: TextIO | None, number: int, forgives: tuple[int, ...] | None) -> TextIO:
    if stream is None:
        return io.TextIOWrapper(io.BufferedWriter(Unheard(number, forgives)), "utf-8", "backslashreplace")
    raw = getattr(getattr(stream, "buffer", None), "raw", getattr(stream, "buffer", None))
    if not isinstance(raw, io.FileIO):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="backslashreplace")  # a terminal that has no Chinese is no reason to fail
        return stream
    stream.flush()
    unheard, at_once = Unheard(raw.fileno(), forgives), bool(getattr(stream, "write_through", False))
    return io.TextIOWrapper(
        unheard if at_once else io.BufferedWriter(unheard),  # type: ignore[type-var]
        encoding=stream.encoding,
        errors="backslashreplace",
        line_buffering=bool(stream.line_buffering),
        write_through=at_once,
    )
