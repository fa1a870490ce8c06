"""A third party's package, installed by entry points: what it adds takes part in an audit, and in nobody else's."""

import json
import pickle
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import ClassVar

import pytest

from auditor import audit, config, models, tasks
from auditor.config.tables import Config
from auditor.errors import ConfigError, InstallationError
from auditor.models import Answers, Attends, Classifies
from auditor.records import reused
from auditor.records.store import find_or_create
from auditor.records.types import Failure
from auditor.records.verification import verify
from auditor.running import planning
from auditor.running.executors import executor_named
from auditor.running.executors.contract import Outcome, Receipt, Shard
from auditor.running.failures import Failures
from auditor.running.worker import WorkerFactory
from tests.models.tiny import save
from tests.test_audit import LABELS, Silent, corpus

SENTENCES = {"model.task": "sentence-classification", "probes.lime.n_samples": 30, "probes.lime.limit": 4}


@pytest.fixture(scope="module")
def classifier(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return save(tmp_path_factory.mktemp("extended") / "classifier", "bert", "text-classification", **LABELS)


@pytest.fixture
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    return tmp_path


def settings(model: Path, data: Path, more: dict[str, object]) -> Config:
    tables = {"model.name": model, "corpus.path": data, "model.device": "cpu", "run.shard_size": 6, "seed": 3, **more}
    return config.load(None, tables, environment={})


def run(model: Path, data: Path, more: dict[str, object], progress: Silent | None = None) -> audit.Result:
    return audit.run(settings(model, data, more), pdf=False, progress=progress or Silent())


def test_a_task_of_a_third_party_is_audited_from_corpus_to_report(classifier: Path, here: Path) -> None:
    ours = run(classifier, corpus(here), {**SENTENCES, "model.task": "text-classification"})
    result = run(classifier, corpus(here), {**SENTENCES, "checks.accuracy.at_least": 0.01})
    assert result.findings.verdict.result == "pass"
    assert result.findings.task == "sentence-classification"
    assert {row.probe: row.measured for row in result.findings.coverage} == {"prediction": 18, "lime": 4}
    assert {"accuracy", "lime.fidelity"} <= {number.name for number in result.findings.key_numbers}
    assert verify(result.run) == []
    page = result.html.read_text(encoding="utf-8")
    assert "Sentence classification" in page
    assert "negative, positive" in page, "its labels are those of the checkpoint"
    found = [{n.name: n.value for n in one.findings.numbers} for one in (ours, result)]
    assert found[1]["accuracy"] == found[0]["accuracy"]
    assert found[1]["mean_entropy"] == pytest.approx(found[0]["mean_entropy"], abs=1e-5)


def test_a_task_of_a_third_party_is_asked_for_by_its_name_and_never_chosen_instead_of_ours(classifier: Path) -> None:
    assert models.find("m", classifier).task == "text-classification"
    assert models.find("m", classifier, task="sentence-classification").task == "sentence-classification"


def test_a_task_has_the_capabilities_of_its_adapter() -> None:
    assert models.offers("sentence-classification", Classifies)
    assert models.offers("sentence-classification", Answers)
    assert not models.offers("sentence-classification", Attends)


def test_settings_of_other_tasks_are_refused(classifier: Path, here: Path) -> None:
    with pytest.raises(ConfigError, match=r"prompt is for text-generation only"):
        settings(classifier, corpus(here), {**SENTENCES, "model.prompt": "{text}!"})
    more = {"model.prompt": "{text}!", "probes.prediction": {}}
    with pytest.raises(ConfigError, match=r"model.prompt: is not for text-classification"):
        audit.check(settings(classifier, corpus(here), more))


def test_a_name_that_nobody_registered_is_a_fault_with_the_nearest_that_somebody_did(here: Path) -> None:
    with pytest.raises(ConfigError, match=r"did you mean 'sentence-classification'; known: .*fill-mask"):
        settings(here, corpus(here), {"model.task": "sentence-classifikation"})
    with pytest.raises(ConfigError, match=r"run.executor: there is no executor 'spawn', did you mean 'spawned'"):
        executor_named("spawn")


def test_what_a_package_registers_must_be_there(monkeypatch: pytest.MonkeyPatch) -> None:
    from importlib.metadata import EntryPoint, entry_points

    def one_more(entry: EntryPoint) -> None:
        monkeypatch.setattr("auditor.registry.entry_points", lambda group: [*entry_points(group=group), entry])

    one_more(EntryPoint("absent", "nowhere_at_all:TASK", tasks.GROUP))
    with pytest.raises(InstallationError, match="absent = nowhere_at_all:TASK cannot be loaded: No module named"):
        tasks.tasks()
    one_more(EntryPoint("other", "auditor_extensions.sentences:SENTENCE_CLASSIFICATION", tasks.GROUP))
    with pytest.raises(InstallationError, match="expected the declaration of the task 'other', found Task"):
        tasks.tasks()
    one_more(EntryPoint("fill-mask", "auditor_extensions.sentences:SENTENCE_CLASSIFICATION", tasks.GROUP))
    with pytest.raises(InstallationError, match=r"'fill-mask' is registered by auditor\.tasks:FILL_MASK and audit"):
        tasks.tasks()


def test_a_finished_run_says_its_task_where_the_package_is_gone() -> None:
    gone = tasks.described("gone-classification")
    assert (gone.name, gone.title, gone.labels) == ("gone-classification", "gone-classification", "none")


@pytest.mark.exhaustive
def test_workers_in_other_processes_write_what_one_here_writes(classifier: Path, here: Path) -> None:
    more = {"probes.prediction": {}, "probes.attention": {}}
    serial = run(classifier, corpus(here), {**more, "run.output": "serial"})
    progress = Silent()
    spawned = run(classifier, corpus(here), {**more, "run.executor": "spawned"}, progress)
    assert spawned.run.plan_id == serial.run.plan_id, "how shards are run is no part of what is asked"
    sums = [(result.run.path / "SHA256SUMS").read_text() for result in (serial, spawned)]
    evidence = [[line for line in one.splitlines() if "evidence/" in line] for one in sums]
    assert evidence[0] == evidence[1]
    assert progress.done == progress.total == {"prediction": 18, "attention": 18}
    work = [(result.run.manifest() or {})["work"] for result in (serial, spawned)]
    assert work[0]["tokens"] == work[1]["tokens"] > 0
    warm = audit.run(settings(classifier, corpus(here), more), fresh=True, pdf=False, progress=Silent())
    assert evidence[0] == [
        line for line in (warm.run.path / "SHA256SUMS").read_text().splitlines() if "evidence/" in line
    ]
    assert {name: (one.computed, one.reused) for name, one in reused.read(warm.run.path).items()} == {
        "prediction": (0, 18),
        "attention": (0, 18),
    }
    assert warm.run.read_again().plan.computing == serial.run.read_again().plan.computing


def test_a_factory_and_a_receipt_can_be_pickled(classifier: Path, here: Path) -> None:
    preflight = audit.check(settings(classifier, corpus(here), {"probes.prediction": {}}))
    place = find_or_create(here / "runs", planning.plan(preflight, ""), now=datetime.now(UTC))
    factory = WorkerFactory(preflight, place, Failures.of_run(preflight, place))
    again: WorkerFactory = pickle.loads(pickle.dumps(factory))
    assert again.preflight.documents == preflight.documents
    receipt = again()(preflight.shards[0])
    assert receipt.asked == {"prediction": 6}
    assert place.has("prediction", 0)
    kept = Receipt(receipt.work, receipt.asked, {"prediction": (Failure("d1", "blank", "nothing there"),)})
    assert pickle.loads(pickle.dumps(kept)) == kept


class Apart:
    """A worker of its own for every shard: factory and receipts go through pickle, as between processes."""

    in_process: ClassVar[bool] = False

    def map(self, factory: WorkerFactory, shards: Sequence[Shard], **_: object) -> Iterator[Outcome]:
        for shard in shards:
            worker = pickle.loads(pickle.dumps(factory))()
            yield Outcome(shard, receipt=pickle.loads(pickle.dumps(worker(shard))))


@pytest.mark.exhaustive
def test_failures_of_all_workers_together_stop_a_hopeless_run(
    classifier: Path, here: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from auditor.errors import TooManyFailuresError

    monkeypatch.setattr(audit, "executor_named", lambda *_: Apart())

    rows = [{"id": f"d{i}", "text": "" if i < 6 else "Good.", "label": "positive"} for i in range(36)]
    data = corpus(here, [*rows[:3], *rows[6:21], *rows[3:6], *rows[21:]])  # three blank ones in each of two shards
    more = {"probes.prediction": {}, "run.shard_size": 18, "run.max_failures": 0.1}
    with pytest.raises(TooManyFailuresError, match=r"6 of 36 documents failed.* allows 3 of 36"):
        run(classifier, data, more)


def test_a_shard_that_broke_is_tried_again_and_counted_once(
    classifier: Path, here: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from auditor.records.run import Run

    write, broken = Run.write_shard, [RuntimeError("the disk was gone for a moment")]

    def brittle(self: Run, *arguments: object) -> None:
        if broken and (self.path / "evidence" / "prediction" / "00000.parquet").exists():
            raise broken.pop()
        write(self, *arguments)  # type: ignore[arg-type]

    monkeypatch.setattr(Run, "write_shard", brittle)
    progress = Silent()
    result = run(classifier, corpus(here), {"probes.prediction": {}, "probes.attention": {}}, progress)
    assert not broken
    assert progress.done == progress.total == {"prediction": 18, "attention": 18}
    assert verify(result.run) == []
    assert json.loads((result.run.path / "manifest.json").read_bytes())["work"]["tokens"] > 0
