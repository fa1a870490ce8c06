"""A sample of a finished run is measured again: what was measured passes, a changed row is named with both values."""

import json
import shutil
from dataclasses import replace
from pathlib import Path

import pytest

from auditor.errors import ModelError
from auditor.records import schema, sums
from auditor.records.run import Run
from auditor.records.store import open_run
from auditor.records.types import Prediction
from auditor.records.verification import verify
from auditor.running import recomputing
from auditor.terminal.cli import main
from tests.models.tiny import save
from tests.test_audit import LABELS, Silent, corpus
from tests.test_audit import run as audited


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with a run of probes that draw, follow, prepare and ask a reference model, and its models."""
    root = tmp_path_factory.mktemp("recomputed")
    save(root / "classifier", "bert", "text-classification", **LABELS)
    save(root / "writer", "llama", "text-generation")
    probes = {"probes.occlusion": {}, "probes.faithfulness": {}, "probes.perplexity.model": root / "writer"}
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(root)
        more = {**probes, "probes.lime.limit": 12, "run.output": "reports", "run.cache": False}
        audited(root / "classifier", corpus(root), more)
    return root


@pytest.fixture
def here(made: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Run:
    shutil.copytree(made / "reports", tmp_path / "reports")
    monkeypatch.chdir(tmp_path)
    return open_run("latest", tmp_path / "reports")


def forge(run: Run, document: str) -> None:
    """Another probability in one row, and sums and manifest that agree."""
    for path in sorted((run.path / "evidence/prediction").iterdir()):
        rows = schema.from_bytes(Prediction, path.read_bytes())
        for i, row in enumerate(rows):
            if isinstance(row, Prediction) and row.document_id == document:
                rows[i] = replace(row, probabilities=(0.25, 0.75))
        path.write_bytes(schema.to_bytes(Prediction, rows))
    content = sums.render(sums.compute(run.path))
    (run.path / "SHA256SUMS").write_bytes(content)
    manifest = json.loads((run.path / "manifest.json").read_text())
    (run.path / "manifest.json").write_text(json.dumps({**manifest, "sums": sums.sha256(content)}))


def test_every_row_of_what_was_measured_is_the_same_in_other_batches(here: Run) -> None:
    progress = Silent()
    few = recomputing.recompute(here, 5, progress=progress)
    assert (few.faults, few.n_documents, few.n_failed) == ((), 5, 0)
    assert progress.done == {name: n for name, n in progress.total.items() if n}
    assert progress.total["prediction"] == progress.total["perplexity"] == 5
    whole = recomputing.recompute(here, 99, progress=Silent())
    assert (whole.faults, whole.n_documents) == ((), 18)
    assert whole.n_rows == sum(probe.n_documents for probe in here.plan.probes.values())


def test_a_row_that_was_forged_with_its_sums_is_named_with_both_values(
    here: Run, capsys: pytest.CaptureFixture[str]
) -> None:
    forge(here, "d7")
    assert verify(here) == [], "sums alone do not find it"
    assert main(["verify", str(here.path), "--recompute", "18"]) == 6
    said = capsys.readouterr().out
    assert "evidence/prediction: document 'd7': probabilities[0] was 0.25 and is 0." in said
    assert "note: 18 documents measured again" in said


def test_which_documents_are_drawn_depends_on_the_seed() -> None:
    ids = [f"d{i}" for i in range(100)]
    draws = [recomputing.draw(ids, 10, f"{seed} run") for seed in (0, 0, 1)]
    assert draws[0] == draws[1] != draws[2]
    assert all(len(one) == 10 for one in draws)
    assert recomputing.draw(ids, 1_000, "") == frozenset(ids)


@pytest.mark.parametrize("model", ["classifier", "writer"])
def test_another_model_or_none_is_refused_before_anything_is_measured(here: Run, made: Path, model: str) -> None:
    file = made / model / "config.json"
    before = file.read_bytes()
    try:
        file.write_bytes(before + b"\n")
        with pytest.raises(ModelError, match=r"is not the model of the run: config\.json differs"):
            recomputing.recompute(here, 1, progress=Silent())
        (made / model).rename(made / "away")
        with pytest.raises(ModelError, match="expected a folder with a model, found nothing there"):
            recomputing.recompute(here, 1, progress=Silent())
    finally:
        if (made / "away").exists():
            (made / "away").rename(made / model)
        file.write_bytes(before)


def test_a_pdf_has_nothing_to_measure_again(capsys: pytest.CaptureFixture[str]) -> None:
    path = Path(__file__).parents[1] / "reports/example/report.pdf"
    assert main(["verify", str(path), "--recompute", "3"]) == 2
    assert "needs a run: a PDF has neither evidence nor a model" in capsys.readouterr().err
