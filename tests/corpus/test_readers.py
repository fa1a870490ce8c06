"""Every format gives the same documents, and every fault names the file and the line."""

import csv
import datetime
import json
import os
from collections.abc import Iterator
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from corpus_files import fault, write
from hypothesis import given
from hypothesis import strategies as st

from auditor import corpus
from auditor.corpus.readers.text import Text
from auditor.errors import ConfigError, CorpusError

ROWS = [
    {"text": "Not bad at all", "label": "positive", "language": "en"},
    {"text": 'He said "no", twice', "label": "negative", "language": "en"},
    {"text": "不错", "label": "positive", "language": "zh"},
]


def write_rows(folder: Path, file_format: str, rows: list[dict[str, str]]) -> Path:
    path = folder / f"reviews.{file_format}"
    if file_format == "jsonl":
        path.write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8")
    elif file_format == "json":
        path.write_text(json.dumps(rows, indent=2, ensure_ascii=False), encoding="utf-8")
    elif file_format == "parquet":
        pq.write_table(pa.Table.from_pylist(rows), path)
    else:
        with path.open("w", encoding="utf-8", newline="") as file:
            writer = csv.DictWriter(file, rows[0], delimiter="\t" if file_format == "tsv" else ",")
            writer.writeheader()
            writer.writerows(rows)
    return path


@pytest.mark.parametrize("file_format", ["jsonl", "json", "csv", "tsv", "parquet"])
def test_every_format_with_columns_gives_the_same_documents(tmp_path: Path, file_format: str) -> None:
    loaded = corpus.load(write_rows(tmp_path, file_format, ROWS))
    assert [document.text for document in loaded.documents] == [row["text"] for row in ROWS]
    assert [document.labels for document in loaded.documents] == [("positive",), ("negative",), ("positive",)]
    assert [document.metadata for document in loaded.documents] == [{"language": code} for code in ("en", "en", "zh")]
    assert loaded.columns == ("text", "label", "language")
    assert loaded.label_values == ("negative", "positive")
    assert loaded.n_documents == 3


def test_plain_text_is_one_document_per_line_and_blank_lines_are_none(tmp_path: Path) -> None:
    loaded = corpus.load(write(tmp_path, "a.txt", "one\n\n  two  \r\n   \nthree"))
    assert [(document.id, document.text) for document in loaded.documents] == [
        ("a-1", "one"),
        ("a-3", "  two  "),
        ("a-5", "three"),
    ]


@pytest.mark.parametrize(
    ("file_format", "expected"),
    [
        ("jsonl", "reviews-1"),
        ("json", "reviews-1"),
        ("csv", "reviews-2"),
        ("tsv", "reviews-2"),
        ("parquet", "reviews-1"),
    ],
)
def test_a_document_without_an_id_is_called_after_file_and_line(
    tmp_path: Path, file_format: str, expected: str
) -> None:
    assert corpus.load(write_rows(tmp_path, file_format, ROWS)).documents[0].id == expected


def test_the_suffix_chooses_the_format_unless_one_is_asked_for(tmp_path: Path) -> None:
    path = write(tmp_path, "dump.data", '{"text": "a"}\n')
    assert "set corpus.format to one of jsonl, json, csv, tsv, parquet, arrow, txt" in fault(path)
    assert corpus.load(path, format="jsonl").documents[0].text == "a"
    with pytest.raises(ConfigError, match='unknown format "xml"'):
        corpus.load(path, format="xml")
    assert corpus.load(write(tmp_path, "a.NDJSON", '{"text": "a"}')).documents[0].text == "a"


@pytest.mark.parametrize("name", ["a.jsonl", "a.json", "a.csv", "a.tsv", "a.txt"])
def test_a_byte_order_mark_is_no_text(tmp_path: Path, name: str) -> None:
    content = {"a.jsonl": '{"text": "x"}', "a.json": '[{"text": "x"}]', "a.txt": "x"}.get(name, "text\nx\n")
    assert corpus.load(write(tmp_path, name, "\ufeff" + content)).documents[0].text == "x"


