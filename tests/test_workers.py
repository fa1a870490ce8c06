"""Whole runs by workers in other processes: the same sums as by one here, whatever is lost on the way."""

import dataclasses
import os
import signal
import subprocess
import sys
import time
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, ClassVar

import pydantic
import pytest
import torch

from auditor import audit, config
from auditor.errors import InterruptedRunError, TooManyFailuresError
from auditor.models import Batcher
from auditor.probes.contract import Sitting
from auditor.probes.prediction import PredictionProbe
from auditor.records import sums
from auditor.records.explanations import Explanation
from auditor.records.run import Run
from auditor.records.store import find_or_create, open_run
from auditor.records.types import AttentionStatistics, Document, Failure, Prediction
from auditor.running import planning, rechecking
from auditor.running.executors.contract import AtWork, Fatal, Group, Shard
from auditor.running.failures import Failures
from auditor.running.worker import WorkerFactory
from tests.models.tiny import save
from tests.test_audit import LABELS, Silent, corpus

TABLES = {
    "probes.prediction": {},
    "probes.lime": {"n_samples": 20, "limit": 9},
    "probes.attention": {},
    "run.shard_size": 5,
    "run.cache": False,
    "run.max_failures": 0.5,
    "seed": 3,
}


@pytest.fixture(scope="module")
def classifier(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return save(tmp_path_factory.mktemp("workers") / "classifier", "bert", "text-classification", **LABELS)


@pytest.fixture
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("SOURCE_DATE_EPOCH", "1790000000")
    monkeypatch.setattr(rechecking, "SHARE", 0.0)
    return tmp_path


def settings(model: Path, here: Path, more: dict[str, Any]) -> config.Config:
    tables = {"model.name": model, "corpus.path": corpus(here), **TABLES, **more}
    return config.load(None, tables, environment={})


def measured(
    model: Path, here: Path, more: dict[str, Any], probes: Sequence[Any] = (), **how: Any
) -> tuple[Run, Silent]:
    """A run that is measured, and no report; with probes that nobody has registered."""
    asked, progress = settings(model, here, more), Silent()
    preflight = audit.check(asked)
    preflight = dataclasses.replace(preflight, probes=(*preflight.probes, *probes))
    run = find_or_create(Path(asked.run.output), planning.plan(preflight, ""), now=datetime.now(UTC))
    with run.lock():
        audit.measure(preflight, run, **{"stop": lambda: False, "progress": progress, **how})
    return run.read_again(), progress


def digests(run: Run) -> dict[str, str]:
    return sums.compute(run.path)


@pydantic.dataclasses.dataclass(frozen=True)
class Deadly(PredictionProbe):
    """Answers, but ends the process on some documents: at once, or by doing nothing for ever."""

    name: ClassVar[str] = "deadly"
    kills: tuple[str, ...] = ()
    hangs: tuple[str, ...] = ()

    def measure(self, model: Any, documents: Sequence[Document], sitting: Sitting[Any]) -> Any:
        for document in documents:
            if document.id in self.kills:
                os.kill(os.getpid(), signal.SIGKILL)
            if document.id in self.hangs:
                time.sleep(600)
        return super().measure(model, documents, sitting)


@pydantic.dataclasses.dataclass(frozen=True)
class Failing(PredictionProbe):
    """Answers, but cannot on some documents."""

    name: ClassVar[str] = "failing"
    fails: tuple[str, ...] = ()

    def measure(self, model: Any, documents: Sequence[Document], sitting: Sitting[Any]) -> Any:
        for document in documents:
            if document.id in self.fails:
                raise ValueError("nothing to be had")
        return super().measure(model, documents, sitting)


def rows(run: Run, probe: str) -> list[Any]:
    return list(run.read(probe, Prediction))


def test_processes_write_the_run_that_one_here_writes(classifier: Path, here: Path) -> None:
    serial, _ = measured(classifier, here, {"run.output": "serial"})
    local, progress = measured(classifier, here, {"run.output": "local", "run.executor": "local", "run.workers": 2})
    assert local.plan_id == serial.plan_id
    assert digests(local) == digests(serial)
    assert progress.done == progress.total == {"prediction": 18, "lime": 9, "attention": 18}


def test_rows_stand_in_the_order_of_the_documents_whatever_groups_they_are_measured_in(
    classifier: Path, here: Path
) -> None:
    preflight = audit.check(settings(classifier, here, {"run.shard_size": 18}))
    preflight = dataclasses.replace(preflight, probes=preflight.probes[:1])
    heard: list[AtWork] = []
    found = {}
    ids = [document.id for document in preflight.documents]
    groups = (Group("prediction", ("d4", "d3")), Group("lime", ("d1",)), Group("prediction", ("d9", "gone")))
    for name, more in {
        "whole": {},
        "grouped": {"groups": groups, "fatal": (Fatal("prediction", "d5", "is deadly"),)},
    }.items():
        run = find_or_create(here / name, planning.plan(preflight, ""), now=datetime.now(UTC))
        worker = WorkerFactory(preflight, run, Failures.of_run(preflight, run))()
        worker.announce = heard.append
        worker(Shard(0, 0, 18, **more))  # type: ignore[arg-type]
        found[name] = rows(run, "prediction")
    assert [row.document_id for row in found["grouped"]] == ids
    assert found["grouped"][5] == Failure("d5", "worker-lost", "is deadly")
    rest = [(a, b) for a, b in zip(found["whole"], found["grouped"], strict=True) if not isinstance(b, Failure)]
    rechecking.require_same([a for a, _ in rest], [b for _, b in rest], dtype="float32", where="", cure="")
    others = tuple(name for name in ids if name not in ("d3", "d4", "d5", "d9"))
    measured = [at.document_ids for at in heard if at.document_ids]
    assert measured == [tuple(ids), ("d4", "d3"), ("d9",), others]


@pytest.mark.exhaustive
def test_a_document_that_kills_its_worker_is_a_failure_and_the_rest_is_measured(classifier: Path, here: Path) -> None:
    more = {"run.executor": "local", "run.workers": 1}
    run, progress = measured(classifier, here, more, [Deadly(kills=("d7",))])
    failures = [row for row in rows(run, "deadly") if isinstance(row, Failure)]
    message = "the worker that measured it, and nothing else, was killed by SIGKILL"
    assert failures == [Failure("d7", "worker-lost", message)]
    asked = rows(run, "prediction")
    for one, other in zip(rows(run, "deadly"), asked, strict=True):
        if one.document_id != "d7":
            rechecking.require_same([other], [one], dtype="float32", where="deadly", cure="")
    assert sum("it was replaced" in text for text in progress.said) == 4


@pytest.mark.exhaustive
def test_failures_that_lost_workers_could_not_report_count(classifier: Path, here: Path) -> None:
    """d5 fails before the deadly probe is asked: its row is there when another worker does the shard again."""
    more = {"run.executor": "local", "run.workers": 1, "run.max_failures": 0.1}
    with pytest.raises(TooManyFailuresError, match="failing: 2 of 18 documents failed"):
        measured(classifier, here, more, [Failing(fails=("d0", "d5")), Deadly(kills=("d1",))])


@pytest.mark.exhaustive
def test_a_run_that_is_stopped_is_gone_on_with_by_another_engine(classifier: Path, here: Path) -> None:
    serial, _ = measured(classifier, here, {"run.output": "serial"})
    begun = time.monotonic()
    more = {"run.executor": "local", "run.workers": 2}
    with pytest.raises(InterruptedRunError, match="of 4 shards; nothing is lost"):
        measured(classifier, here, more, stop=lambda: time.monotonic() > begun + 1.0)
    local, _ = measured(classifier, here, {})
    assert digests(local) == digests(serial)


WARMTHS = ("none", "cold", "warm")
SQUARE = [(i + 1, size, WARMTHS[(i + j) % 3]) for i in range(3) for j, size in enumerate((1, 5, 40))]
"""Workers, size of shards, cache: every two of them in every combination, as in a Latin square."""


@pytest.mark.exhaustive
@pytest.mark.parametrize(("workers", "size", "warmth"), SQUARE)
def test_the_sums_are_equal_for_every_number_of_workers_and_every_cache(
    classifier: Path, here: Path, workers: int, size: int, warmth: str
) -> None:
    serial, _ = measured(classifier, here, {"run.output": "serial", "run.shard_size": size})
    more = {"run.output": "others", "run.shard_size": size, "run.cache": warmth != "none"}
    if warmth == "warm":
        measured(classifier, here, {**more, "title": "The night before"})
    local, _ = measured(classifier, here, {**more, "run.executor": "local", "run.workers": workers})
    assert digests(local) == digests(serial)


@pytest.mark.usefixtures("no_embedded_fonts")
def test_a_device_without_room_gets_smaller_batches_and_the_rows_are_the_same(
    classifier: Path, here: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A device with room for 60 tokens at a time, of which the documents have up to 30."""
    wide, _ = measured(classifier, here, {"run.output": "wide"})
    halving = Batcher._halving

    def crowded(self: Batcher, batch: list[int], forward: Any, cost: Any) -> Any:
        def tried(some: list[int]) -> Any:
            if cost(some) > 60:
                raise torch.OutOfMemoryError("no room")
            return forward(some)

        return halving(self, batch, tried, cost)

    monkeypatch.setattr(Batcher, "_halving", crowded)
    tables = settings(classifier, here, {"run.output": "narrow"})
    progress = Silent()
    narrow = audit.run(tables, pdf=False, progress=progress).run
    for probe, record in (("prediction", Prediction), ("lime", Explanation), ("attention", AttentionStatistics)):
        before, now = (list(run.read(probe, record)) for run in (wide, narrow))
        assert not any(isinstance(row, Failure) for row in now)
        rechecking.require_same(before, now, dtype="float32", where=probe, cure="")
    (tokens,) = (narrow.manifest() or {})["batch_tokens"].values()
    assert 1 <= tokens <= 60
    assert any(f"out of memory on the device; tokens per batch now: {classifier}" in text for text in progress.said)


@pytest.mark.exhaustive
def test_the_rows_are_the_same_for_every_size_of_shards(classifier: Path, here: Path) -> None:
    one, _ = measured(classifier, here, {"run.output": "one", "run.shard_size": 18})
    for size in (1, 4, 7):
        more = {"run.output": f"of {size}", "run.shard_size": size, "run.executor": "local", "run.workers": 2}
        other, _ = measured(classifier, here, more)
        rechecking.require_same(rows(one, "prediction"), rows(other, "prediction"), dtype="float32", where="", cure="")


@pytest.mark.exhaustive
def test_a_document_that_holds_its_worker_up_is_a_failure(classifier: Path, here: Path) -> None:
    more = {"run.executor": "local", "run.workers": 2, "run.shard_timeout": 15.0}
    run, _ = measured(classifier, here, more, [Deadly(hangs=("d3",))])
    (failure,) = [row for row in rows(run, "deadly") if isinstance(row, Failure)]
    assert failure == Failure(
        "d3", "worker-lost", "the worker that measured it, and nothing else, gave no answer within 15 s"
    )


@pytest.mark.exhaustive
@pytest.mark.parametrize("seed", range(5))
def test_workers_killed_at_random_leave_equal_sums(classifier: Path, here: Path, seed: int) -> None:
    import random

    serial, _ = measured(classifier, here, {"run.output": "serial"})
    draw, killed = random.Random(seed), []
    due = time.monotonic() + draw.uniform(0, 3)

    def stop() -> bool:
        nonlocal due
        if time.monotonic() > due and len(killed) < 3:
            children = Path(f"/proc/self/task/{os.getpid()}/children").read_text().split()
            workers = [one for one in children if b"spawn_main" in Path(f"/proc/{one}/cmdline").read_bytes()]
            if workers:
                killed.append(draw.choice(workers))
                os.kill(int(killed[-1]), signal.SIGKILL)
                due = time.monotonic() + draw.uniform(4, 8)
        return False

    local, _ = measured(classifier, here, {"run.executor": "local", "run.workers": 2}, stop=stop)
    assert killed
    assert digests(local) == digests(serial)


@pytest.mark.exhaustive
@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_signal_to_all_processes_finishes_the_shards_at_work(classifier: Path, here: Path, number: int) -> None:
    serial, _ = measured(classifier, here, {"run.output": "serial"})
    file = here / "audit.toml"
    file.write_text(
        f'[corpus]\npath = "{corpus(here)}"\n[model]\nname = "{classifier}"\n'
        "[probes.prediction]\n[probes.lime]\nn_samples = 20\nlimit = 9\n[probes.attention]\n"
        '[run]\nshard_size = 5\ncache = false\nmax_failures = 0.5\noutput = "local"\n'
    )
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(filter(None, sys.path))}
    command = [
        sys.executable,
        "-m",
        "auditor",
        "run",
        str(file),
        "--seed",
        "3",
        "--executor",
        "local",
        "--workers",
        "2",
    ]
    process = subprocess.Popen(
        command, env=environment, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, start_new_session=True
    )
    while not list(here.glob("local/*/*/evidence/prediction/*.parquet")) and process.poll() is None:
        time.sleep(0.02)
    os.killpg(process.pid, number)
    _, err = process.communicate(timeout=120)
    assert process.returncode == 5, err
    assert "nothing is lost" in err
    run = open_run("latest", here / "local")
    assert all(run.has("attention", i) for i in range(4) if run.has("prediction", i)), "what was begun is finished"
    preflight = audit.check(config.load(file, {"seed": 3}, environment={}))
    with run.lock():
        audit.measure(preflight, run, stop=lambda: False, progress=Silent())
    assert evidence(run) == evidence(serial)


def evidence(run: Run) -> dict[str, str]:
    return {name: digest for name, digest in digests(run).items() if name.startswith("evidence")}
