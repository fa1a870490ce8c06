"""Measured rows by what they were measured from, in one SQLite file that all runs under an output folder share.

    chunks    the rows that were measured together: the bytes of one Parquet file, the key of each row in order, how the
              model was asked, the run, and a SHA-256 over all of this
    rows      key → chunk and position: an index of the chunks, which is believed only where the chunk says the same
    facts     key → JSON with its SHA-256: what a probe prepared from all of its documents

A key is 32 bytes that nothing can be read from; text and ids of documents stand in the rows alone. What is damaged is
not there: a cut or flipped entry, a file that is no database, a lock that another process holds for too long. Nothing
here raises but for a fault of this program: after the first fault of the file nothing more is found or kept by it. A
file that is no database is replaced. Write-ahead logging lets several runs read while one writes.

Each moment is that of the creation of a run (ISO 8601, UTC), never a clock's. When there is no more room, chunks that
no run used for longest go first, and never one that the present run used: of a run that is larger than the cache, the
part that fits is kept night after night.
"""

import hashlib
import json
import sqlite3
from collections.abc import Callable, Iterable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final, NamedTuple, TypeVar

from auditor.errors import DiskError, LockedError
from auditor.records import disk
from auditor.records.json_files import is_moment

T = TypeVar("T")

FOLDER: Final = ".cache"
FILE: Final = "rows-1.sqlite"
"""The number is that of the tables below: another version of this package has a file of its own."""
KEY_BYTES: Final = 32
PATIENCE: Final = 5.0
"""Seconds to wait for another process."""
_AT_ONCE = 500
"""Keys of one question to SQLite."""
_LOOK_AFTER = 256
"""Chunks that are kept before it is looked up again how much room other processes have left."""
_FAULTS = (sqlite3.Error, OSError, OverflowError)
_TAG = b"Signature: 8a477f597d28d172789f06886806bc55\n# Made by auditor; it may be deleted.\n"
"""Backups leave folders out that have this file: https://bford.info/cachedir/."""
_TABLES = """
PRAGMA page_size = 16384;
PRAGMA journal_mode = WAL;
PRAGMA synchronous = NORMAL;
CREATE TABLE IF NOT EXISTS chunks (
    id INTEGER PRIMARY KEY, sha256 BLOB NOT NULL, keys BLOB NOT NULL, content BLOB NOT NULL, proofs TEXT NOT NULL,
    run TEXT NOT NULL, measured TEXT NOT NULL, checked TEXT NOT NULL, used TEXT NOT NULL, size INTEGER NOT NULL);
CREATE INDEX IF NOT EXISTS chunks_by_use ON chunks (used, size);
CREATE TABLE IF NOT EXISTS rows (
    key BLOB PRIMARY KEY, chunk INTEGER NOT NULL, position INTEGER NOT NULL) WITHOUT ROWID;
CREATE INDEX IF NOT EXISTS rows_by_chunk ON rows (chunk);
CREATE TABLE IF NOT EXISTS facts (
    key BLOB PRIMARY KEY, sha256 BLOB NOT NULL, json TEXT NOT NULL, used TEXT NOT NULL) WITHOUT ROWID;
"""


@dataclass(frozen=True, slots=True)
class Chunk:
    """Rows that were measured together."""

    keys: tuple[bytes, ...]
    """Of each row, in order."""
    content: bytes
    """One Parquet file; see `auditor.records.schema.to_bytes`."""
    proofs: str
    """JSON: how the model was asked."""
    run: str
    """The id of the run that measured them."""
    measured: str
    """When that run was created."""
    checked: str = ""
    """When the run was created that last measured them again; at first `measured`."""
    id: int = 0

    @property
    def sha256(self) -> bytes:
        """Over everything that never changes."""
        parts = (b"".join(self.keys), self.content, self.proofs.encode(), self.run.encode(), self.measured.encode())
        total = hashlib.sha256(json.dumps([len(part) for part in parts]).encode())
        for part in parts:
            total.update(part)
        return total.digest()


class Location(NamedTuple):
    """Where a row is: in which chunk, at which position."""

    chunk: int
    position: int


