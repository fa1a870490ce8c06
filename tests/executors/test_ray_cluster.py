"""A cluster of Ray with three machines, all of them this one: RAY_ADDRESS leads to it, and a machine is lost."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from auditor import audit
from auditor.records import sums
from auditor.running.executors.ray import RayExecutor
from tests.executors.test_ray import measured
from tests.models.tiny import save
from tests.test_audit import LABELS, Silent

pytestmark = pytest.mark.exhaustive


@pytest.fixture
def cluster(monkeypatch: pytest.MonkeyPatch) -> Iterator[Any]:
    monkeypatch.setenv("RAY_AUTH_MODE", "disabled")
    from ray.cluster_utils import Cluster

    cluster = Cluster(initialize_head=True, head_node_args={"num_cpus": 0, "include_dashboard": False})
    monkeypatch.setenv("RAY_ADDRESS", cluster.address)
    yield cluster
    cluster.shutdown()


def test_a_machine_is_lost_and_the_run_is_that_of_one_process(
    cluster: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("SOURCE_DATE_EPOCH", "1790000000")
    model = save(tmp_path / "classifier", "bert", "text-classification", **LABELS)
    serial = measured(model, tmp_path, {"run.output": "serial", "run.workers": 1, "run.cache": False})
    machines = [cluster.add_node(num_cpus=1), cluster.add_node(num_cpus=1)]
    progress = Silent()

    def stop() -> bool:
        if len(machines) == 2 and list(Path("runs").glob("*/*/evidence/prediction/*.parquet")):
            cluster.remove_node(machines.pop(), allow_graceful=False)
        return False

    more = {"run.output": "runs", "run.executor": "ray"}
    run = measured(model, tmp_path, more, stop=stop, progress=progress)
    assert len(machines) == 1
    assert sums.compute(run.path) == sums.compute(serial.path)
    assert not Path("runs", ".cache").exists(), "machines cannot share an SQLite file"


def test_the_cluster_of_the_address_is_used(cluster: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    import ray

    found: list[str] = []

    def size(self: RayExecutor, resources: dict[str, float]) -> int:  # noqa: ARG001
        found.append(ray.get_runtime_context().gcs_address)
        raise KeyboardInterrupt

    monkeypatch.setattr(RayExecutor, "_size", size)
    with pytest.raises(KeyboardInterrupt):
        list(RayExecutor().map(audit.run, [None], retries=0, stop=lambda: False))  # type: ignore[arg-type,list-item]
    assert found == [cluster.address]
    assert not ray.is_initialized()
