"""A finished run is read back by the tools it was exported to: the same numbers, no formula, no second copy."""

import csv
import importlib.util
import json
import math
import shutil
import subprocess
import sys
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pyarrow.parquet as pq
import pytest
import yaml
from huggingface_hub import ModelCard

from auditor import findings
from auditor.findings.contract.types import DocumentRow
from auditor.records.store import open_run
from auditor.report.page import documents_page
from auditor.running.exporters import contract, mlflow, model_card, opened, tables
from auditor.terminal.cli import main
from tests.findings.test_history import night
from tests.records.planned import PLAN
from tests.test_cli import finished_run, number, sample_findings

EXAMPLE = Path(__file__).parents[1] / "reports" / "example"


@pytest.fixture(scope="module")
def example():
    return opened(open_run(EXAMPLE, EXAMPLE.parent))


def exported(run, kind, out):
    assert main(["export", str(run), "--to", kind, "--out", str(out)]) == 0
    return out


def documents():
    """Two, of which one has texts that a spreadsheet would take for formulas."""
    empty = {"reference": (), "predicted": ("=1+1", "no"), "n_tokens": 3, "failed": (), "values": {"fidelity": -0.5}}
    for name in ("=cmd()", "-2"):
        yield DocumentRow(document_id=name, metadata={"@source": "+49 30", "plain": "a\nb"}, **empty)


def small(root, **changed):
    """A finished run of two documents and a number without a value."""
    run = finished_run(root)
    found = sample_findings().model_copy(
        update={"numbers": (number(), number(None).model_copy(update={"name": "recall[=x]"})), **changed}
    )
    run.write("findings.json", findings.write(found))
    run.finish({"verdict": "pass"})
    return run


def test_csv_has_every_number_as_it_is_printed(example, tmp_path):
    path = exported(EXAMPLE, "csv", tmp_path) / "numbers.csv"
    with path.open(encoding="utf-8", newline="") as stream:
        rows = list(csv.DictReader(stream))
    numbers = example.findings.numbers
    assert [row["name"] for row in rows] == [one.name for one in numbers]
    for key in ("value", "low", "high"):
        assert [row[key] and float(row[key]) for row in rows] == [
            "" if getattr(one, key) is None else getattr(one, key) for one in numbers
        ]
    checks = {row["name"]: (row["direction"], float(row["bound"]), row["result"]) for row in rows if row["result"]}
    assert checks == {one.name: (one.direction, one.bound, one.result) for one in example.findings.checks}
    logarithms = [
        (float(row[key]), float(row[f"{key}_nats"]))
        for row in rows
        for key in ("value", "low", "high")
        if row[f"{key}_nats"] and row[key]
    ]
    assert len(logarithms) > 3
    assert all(math.log(value) == pytest.approx(nats) for value, nats in logarithms)


def test_no_cell_of_csv_is_a_formula_and_numbers_stay_numbers(tmp_path):
    run = small(tmp_path / "reports", documents=tuple(documents()))
    with (exported(run.path, "csv", tmp_path / "out") / "documents.csv").open(encoding="utf-8", newline="") as stream:
        head, first, second = csv.reader(stream)
    assert (first[0], second[0]) == ("'=cmd()", "'-2")
    row = dict(zip(head, first, strict=True))
    assert (row["predicted"], row["metadata.@source"], row["metadata.plain"]) == ("'=1+1;no", "'+49 30", "a\nb")
    assert (row["fidelity"], row["n_tokens"], row["reference"]) == ("-0.5", "3", "")


@pytest.mark.parametrize("text", ["=1", "+1", "-1", "@x", "\t=1", "\r=1"])
def test_no_text_is_a_formula_and_the_rest_stands_as_it_is(text):
    assert tables._cell(text) == f"'{text}"
    assert (tables._cell(f"a{text}"), tables._cell(-1.5), tables._cell(["a", text])) == (f"a{text}", -1.5, f"a;{text}")


def test_parquet_has_types_and_nothing_where_nothing_was_measured(example, tmp_path):
    out = exported(EXAMPLE, "parquet", tmp_path)
    table = pq.read_table(out / "numbers.parquet")
    assert table.column("value").to_pylist() == [one.value for one in example.findings.numbers]
    assert set(table.column("run_id").to_pylist()) == {example.findings.run_id}
    rows = pq.read_table(out / "documents.parquet").to_pylist()
    assert [row["document_id"] for row in rows] == [row.document_id for row in example.findings.documents]
    assert [tuple(row["predicted"]) for row in rows] == [row.predicted for row in example.findings.documents]
    before = (out / "numbers.parquet").read_bytes()
    exported(EXAMPLE, "parquet", tmp_path)
    assert (out / "numbers.parquet").read_bytes() == before


def test_documents_that_the_report_leaves_out_are_exported_too(tmp_path):
    everything = list(documents())
    run = small(tmp_path / "reports", documents=tuple(everything[:1]), documents_left_out=1)
    pq.write_table(documents_page.table(everything), run.path / "documents.parquet")
    rows = pq.read_table(exported(run.path, "parquet", tmp_path / "out") / "documents.parquet")
    assert rows.column("document_id").to_pylist() == ["=cmd()", "-2"]


