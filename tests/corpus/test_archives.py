"""Archives are unpacked as a stream, known by their bytes, and bounded; a damaged one is one clear line."""

import bz2
import gzip
import io
import json
import tracemalloc
import zipfile
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from corpus_files import REVIEWS, fault, pairs, write
from pyarrow import feather

from auditor import corpus
from auditor.corpus.readers import archives


def zstd(content: bytes) -> bytes:
    return bytes(pa.Codec("zstd").compress(content, asbytes=True))


def zipped(*members: tuple[str, bytes]) -> bytes:
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in members:
            archive.writestr(name, content)
    return file.getvalue()


def content_of(file_format: str) -> bytes:
    rows = [{"text": text, "label": label} for text, label in REVIEWS]
    if file_format == "jsonl":
        return "".join(json.dumps(row) + "\n" for row in rows).encode()
    if file_format == "json":
        return json.dumps(rows).encode()
    if file_format in ("parquet", "arrow"):
        file = io.BytesIO()
        table = pa.Table.from_pylist(rows)
        pq.write_table(table, file) if file_format == "parquet" else feather.write_feather(table, file)
        return file.getvalue()
    mark = "\t" if file_format == "tsv" else ";"
    return "".join(f"{text}{mark}{label}\n" for text, label in [("text", "label"), *REVIEWS]).encode("utf-16")


@pytest.mark.parametrize("file_format", ["jsonl", "json", "csv", "tsv", "parquet", "arrow"])
@pytest.mark.parametrize("archive", ["gzip", "zstd", "zip"])
def test_every_format_is_read_in_every_archive(tmp_path: Path, file_format: str, archive: str) -> None:
    content = content_of(file_format)
    plain = corpus.load(write(tmp_path, f"reviews.{file_format}", content))
    name, packed = {
        "gzip": (f"reviews.{file_format}.gz", gzip.compress(content)),
        "zstd": (f"reviews.{file_format}.zst", zstd(content)),
        "zip": ("reviews.zip", zipped((f"folder/inside.{file_format}", content))),
    }[archive]
    loaded = corpus.load(write(tmp_path, name, packed))
    assert pairs(loaded) == REVIEWS
    assert (loaded.dialect.format, loaded.dialect.compression) == (file_format, archive)
    assert [document.id for document in loaded.documents] == [document.id for document in plain.documents]
    assert str(loaded.dialect).startswith(f"{file_format} in {archive}")


def test_several_frames_are_one_file(tmp_path: Path) -> None:
    assert pairs(corpus.load(write(tmp_path, "a.txt.gz", gzip.compress(b"a\n") + gzip.compress(b"b\n")))) == [
        ("a",),
        ("b",),
    ]
    assert pairs(corpus.load(write(tmp_path, "a.txt.zst", zstd(b"a\n") + zstd(b"b\n")))) == [("a",), ("b",)]


def test_an_archive_without_its_suffix_is_unpacked_and_a_suffix_without_its_archive_is_a_fault(tmp_path: Path) -> None:
    loaded = corpus.load(write(tmp_path, "a.txt", gzip.compress(b"a\n")))
    assert (pairs(loaded), loaded.dialect.compression) == ([("a",)], "gzip")
    assert fault(write(tmp_path, "a.txt.gz", b"a\n")).startswith(": is no gzip archive, as its name says")
    assert fault(write(tmp_path, "b.txt.zst", b"")).startswith(": is no zstd archive, as its name says")


def test_the_format_inside_an_archive_without_a_second_suffix_can_be_said(tmp_path: Path) -> None:
    path = write(tmp_path, "reviews.gz", gzip.compress(b"a\n"))
    assert "set corpus.format to one of" in fault(path)
    assert pairs(corpus.load(path, format="txt")) == [("a",)]


