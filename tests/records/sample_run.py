"""A whole run, written the way `auditor.audit` writes one: the same call does what is missing.

As a script it writes the run again and again in children that it kills, until it has killed enough of them:

    python sample_run.py ROOT KILLS
"""

import os
import random
import signal
import sys
import time
from datetime import UTC, datetime
from pathlib import Path

from planned import planned

from auditor.records import store, sums
from auditor.records.types import Document, Failure, Prediction

N_SHARDS = 2
NOON = datetime(2026, 7, 29, 12, tzinfo=UTC)
PLAN = planned(N_SHARDS, {"prediction": "Prediction"}, title="sample")


def write(root):
    """Do what is missing, and return the run."""
    run = store.find_or_create(root, PLAN, now=NOON)
    if run.is_complete:
        return run
    with run.lock():
        for shard in range(N_SHARDS):
            tables = ("documents", Document, documents(shard)), ("prediction", Prediction, predictions(shard))
            for probe, record, rows in tables:
                if not run.has(probe, shard):
                    run.write_shard(probe, record, shard, rows)
        derive(run, "<html>")
    return run


def derive(run, html):
    run.write("findings.json", b"{}")
    run.write("report.html", html.encode())
    run.finish({"finished": time.time()})


def documents(shard):
    return [Document(f"{shard}-{i}", f"text {i} " * 50) for i in range(5)]


def predictions(shard):
    measured = [Prediction(f"{shard}-{i}", ("a",), (0.1 * i,), (1.0,), ("a",), 0.0, 3, False) for i in range(4)]
    return [*measured, Failure(f"{shard}-4", "blank", "nothing to ask")]


def fingerprint(run):
    return (run.path / "SHA256SUMS").read_bytes()


def kill_until_enough(root, n_kills):
    """Every killed writer is followed by one that goes on; whoever is complete has the same sums."""
    os.fsync = lambda _: None  # a kill, unlike a power cut, loses nothing that the kernel was given
    start = time.monotonic()
    in_child(root / "whole").wait()
    whole = time.monotonic() - start
    expected = fingerprint(write(root / "whole"))
    moments, killed, n_done = random.Random(0), 0, 0
    while killed < n_kills:
        child = in_child(root / f"run {n_done}")
        time.sleep(moments.uniform(0, whole / 2))
        killed += child.kill()
        for folder in (root / f"run {n_done}").glob("*/*"):
            if (folder / "manifest.json").exists():
                assert sums.render(sums.compute(folder)) == fingerprint(store.open_run(folder, root)) == expected
                n_done += 1
    assert fingerprint(write(root / f"run {n_done}")) == expected
    print(f"{killed} killed, {n_done} completed in between")  # noqa: T201


class in_child:  # noqa: N801
    """A forked writer: no start-up, so that the kills hit the writing and not the imports."""

    def __init__(self, root):
        self.pid = os.fork()
        if self.pid == 0:
            write(root)
            os._exit(0)

    def wait(self):
        assert os.waitpid(self.pid, 0)[1] == 0

    def kill(self):
        os.kill(self.pid, signal.SIGKILL)
        return os.WIFSIGNALED(os.waitpid(self.pid, 0)[1])


if __name__ == "__main__":
    kill_until_enough(Path(sys.argv[1]), int(sys.argv[2]))
