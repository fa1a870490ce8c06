"""`auditor diff` of two runs of 5,000 documents, from the first import to the last line: CPU, and no torch.

Documents and rows are those of the example in `reports/`, repeated under other ids with a number behind each text. In
the later run probabilities, entropies, log-probabilities and weights are moved a little, and one answer in fifty is
another. Prediction, attention and perplexity are of all documents, the three explainers of a sample; then LIME of all.
Then `auditor history` of a year of nights.
"""

import os
import resource
import subprocess
import sys
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import numpy as np

from auditor.findings import Evidence, summary_of
from auditor.records.explanations import Explanation
from auditor.records.run import Run
from auditor.records.store import find_or_create, open_run
from auditor.records.types import AttentionStatistics, Document, Perplexity, Prediction
from auditor.running.context import read_evidence
from tests.benchmarks.measuring import Spread
from tests.benchmarks.results import Row, Setting

EXAMPLE = Path(__file__).parents[2] / "reports" / "example"
DOCUMENTS, SAMPLE, SHARD = 5_000, 250, 500
YEAR, NUMBERS = 365, 35
LEFT_OUT = ("head_ablation", "faithfulness")
OTHER_ANSWERS = 0.02


def rows(setting: Setting) -> Iterator[Row]:
    """CPU of the command, with explanations of few documents and of all."""
    n = DOCUMENTS // 10 if setting.quick else DOCUMENTS
    for explained in (SAMPLE, n):
        names = written(setting.folder / f"explained-{explained}", n, explained)
        cpu = Spread(tuple(_cpu("diff", *names) for _ in range(setting.rounds(3, 1))), "s")
        what = f"auditor diff, {n:,} documents, {min(n, explained):,} explained by LIME, CPU"
        yield Row.absolute(what, "a bound", cpu, 3.0, "prediction, attention and perplexity of all; without torch")
    _year(setting.folder / "year")
    cpu = Spread(
        tuple(_cpu("history", "--root", str(setting.folder / "year")) for _ in range(setting.rounds(3, 1))), "s"
    )
    what = f"auditor history, {YEAR} runs with {NUMBERS} numbers, CPU"
    yield Row.absolute(what, "a bound", cpu, 1.0, "from their manifests; without torch")


def written(root: Path, n: int, explained: int) -> tuple[str, str]:
    """Two complete runs on the disk; their folders."""
    example = open_run(EXAMPLE, EXAMPLE.parent)
    evidence = read_evidence(example)
    first, second = (_run(root, example, evidence, n, explained, seed) for seed in (None, 1))
    return str(first.path), str(second.path)


def _run(root: Path, example: Run, evidence: Evidence, n: int, explained: int, seed: int | None) -> Run:
    """A run whose rows are moved at random; of no seed as they are."""
    probes = {name: probe for name, probe in example.plan.probes.items() if name not in LEFT_OUT}
    plan = replace(example.plan, probes=probes, run_id="", created="", versions={"night": str(seed)})
    run = find_or_create(root, plan, fresh=True, now=datetime(2026, 1, 1 + (seed or 0), tzinfo=UTC))
    rng = None if seed is None else np.random.default_rng(seed)
    for shard in range(n // SHARD or 1):
        places = range(shard * SHARD, min(n, (shard + 1) * SHARD))
        run.write_shard("documents", Document, shard, [_document(evidence, i) for i in places])
        for probe in probes:
            summary = summary_of(probe)
            if summary is None:
                raise AssertionError(f"{probe} has no summary")
            measured = list(evidence.of(probe).values())
            least = {"lime": explained}.get(probe, SAMPLE)
            asked = places if len(measured) == len(evidence.documents) else [i for i in places if i < least]
            made = [_row(measured, i, rng) for i in asked]
            if made:
                run.write_shard(probe, summary.record, shard, made)
    run.finish({"verdict": "pass"})
    return run


def _document(evidence: Evidence, i: int) -> Document:
    one = evidence.documents[i % len(evidence.documents)]
    return replace(one, id=_name(i), text=f"{one.text} {i}")


def _name(i: int) -> str:
    return f"document-{i:05d}"


def _row(measured: Sequence[Any], i: int, rng: np.random.Generator | None) -> Any:
    row = _plain(measured[i % len(measured)])
    return replace(row, **{"document_id": _name(i), **(_moved(row, rng) if rng else {})})


def _plain(row: Any) -> Any:
    """A row that holds its values itself, not in the columns that it was read from."""
    return replace(row)


def _moved(row: Any, rng: np.random.Generator) -> Mapping[str, Any]:
    if isinstance(row, Prediction):
        p = np.clip(np.array(row.probabilities) + rng.normal(0, 0.02), 0.001, 0.999)
        p = (p[::-1] if rng.random() < OTHER_ANSWERS else p) / p.sum()
        return {"probabilities": tuple(p.tolist()), "predicted": (row.labels[int(p.argmax())],)}
    if isinstance(row, AttentionStatistics):
        return {"entropy": tuple((np.array(row.entropy) + rng.normal(0, 0.01, len(row.entropy))).tolist())}
    if isinstance(row, Perplexity):
        return {"logprobs": tuple((np.array(row.logprobs) - abs(rng.normal(0, 0.01))).tolist())}
    if isinstance(row, Explanation):
        return {"targets": tuple(_reweighted(target, rng) for target in row.targets)}
    return {}


def _reweighted(target: Any, rng: np.random.Generator) -> Any:
    errors = np.array(target.standard_errors) + 0.002
    target = _plain(target)
    return replace(target, weights=tuple((np.array(target.weights) + errors * rng.normal(size=len(errors))).tolist()))


def _year(root: Path) -> None:
    """Complete runs of one audit, a night apart."""
    number = {"title": "Accuracy", "unit": "share", "value": 0.8, "low": 0.75, "high": 0.85, "n": 200}
    plan = replace(open_run(EXAMPLE, EXAMPLE.parent).plan, run_id="", created="")
    for day in range(YEAR):
        run = find_or_create(root, plan, fresh=True, now=datetime(2025, 1, 1, tzinfo=UTC) + timedelta(days=day))
        run.finish({"verdict": "pass", "numbers": {f"number_{i}": number for i in range(NUMBERS)}, "checks": {}})


def _cpu(*command: str) -> float:
    """CPU seconds of the command."""
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    done = subprocess.run([sys.executable, "-m", "auditor", *command], capture_output=True, check=False, env=os.environ)
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    if done.returncode not in (0, 1, 8):
        raise AssertionError(done.stderr.decode())
    return after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
