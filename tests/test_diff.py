"""`auditor diff`: two runs on the disk, what is printed of them, and the exit codes."""

import json
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from auditor.findings import Bound, comparing
from auditor.records import store
from auditor.records.types import Document, Prediction
from auditor.terminal import diff
from auditor.terminal.cli import main
from tests.records.planned import planned

EXAMPLE = Path(__file__).parents[1] / "reports" / "nights"
NOON = datetime(2026, 7, 29, 12, tzinfo=UTC)
LABELS = ("no", "yes")


def written(root, n_wrong, *, hour=0, finish=True, checks=None, **fields):
    """A run of 40 documents, of which the first few are answered wrong."""
    bounds = {"accuracy": Bound(at_least=0.5)} if checks is None else checks
    plan = planned(1, {"prediction": "Prediction"}, checks=bounds, **fields)
    run = store.find_or_create(root, plan, fresh=True, now=NOON + timedelta(hours=hour))
    documents = [Document(f"d{i}", f"text {i}", labels=("yes",)) for i in range(40)]
    predictions = [_predicted(document.id, LABELS[i >= n_wrong]) for i, document in enumerate(documents)]
    run.write_shard("documents", Document, 0, documents)
    run.write_shard("prediction", Prediction, 0, predictions)
    if finish:
        run.finish({})
    return str(run.path)


def _predicted(name, label):
    p = (0.1, 0.9) if label == "yes" else (0.9, 0.1)
    return Prediction(name, LABELS, p, p, (label,), 0.3, 3, False)


def test_a_run_that_got_worse_ends_with_1_and_names_number_and_documents(tmp_path, capsys):
    code = main(["diff", written(tmp_path, 2), written(tmp_path, 14, hour=1, seed=1)])
    out = capsys.readouterr().out
    assert code == 1
    assert "The only number that is judged got worse: Accuracy" in out
    assert "caution   Seed: 0 → 1" in out
    flips = next(line for line in out.splitlines() if "answers changed" in line)
    assert flips.startswith("12 of 40 answers changed: 12 right before (d")
    assert flips.endswith("), 0 right now")
    line = next(line for line in out.splitlines() if line.startswith("Accuracy *"))
    assert {"0.95", "0.65", "−0.30", "40", "worse"} <= set(line.split())


@pytest.mark.parametrize(("before", "after"), [(2, 2), (14, 2), (2, 3)])
def test_a_run_that_is_not_worse_ends_with_0(tmp_path, capsys, before, after):
    assert main(["diff", written(tmp_path, before), written(tmp_path, after, hour=1)]) == 0
    assert "did not get worse" in capsys.readouterr().out


def test_a_change_below_the_floor_ends_with_0(tmp_path, capsys):
    runs = written(tmp_path, 2), written(tmp_path, 14, hour=1)
    assert main(["diff", *runs, "--floor", "accuracy=0.4"]) == 0
    assert "changed a little" in capsys.readouterr().out


def test_a_check_that_cannot_be_compared_ends_with_8(tmp_path, capsys):
    checks = {"accuracy": Bound(at_least=0.5), "lime.fidelity": Bound(at_least=0.5)}
    runs = written(tmp_path, 2), written(tmp_path, 2, hour=1, checks=checks)
    assert main(["diff", *runs]) == 8
    assert "Not established: lime.fidelity could not be compared" in capsys.readouterr().out


def test_what_is_written_is_what_was_asked_for(tmp_path, capsys):
    runs = written(tmp_path, 2), written(tmp_path, 14, hour=1)
    page, data = tmp_path / "diff.html", tmp_path / "diff.json"
    assert main(["diff", *runs, "--html", str(page), "--json", str(data)]) == 1
    assert page.read_text(encoding="utf-8").startswith("<!doctype html>")
    assert json.loads(data.read_text())["result"] == "worse"
    capsys.readouterr()
    main(["diff", *runs, "--json", "-"])
    assert json.loads(capsys.readouterr().out) == json.loads(data.read_text())


def test_runs_are_named_as_everywhere_else(tmp_path, capsys):
    written(tmp_path, 2)
    second = written(tmp_path, 2, hour=1)
    assert main(["diff", "20260729-12", "latest", "--root", str(tmp_path)]) == 0
    assert second.rsplit("/", 1)[1] in capsys.readouterr().out


def test_one_run_is_compared_with_the_baseline_of_its_audit(tmp_path, capsys):
    first, later = written(tmp_path, 2), written(tmp_path, 14, hour=1)
    assert main(["diff", later]) == 2
    assert "or no run was chosen and none that passed before it is still there" in capsys.readouterr().err
    assert main(["baseline", "set", first]) == 0
    assert main(["diff", later]) == 1
    assert f"{first.rsplit('/', 1)[1]} → {later.rsplit('/', 1)[1]}" in capsys.readouterr().out
    assert main(["diff", first]) == 2
    assert "it is the baseline itself" in capsys.readouterr().err
    assert main(["diff", first, later, later]) == 2
    assert "expected one run or two, found 3" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("arguments", "code", "said"),
    [
        (["--floor", "accuracy"], 2, "expected NAME=SIZE"),
        (["--floor", "accuracy=-1"], 2, "expected NAME=SIZE"),
        (["--floor", "accuracy=nan"], 2, "expected NAME=SIZE"),
        (["--floor", "acuracy=0.1"], 2, "did you mean accuracy?"),
    ],
)
def test_a_fault_is_one_line(tmp_path, capsys, arguments, code, said):
    runs = written(tmp_path, 2), written(tmp_path, 2, hour=1)
    assert main(["diff", *runs, *arguments]) == code
    assert said in capsys.readouterr().err


def test_an_unfinished_run_is_refused(tmp_path, capsys):
    runs = written(tmp_path, 2), written(tmp_path, 2, hour=1, finish=False)
    assert main(["diff", *runs]) == 2
    assert "the run is not finished" in capsys.readouterr().err


def test_the_schema_is_shipped(capsys):
    assert main(["schema", "comparison"]) == 0
    assert json.loads(capsys.readouterr().out)["title"] == "auditor.comparison/1"


def test_help_states_the_exit_codes(capsys):
    assert main(["diff", "--help"]) == 0
    words = " ".join(capsys.readouterr().out.split())
    assert "Ends with 1 if a number that is judged got worse" in words
    assert "else with 0" in words


def test_drift_heads_and_renamed_documents_are_counted_each_by_itself(capsys):
    (path,) = EXAMPLE.glob("*/20261129-*/comparison.json")
    made = comparing.read(path.read_bytes())
    share = made.drifts[0].share.model_copy(update={"value": 0.25})
    drift = made.drifts[0].model_copy(update={"n_compared": 8, "share": share, "by_chance": 0.01})
    heads = made.heads[0].model_copy(update={"n_changed": 3, "n_heads": 48, "heads": made.heads[0].heads[:1]})
    documents = made.documents.model_copy(update={"n_paired": 9, "n_renamed": 2, "removed": ("x",)})
    diff._print(made.model_copy(update={"drifts": (drift,), "heads": (heads,), "documents": documents}))
    lines = capsys.readouterr().out.splitlines()
    assert "9 documents in both, 2 of them under another id, 1 removed (x)" in lines
    told = next(line for line in lines if line.startswith(f"{drift.probe}: same answer for other reasons in "))
    assert "in 2 of 8 documents (" in told
    assert told.endswith("; by chance at most 0.01")
    one = heads.heads[0]
    assert f"{heads.probe}: 3 of 48 heads changed their entropy ({one.layer}.{one.head})" in lines
