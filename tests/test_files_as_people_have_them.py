"""Files as people have them, through the real command line: what is printed, planned and noted, and the exit codes."""

import gzip
import json
from collections.abc import Callable
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from auditor.records.store import open_run
from auditor.records.types import Document
from auditor.terminal.cli import main
from tests.models.tiny import save

REVIEWS = [
    ("the actors were wonderful and the story moved me", "positive"),
    ("a dull film that never ends", "negative"),
    ("one of the finest comedies of the year", "positive"),
    ("badly written and worse acted", "negative"),
    ("i laughed from the first scene to the last", "positive"),
    ("a waste of two hours", "negative"),
    ("tender , funny and beautifully shot", "positive"),
    ("loud , stupid and far too long", "negative"),
]
Said = Callable[..., tuple[int, str, str]]


@pytest.fixture(scope="session")
def model(tmp_path_factory: pytest.TempPathFactory) -> Path:
    labels = {"id2label": {0: "negative", 1: "positive"}, "label2id": {"negative": 0, "positive": 1}}
    return save(tmp_path_factory.mktemp("dialects") / "classifier", "bert", "text-classification", **labels)


@pytest.fixture
def check(model: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Said:
    """`auditor check` of a file; its exit code, stdout and stderr."""
    monkeypatch.chdir(tmp_path)

    def check(name: str, *options: str) -> tuple[int, str, str]:
        code = main(["check", "--model", str(model), "--data", name, *options])
        return code, *capsys.readouterr()

    return check


def separated(delimiter: str, end: str = "\n", *, quoted: bool = False) -> str:
    mark = '"' if quoted else ""
    lines = [f"text{delimiter}label", *(f"{mark}{text}{mark}{delimiter}{label}" for text, label in REVIEWS)]
    return end.join([*lines, ""])


def classes() -> bytes:
    features = {"text": {"dtype": "string", "_type": "Value"}}
    features["label"] = {"names": ["positive", "negative"], "_type": "ClassLabel"}  # type: ignore[assignment]
    ids = [["positive", "negative"].index(label) for _, label in REVIEWS]
    table = pa.table({"text": [text for text, _ in REVIEWS], "label": ids})
    file = pa.BufferOutputStream()
    pq.write_table(table.replace_schema_metadata({"huggingface": json.dumps({"info": {"features": features}})}), file)
    return bytes(file.getvalue())


LATIN = "v1,v2,,,\n" + "".join(f'{label},"{text} – £5 café",,,\n' for text, label in REVIEWS)
FILES = {
    "semicolon.csv": separated(";").encode(),
    "sep_line.csv": b"sep=;\n" + separated(";").encode(),
    "mac_cr.csv": separated(",", "\r", quoted=True).encode(),
    "utf16.csv": separated("\t").encode("utf-16"),
    "reviews.jsonl.gz": gzip.compress(
        "".join(json.dumps({"text": text, "label": label}) + "\n" for text, label in REVIEWS).encode()
    ),
    "headers_and_latin1.csv": LATIN.encode("cp1252"),
    "classlabel.parquet": classes(),
}
COLUMNS = {"headers_and_latin1.csv": ("--text-column", "v2", "--label-column", "v1")}
GUESS = " (a guess; corpus.encoding or --encoding states another)"


@pytest.mark.parametrize(
    ("name", "read_as"),
    [
        ("semicolon.csv", "csv, columns separated by semicolon, encoding utf-8"),
        ("sep_line.csv", "csv, columns separated by semicolon, encoding utf-8"),
        ("mac_cr.csv", "csv, columns separated by comma, encoding utf-8"),
        ("utf16.csv", "csv, columns separated by tab, encoding utf-16-le"),
        ("reviews.jsonl.gz", "jsonl in gzip, encoding utf-8"),
        ("headers_and_latin1.csv", f"csv, columns separated by comma, encoding cp1252{GUESS}"),
        ("classlabel.parquet", "parquet, classes of label: 0 positive, 1 negative"),
    ],
)
def test_every_case_is_read_and_says_how(tmp_path: Path, check: Said, name: str, read_as: str) -> None:
    (tmp_path / name).write_bytes(FILES[name])
    code, said, complaints = check(name, *COLUMNS.get(name, ()))
    assert (code, complaints) == (0, "")
    lines = said.splitlines()
    assert f"corpus   {name}: 8 documents, labels negative, positive" in lines
    assert f"read as  {read_as}" in lines


def test_what_was_guessed_or_named_is_noted_in_the_language_of_the_report(tmp_path: Path, check: Said) -> None:
    for name in ("headers_and_latin1.csv", "classlabel.parquet"):
        (tmp_path / name).write_bytes(FILES[name])
    _, said, _ = check("headers_and_latin1.csv", *COLUMNS["headers_and_latin1.csv"])
    assert "note     The encoding of the corpus was guessed from its bytes: cp1252; corpus.encoding states" in said
    _, said, _ = check("classlabel.parquet", "--set", "report.language=zh")
    assert "note     列“label”存有类别编号，已按语料给出的名称读取：0 positive, 1 negative。" in said
    (tmp_path / "plain.csv").write_text(separated(","), encoding="utf-8")
    assert "guessed" not in check("plain.csv")[1]


def test_what_is_asked_for_is_no_guess(tmp_path: Path, check: Said) -> None:
    (tmp_path / "a.csv").write_bytes("text;label\n好，不错;positive\n差，不好;negative\n".encode("gb18030"))
    code, _, complaints = check("a.csv")
    assert code == 4
    assert '"gb18030" reads "好，不错' in complaints
    code, said, _ = check("a.csv", "--encoding", "gb18030", "--delimiter", "semicolon")
    assert code == 0
    assert "read as  csv, columns separated by semicolon, encoding gb18030\n" in said
    assert "guess" not in said


@pytest.mark.parametrize(
    ("options", "expected"),
    [
        (("--encoding", "gbk2312"), "corpus.encoding: expected an encoding that Python knows, such as utf-8, gb18030"),
        (("--encoding", "uft-8"), "did you mean utf-8?, found"),
        (("--encoding", "rot13"), "corpus.encoding: expected an encoding that Python knows"),
        (("--encoding", "idna"), "corpus.encoding: Python knows no encoding"),
        (("--delimiter", "colon"), "corpus.delimiter: expected 'comma', 'semicolon', 'tab', 'pipe', 'none'"),
        (("--split", "test"), "corpus.split: is not for a single file; leave it out"),
        (("--set", "corpus.format=xlsx"), "corpus.format: expected 'jsonl', 'json', 'csv', 'tsv', 'parquet', 'arrow'"),
    ],
)
def test_a_key_that_cannot_be_right_is_exit_2(
    tmp_path: Path, check: Said, options: tuple[str, str], expected: str
) -> None:
    (tmp_path / "a.csv").write_text(separated(","), encoding="utf-8")
    code, _, complaints = check("a.csv", *options)
    assert code == 2
    assert expected in complaints
    assert complaints.count("\n") == 1


@pytest.mark.parametrize(
    ("name", "content", "expected"),
    [
        ("a.csv", b"text,label\na,positive\nb\n", "a.csv, line 3: expected 2 fields"),
        ("a.csv", b"text,label,\na,positive,\nb,negative,x\n", 'a.csv, line 3: "x" stands in column 3'),
        ("a.jsonl.gz", gzip.compress(b'{"text": "a"}\n', mtime=0)[:-4], "a.jsonl.gz: a damaged gzip archive"),
        ("a.csv", b"text\n\xb0\xa1\n", "a.csv, line 2: not UTF-8 (byte 0xb0 at position 1)"),
        ("a.xlsx", b"PK\x03\x04rubbish", "a.xlsx: a damaged zip archive"),
    ],
)
def test_a_file_that_cannot_be_read_is_exit_4_and_one_line(
    tmp_path: Path, check: Said, name: str, content: bytes, expected: str
) -> None:
    (tmp_path / name).write_bytes(content)
    code, said, complaints = check(name)
    assert (code, said, complaints.count("\n")) == (4, "", 1)
    assert complaints.startswith(f"auditor: {expected}")


def test_a_dataset_of_the_hub_needs_its_package_and_no_folder(check: Said, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("auditor.corpus.readers.hub.find_spec", lambda _: None)
    code, _, complaints = check("hf://datasets/imdb", "--split", "test")
    assert (code, complaints) == (4, "auditor: hf://datasets/imdb: needs the package datasets; pip install datasets\n")


def test_check_gives_the_dialect_to_machines(tmp_path: Path, check: Said) -> None:
    (tmp_path / "a.csv").write_bytes(FILES["semicolon.csv"])
    _, said, _ = check("a.csv", "--json")
    assert json.loads(said)["dialect"] == {
        "format": "csv",
        "compression": "",
        "encoding": "utf-8",
        "encoding_is_guessed": False,
        "delimiter": "semicolon",
        "classes": {},
    }


def test_an_audit_says_plans_and_reports_how_its_corpus_was_read(
    tmp_path: Path, model: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    name = "headers_and_latin1.csv"
    (tmp_path / name).write_bytes(FILES[name])
    asked = ["--model", str(model), "--data", name, *COLUMNS[name], "--set", "probes.prediction={}", "--no-pdf"]
    assert main(["run", *asked]) == 0
    complaints = capsys.readouterr().err
    assert f"read as csv, columns separated by comma, encoding cp1252{GUESS}: {name}\n" in complaints
    run = open_run("latest", tmp_path / "reports")
    dialect = run.plan.corpus.dialect
    assert (dialect.format, dialect.delimiter, dialect.encoding) == ("csv", "comma", "cp1252")
    documents = [row for row in run.read("documents", Document) if isinstance(row, Document)]
    assert [(row.text, *row.labels) for row in documents] == [(f"{text} – £5 café", label) for text, label in REVIEWS]
    findings = json.loads(run.read_bytes("findings.json"))
    assert (findings["corpus"]["Encoding"], findings["corpus"]["Delimiter"]) == ("cp1252", "comma")
    assert any("guessed from its bytes: cp1252" in note for note in findings["notes"])
    assert "Archive" not in findings["corpus"]