def test_a_line_ends_at_a_line_feed_and_nowhere_else(tmp_path: Path) -> None:
    text = "a\u2028b\u0085c\rd"
    path = write(tmp_path, "a.jsonl", json.dumps({"text": text}, ensure_ascii=False) + "\n")
    assert corpus.load(path).documents[0].text == text
    assert corpus.load(write(tmp_path, "a.txt", "a\u2028b\n")).documents[0].text == "a\u2028b"


def test_a_quoted_csv_field_may_hold_commas_marks_and_lines_and_be_very_long(tmp_path: Path) -> None:
    long = "x" * 300_000
    limit = csv.field_size_limit()
    path = write(tmp_path, "a.csv", f'text,label\n"a, ""b""\nc",1\n\n=cmd(),2\n{long},3\n')
    loaded = corpus.load(path)
    assert [document.text for document in loaded.documents] == ['a, "b"\nc', "=cmd()", long]
    assert [document.id for document in loaded.documents] == ["a-2", "a-5", "a-6"], "named after their first line"
    assert csv.field_size_limit() == limit, "the library's limit is left as it was"


def test_a_tab_separated_field_is_unquoted_only_if_marks_enclose_all_of_it(tmp_path: Path) -> None:
    path = write(tmp_path, "a.tsv", 'text\tlabel\n"Great" film\t1\n"He said ""hi"""\t0\n"\t1\n')
    assert [document.text for document in corpus.load(path).documents] == ['"Great" film', 'He said "hi"', '"']


def test_parquet_values_of_any_scalar_type_become_text_to_slice_by(tmp_path: Path) -> None:
    table = pa.table(
        {
            "text": pa.array(["a", "b"]).dictionary_encode(),
            "label": pa.array([0, 1], pa.int8()),
            "day": [datetime.date(2024, 1, 1), None],
            "vector": [[1.0], [2.0]],
        }
    )
    pq.write_table(table, tmp_path / "a.parquet")
    first, second = corpus.load(tmp_path / "a.parquet").documents
    assert first.labels == ("0",)
    assert (first.metadata, second.metadata) == ({"day": "2024-01-01"}, {"day": "(missing)"})


