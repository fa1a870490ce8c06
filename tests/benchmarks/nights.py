"""The night after: what an audit costs of which a run before has measured everything, or all but a tenth.

The sample audit of the sentiment classifier, with its language model and its page, where every document is explained,
as `auditor run` does it: each night in a process of its own, whose CPU counts from the first import to the last byte.
What such a night costs is imports and the page, whatever the corpus. Then what it takes to look rows up, and what
`auditor nightly` with a baseline adds to `auditor run` without one, of nights without news, with their PDFs.
"""

import os
import resource
import subprocess
import sys
import time
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

from auditor import audit, config
from auditor.probes.contract import Prepares
from auditor.records import reused
from auditor.records.store import find_or_create, open_run
from auditor.running import planning
from auditor.running.reuse import Reuse
from tests.benchmarks import materials
from tests.benchmarks.measuring import Spread
from tests.benchmarks.results import Row, Setting

FEW, QUICK = 182, 20
"""Documents of the first night."""
EXPLAINED = [
    part for name in ("lime", "occlusion", "attention_rollout") for part in ("--set", f"probes.{name}.limit=500")
]


def rows(setting: Setting) -> Iterator[Row]:
    """The second night, a new bound, and a corpus that grew, against the first; a look-up; and what a night adds."""
    n = QUICK if setting.quick else FEW
    lines = (materials.SAMPLES / "corpora" / "reviews.jsonl").read_text(encoding="utf-8").splitlines(keepends=True)
    first, grown = setting.folder / "night.jsonl", setting.folder / "grown.jsonl"
    first.write_text("".join(lines[:n]), encoding="utf-8")
    grown.write_text("".join(lines[: n + n // 10]), encoding="utf-8")
    output = setting.folder / "nights"
    cold = _cpu(*_asked(first, output), "--no-pdf")
    for what, data, more, most in (
        ("the same night again", first, ["--fresh"], 0.05),
        ("a new bound", first, ["--set", "checks.accuracy.at_least=0.5"], 0.05),
        ("10 % new documents", grown, [], 0.15),
    ):
        share = Spread((_cpu(*_asked(data, output), "--no-pdf", *more) / cold,), "× the first night")
        counted = reused.total(reused.read(open_run("latest", output).path))
        told = f"{counted.reused:,} of {counted.computed + counted.reused:,} rows reused; the first took {cold:.0f} s"
        yield Row.absolute(f"sample audit, {n} documents: {what}, CPU", "the first night", share, most, told)
    yield _looked_up(first, output)
    few = setting.folder / "few.jsonl"
    few.write_text("".join(lines[:QUICK]), encoding="utf-8")
    yield _added(few, setting.folder / "nightly", setting.rounds(3, 1))


def _cpu(*command: str) -> float:
    """CPU seconds of one command."""
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    done = subprocess.run([sys.executable, "-m", "auditor", *command], capture_output=True, check=False, env=os.environ)
    if done.returncode not in (0, 1, 8):  # a check of so few documents may fail, or not be settled
        raise AssertionError(done.stderr.decode())
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    return after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime


def _asked(data: Path, output: Path, command: str = "run") -> list[str]:
    return [
        command,
        *EXPLAINED,
        str(materials.SAMPLES / "sentiment.toml"),
        "--data",
        str(data),
        "--output",
        str(output),
    ]


def _added(data: Path, output: Path, rounds: int) -> Row:
    """What a night costs more than a run that is compared with nothing."""
    unlike, root = (
        ("--set", "checks.accuracy.at_least=0.999"),
        ("--root", str(output)),
    )  # fails: nothing to compare with
    alone_in = output.with_name("alone")
    _cpu(*_asked(data, alone_in), *unlike)
    _cpu(*_asked(data, output))
    earlier = open_run("latest", output).run_id
    added = []
    for _ in range(rounds):
        alone = _cpu(*_asked(data, alone_in), *unlike, "--fresh")
        _cpu("baseline", "set", earlier, *root)
        added.append(_cpu(*_asked(data, output, "nightly"), "--keep-daily", "365") - alone)
    what = f"sample audit, {QUICK} documents: what nightly adds to run, CPU"
    return Row.absolute(what, "a bound", Spread(tuple(added), "s"), 3.0, "compared with a baseline, with both PDFs")


def _looked_up(data: Path, output: Path) -> Row:
    """How long it takes to find the rows of a document, of all probes."""
    limits = dict(pair.split("=") for pair in EXPLAINED[1::2])
    tables = {"corpus.path": data, "run.output": output, **limits}
    preflight = audit.check(config.load(materials.SAMPLES / "sentiment.toml", tables, environment={}))
    run = find_or_create(output, planning.plan(preflight, ""), fresh=True, now=datetime.now(UTC))
    chosen, rounds = preflight.chosen, []
    for _ in range(5):
        reuse, asked, begun = Reuse(preflight, run), 0, time.process_time()
        for probe in filter(lambda one: isinstance(one, Prepares), preflight.probes):
            reuse.recalled(probe, [one for one in preflight.documents if one.id in chosen[probe.name]])
        for shard in preflight.shards:
            for probe in preflight.probes:
                part = preflight.documents[shard.start : shard.stop]
                documents = [one for one in part if one.id in chosen[probe.name]]
                if reuse.look_up(probe, documents, frozenset()).missing:
                    raise AssertionError(f"rows of {probe.name} are not kept")
                asked += len(documents)
            reuse.forget()
        rounds.append(1e6 * (time.process_time() - begun) / len(preflight.documents))
    figure = Spread(tuple(rounds), "µs")
    what = "sample audit: to look up a document's rows, keys and file included"
    told = f"{asked / len(preflight.documents):.1f} rows each; a process digests its own code besides, once"
    return Row.absolute(what, "a bound", figure, 50, told)