def test_the_hub_reads_its_model_index(example, capsys):
    assert main(["export", str(EXAMPLE), "--to", "model-card"]) == 0
    results = {
        (one.metric_type, one.metric_config): one for one in ModelCard(capsys.readouterr().out).data.eval_results
    }
    checked = {one.name: one.number for one in example.findings.checks}
    accuracy, recall = results["accuracy", None], results["recall", "positive"]
    assert (accuracy.metric_value, recall.metric_value) == (
        checked["accuracy"].value,
        checked["recall[positive]"].value,
    )
    assert accuracy.metric_args["confidence_interval"] == [checked["accuracy"].low, checked["accuracy"].high]
    assert (accuracy.task_type, accuracy.dataset_name) == ("text-classification", "reviews.jsonl")


def since_baseline():
    """A check against the baseline, and the change that it is about."""
    change = number(-0.01).model_copy(update={"name": "accuracy@baseline", "title": "Accuracy, change"})
    check = sample_findings().checks[0]
    return check.model_copy(update={"name": change.name, "number": change, "bound": -0.02, "baseline": "run-1"})


def test_a_change_since_the_baseline_is_in_the_tables_and_in_no_model_card(tmp_path, capsys):
    run = small(tmp_path / "reports", checks=(*sample_findings().checks, since_baseline()))
    exported(run.path, "parquet", tmp_path)
    rows = pq.read_table(tmp_path / "numbers.parquet").to_pylist()
    (row,) = (row for row in rows if row["name"] == "accuracy@baseline")
    assert (row["value"], row["bound"], row["result"]) == (-0.01, -0.02, "pass")
    told = [name for name, _ in mlflow._metrics(opened(run).findings.differences)]
    assert told == [f"accuracy_baseline{end}" for end in ("", ".low", ".high", ".n")]
    capsys.readouterr()
    assert main(["export", str(run.path), "--to", "model-card"]) == 0
    (one,) = ModelCard(capsys.readouterr().out).data.eval_results
    assert (one.metric_type, one.metric_value) == ("accuracy", number().value)


@pytest.mark.parametrize(
    ("name", "kind", "of"),
    [
        ("recall[positive]{length=short}", "recall", "positive, length=short"),
        ("accuracy{length=short}", "accuracy", "length=short"),
        ("recall[[a]{b}]]", "recall", "[a]{b}]"),
        ("perplexity.corpus", "perplexity.corpus", None),
    ],
)
def test_a_metric_is_named_by_its_kind_and_told_apart_by_label_and_slice(example, name, kind, of):
    made = model_card._result(example, number().model_copy(update={"name": name}))
    assert (made.metric_type, made.metric_config) == (kind, of)


@pytest.mark.parametrize(
    ("path", "named"),
    [
        ("hf://datasets/stanfordnlp/imdb@main/plain_text", ("stanfordnlp/imdb", "main", "plain_text", "test")),
        ("C:\\data\\reviews.jsonl", ("reviews.jsonl", None, None, "test")),
        ("/home/ada/reviews.jsonl", ("reviews.jsonl", None, None, "test")),
    ],
)
def test_a_dataset_is_named_as_the_hub_names_it_and_a_file_without_its_folder(path, named):
    corpus = replace(PLAN.corpus, path=path)
    made = model_card._dataset(replace(PLAN, corpus=corpus, configuration={"corpus": {"split": "test"}}))
    keys = ("dataset_name", "dataset_revision", "dataset_config", "dataset_split")
    assert tuple(made[key] for key in keys) == named


def test_a_card_may_be_a_file(tmp_path):
    path = exported(EXAMPLE, "model-card", tmp_path / "card.md")
    _, head, rest = path.read_text(encoding="utf-8").split("---\n")
    assert (yaml.safe_load(head)["model-index"][0]["name"], rest) == ("sentiment", "")


def test_tensorboard_reads_a_step_per_night(tmp_path):
    from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

    ends = {"title": "F1", "unit": "share", "value": 0.5, "low": 0.25, "high": 0.75, "n": 9}
    for day, value in enumerate((0.9, None, 0.8)):
        run = night(tmp_path / "reports", day, value)
        run.finish({**run.manifest(), "numbers": {**run.manifest()["numbers"], "f1": ends}})
        run.write("findings.json", findings.write(sample_findings()))
        run.finish(run.manifest())
    out = tmp_path / "events"
    arguments = ["export", str(run.path), "--to", "tensorboard", "--out", str(out)]
    assert main(arguments) == 0
    read = EventAccumulator(str(out / "value")).Reload()
    found = [(event.step, event.value, event.wall_time) for event in read.Scalars("accuracy")]
    start = datetime(2026, 1, 1, 22, tzinfo=UTC)
    assert found == [
        (day, pytest.approx(value), (start + timedelta(days=day)).timestamp()) for day, value in ((0, 0.9), (2, 0.8))
    ]
    for curve in ("value", "low", "high"):
        scalars = EventAccumulator(str(out / curve)).Reload()
        assert ("accuracy" in scalars.Tags()["scalars"]) is (curve == "value"), (
            "nights without an interval have no ends"
        )
        assert [event.value for event in scalars.Scalars("f1")] == [ends[curve]] * 3
    before = {path: path.read_bytes() for path in out.rglob("*tfevents*")}
    assert main(arguments) == 0
    assert {path: path.read_bytes() for path in out.rglob("*tfevents*")} == before != {}