class Cache:
    """The rows and facts that runs under one folder have measured.

    Args:
        output: The folder of all runs.
        most_bytes: The most that all chunks together may have.
        now: When the present run was created.
    """

    def __init__(self, output: Path, most_bytes: int, now: str) -> None:
        self.folder = output / FOLDER
        self._most_bytes, self._now = most_bytes, now
        self._connection: sqlite3.Connection | None = None
        self._is_usable = True
        self._left = self._left_before_looking = 0

    def __del__(self) -> None:
        self.close()

    def locations(self, keys: Iterable[bytes]) -> dict[bytes, Location]:
        """Where the rows of some keys are, as far as there are any."""
        wanted, located = list(keys), dict[bytes, Location]()
        for start in range(0, len(wanted), _AT_ONCE):
            some = wanted[start : start + _AT_ONCE]
            question = f"SELECT key, chunk, position FROM rows WHERE key IN ({', '.join('?' * len(some))})"
            for key, chunk, position in self._ask(question, some):
                located[key] = Location(chunk, position)
        return located

    def chunk_of(self, key: bytes) -> Chunk | None:
        """The chunk that has the row of a key, as `chunk` gives it."""
        return self._chunk("id = (SELECT chunk FROM rows WHERE key = ?)", key)

    def chunk(self, number: int) -> Chunk | None:
        """A chunk that is whole, which counts as used by the present run; None where there is none."""
        return self._chunk("id = ?", number)

    def _chunk(self, which: str, value: bytes | int) -> Chunk | None:
        columns = "id, keys, content, proofs, run, measured, checked, sha256, used"
        for number, keys, content, proofs, run, measured, checked, digest, used in self._ask(
            f"SELECT {columns} FROM chunks WHERE {which}", [value]
        ):
            with suppress(TypeError, AttributeError, ValueError):  # of another type, where a byte was flipped
                cut = tuple(keys[start : start + KEY_BYTES] for start in range(0, len(keys), KEY_BYTES))
                chunk = Chunk(cut, content, proofs, run, measured, checked, number)
                if chunk.sha256 == digest and is_moment(checked):
                    if used < self._now:
                        self._do("UPDATE chunks SET used = ? WHERE id = ?", [self._now, number])
                    return chunk
            self._do("DELETE FROM chunks WHERE id = ?", [number])
        return None

    def keep(self, chunk: Chunk) -> None:
        """Keep rows; whoever had the key of one before is forgotten."""

        def write(connection: sqlite3.Connection) -> None:
            size = len(chunk.content) + len(chunk.keys) * KEY_BYTES
            if not self._make_room(connection, size):
                return
            values = (chunk.sha256, b"".join(chunk.keys), chunk.content, chunk.proofs, chunk.run, chunk.measured)
            cursor = connection.execute(
                "INSERT INTO chunks (sha256, keys, content, proofs, run, measured, checked, used, size) "
                "VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)",
                (*values, chunk.checked or chunk.measured, self._now, size),
            )
            rows = [(key, cursor.lastrowid, position) for position, key in enumerate(chunk.keys)]
            connection.executemany("INSERT OR REPLACE INTO rows VALUES (?, ?, ?)", rows)

        self._within(write)

    def checked(self, numbers: Iterable[int]) -> None:
        """Note that the present run measured some chunks again and found the same."""
        for number in numbers:
            self._do("UPDATE chunks SET checked = ? WHERE id = ?", [self._now, number])

    def fact(self, key: bytes) -> Any:
        """The value of JSON that was kept under a key; None where there is none."""
        for text, digest in self._ask("SELECT json, sha256 FROM facts WHERE key = ?", [key]):
            if isinstance(text, str) and hashlib.sha256(text.encode()).digest() == digest:
                self._do("UPDATE facts SET used = ? WHERE key = ? AND used < ?", [self._now, key, self._now])
                return json.loads(text)
        return None

    def keep_fact(self, key: bytes, value: Any) -> None:
        """Keep a value of JSON."""
        text = json.dumps(value, allow_nan=False, separators=(",", ":"))
        row = [key, hashlib.sha256(text.encode()).digest(), text, self._now]
        self._do("INSERT OR REPLACE INTO facts VALUES (?, ?, ?, ?)", row)

    def close(self) -> None:
        """Close the file; it is opened again where something is asked."""
        if self._connection is not None:
            with suppress(sqlite3.Error):
                self._connection.close()
        self._connection = None

    def _make_room(self, connection: sqlite3.Connection, size: int) -> bool:
        """Whether there is room for so many bytes more, after chunks are gone that the present run did not use."""
        if not self._left_before_looking or self._left < size:
            self._left, self._left_before_looking = self._most_bytes - _total(connection), _LOOK_AFTER
        self._left_before_looking -= 1
        if self._left < size:
            unused = "SELECT id, size FROM chunks WHERE used < ? ORDER BY used, id"
            for number, freed in connection.execute(unused, [self._now]).fetchall():
                connection.execute("DELETE FROM rows WHERE chunk = ?", [number])
                connection.execute("DELETE FROM chunks WHERE id = ?", [number])
                self._left += freed
                if self._left >= size:
                    break
            connection.execute("DELETE FROM facts WHERE used < (SELECT min(used) FROM chunks)")
        if self._left < size:
            return False
        self._left -= size
        return True

    def _ask(self, question: str, values: Sequence[Any]) -> list[Any]:
        return self._within(lambda connection: connection.execute(question, values).fetchall()) or []

    def _do(self, command: str, values: Sequence[Any]) -> None:
        self._within(lambda connection: connection.execute(command, values))

    def _within(self, work: Callable[[sqlite3.Connection], T]) -> T | None:
        """What some work gives, all of it or none done; None after a fault of the file."""
        try:
            connection = self._open()
            if connection is None:
                return None
            with connection:
                return work(connection)
        except _FAULTS as fault:
            self.close()
            self._is_usable = False
            self._remove_damaged(fault)
            return None

    def _open(self) -> sqlite3.Connection | None:
        if self._connection is None and self._is_usable:
            with suppress(DiskError):
                if not (self.folder / "CACHEDIR.TAG").exists():
                    disk.write(self.folder / "CACHEDIR.TAG", _TAG)
            try:
                self._connection = self._connected()
            except sqlite3.DatabaseError as fault:
                if not self._remove_damaged(fault):
                    raise
                self._connection = self._connected()
        return self._connection

    def _connected(self) -> sqlite3.Connection:
        connection = sqlite3.connect(self.folder / FILE, timeout=PATIENCE, check_same_thread=False)
        try:
            connection.executescript(_TABLES)
        except BaseException:
            connection.close()
            raise
        return connection

    def _remove_damaged(self, fault: Exception) -> bool:
        """Takes the file away where it is no database, or a damaged one, so that there can be a new one."""
        if isinstance(fault, sqlite3.OperationalError) or not isinstance(fault, sqlite3.DatabaseError):
            return False  # locked, or the disk is full
        with suppress(DiskError, LockedError, OSError), disk.lock(self.folder):
            for ending in ("", "-wal", "-shm"):
                (self.folder / f"{FILE}{ending}").unlink(missing_ok=True)
            return True
        return False


def _total(connection: sqlite3.Connection) -> int:
    ((total,),) = connection.execute("SELECT coalesce(sum(size), 0) FROM chunks")
    return int(total)
