"""Real Ray on this machine: actors and machines are lost, and the run is the one of a single process."""

import json
import os
import signal
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import jsonschema
import psutil
import pytest
import yaml

from auditor import audit, config
from auditor.errors import InstallationError, InterruptedRunError
from auditor.records import sums
from auditor.records.run import Run
from auditor.records.store import find_or_create
from auditor.running import planning
from auditor.running.executors import executor_named, scheduling
from auditor.running.executors import ray as engine
from auditor.running.executors.contract import Notify, Outcome, Resources, cut, no_notice
from auditor.running.executors.ray import LastReports, RayExecutor
from tests.executors.faulty import PROBE, Faulty
from tests.models.tiny import save
from tests.test_audit import LABELS, Silent, corpus

ROOT = Path(__file__).parents[2]
HERE = {"include_dashboard": False, "log_to_driver": False, "_node_ip_address": "127.0.0.1"}
TABLES = {"probes.prediction": {}, "probes.attention": {}, "run.shard_size": 3, "run.workers": 2, "seed": 3}


@pytest.fixture(scope="module")
def ray() -> Iterator[Any]:
    import ray

    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("RAY_AUTH_MODE", "disabled")
        patch.delenv("RAY_ADDRESS", raising=False)
        ray.init(num_cpus=2, **HERE)
        yield ray
        ray.shutdown()


@pytest.fixture(scope="module")
def classifier(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return save(tmp_path_factory.mktemp("ray") / "classifier", "bert", "text-classification", **LABELS)


@pytest.fixture
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("SOURCE_DATE_EPOCH", "1790000000")
    return tmp_path


def run(
    faults: dict[str, str],
    folder: Path,
    *,
    size: int = 4,
    timeout: float = 120.0,
    gpu: bool = False,
    say: Notify = no_notice,
) -> dict[int, Outcome]:
    executor = RayExecutor(Resources(2, (), gpu, timeout, say))
    outcomes = executor.map(Faulty(faults, str(folder)), cut(12, size), retries=1, stop=lambda: False)
    return {one.shard.index: one for one in outcomes}


def measured(model: Path, here: Path, more: dict[str, Any], **how: Any) -> Run:
    tables = {"model.name": model, "corpus.path": corpus(here), **TABLES, **more}
    preflight = audit.check(config.load(None, tables, environment={}))
    made = find_or_create(Path(preflight.config.run.output), planning.plan(preflight, ""), now=datetime.now(UTC))
    with made.lock():
        audit.measure(preflight, made, **{"stop": lambda: False, "progress": Silent(), **how})
    return made


def test_without_its_package_it_says_which_one(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(engine, "find_spec", lambda _: None)
    with pytest.raises(InstallationError, match=r"needs the package ray: pip install 'auditor\[ray\]'"):
        executor_named("ray", Resources(2, (), False, 1.0))


@pytest.mark.exhaustive
@pytest.mark.usefixtures("ray")
def test_lost_actors_are_replaced_and_the_documents_named(tmp_path: Path) -> None:
    outcomes = run({"d1": "once", "d5": "kill", "d8": "raise"}, tmp_path)
    assert outcomes[0].receipt
    assert outcomes[0].receipt.failures == {PROBE: ()}
    assert outcomes[1].receipt
    (lost,) = outcomes[1].receipt.failures[PROBE]
    assert (lost.document_id, lost.kind) == ("d5", "worker-lost")
    assert lost.message.endswith("was lost (ActorDiedError)")
    assert str(outcomes[2].error) == "d8 is no good"


@pytest.mark.exhaustive
@pytest.mark.usefixtures("ray")
def test_an_actor_makes_one_worker_whatever_the_shards(tmp_path: Path) -> None:
    assert len(run({}, tmp_path, size=1)) == 12
    assert 1 <= len(list(tmp_path.glob("worker-*"))) <= 2, "of two actors, each of which loads its models once"


@pytest.mark.exhaustive
@pytest.mark.usefixtures("ray")
def test_an_actor_that_hangs_is_replaced(tmp_path: Path) -> None:
    outcomes = run({"d6": "hang"}, tmp_path, size=1, timeout=15.0)
    assert outcomes[6].receipt
    assert [row.document_id for row in outcomes[6].receipt.failures[PROBE]] == ["d6"]


@pytest.mark.exhaustive
def test_actors_wait_for_room_which_is_said_and_begin_when_there_is_some(
    ray: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(scheduling, "PATIENCE", 0.5)
    everything = ray.remote(num_cpus=2)(LastReports).remote()
    ray.get(everything.read.remote())
    said: list[str] = []

    def say(text: str) -> None:
        said.append(text)
        ray.kill(everything)

    outcomes = run({}, tmp_path, say=say)
    assert all(outcomes[index].receipt for index in range(3))
    assert said == ["no worker could begin yet: 2 workers ask for 0.5 CPU each; the cluster has 2 CPU, 0 free"]


@pytest.mark.exhaustive
@pytest.mark.usefixtures("ray")
def test_a_cluster_that_has_not_what_actors_need_ends_the_run_and_both_are_named(tmp_path: Path) -> None:
    with pytest.raises(
        InterruptedRunError,
        match=r"begin within 3 s: 2 workers ask for 1 GPU each; the cluster has 0 GPU, 0 free",
    ):
        run({}, tmp_path, timeout=3.0, gpu=True)


@pytest.mark.exhaustive
@pytest.mark.usefixtures("ray")
def test_why_an_actor_cannot_be_made_is_raised(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from auditor.errors import StoreError

    (tmp_path / "gone").mkdir()
    monkeypatch.chdir(tmp_path / "gone")
    monkeypatch.setattr(Path, "cwd", lambda: Path("/on/no/other/machine"))
    with pytest.raises(StoreError, match=r"/on/no/other/machine: is not on .*; start the audit in a folder that all"):
        run({}, tmp_path)


@pytest.mark.exhaustive
@pytest.mark.usefixtures("ray")
def test_actors_write_the_run_that_one_process_writes_also_when_they_are_killed(classifier: Path, here: Path) -> None:
    serial = measured(classifier, here, {"run.output": "serial", "run.workers": 1})
    progress = Silent()
    plain = measured(classifier, here, {"run.output": "plain", "run.executor": "ray"}, progress=progress)
    assert sums.compute(plain.path) == sums.compute(serial.path)
    assert progress.done == {name: probe.n_documents for name, probe in plain.plan.probes.items()}
    killed: list[int] = []

    def stop() -> bool:
        if not killed and list(Path("killed").glob("*/*/evidence/prediction/*.parquet")):
            actors = [one.pid for one in psutil.process_iter(["cmdline"]) if "ray::Actor" in str(one.info["cmdline"])]
            killed.extend(actors[:1])
            for pid in killed:
                os.kill(pid, signal.SIGKILL)
        return False

    rough = measured(classifier, here, {"run.output": "killed", "run.executor": "ray"}, stop=stop)
    assert killed
    assert sums.compute(rough.path) == sums.compute(serial.path)


@pytest.mark.exhaustive
def test_the_cluster_file_is_one_that_ray_accepts() -> None:
    import ray.autoscaler

    schema = json.loads((Path(ray.autoscaler.__file__).parent / "ray-schema.json").read_text())
    jsonschema.validate(yaml.safe_load((ROOT / "samples" / "ray-cluster.yaml").read_text()), schema)
