"""Labels at the command line: corpora as people have them, what is refused, and that the table to paste works."""

import json
import tomllib
from collections.abc import Callable
from pathlib import Path

import pytest

from auditor import audit, config
from auditor.corpus.labels import Reading
from auditor.languages import speaking
from auditor.models import find
from auditor.records.types import Document, Prediction
from auditor.running.labelling import notes_on
from auditor.terminal.cli import main
from tests.models.tiny import save
from tests.test_audit import Silent

THREE = {"id2label": {0: "negative", 1: "neutral", 2: "positive"}}
MODELS = {
    "sentiment": {"id2label": {0: "negative", 1: "positive"}},
    "unnamed": {},
    "twice": {"id2label": {0: "bad", 1: "good", 2: " good"}},
    "several": {**THREE, "problem_type": "multi_label_classification"},
}
Check = Callable[..., tuple[int, str, str]]


@pytest.fixture(scope="session")
def models(once: Callable[[str, Callable[[Path], None]], Path]) -> Path:
    def make(folder: Path) -> None:
        for name, labels in MODELS.items():
            save(folder / name, "bert", "text-classification", **labels)

    return once("labelled models", make)


@pytest.fixture
def check(models: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Check:
    """`auditor check` of a model over cells of a CSV file, in an empty folder, with no weight within reach."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr("auditor.models.load", lambda *_, **__: pytest.fail("a weight was loaded"))

    def run(model: str, cells: list[str], *options: str) -> tuple[int, str, str]:
        data = tmp_path / "corpus.csv"
        data.write_text("text,label\n" + "".join(f"Good.,{cell}\n" for cell in cells), encoding="utf-8")
        capsys.readouterr()
        code = main(["check", *options, "--model", str(models / model), "--data", str(data)])
        return code, *capsys.readouterr()

    return run


def pasted(err: str, folder: Path, labels: dict[str, str]) -> str:
    """A configuration with the table that stands on stderr, completed; its name."""
    table = err[err.index("[corpus.labels]") :]
    assert set(tomllib.loads(table)["corpus"]["labels"]) == set(labels)
    for written, label in labels.items():
        assert f'"{written}" = ""' in table
        table = table.replace(f'"{written}" = ""', f'"{written}" = "{label}"')
    (folder / "labels.toml").write_text(table, encoding="utf-8")
    return "labels.toml"


@pytest.mark.parametrize(
    ("model", "cells", "labels"),
    [
        ("sentiment", ["+1", "-1", "+1"], {"+1": "positive", "-1": "negative"}),
        ("sentiment", ["4", "0", "4"], {"4": "positive", "0": "negative"}),
        ("sentiment", ["1", "2"], {"1": "negative", "2": "positive"}),
        ("sentiment", ["True", "False"], {"True": "positive", "False": "negative"}),
        ("unnamed", ["good", "bad"], {"good": "LABEL_1", "bad": "LABEL_0"}),
        ("several", ["1", "2"], {"1": "negative", "2": "positive"}),
    ],
)
def test_what_is_not_understood_is_refused_with_a_table_that_works(
    check: Check, tmp_path: Path, model: str, cells: list[str], labels: dict[str, str]
) -> None:
    code, out, err = check(model, cells)
    assert (code, out) == (2, "")
    assert err.startswith(f'auditor: {tmp_path / "corpus.csv"}, column "label": the ')
    assert err.count("auditor:") == 1, "the table is ready to be copied"
    code, out, err = check(model, cells, pasted(err, tmp_path, labels))
    assert (code, err) == (0, "")
    says = ", ".join(f"{cell} = {labels[cell]}" for cell in dict.fromkeys(cells))
    assert f"note     Labels were read as [corpus.labels] says: {says}." in out


def test_a_table_that_was_not_completed_is_refused_line_by_line(check: Check, tmp_path: Path) -> None:
    err = check("sentiment", ["4", "0"])[2]
    (tmp_path / "labels.toml").write_text(err[err.index("[corpus.labels]") :], encoding="utf-8")
    code, _, err = check("sentiment", ["4", "0"], "labels.toml")
    assert code == 2
    assert err.splitlines() == [
        f'auditor: labels.toml: corpus.labels."{key}": expected a label of the model, found ""; it knows '
        '"negative", "positive"'
        for key in ("0", "4")
    ]


def test_ids_are_printed_with_their_labels(check: Check) -> None:
    code, out, _ = check("sentiment", ["1.0", "0.0"])
    assert code == 0
    assert "labels negative, positive" in out
    assert "note     Numbers in the corpus were read as the model's label ids: 0.0 = negative, 1.0 = positive." in out


def test_labels_that_are_written_differently_are_counted(check: Check) -> None:
    code, out, _ = check("sentiment", ["LABEL_1", " negative", "Positive", "negative"])
    assert code == 0
    assert (
        "note     3 labels are written differently from the model's and were taken for them: "
        'LABEL_1 = positive, " negative" = negative, Positive = positive.'
    ) in out


def test_several_labels_in_a_cell(check: Check) -> None:
    cells = ["positive;neutral", "negative"]
    code, _, err = check("several", cells)
    assert (code, len(err.splitlines())) == (2, 1)
    assert err.endswith('set label_separator = ";" in [corpus], or give --label-separator ";"\n')
    assert check("several", cells, "--label-separator", ";")[0] == 0


def test_a_written_label_may_hold_dots_on_the_command_line(check: Check) -> None:
    code, out, _ = check(
        "sentiment", ["0.5", "1.5"], "--set", "corpus.labels.0.5=negative", "--set=corpus.labels.1.5=positive"
    )
    assert code == 0
    assert "0.5 = negative, 1.5 = positive" in out


def test_two_labels_of_one_name_are_told_apart_by_their_ids(check: Check, models: Path) -> None:
    assert find("m", models / "twice").labels == ("bad", "good (id 1)", "good (id 2)")
    code, out, _ = check("twice", ["0", "1", "2"])
    assert code == 0
    assert "2 = good (id 2)" in out
    code, _, err = check("twice", ["bad", "good"])
    assert code == 2
    assert 'the model calls several of its labels "good"' in err


def test_the_table_in_yaml_needs_keys_in_quotation_marks(check: Check, tmp_path: Path) -> None:
    (tmp_path / "labels.yaml").write_text("corpus:\n  labels:\n    4: positive\n    'x': 1\n", encoding="utf-8")
    code, _, err = check("sentiment", ["4"], "labels.yaml")
    assert code == 2
    assert "corpus.labels.4: expected a key that is a string, found 4; put it into quotation marks" in err
    assert "corpus.labels.x: expected a label of the model, or a list of them, found 1" in err


def audited(model: Path, rows: list[dict[str, object]], folder: Path, **more: object) -> audit.Result:
    data = folder / "corpus.jsonl"
    data.write_text("".join(json.dumps({"text": "Good.", **row}) + "\n" for row in rows), encoding="utf-8")
    wanted = {"model.name": model, "corpus.path": data, "probes.prediction": {}, **more}
    settings = config.load(None, wanted, environment={})
    return audit.run(settings, pdf=False, command="auditor run", progress=Silent())


def test_multi_hot_lists_are_audited_as_vectors(models: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    rows = [{"label": value} for value in ([0, 0, 1], [0, 1, 1], [0, 0, 0], None)]
    result = audited(models / "several", rows, tmp_path)
    documents = [row for row in result.run.read("documents", Document) if isinstance(row, Document)]
    assert [row.labels for row in documents] == [("positive",), ("neutral", "positive"), (), ()]
    assert [row.unlabelled for row in documents] == [False, False, False, True]
    found = result.findings.predictions
    assert found is not None
    assert found.n_labelled == 3, "no label is a reference, nothing is none"
    assert result.findings.notes == (
        "Lists of 0 and 1 in the corpus were read as vectors, in the model's order of labels: negative, neutral, "
        "positive.",
        "1 of 4 documents has no reference label: it is in no score.",
    )


def test_labels_of_one_name_stay_apart_through_a_whole_audit(
    models: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    rows = [{"label": i} for i in (0, 1, 2)]
    result = audited(models / "twice", rows, tmp_path, **{"checks.recall[good (id 2)].at_least": 0.01})
    labels = ("bad", "good (id 1)", "good (id 2)")
    assert {row.labels for row in result.run.read("prediction", Prediction) if isinstance(row, Prediction)} == {labels}
    found = result.findings
    assert found.predictions is not None
    assert tuple(row.label for row in found.predictions.classes) == labels
    assert found.checks[0].number is not None
    page = result.html.read_text(encoding="utf-8")
    assert "good (id 1)" in page
    assert "0 = bad, 1 = good (id 1), 2 = good (id 2)" in page.split('id="predictions"')[0], "on page one"


def test_long_and_hostile_notes_are_cut_short() -> None:
    labels = {str(i): f"label {i}" + "\x1b<b>" * 50 for i in range(200)}
    (note,) = notes_on(Reading(ids=labels))
    assert note.endswith("and 188 more.")
    assert len(note) < 12 * 90
    with speaking("zh"):
        (note,) = notes_on(Reading(mapped={"x": (), "y": ("a", "b")}))
    assert note == "标签按 [corpus.labels] 解读：x = 无标签、y = a + b。"
