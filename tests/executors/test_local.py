"""Processes of this machine: they are killed, hang, and end with whoever started them."""

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from auditor.errors import ConfigError
from auditor.running.executors import executor_named
from auditor.running.executors.contract import Outcome, Resources, cut
from auditor.running.executors.local import LocalExecutor, _environment, default_workers, n_cores
from tests.executors.faulty import PROBE, Faulty

ROOT = Path(__file__).parents[2]
ORPHANS = """
import sys
from auditor.running.executors.contract import Resources, cut
from auditor.running.executors.local import LocalExecutor
from tests.executors.faulty import Faulty

if __name__ == "__main__":
    executor = LocalExecutor(Resources(2, (), False, 60.0))
    for outcome in executor.map(Faulty({"d1": "hang", "d3": "hang"}), cut(4, 1), retries=0, stop=lambda: False):
        print(outcome.shard.index, flush=True)
"""


def run(faults: dict[str, str], folder: Path, *, timeout: float = 60.0, n: int = 12) -> dict[int, Outcome]:
    executor = LocalExecutor(Resources(2, (), False, timeout))
    outcomes = executor.map(Faulty(faults, str(folder)), cut(n, 4), retries=1, stop=lambda: False)
    return {one.shard.index: one for one in outcomes}


def test_killed_ended_and_broken_workers_are_replaced_and_the_documents_named(tmp_path: Path) -> None:
    outcomes = run({"d1": "once", "d5": "kill", "d8": "raise"}, tmp_path)
    assert outcomes[0].receipt
    assert outcomes[0].receipt.failures == {PROBE: ()}
    assert outcomes[1].receipt
    (lost,) = outcomes[1].receipt.failures[PROBE]
    assert (lost.document_id, lost.kind) == ("d5", "worker-lost")
    assert lost.message.endswith("was killed by SIGKILL")
    assert str(outcomes[2].error) == "d8 is no good"
    assert len(outcomes[1].notes) == 4


@pytest.mark.exhaustive
@pytest.mark.parametrize(
    ("fault", "words"), [("hang", "gave no answer within 2 s"), ("exit", "ended with exit code 3")]
)
def test_a_document_that_ends_or_holds_up_its_worker_is_named(tmp_path: Path, fault: str, words: str) -> None:
    outcomes = run({"d0": fault, "d7": fault}, tmp_path, timeout=2.0)
    for index, name in ((0, "d0"), (1, "d7")):
        receipt = outcomes[index].receipt
        assert receipt
        (lost,) = receipt.failures[PROBE]
        assert (lost.document_id, lost.message.endswith(words)) == (name, True)


def test_workers_end_with_the_process_that_started_them(tmp_path: Path) -> None:
    script = tmp_path / "script.py"
    script.write_text(ORPHANS)
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join([*sys.path, str(ROOT)])}
    parent = subprocess.Popen([sys.executable, script], stdout=subprocess.PIPE, env=environment, text=True)
    assert parent.stdout
    assert {parent.stdout.readline().strip(), parent.stdout.readline().strip()} == {"0", "2"}
    children = Path(f"/proc/{parent.pid}/task/{parent.pid}/children").read_text().split()
    assert len(children) >= 2
    parent.send_signal(signal.SIGKILL)
    parent.wait()
    parent.stdout.close()
    end = time.monotonic() + 20
    while time.monotonic() < end and any(is_running(child) for child in children):
        time.sleep(0.05)
    assert not any(is_running(child) for child in children)


def is_running(process: str) -> bool:
    try:
        return Path(f"/proc/{process}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except (FileNotFoundError, ProcessLookupError):
        return False


def test_a_worker_sees_one_device_and_threads_are_divided(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("OMP_NUM_THREADS", raising=False)
    four = Resources(None, ("0", "1", "GPU-9", "3"), uses_gpu=True, timeout=1.0)
    assert default_workers(four, 64) == 4
    assert [_environment(four, slot, 5)["CUDA_VISIBLE_DEVICES"] for slot in range(5)] == ["0", "1", "GPU-9", "3", "0"]
    named = Resources(None, (), uses_gpu=True, timeout=1.0)  # device = "cuda:1"
    assert (default_workers(named, 64), _environment(named, 0, 1)) == (1, {})
    none = Resources(None, (), uses_gpu=False, timeout=1.0)
    assert [default_workers(none, n) for n in (1, 2, 64)] == [1, 2, 4]
    assert _environment(none, 0, 1)["OMP_NUM_THREADS"] == str(n_cores())
    assert _environment(none, 0, 999)["MKL_NUM_THREADS"] == "1"
    monkeypatch.setenv("OMP_NUM_THREADS", "7")
    assert _environment(none, 0, 2) == {}


def test_workers_of_an_engine_that_has_a_single_one_are_a_fault() -> None:
    several = Resources(3, (), uses_gpu=False, timeout=1.0)
    with pytest.raises(ConfigError, match=r'run.workers = 3: the executor "serial" cannot be told how many; expected'):
        executor_named("serial", several)
    assert isinstance(executor_named("local", several), LocalExecutor)