def test_names_are_such_as_mlflow_takes():
    names = ("recall[正面]", "accuracy{length=short,source=a/b}", "recall[../x]", "recall[..?x]")
    kept = [name for name, _ in mlflow._metrics([number().model_copy(update={"name": name}) for name in names])]
    assert [name for name in kept if name.endswith(".n")] == [
        "recall 正面.n", "accuracy length:short source:a_b.n", "recall .._x.n", "recall .._x_.n",
    ]  # fmt: skip


def test_mlflow_has_a_perplexity_in_nats_and_the_results_of_checks(example):
    one = next(one for one in example.findings.numbers if one.nats and one.nats.value)
    kept = dict(mlflow._metrics([one]))
    name = mlflow._name(one.name)
    assert [kept[f"{name}{end}"] for end in ("", ".low", ".high", ".n")] == [
        one.nats.value, one.nats.low, one.nats.high, one.n,
    ]  # fmt: skip
    tags = mlflow._tags(example)
    checks = example.findings.checks
    assert {tags[f"auditor.check.{mlflow._name(check.name)}"] for check in checks} >= {"pass", "watch"}
    assert all(tags[f"auditor.check.{mlflow._name(check.name)}"] == check.result for check in checks)
    long = example.findings.model_copy(update={"parameters": {"lime": {"prompt": "x" * 9000}}})
    assert len(mlflow._parameters(replace(example, findings=long))["lime.prompt"]) == 6000


@pytest.mark.exhaustive
@pytest.mark.filterwarnings("default")
def test_mlflow_has_the_run_once(example, tmp_path):
    """In a process of its own: MLflow keeps threads and settings."""
    store = tmp_path / "mlruns"
    for is_new in (True, False):
        command = [sys.executable, "-m", "auditor", "export", EXAMPLE, "--to", "mlflow", "--out", store, "--json"]
        done = subprocess.run(command, capture_output=True, text=True, check=True)
        told = json.loads(done.stdout)
        assert told["is_new"] is is_new
    code = f"""
import json, os
os.environ["MLFLOW_ALLOW_FILE_STORE"] = "true"
from mlflow.tracking import MlflowClient
client = MlflowClient({store.as_uri()!r})
(run,) = client.search_runs([{told["experiment_id"]!r}])
artifacts = sorted(one.path for one in client.list_artifacts(run.info.run_id))
print(json.dumps([run.data.metrics, run.data.tags, run.data.params, artifacts, run.info.status]))
"""
    read = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    metrics, tags, parameters, artifacts, status = json.loads(read.stdout)
    found = example.findings
    whole = next(one for one in found.numbers if one.name == "recall[positive]")
    assert [metrics[f"recall positive{end}"] for end in ("", ".low", ".high", ".n")] == [
        whole.value, whole.low, whole.high, whole.n,
    ]  # fmt: skip
    assert tags["auditor.run_id"] == found.run_id
    assert tags["auditor.verdict"] == found.verdict.result
    assert parameters["lime.n_samples"] == found.parameters["lime"]["n_samples"]
    assert artifacts == ["findings.json", "manifest.json", "plan.json", "report.html", "report.pdf"]
    assert status == "FINISHED"


@pytest.mark.exhaustive
def test_a_folder_that_mlflow_cannot_write_is_said_in_one_line(tmp_path):
    (tmp_path / "file").touch()
    command = [sys.executable, "-m", "auditor", "export", EXAMPLE, "--to", "mlflow", "--out", tmp_path / "file" / "x"]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stdout) == (74, "")
    assert done.stderr.startswith("auditor: --to mlflow: ")
    assert "cannot be written" in done.stderr.splitlines()[-1]


@pytest.mark.parametrize("package", ["mlflow", "tensorboard"])
def test_a_package_that_is_not_here_is_named_with_what_installs_it(monkeypatch, capsys, tmp_path, package):
    monkeypatch.setattr(contract, "find_spec", lambda name: None if name == package else importlib.util.find_spec(name))
    assert main(["export", str(EXAMPLE), "--to", package, "--out", str(tmp_path)]) == 2
    assert capsys.readouterr().err == (
        f"auditor: --to {package}: the package is not installed: pip install 'auditor[{package}]'\n"
    )


def test_what_cannot_be_exported_is_said(tmp_path, capsys):
    assert main(["export", str(EXAMPLE), "--to", "csv"]) == 2
    assert "expected --out FOLDER" in capsys.readouterr().err
    shutil.copytree(EXAMPLE, tmp_path / "run")
    (tmp_path / "run" / "manifest.json").unlink()
    assert main(["export", str(tmp_path / "run"), "--to", "model-card"]) == 2
    assert "is not finished" in capsys.readouterr().err
