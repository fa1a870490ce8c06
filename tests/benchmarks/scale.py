"""A hundred thousand short documents against five thousand: memory, the size of what is written, and asking again.

The model is a BERT of two layers and sixteen dimensions, so that what is measured is everything around it: reading the
corpus, evidence, findings, rendering. Every document is predicted and its attention kept; LIME explains a thousand.
Each audit runs in a process of its own, whose largest resident size counts from its first import to its last byte.
"""

import json
import multiprocessing
import os
import random
import resource
import subprocess
import sys
from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from pathlib import Path

from auditor import audit, config
from tests.benchmarks import materials
from tests.benchmarks.measuring import Spread, high_water
from tests.benchmarks.results import Row, Setting

FEW, MANY, QUICK = 5_000, 100_000, 20_000
TINY = {"hidden_size": 16, "num_hidden_layers": 2, "num_attention_heads": 2, "intermediate_size": 16}
WORDS = (
    "the",
    "film",
    "is",
    "not",
    "bad",
    "at",
    "all",
    "its",
    "ending",
    "moving",
    "dull",
    "waste",
    "of",
    "two",
    "hours",
)
EXPLAINED = 1_000
FLAT = 1.3


@dataclass(frozen=True)
class Cost:
    """What one audit came to."""

    megabytes: float
    sizes: dict[str, int]
    """Bytes by file name."""


def rows(setting: Setting) -> Iterator[Row]:
    """Memory, sizes, and the second run."""
    model = materials.classifier(setting.folder, **TINY)
    n = QUICK if setting.quick else MANY
    few, many = (_cost(_configured(setting.folder, model, size)) for size in (FEW, n))
    what = f"whole audit of {n:,} short documents"
    memory = [Spread((cost.megabytes,), "MB") for cost in (few, many)]
    probes = f"prediction and attention of all, LIME of {EXPLAINED:,}; HTML"
    yield Row.limit(f"{what}, peak memory", f"the same of {FEW:,}", *memory, FLAT, probes)
    page = Spread((many.sizes["report.html"] / 1e6,), "MB")
    beside = ", ".join(f"{name} {many.sizes[name] / 1e6:.1f} MB" for name in sorted(many.sizes) if "documents" in name)
    yield Row.absolute(f"{what}, report.html", "a bound of its own", page, 2.0, f"beside it {beside}")
    again = Spread(tuple(_asked_again(setting.folder, n) for _ in range(setting.rounds(5, 2))), "s")
    yield Row.absolute(f"{what}, the same command again", "a bound of its own", again, 1.0, "complete already; CPU")


def _configured(folder: Path, model: Path, n: int) -> Path:
    """A configuration of an audit of `n` documents, and its corpus."""
    draw, corpus, file = random.Random(n), folder / f"short-{n}.jsonl", folder / f"short-{n}.yaml"
    with corpus.open("w", encoding="utf-8") as lines:
        for i in range(n):
            text = " ".join(draw.choices(WORDS, k=6))
            row = {"id": f"doc-{i}", "text": text, "label": i % 2, "length": draw.choice(("short", "long"))}
            lines.write(json.dumps(row) + "\n")
    tables = {
        "title": f"{n} short documents",
        "corpus": {"path": str(corpus)},
        "model": {"name": str(model), "device": "cpu"},
        "probes": {"prediction": {}, "attention": {}, "lime": {"limit": EXPLAINED, "n_samples": 50}},
        "report": {"pdf": False},
        "run": {"output": str(folder / "runs"), "shard_size": 500},
    }
    file.write_text(json.dumps(tables), encoding="utf-8")  # JSON is YAML
    return file


def _cost(file: Path) -> Cost:
    with ProcessPoolExecutor(1, mp_context=multiprocessing.get_context("spawn")) as child:
        return child.submit(_audited, file).result()


def _audited(file: Path) -> Cost:
    result = audit.run(config.load(file, {}, environment={}), progress=_Silent())
    sizes = {path.name: path.stat().st_size for path in result.run.path.iterdir() if path.is_file()}
    return Cost(high_water() / 1e6, sizes)


class _Silent:
    """Hears nothing."""

    def start(self, total_documents_by_probe: dict[str, int]) -> None: ...

    def say(self, text: str) -> None: ...

    def advance(self, probe: str, documents: int) -> None: ...


def _asked_again(folder: Path, n: int) -> float:
    """CPU seconds of the command where the run is complete; the first time it may take the whole way."""
    command = [sys.executable, "-m", "auditor", "run", str(folder / f"short-{n}.yaml"), "--json"]
    subprocess.run(command, capture_output=True, check=False, env=os.environ)
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    said = subprocess.run(command, capture_output=True, check=False, env=os.environ)
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    if not json.loads(said.stdout)["reused"]:
        raise AssertionError(said.stdout)
    return after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
