"""Two processes against one: what the second one brings, and what it costs.

The sample classifier explains reviews by LIME; models are loaded and everything is written as `auditor run` does it,
each run in a process of its own, with one thread for every worker, and without the page. Speed is seconds on the wall,
of a machine that has two cores to spare: on a busy one it says little, and what all processes together cost in CPU
still does. Efficiency is the time of one process, divided by that of two and by 2.
"""

import multiprocessing
import resource
import time
from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from auditor import audit, config
from auditor.records import sums
from auditor.records.store import find_or_create
from auditor.running import planning
from auditor.running.progress import Unheard
from tests.benchmarks import materials
from tests.benchmarks.measuring import Spread
from tests.benchmarks.results import DisagreementError, Row, Setting

FEW, QUICK = 40, 24
PER_SHARD = 8
AT_LEAST, AT_MOST = 1.6, 1.25


@dataclass(frozen=True)
class Cost:
    """What one run came to."""

    wall: float
    cpu: float
    """Of all its processes."""
    digests: dict[str, str]


def rows(setting: Setting) -> Iterator[Row]:
    """Seconds on the wall, and CPU seconds."""
    n = QUICK if setting.quick else FEW
    lines = (materials.SAMPLES / "corpora" / "reviews.jsonl").read_text(encoding="utf-8").splitlines(keepends=True)
    (setting.folder / "two.jsonl").write_text("".join(lines[:n]), encoding="utf-8")
    one, two = (_cost(setting.folder, executor) for executor in ("serial", "local"))
    if one.digests != two.digests:
        raise DisagreementError("the sums of two processes are not those of one")
    wall = [Spread((cost.wall,)) for cost in (one, two)]
    cpu = [Spread((cost.cpu,)) for cost in (one, two)]
    what, efficiency = f"prediction and LIME of {n} reviews, two processes", wall[0].over(wall[1]).median / 2
    yield Row.peer(what, "one process, on the wall", *wall, AT_LEAST, f"efficiency {efficiency:.0%}; sums identical")
    yield Row.limit(f"{what}, CPU", "one process", *cpu, AT_MOST, "imports and weights twice, and the one that waits")


def _cost(folder: Path, executor: str) -> Cost:
    with ProcessPoolExecutor(1, mp_context=multiprocessing.get_context("spawn")) as child:
        return child.submit(_measured, folder, executor).result()


def _measured(folder: Path, executor: str) -> Cost:
    begun = time.perf_counter()
    tables: dict[str, Any] = {
        "corpus.path": folder / "two.jsonl",
        "model.name": materials.SENTIMENT,
        "probes.prediction": {},
        "probes.lime": {},
        "run.output": folder / executor,
        "run.shard_size": PER_SHARD,
        "run.cache": False,
        "run.executor": executor,
        "run.workers": 2 if executor == "local" else None,
    }
    preflight = audit.check(config.load(None, tables, environment={}))
    run = find_or_create(folder / executor, planning.plan(preflight, ""), now=datetime.now(UTC))
    with run.lock():
        audit.measure(preflight, run, stop=lambda: False, progress=Unheard())
    wall = time.perf_counter() - begun
    used = [resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)]
    evidence = {key: value for key, value in sums.compute(run.path).items() if key.startswith("evidence")}
    return Cost(wall, sum(one.ru_utime + one.ru_stime for one in used), evidence)
