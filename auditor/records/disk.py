"""Writes files atomically: a kill or a full disk at any moment leaves the old file or the new one, never half of one.

A file is written under a temporary name in its folder, flushed to the device and renamed (atomic on POSIX); then the
folder is flushed, so that the name survives a power cut too. Temporary names start with a dot and end with `.tmp`; they
are never read, and `lock` removes those that a killed process left.
"""

import errno
import fcntl
import os
import shutil
import socket
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path

from auditor.errors import DiskError, LockedError

LOCK = ".lock"
TURN = ".turn"
_HOST = socket.gethostname()
_WITHOUT_LOCKS = (errno.ENOLCK, errno.ENOSYS, errno.EOPNOTSUPP, errno.ENOTSUP)


def is_lock(path: Path) -> bool:
    """Whether a file stands for a lock; one that was killed, or could not remove it, leaves it behind."""
    return path.name in (LOCK, TURN) or path.name.startswith(f"{LOCK}-")


def write(path: Path, content: bytes) -> None:
    """Write a file, and create its folders where they are missing.

    Raises:
        DiskError: the disk is full or cannot be written; an existing file is unchanged.
    """
    temporary = path.with_name(f".{path.name}.{_HOST}-{os.getpid()}.tmp")  # on a shared folder, numbers are taken twice
    with _translated_errors(path, "written"):
        _make_folders(path.parent)
        try:
            _write_through(temporary, content)
            temporary.replace(path)
        except BaseException:
            with suppress(OSError):
                temporary.unlink(missing_ok=True)
            raise
        _flush_folder(path.parent)


def append(path: Path, line: bytes) -> None:
    """Add a line to a file in one piece, whoever else adds to it; it survives a kill of this process.

    A line of before that a full disk broke off is ended first.

    Raises:
        DiskError: the disk is full or cannot be written.
    """
    with _translated_errors(path, "written"):
        _make_folders(path.parent)
        descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_APPEND, 0o666)
        try:
            size = os.fstat(descriptor).st_size
            is_broken_off = size > 0 and os.pread(descriptor, 1, size - 1) != b"\n"
            _write_all(descriptor, b"\n" + line if is_broken_off else line)
        finally:
            os.close(descriptor)


def read(path: Path) -> bytes:
    """The content of a file.

    Raises:
        DiskError: it cannot be read.
        FileNotFoundError: it is not there.
    """
    with _translated_errors(path, "read", (FileNotFoundError,)):
        return path.read_bytes()


def rename(path: Path, target: Path) -> None:
    """Rename a file within its folder; a file of the new name is replaced.

    Raises:
        DiskError: the folder cannot be written.
    """
    with _translated_errors(path, "renamed"):
        path.replace(target)
        _flush_folder(path.parent)


def remove(path: Path) -> None:
    """Delete a file, if it exists.

    Raises:
        DiskError: the folder cannot be written.
    """
    with _translated_errors(path, "removed"):
        if path.exists():
            path.unlink(missing_ok=True)
            _flush_folder(path.parent)


def remove_folder(path: Path) -> None:
    """Delete a folder with all that is in it, if it exists.

    Raises:
        DiskError: something of it cannot be deleted.
    """
    with _translated_errors(path, "removed"):
        if path.exists():
            shutil.rmtree(path)
            _flush_folder(path.parent)


def make_folder(path: Path) -> None:
    """Create a folder and its parents, where they are missing.

    Raises:
        DiskError: it cannot be created.
    """
    with _translated_errors(path, "written"):
        _make_folders(path)


@contextmanager
def lock(folder: Path) -> Iterator[None]:
    """Lock a folder against other processes; the kernel releases it when this process ends, even if it is killed.

    Temporary files of killed processes are removed at entry, the lock file at exit.

    Raises:
        LockedError: another process holds it, alone or with others; the message names one.
        DiskError: the folder cannot be written.
    """
    with _translated_errors(folder, "locked"):
        descriptor = _lock(folder / LOCK, fcntl.LOCK_EX | fcntl.LOCK_NB)
    try:
        for leftover in sorted(folder.rglob(".*.tmp")):
            remove(leftover)
        yield
    finally:
        with suppress(OSError):
            (folder / LOCK).unlink()
        os.close(descriptor)


