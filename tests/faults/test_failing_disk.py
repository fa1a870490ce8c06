"""A whole audit on a disk that fails: whichever write, flush or rename it is, nothing older is lost, and it goes on."""

import errno
import json
import os
import shutil
from collections.abc import Callable
from datetime import UTC, datetime
from functools import partial
from pathlib import Path

import pytest

from auditor import audit, config
from auditor.records import baselines, disk, retention, store
from auditor.records.run import Run
from auditor.records.verification import verify
from tests.faults.test_clock import night
from tests.models.tiny import save
from tests.records.failing_disk import ALL_CALLS, attempt
from tests.test_audit import LABELS, Silent

NOON = datetime(2026, 7, 29, 12, tzinfo=UTC)
A_FEW = (0.4, 0.9)
"""Shares of all calls; every one of them is exhaustive."""
LAST = 30
"""Calls that write comparison, reports and manifest."""


@pytest.fixture(scope="module")
def model(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return save(tmp_path_factory.mktemp("faults") / "classifier", "bert", "text-classification", **LABELS)


@pytest.fixture
def work(model: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, no_embedded_fonts: None) -> Callable[..., Run]:
    """Makes or resumes a small whole run under a folder; what is checked beforehand is checked once."""
    del no_embedded_fonts
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("SOURCE_DATE_EPOCH", "1790000000")
    rows = [{"id": f"d{i}", "text": f"film {i}", "label": ("negative", "positive")[i % 2]} for i in range(4)]
    (tmp_path / "corpus.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
    tables = {"model.name": model, "corpus.path": "corpus.jsonl", "probes.prediction": {}, "run.shard_size": 2}
    check = audit.check
    known: dict[str, audit.Preflight] = {}

    def make(root: str, title: str = "small", *, pdf: bool = False, **how: object) -> Run:
        settings = config.load(None, {**tables, "title": title, "run.output": root}, environment={})
        monkeypatch.setattr(audit, "check", lambda _: known.setdefault(root + title, check(settings)))
        return audit.run(settings, pdf=pdf, progress=Silent(), **how).run

    return make


def sums(run: Run) -> bytes:
    return (run.path / "SHA256SUMS").read_bytes()


def everything(folder: Path) -> dict[str, bytes]:
    return {str(path.relative_to(folder)): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


@pytest.fixture
def survived(work: Callable[..., Run], monkeypatch: pytest.MonkeyPatch) -> Callable[..., int]:
    """Lets the k-th call of a run fail that is compared with an older one; how many calls there are, for k = 0."""
    return _survivor(work, monkeypatch)


@pytest.fixture
def survived_with_a_pdf(work: Callable[..., Run], monkeypatch: pytest.MonkeyPatch) -> Callable[..., int]:
    """The same of a run with a PDF."""
    return _survivor(partial(work, pdf=True), monkeypatch)


def _survivor(work: Callable[..., Run], monkeypatch: pytest.MonkeyPatch) -> Callable[..., int]:
    older = work("runs")
    baselines.choose(store.summary_of(older.path))
    before = everything(older.path)
    shutil.copytree("runs", "snapshot")
    sound = sums(work("runs", fresh=True))
    assert "comparison.json" in sound.decode()

    def require(k: int, **how: object) -> int:
        shutil.rmtree("runs")
        shutil.copytree("snapshot", "runs")
        made: list[Run] = []
        asked = {"calls": ALL_CALLS, **how}
        error, n = attempt(monkeypatch, lambda: made.append(work("runs", fresh=True)), k, **asked)
        assert bool(error) != bool(made)
        if error:
            assert error.exit_code == 74
            assert "\n" not in str(error)
        assert everything(older.path) == before, f"call {k} changed the run before"
        later = [one for one in store.runs_in(older.path.parent) if one.run_id != older.run_id]
        for one in later:
            assert one.state != "complete" or verify(store.open_run(one.path, Path("runs"))) == []
        resumed = work("runs", fresh=not later)
        assert sums(resumed) == sound, f"after call {k} failed"
        assert verify(resumed) == []
        left = [path for path in resumed.path.rglob(".*") if not disk.is_lock(path)]
        assert not left, f"something was left behind after call {k} failed"
        return n

    return require


def test_a_write_that_fails_here_and_there_is_survived(survived: Callable[..., int]) -> None:
    n = survived(0)
    assert n > 50
    for share in A_FEW:
        survived(int(share * n))


@pytest.mark.exhaustive
def test_whichever_call_of_a_whole_run_fails_it_is_survived(survived: Callable[..., int]) -> None:
    for k in range(1, survived(0) + 1):
        survived(k)


@pytest.mark.exhaustive
def test_a_rename_that_is_told_to_have_failed_after_it_was_done_is_survived(survived: Callable[..., int]) -> None:
    renames = {"calls": ("replace", "rename"), "done": True, "kind": errno.ENOENT}  # as NFS does when an answer is lost
    n = survived(0, **renames)
    assert n > 10
    for k in range(1, n + 1):
        survived(k, **renames)


@pytest.mark.exhaustive
def test_whichever_of_the_last_calls_of_a_run_with_a_pdf_fails_it_is_survived(
    survived_with_a_pdf: Callable[..., int],
) -> None:
    n = survived_with_a_pdf(0)
    for k in range(n - LAST + 1, n + 1):
        survived_with_a_pdf(k)


def test_a_disk_that_is_full_over_quota_or_read_only_from_now_on_is_one_line(
    work: Callable[..., Run], monkeypatch: pytest.MonkeyPatch
) -> None:
    older = work("full")
    before = everything(older.path)
    for kind, k in ((errno.ENOSPC, 60), (errno.EDQUOT, 30), (errno.EROFS, 1)):
        error, _ = attempt(monkeypatch, lambda: work("full", fresh=True), k, kind=kind, for_good=True)
        assert error is not None
        assert error.exit_code == 74
        assert os.strerror(kind) in str(error)
        assert ("free the disk or" in str(error)) == (kind != errno.EROFS)
        assert everything(older.path) == before


def test_a_removal_that_fails_anywhere_leaves_a_run_that_is_whole_or_unfinished(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    calls = ("open", "write", "unlink", "rmdir")
    for k in range(1, 40):
        run = night(tmp_path / str(k), NOON)
        kept = store.summary_of(run.path)
        _, n = attempt(monkeypatch, lambda kept=kept: retention.remove(kept), k, calls=calls)  # type: ignore[misc]
        if n < k:
            break
        states = [store.summary_of(run.path).state] if run.path.exists() else []
        assert states in ([], ["unfinished"], ["unreadable"]) or verify(run) == [], k
    assert n > 10
