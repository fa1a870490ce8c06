"""One run by several processes on a shared folder: who does what, what is missing, and the end."""

import json
import shutil
import threading
from collections import Counter
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from unittest.mock import Mock

import pytest

from auditor import audit, config
from auditor.errors import ConfigError, DiskError, InterruptedRunError, LockedError, TooManyFailuresError
from auditor.records import disk, sums
from auditor.records.run import Run
from auditor.records.store import find_or_create, find_or_create_together, runs
from auditor.records.verification import verify
from auditor.running import parts
from auditor.running.executors.contract import Receipt
from auditor.running.parts import Part, part_of
from auditor.running.results import Result
from auditor.terminal import cli
from auditor.terminal.parts import provenance
from tests.models.tiny import save
from tests.records.planned import planned
from tests.test_audit import LABELS, Silent, corpus
from tests.test_cli import sample_findings

FEW = {"probes.prediction": {}, "run.shard_size": 4, "run.cache": False, "seed": 3}


@pytest.fixture(scope="module")
def classifier(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return save(tmp_path_factory.mktemp("parts") / "classifier", "bert", "text-classification", **LABELS)


@pytest.fixture
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("SOURCE_DATE_EPOCH", "1790000000")
    return tmp_path


def settings(model: Path, here: Path, more: dict[str, Any] | None = None) -> config.Config:
    tables = {"model.name": model, "corpus.path": corpus(here), **FEW, **(more or {})}
    return config.load(None, tables, environment={})


@pytest.mark.parametrize(
    ("given", "environment", "expected"),
    [
        (None, {}, None),
        ("2/4", {}, Part(2, 4)),
        ("1/1", {"RANK": "1", "WORLD_SIZE": "2"}, None),
        ("3/3", {"RANK": "1", "WORLD_SIZE": "2"}, Part(3, 3)),
        (None, {"RANK": "1", "WORLD_SIZE": "2"}, Part(2, 2)),
        (None, {"SLURM_PROCID": "0", "SLURM_NTASKS": "8"}, Part(1, 8)),
        (None, {"SLURM_PROCID": "0", "SLURM_NTASKS": "1"}, None),
        (None, {"SLURM_PROCID": "0"}, None),
        (None, {"JOB_COMPLETION_INDEX": "7", "JOB_COMPLETIONS": "8"}, Part(8, 8)),
        (None, {"RANK": "", "WORLD_SIZE": "two"}, None),
    ],
)
def test_the_part_is_that_of_the_option_else_of_the_environment(given, environment, expected):
    assert part_of(given, environment) == expected


@pytest.mark.parametrize(
    ("given", "environment", "fault"),
    [
        ("5/4", {}, "--shard-of 5/4: there are parts 1 to 4"),
        ("0/4", {}, "--shard-of 0/4: there are parts 1 to 4"),
        ("0/0", {}, "--shard-of 0/0: expected one part at least"),
        ("2", {}, "--shard-of 2: expected K/N, such as 2/4"),
        ("-1/4", {}, "expected K/N"),
        (None, {"RANK": "2", "WORLD_SIZE": "2"}, "RANK=2, WORLD_SIZE=2: there are parts 1 to 2"),
        (None, {"JOB_COMPLETION_INDEX": "0"}, "JOB_COMPLETIONS is not set to the number of completions"),
    ],
)
def test_a_part_that_there_is_not_is_a_fault(given, environment, fault):
    with pytest.raises(ConfigError, match=fault):
        part_of(given, environment)


@pytest.mark.parametrize(("n_shards", "of"), [(0, 3), (2, 3), (7, 3), (9, 3), (25, 16)])
def test_every_shard_is_in_one_part(n_shards: int, of: int) -> None:
    dealt = [Part(number, of).among(range(n_shards)) for number in range(1, of + 1)]
    assert sorted(sum(dealt, ())) == list(range(n_shards))
    assert max(map(len, dealt)) - min(map(len, dealt)) <= 1


def test_several_that_ask_at_once_find_one_run(tmp_path: Path) -> None:
    found: list[Path] = []
    barrier = threading.Barrier(8)

    def ask(moment: int) -> None:
        barrier.wait()
        now = datetime.fromtimestamp(1_790_000_000 + moment, UTC)  # clocks of machines differ
        found.append(find_or_create_together(tmp_path, planned(), now=now).path)

    threads = [threading.Thread(target=ask, args=(moment,)) for moment in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(found) == 8
    assert len(set(found)) == len(runs(tmp_path)) == 1


def test_parts_hold_a_run_together_and_against_one_that_wants_all_of_it(tmp_path: Path) -> None:
    (tmp_path / ".1.tmp").touch()
    with disk.share(tmp_path, "part-1-of-2"):
        with disk.share(tmp_path, "part-2-of-2"):
            pass
        with pytest.raises(LockedError), disk.share(tmp_path, "part-1-of-2"):
            pass
        with pytest.raises(LockedError), disk.lock(tmp_path):
            pass
        assert (tmp_path / ".1.tmp").exists(), "another part may be writing it"
    with disk.lock(tmp_path):
        assert not (tmp_path / ".1.tmp").exists()
        with pytest.raises(LockedError), disk.share(tmp_path, "part-1-of-2"):
            pass
    assert list(tmp_path.iterdir()) == []


def test_a_pdf_that_is_to_be_signed_is_said_not_to_be(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    for i, report in enumerate(({"signature": {"key": "ada.p12"}}, {"signature": None})):
        run = find_or_create(tmp_path, planned(i, configuration={"report": report}), now=datetime.now(UTC))
        result = Result(run, sample_findings(), run.path / "report.html", run.path / "report.pdf")
        monkeypatch.setattr(audit, "finish", lambda *_, result=result, **__: result)
        assert cli.main(["finish", str(run.path)]) == 0
        assert (f"`auditor sign {run.run_id}` signs it" in capsys.readouterr().err) is (i == 0)


@pytest.mark.usefixtures("no_embedded_fonts")
def test_parts_come_to_the_run_that_one_process_makes(
    classifier: Path, here: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    serial = audit.run(settings(classifier, here, {"run.output": "serial"}), pdf=False, progress=Silent()).run
    asked, progress = settings(classifier, here), Silent()
    run = audit.run_part(asked, Part(2, 3), progress=progress)
    assert progress.done == progress.total == {"prediction": 6}, "shards 1 and 4 of 0 to 4, of 18 documents"
    assert cli.main(["finish", str(run.path)]) == 5
    assert "3 of 5 shards are missing: 0, 2, 3 (of 1/3, 3/3)" in capsys.readouterr().err
    audit.run_part(asked, Part(1, 3), progress=Silent())
    with run.share("part-3-of-3"), pytest.raises(LockedError):
        audit.finish(run)
    last = audit.run_part(asked, Part(3, 3), progress=Silent())
    assert last.path == run.path
    with monkeypatch.context() as full:
        full.setattr(audit, "_concluded", Mock(side_effect=DiskError("full")))
        with pytest.raises(DiskError):
            audit.finish(run)
    assert cli.main(["finish", str(run.path), "--no-pdf", "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["path"] == str(run.path)
    assert (run.path / "SHA256SUMS").read_bytes() == (serial.path / "SHA256SUMS").read_bytes()
    assert verify(run) == []
    one, other = ((each.manifest() or {})["work"] for each in (serial, run))
    assert one["texts"] == other["texts"] > 0
    assert cli.main(["finish", str(run.path)]) == 0
    assert "complete already" in capsys.readouterr().out
    assert audit.run_part(asked, Part(1, 3), progress=Silent()).is_complete


def test_a_part_that_is_stopped_goes_on_and_failures_of_all_parts_count(classifier: Path, here: Path) -> None:
    rows = [{"id": f"d{i}", "text": "" if i in (0, 4) else "Good.", "label": "positive"} for i in range(8)]
    tables = {"model.name": classifier, "corpus.path": corpus(here, rows), **FEW, "run.max_failures": 0.3}
    asked = config.load(None, {**tables, "run.shard_size": 2}, environment={})
    answers = iter([False, True])
    with pytest.raises(InterruptedRunError, match="stopped after 1 of 2 shards"):
        audit.run_part(asked, Part(1, 2), stop=lambda: next(answers), progress=Silent())
    audit.run_part(asked, Part(1, 2), progress=Silent())
    run = audit.run_part(asked, Part(2, 2), progress=Silent())
    parts.leave(
        run, Part(1, 2), Receipt(), 0.2
    )  # as of two parts at the same time, neither of which sees the other's rows
    with pytest.raises(TooManyFailuresError, match="2 of 8 documents failed in all parts together"):
        audit.finish(run)
    assert not run.is_complete


def test_a_command_line_is_kept_without_what_says_how(capsys: pytest.CaptureFixture[str]) -> None:
    line = "auditor run a.toml --executor local --workers=3 --limit 5 --shard-of 1/2 --seed 1 --ping https://example.org/a-secret"
    assert " ".join(provenance(line.split())) == "auditor run a.toml --limit 5 --seed 1"
    assert list(provenance(["--set", "--workers"])) == ["--set"]
    assert cli.main(["run", "--model", "m", "--data", "d", "--fresh", "--shard-of", "1/2"]) == 2
    assert "part 1 of 2: --fresh would begin a run in every part" in capsys.readouterr().err


def test_leftovers_of_parts_are_no_part_of_the_run(tmp_path: Path) -> None:
    run = Run(tmp_path, planned())
    for number in (1, 2):
        parts.leave(run, Part(number, 2), Receipt(Counter(texts=number), batch_tokens={"m": 64 * number}), 0.05)
    parts.leave(run, Part(1, 2), Receipt(Counter(texts=5)), 0.05)
    assert parts.total_of(run).as_facts() == {"work": {"texts": 8}, "batch_tokens": {"m": 64}}
    assert list(sums.covered(tmp_path)) == []
    parts.forget(run)
    assert parts.total_of(run).as_facts() == {"work": {}}
    shutil.rmtree(tmp_path)
