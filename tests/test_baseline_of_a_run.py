"""The baseline of a run is settled when it begins: its report, its checks and its exit code stay what they were."""

import json
import shutil
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from auditor import audit
from auditor.errors import StoreError
from auditor.findings import Bound
from auditor.records import baselines, store
from auditor.records.run import Run
from auditor.records.store import open_run, summary_of
from auditor.records.types import Document, Prediction
from auditor.records.verification import verify
from auditor.report import PLAIN
from auditor.report.branding import fonts
from auditor.terminal.conclusions import exit_code_of
from tests.records.planned import planned

NOON = datetime(2026, 7, 29, 12, tzinfo=UTC)
LABELS = ("no", "yes")
CHECKS = {"accuracy": Bound(at_least=0.1, not_worse_than_baseline_by=0.02)}


@pytest.fixture(autouse=True)
def without_fonts(monkeypatch: pytest.MonkeyPatch) -> None:
    """Fonts take longer than everything else."""
    monkeypatch.setattr(fonts, "embed", lambda _: "")


def begun(root: Path, n_wrong: int, day: int, checks: dict[str, Bound] = CHECKS) -> Run:
    """A measured run of 40 documents, of which the first few are answered wrong; its baseline is settled."""
    plan = planned(1, {"prediction": "Prediction"}, checks=checks)
    run = store.find_or_create(root, plan, fresh=True, now=NOON + timedelta(days=day))
    baselines.settle(run)
    documents = [Document(f"d{i}", f"text {i}", labels=("yes",)) for i in range(40)]
    run.write_shard("documents", Document, 0, documents)
    run.write_shard(
        "prediction", Prediction, 0, [_predicted(d.id, LABELS[i >= n_wrong]) for i, d in enumerate(documents)]
    )
    return run


def _predicted(name: str, label: str) -> Prediction:
    p = (0.1, 0.9) if label == "yes" else (0.9, 0.1)
    return Prediction(name, LABELS, p, p, (label,), 0.3, 3, False)


def ended(run: Run) -> audit.Result:
    return audit.conclude(run, PLAIN, pdf=False, facts={})


def sums_of(run: Run) -> str:
    return (run.path / "SHA256SUMS").read_text()


def test_the_first_night_waits_passes_and_is_the_baseline_of_the_second(tmp_path):
    first = ended(begun(tmp_path, 2, 0))
    assert (first.findings.verdict.result, exit_code_of(first.findings), first.comparison) == (
        "pass with conditions",
        0,
        None,
    )
    assert first.findings.provenance["Baseline"].startswith("none")
    second = ended(begun(tmp_path, 20, 1))
    assert [check.result for check in second.findings.checks] == ["pass", "fail"]
    assert (second.findings.verdict.result, exit_code_of(second.findings)) == ("fail", 1)
    assert second.findings.provenance["Baseline"] == first.run.run_id
    numbers = (second.run.manifest() or {})["numbers"]
    assert round(numbers["accuracy@baseline"]["value"], 12) == -0.45
    page = second.html.read_text(encoding="utf-8")
    assert "What changed since the baseline" in page
    assert "Accuracy, change since the baseline" in page
    assert json.loads((second.run.path / "comparison.json").read_text())["before"]["run_id"] == first.run.run_id
    assert verify(second.run) == []


def test_a_report_is_the_same_after_the_choice_moved_and_says_so_where_the_baseline_is_gone(tmp_path):
    first = ended(begun(tmp_path, 2, 0)).run
    second = ended(begun(tmp_path, 20, 1)).run
    third = ended(begun(tmp_path, 2, 2)).run
    before = sums_of(second)
    baselines.choose(summary_of(third.path))
    audit.rerender(open_run(second.path, tmp_path), pdf=False)
    assert sums_of(second) == before
    shutil.rmtree(first.path)
    again = audit.rerender(open_run(second.path, tmp_path), pdf=False)
    assert [check.result for check in again.findings.checks] == ["pass", "fail"]
    assert "was removed since" in again.html.read_text(encoding="utf-8")


def test_a_baseline_that_cannot_be_read_any_more_is_known_by_what_was_recorded(tmp_path):
    first = ended(begun(tmp_path, 2, 0)).run
    second = ended(begun(tmp_path, 20, 1)).run
    plan = first.path / "plan.json"
    plan.write_text(plan.read_text().replace("auditor.plan/", "auditor.plan/9"))
    again = audit.rerender(open_run(second.path, tmp_path), pdf=False)
    assert [check.result for check in again.findings.checks] == ["pass", "fail"]
    assert "or cannot be read" in again.html.read_text(encoding="utf-8")
    assert again.comparison is not None
    (second.path / "comparison.json").write_text("{}")
    again = audit.rerender(open_run(second.path, tmp_path), pdf=False)
    assert [check.result for check in again.findings.checks] == ["pass", "not judged"]
    assert (again.comparison, list(second.path.glob("comparison.*"))) == (None, [])
    assert verify(again.run) == []


def test_a_resumed_run_is_compared_with_the_baseline_of_its_beginning(tmp_path):
    first = ended(begun(tmp_path, 2, 0)).run
    interrupted = begun(tmp_path, 20, 1)
    other = ended(begun(tmp_path, 20, 2)).run
    baselines.choose(summary_of(other.path))
    baselines.settle(interrupted)
    assert baselines.settled(interrupted) == first.run_id
    assert ended(interrupted).findings.checks[1].baseline == first.run_id


def test_a_baseline_that_is_removed_meanwhile_is_named_and_nothing_is_judged_by_it(tmp_path):
    first = ended(begun(tmp_path, 2, 0)).run
    second = begun(tmp_path, 20, 1)
    shutil.rmtree(first.path)
    result = ended(second)
    check = result.findings.checks[1]
    assert (check.result, result.findings.verdict.result) == ("not judged", "not established")
    assert check.reason.endswith(f"The run {first.run_id} was removed before this one was compared.")


def test_a_run_is_complete_without_the_page_of_all_runs(tmp_path):
    first = begun(tmp_path, 2, 0)
    (first.path.parent / "index.html").mkdir()
    assert ended(first).run.is_complete


def test_a_chosen_baseline_that_is_gone_is_a_fault_before_anything_is_measured(tmp_path):
    first = ended(begun(tmp_path, 2, 0)).run
    baselines.choose(summary_of(first.path))
    shutil.rmtree(first.path)
    with pytest.raises(StoreError, match="is gone or not complete"):
        begun(tmp_path, 2, 1)
