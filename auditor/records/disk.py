"""Writing so that a kill or a full disk at any moment leaves the old file or the new one, never half of one.

A file is written beside its place under a temporary name, flushed to the device, renamed over its place (atomic on
POSIX), and the folder is flushed so that the name survives a power cut too. Temporary names start with a dot and end
with `.tmp`; nobody reads them, and whoever holds the lock of the folder removes what a killed process left.
"""

import errno
import fcntl
import os
import socket
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from auditor.errors import DiskError, LockedError

LOCK = ".lock"


def write(path: Path, content: bytes) -> None:
    """Put a file in its place, and its folders if they are missing.

    Raises:
        DiskError: the disk is full or cannot be written; the file that was there before is untouched.
    """
    temporary = path.with_name(f".{path.name}.{os.getpid()}.tmp")
    with _faults(path, "written"):
        _make_folders(path.parent)
        try:
            _write_through(temporary, content)
            temporary.replace(path)
        except BaseException:
            with suppress(OSError):
                temporary.unlink(missing_ok=True)
            raise
        _flush_folder(path.parent)


def read(path: Path) -> bytes:
    """The content of a file.

    Raises:
        DiskError: it cannot be read.
        FileNotFoundError: it is not there.
    """
    with _faults(path, "read", (FileNotFoundError,)):
        return path.read_bytes()


def rename(path: Path, target: Path) -> None:
    """Give a file another name in its folder, over whatever has that name.

    Raises:
        DiskError: the folder cannot be written.
    """
    with _faults(path, "renamed"):
        path.replace(target)
        _flush_folder(path.parent)


def remove(path: Path) -> None:
    """Take a file away, if it is there.

    Raises:
        DiskError: the folder cannot be written.
    """
    with _faults(path, "removed"):
        if path.exists():
            path.unlink(missing_ok=True)
            _flush_folder(path.parent)


def make_folder(path: Path) -> None:
    """Make a folder and those above it, where they are missing.

    Raises:
        DiskError: it cannot be made.
    """
    with _faults(path, "written"):
        _make_folders(path)


@contextmanager
def lock(folder: Path) -> Iterator[None]:
    """Hold a folder against every other process; the kernel lets go of it when this one dies, however it dies.

    Leftover temporary files are removed on the way in, the lock file on the way out.

    Raises:
        LockedError: another process holds it; the message names that process.
        DiskError: the folder cannot be written.
    """
    with _faults(folder, "locked"):
        descriptor = _lock(folder / LOCK)
    try:
        for leftover in sorted(folder.rglob(".*.tmp")):
            remove(leftover)
        yield
    finally:
        with suppress(OSError):
            (folder / LOCK).unlink()
        os.close(descriptor)


def _lock(path: Path) -> int:
    while True:
        descriptor = os.open(path, os.O_RDWR | os.O_CREAT, 0o666)
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
            if _is_still_there(descriptor, path):
                os.ftruncate(descriptor, 0)
                os.write(descriptor, f"process {os.getpid()} on {socket.gethostname()}".encode())
                return descriptor
        except BlockingIOError:
            holder = os.pread(descriptor, 500, 0).decode(errors="replace") or "another process"
            os.close(descriptor)
            raise LockedError(f"{path.parent}: locked by {holder}; wait until it ends, or stop it") from None
        except BaseException:
            os.close(descriptor)
            raise
        os.close(descriptor)


def _is_still_there(descriptor: int, path: Path) -> bool:
    """Whether the locked file is the one with that name: its last holder removed it if it let go in between."""
    try:
        return os.fstat(descriptor).st_ino == path.stat().st_ino
    except FileNotFoundError:
        return False


@contextmanager
def _faults(path: Path, verb: str, passing: tuple[type[OSError], ...] = ()) -> Iterator[None]:
    """Turn what the operating system says into one line with a cure."""
    try:
        yield
    except passing:
        raise
    except OSError as error:
        full = error.errno in (errno.ENOSPC, errno.EDQUOT)
        cure = f"; {'free the disk or ' if full else ''}choose another folder. What was written before is kept"
        cure = "" if verb == "read" else cure
        raise DiskError(f"{path}: cannot be {verb}: {error.strerror or error}{cure}") from error


def require_room(folder: Path) -> Path:
    """The folder, or the nearest above it that exists: where something can be written.

    Raises:
        DiskError: It is a file, or cannot be written.
    """
    place = next(path for path in (folder.absolute(), *folder.absolute().parents) if path.exists())
    if not place.is_dir():
        raise DiskError(f"{place}: is a file, where a folder for runs is expected; choose another with --output")
    if not os.access(place, os.W_OK):
        raise DiskError(f"{place}: cannot be written; choose another with --output")
    return place


def _make_folders(folder: Path) -> None:
    missing = [path for path in (folder, *folder.parents) if not path.exists()]
    for path in reversed(missing):
        path.mkdir(exist_ok=True)
        _flush_folder(path.parent)


def _write_through(path: Path, content: bytes) -> None:
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o666)
    try:
        left = memoryview(content)
        while left:
            left = left[os.write(descriptor, left) :]
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def _flush_folder(folder: Path) -> None:
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
