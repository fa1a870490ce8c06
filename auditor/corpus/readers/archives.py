"""The bytes of a file, unpacked where it is an archive: gzip, Zstandard, or a zip with one member.

An archive is known by its first bytes, whatever its name; a name that promises one which is not there is a fault. What
is unpacked is streamed and never larger than 250 times the archive, or 256 MiB where that is more: text does not shrink
further, but a decompression bomb does.
"""

import gzip
import io
import lzma
import shutil
import tempfile
import zipfile
import zlib
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path, PurePath, PurePosixPath
from typing import IO, cast

from auditor.corpus.faults import fault, quote

_MAGIC = {"gzip": b"\x1f\x8b", "zstd": b"\x28\xb5\x2f\xfd", "zip": b"PK\x03\x04"}
_SUFFIXES = {".gz": "gzip", ".gzip": "gzip", ".zst": "zstd", ".zstd": "zstd", ".zip": "zip"}
_MOST_TIMES, _MOST_BYTES = 250, 2**28
_EMPTY_ZIP = b"PK\x05\x06"
_OLD_OFFICE = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"
_IS_LOCKED = 1
_DAMAGE = (EOFError, zlib.error, zipfile.BadZipFile, lzma.LZMAError, RuntimeError, NotImplementedError, ValueError)


@dataclass(frozen=True, slots=True)
class Content:
    """A file that can be opened repeatedly, unpacked where it is an archive."""

    path: Path
    name: str
    """The name whose suffix gives the format: without the archive's suffix, or that of the zip's member."""
    compression: str = ""
    """A key of `_MAGIC`; empty where the file is no archive."""
    member: str = ""
    """The path of the member in a zip; empty for other files."""

    @contextmanager
    def open(self) -> Iterator[IO[bytes]]:
        """A stream of the unpacked bytes, from the beginning.

        Raises:
            CorpusError: while reading: the archive is damaged, cut short, or unpacks to more than the limit above.
            OSError: the disk fails.
        """
        with ExitStack() as stack:
            file = stack.enter_context(self.path.open("rb"))
            if not self.compression:
                yield file
                return
            try:
                unpacked = self._unpack(file, stack)
            except (OSError, *_DAMAGE) as error:
                raise _damaged(self, error) from error
            yield stack.enter_context(io.BufferedReader(_Unpacked(self, unpacked)))

    @contextmanager
    def open_seekable(self) -> Iterator[IO[bytes]]:
        """A seekable stream of the unpacked bytes; those of an archive go to an unnamed temporary file."""
        with self.open() as file:
            if not self.compression:
                yield file
                return
            with tempfile.TemporaryFile() as unpacked:
                shutil.copyfileobj(file, unpacked)
                unpacked.seek(0)
                yield unpacked

    def _unpack(self, file: IO[bytes], stack: ExitStack) -> IO[bytes]:
        if self.compression == "gzip":
            return cast("IO[bytes]", stack.enter_context(gzip.GzipFile(fileobj=file)))
        if self.compression == "zip":
            return stack.enter_context(stack.enter_context(zipfile.ZipFile(file)).open(self.member))
        import pyarrow as pa  # here, for it is slow to import and other archives do without

        return cast("IO[bytes]", stack.enter_context(pa.CompressedInputStream(pa.PythonFile(file, "r"), "zstd")))


class _Unpacked(io.RawIOBase):
    """The unpacked bytes of an archive; damage and too many bytes are raised as a CorpusError."""

    def __init__(self, content: Content, stream: IO[bytes]) -> None:
        self._content, self._stream, self._n_bytes = content, stream, 0
        self._most = max(_MOST_BYTES, _MOST_TIMES * content.path.stat().st_size)

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: memoryview) -> int:  # type: ignore[override]  # always a memoryview, from the buffer
        try:
            chunk = self._stream.read(len(buffer))
        except (OSError, *_DAMAGE) as error:
            raise _damaged(self._content, error) from error
        self._n_bytes += len(chunk)
        if self._n_bytes > self._most:
            advice = "unpack it first and name the unpacked file, if that is what it should hold"
            raise fault(self._content.path, "", f"unpacks to more than {self._most // 2**20:,} MiB; {advice}")
        buffer[: len(chunk)] = chunk
        return len(chunk)


def look_into(path: Path) -> Content:
    """Detect from a file's first bytes whether and how it is packed.

    Raises:
        CorpusError: it is no archive although its name says so, a zip of several files, or a workbook.
        OSError: the file cannot be read.
    """
    with path.open("rb") as file:
        beginning = file.read(8)
    if beginning == _OLD_OFFICE:
        raise _workbook(path)
    promised = _SUFFIXES.get(path.suffix.lower(), "")
    compression = next((name for name, magic in _MAGIC.items() if beginning.startswith(magic)), "")
    if promised and promised != compression and not beginning.startswith(_EMPTY_ZIP):
        raise fault(path, "", f"is no {promised} archive, as its name says; it may be cut short: make or copy it again")
    if beginning.startswith(_EMPTY_ZIP):
        raise fault(path, "", "is a zip without a file; expected one file in it")
    if compression == "zip":
        member = _only_member(path)
        return Content(path, PurePosixPath(member).name, compression, member)
    return Content(path, path.stem if promised else path.name, compression)


def stem(path: PurePath) -> str:
    """A file's name without the suffixes of its archive and its format: "reviews" of reviews.jsonl.gz."""
    return PurePath(path.stem).stem if path.suffix.lower() in _SUFFIXES else path.stem


def _only_member(path: Path) -> str:
    try:
        with zipfile.ZipFile(path) as archive:
            entries = {entry.filename: entry for entry in archive.infolist() if not entry.is_dir()}
    except (OSError, *_DAMAGE) as error:
        raise fault(path, "", f"a damaged zip archive ({_reason(error)}); make or copy it again") from error
    if {"[Content_Types].xml", "mimetype"} & set(entries):
        raise _workbook(path)
    names = [name for name in entries if not _is_of_the_system(name)]
    if len(names) != 1:
        listed = ", ".join(quote(name) for name in names[:8]) + (" …" if len(names) > 8 else "")
        what = f"holds {len(names)} files ({listed})" if names else "is a zip without a file"
        raise fault(path, "", f"{what}; expected one file in it: unpack it and name the one to read")
    if entries[names[0]].flag_bits & _IS_LOCKED:
        raise fault(path, "", "is locked by a password; unpack it and name the unpacked file")
    return names[0]


def _is_of_the_system(name: str) -> bool:
    """Whether a member of a zip is metadata that macOS adds."""
    return name.startswith("__MACOSX/") or PurePosixPath(name).name == ".DS_Store"


def _workbook(path: Path) -> Exception:
    return fault(path, "", "is a workbook or an office document; save the sheet as CSV UTF-8 and name that file")


def _damaged(content: Content, error: Exception) -> Exception:
    if isinstance(error, OSError) and error.errno:
        return error
    return fault(content.path, "", f"a damaged {content.compression} archive ({_reason(error)}); make or copy it again")


def _reason(error: Exception) -> str:
    return (str(error).splitlines() or [type(error).__name__])[0]