@contextmanager
def share(folder: Path, part: str) -> Iterator[None]:
    """Lock a part of a folder: together with processes that lock other parts, against one that locks all of it.

    Nothing is removed: temporary files may be those of another part.

    Args:
        folder: What is locked.
        part: Name of the part, as it can stand in a file name.

    Raises:
        LockedError: another process holds the same part, or all of the folder; the message names it.
        DiskError: the folder cannot be written.
    """
    lock_of_part = folder / f"{LOCK}-{part}"
    with _translated_errors(folder, "locked"), ExitStack() as held:
        held.callback(os.close, _lock(folder / LOCK, fcntl.LOCK_SH | fcntl.LOCK_NB))
        held.callback(os.close, _lock(lock_of_part, fcntl.LOCK_EX | fcntl.LOCK_NB))
        held.callback(lock_of_part.unlink, missing_ok=True)
        releases = held.pop_all()
    with releases:
        yield


@contextmanager
def turn(folder: Path) -> Iterator[None]:
    """Wait until no other process is at the same place for this folder: for what takes a moment.

    Raises:
        DiskError: the folder cannot be written.
    """
    with _translated_errors(folder, "locked"):
        _make_folders(folder)
        descriptor = _lock(folder / TURN, fcntl.LOCK_EX)
    try:
        yield
    finally:
        with suppress(OSError):
            (folder / TURN).unlink()
        os.close(descriptor)


def _lock(path: Path, kind: int) -> int:
    """The descriptor of the locked file, which is open."""
    while True:
        descriptor = os.open(path, os.O_RDWR | os.O_CREAT, 0o666)
        try:
            _flock(descriptor, path.parent, kind)
            if _is_current(descriptor, path):
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


def _flock(descriptor: int, folder: Path, kind: int) -> None:
    """Locks an open file, in the way that `fcntl.flock` calls by that number.

    Raises:
        BlockingIOError: another process holds it.
        DiskError: its file system has no locks.
    """
    try:
        fcntl.flock(descriptor, kind)
    except OSError as error:
        if error.errno not in _WITHOUT_LOCKS:
            raise
        raise DiskError(
            f"{folder}: cannot be locked: its file system has no locks ({error.strerror}), as NFS without a lock "
            "server: two runs could mix; write to a local disk with --output and copy the runs"
        ) from error


def _is_current(descriptor: int, path: Path) -> bool:
    """Whether the locked file is still the one at the path; its last holder may have removed it in between."""
    try:
        return os.fstat(descriptor).st_ino == path.stat().st_ino
    except FileNotFoundError:
        return False


@contextmanager
def _translated_errors(path: Path, verb: str, passing: tuple[type[OSError], ...] = ()) -> Iterator[None]:
    """Raise an OSError as a DiskError of one line, which says what to do; those in `passing` are raised unchanged."""
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
    """The folder, or its nearest parent that exists; checks that files can be written in it.

    Raises:
        DiskError: it is a file, or cannot be written.
    """
    existing = next(path for path in (folder.absolute(), *folder.absolute().parents) if path.exists())
    if not existing.is_dir():
        raise DiskError(f"{existing}: is a file, where a folder for runs is expected; choose another with --output")
    if not os.access(existing, os.W_OK):
        raise DiskError(f"{existing}: cannot be written; choose another with --output")
    return existing


def _make_folders(folder: Path) -> None:
    missing = [path for path in (folder, *folder.parents) if not path.exists()]
    for path in reversed(missing):
        path.mkdir(exist_ok=True)
        _flush_folder(path.parent)


def _write_through(path: Path, content: bytes) -> None:
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o666)
    try:
        _write_all(descriptor, content)
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def _write_all(descriptor: int, content: bytes) -> None:
    """Writes in one piece, or in the pieces that a nearly full disk takes until it takes no more, which is an error."""
    left = memoryview(content)
    while left:
        left = left[os.write(descriptor, left) :]


def _flush_folder(folder: Path) -> None:
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