@pytest.mark.parametrize("archive", ["gz", "zst", "zip"])
@pytest.mark.parametrize("file_format", ["jsonl", "parquet"])
def test_an_archive_that_was_cut_is_one_clear_line(tmp_path: Path, archive: str, file_format: str) -> None:
    content = content_of(file_format)
    pack = {"gz": gzip.compress, "zst": zstd, "zip": lambda content: zipped(("a.jsonl", content))}[archive]
    packed = pack(content)
    for length in (len(packed) // 2, len(packed) - 3):
        message = fault(write(tmp_path, f"a.{file_format}.{archive}", packed[:length]))
        name = {"gz": "gzip", "zst": "zstd", "zip": "zip"}[archive]
        assert message.startswith(f": a damaged {name} archive (")
        assert message.endswith("make or copy it again")


@pytest.mark.parametrize("archive", ["gz", "zip"])
def test_an_archive_with_a_wrong_byte_is_one_clear_line(tmp_path: Path, archive: str) -> None:
    packed = bytearray(
        gzip.compress(content_of("jsonl")) if archive == "gz" else zipped(("a.jsonl", content_of("jsonl")))
    )
    packed[60] ^= 0xFF
    assert "a damaged" in fault(write(tmp_path, f"a.jsonl.{archive}", bytes(packed)))


def test_a_zip_holds_one_file_besides_those_of_the_system(tmp_path: Path) -> None:
    inside = ("a.txt", b"a\n")
    hidden = [("__MACOSX/._a.txt", b"x"), (".DS_Store", b"x"), ("folder/", b"")]
    assert pairs(corpus.load(write(tmp_path, "a.zip", zipped(inside, *hidden)))) == [("a",)]
    message = fault(write(tmp_path, "b.zip", zipped(inside, ("b.txt", b""))))
    assert message == (
        ': holds 2 files ("a.txt", "b.txt"); expected one file in it: unpack it and name the one to read'
    )
    assert fault(write(tmp_path, "c.zip", zipped())) == ": is a zip without a file; expected one file in it"
    assert "is a zip without a file" in fault(write(tmp_path, "d.zip", zipped((".DS_Store", b"x"))))


def test_a_name_in_a_zip_leads_nowhere(tmp_path: Path) -> None:
    loaded = corpus.load(write(tmp_path, "a.zip", zipped(("../../../etc/passwd.txt", b"a\n"))))
    assert (pairs(loaded), [path.name for path in tmp_path.iterdir()]) == ([("a",)], ["a.zip"])


def test_a_zip_with_a_password_is_refused(tmp_path: Path) -> None:
    packed = bytearray(zipped(("a.txt", b"a\n")))
    packed[6] |= 1
    packed[packed.index(b"PK\x01\x02") + 8] |= 1
    assert "is locked by a password" in fault(write(tmp_path, "a.zip", bytes(packed)))


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("a.xlsx", zipped(("[Content_Types].xml", b"<x/>"), ("xl/workbook.xml", b"<x/>"))),
        ("a.ods", zipped(("mimetype", b"application/vnd.oasis.opendocument.spreadsheet"), ("content.xml", b""))),
        ("a.xls", b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + bytes(512)),
        ("a.csv", zipped(("[Content_Types].xml", b"<x/>"), ("xl/workbook.xml", b"<x/>"))),
    ],
)
def test_a_workbook_is_told_how_to_become_a_corpus(tmp_path: Path, name: str, content: bytes) -> None:
    message = fault(write(tmp_path, name, content))
    assert message == ": is a workbook or an office document; save the sheet as CSV UTF-8 and name that file"


def test_another_archive_is_no_text(tmp_path: Path) -> None:
    assert 'the suffix ".bz2" stands for no format' in fault(write(tmp_path, "a.txt.bz2", bz2.compress(b"a\n")))


@pytest.mark.parametrize("file_format", ["jsonl", "csv", "txt", "json", "parquet"])
def test_a_bomb_is_stopped_before_it_fills_the_memory(
    tmp_path: Path, file_format: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(archives, "_MOST_BYTES", 2**22)
    monkeypatch.setattr(archives, "_MOST_TIMES", 4)
    path = write(tmp_path, f"a.{file_format}.gz", gzip.compress(b" " * 2**26, 1))
    tracemalloc.start()
    message = fault(path)
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert "; unpack it first and name the unpacked file" in message
    assert message.startswith(": unpacks to more than ")
    assert peak < 2**24, "a quarter of what the archive holds"


def test_a_line_that_never_ends_is_a_fault(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from auditor.corpus.readers import text

    monkeypatch.setattr(text, "_LONGEST_LINE", 1000)
    message = fault(write(tmp_path, "a.txt", "short\n" + "x" * 1001))
    assert message == ", line 2: longer than 1,000 characters; expected one document per line or row"