@pytest.mark.parametrize(
    ("name", "content", "expected"),
    [
        ("a.jsonl", "", ": holds no documents"),
        ("a.json", " [ ] ", ": holds no documents"),
        ("a.csv", "text,label\n", ": holds no documents"),
        ("a.tsv", "\n\n", ": holds no documents"),
        ("a.txt", " \n\n", ": holds no documents"),
        ("a.parquet", "", ": not readable as Parquet"),
        ("a.parquet", "PAR1 rubbish PAR1", ": not readable as Parquet"),
        ("a.jsonl", '{"text": "a"}\n{"text": \n', ", line 2: not JSON (Expecting value at column"),
        ("a.jsonl", '{"text": "a"}\n\n["a"]\n', ", line 3: expected an object"),
        ("a.jsonl", '{"text": "a"} {"text": "b"}', ", line 1: not JSON (Extra data"),
        ("a.jsonl", "[" * 100_000, ", line 1: not JSON (nested too deeply"),
        ("a.jsonl", '{"text": ' + "9" * 5000 + "}", ", line 1: not JSON (Exceeds the limit"),
        ("a.jsonl", b'{"text": "a"}\n{"text": "\xff"}\n', ", line 2: not UTF-8 (byte 0xff at position 11)"),
        ("a.json", '{\n"text": "a"}', ", line 1: expected an array of objects, or one object per line"),
        ("a.json", '\n\n"a"', ", line 3: expected an array of objects"),
        ("a.json", '[\n{"text": "a"},\n{"text": "b"\n]', ", line 4: not JSON (Expecting ',' delimiter at column 1)"),
        ("a.json", '[\n{"text": "a"},\n3]', ", entry 2 (line 3): expected an object"),
        ("a.json", '[{"text": "a"}\n{"text": "b"}]', ', line 2: not JSON; expected "," or "]"'),
        ("a.json", '[{"text": "a"},', ", line 1: not JSON (Expecting value"),
        ("a.json", '[{"text": "a"}', ', line 1: not JSON; expected "," or "]"'),
        ("a.json", '[{"text": "a"}]\n x', ", line 1: not JSON; something follows"),
        ("a.json", "[" * 100_000, ", line 1: not JSON (nested too deeply)"),
        ("a.csv", "text,label\na,1\nb\n", ", line 3: expected 2 fields as in the header, found 1"),
        ("a.csv", 'text,label\n"a\nb",1\nc,2,3\n', ", line 4: expected 2 fields as in the header, found 3"),
        ("a.csv", 'text,label\n"a" b,1\n', ", line 2: not CSV ("),
        ("a.csv", 'text,label\n"a,1\nb,2\n', ", line 3: not CSV (unexpected end of data)"),
        ("a.csv", "text,label,text\na,1,b\n", ', line 1: two columns are called "text"'),
        ("a.tsv", "text\tlabel\na\tb\tc\n", ", line 2: expected 2 fields as in the header, found 3"),
        ("a.csv", b"text,label\na,1\n\xd5\xe9,2\n", ", line 3: not UTF-8 (byte 0xd5 at position 1)"),
    ],
)
def test_a_wrong_file_is_a_fault_that_names_the_line(
    tmp_path: Path, name: str, content: str | bytes, expected: str
) -> None:
    message = fault(write(tmp_path, name, content))
    assert message.startswith(expected), message


def test_a_missing_file_is_a_fault_that_offers_a_neighbour(tmp_path: Path) -> None:
    write(tmp_path, "reviews.jsonl", "{}")
    assert fault(tmp_path / "review.jsonl") == ': no such file; did you mean "reviews.jsonl"?'
    assert fault(tmp_path / "nowhere" / "x.csv") == ": no such file"


def test_a_folder_a_pipe_and_an_impossible_name_are_no_corpus(tmp_path: Path) -> None:
    assert fault(tmp_path) == ": is a folder; expected one file, or a folder that the package datasets saved"
    os.mkfifo(tmp_path / "pipe.txt")
    assert "not a regular file" in fault(tmp_path / "pipe.txt")
    assert "cannot be read" in fault(tmp_path / ("x" * 300))
    with pytest.raises(CorpusError):
        corpus.load("a\0b.txt")


def test_a_file_without_permission_is_a_fault(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: object) -> None:
        raise PermissionError(13, "Permission denied")

    path = write(tmp_path, "a.txt", "a")
    monkeypatch.setattr(Path, "open", refuse)  # permissions do not stop the superuser, who may run this
    assert fault(path) == ": cannot be read: Permission denied"


def test_a_disk_that_fails_while_reading_is_a_fault(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(_: Text) -> Iterator[tuple[int, str]]:
        raise OSError(5, "Input/output error")

    monkeypatch.setattr(Text, "lines", fail)
    assert fault(write(tmp_path, "a.txt", "a")) == ": cannot be read: Input/output error"


@given(st.lists(st.text(st.characters(codec="utf-8", exclude_characters="\0")), min_size=1, max_size=5))
def test_any_text_survives_json_lines_unless_it_is_unsafe(
    tmp_path_factory: pytest.TempPathFactory, texts: list[str]
) -> None:
    path = tmp_path_factory.getbasetemp() / "any.jsonl"
    path.write_text("".join(json.dumps({"text": text}) + "\n" for text in texts), encoding="utf-8")
    loaded = corpus.load(path).documents
    for text, document in zip(texts, loaded, strict=True):
        assert len(document.text) == len(text)
        if document.n_cleaned == 0:
            assert document.text == text
