"""`python -m tests.benchmarks [--quick] [--only lime,attention] [--out DIR]`."""

import argparse
import json
import sys
import tempfile
import time
from dataclasses import dataclass
from importlib import import_module
from pathlib import Path

from tests.benchmarks.figure import draw
from tests.benchmarks.machine import Machine, describe
from tests.benchmarks.measuring import without_huge_pages
from tests.benchmarks.results import DisagreementError, Row, Setting, markdown, summary

SUBJECTS = ("lime", "adaptive", "host_work", "attention", "perplexity", "pseudo_perplexity", "rendering", "audit")
CACHE = Path.home() / ".cache" / "auditor-benchmarks"


@dataclass(frozen=True)
class Outcome:
    """What one subject came to."""

    subject: str
    rows: tuple[Row, ...]
    seconds: float
    fault: str | None = None
    """Where ours and a peer disagreed: then its rows stop there."""


def main() -> int:
    asked = _arguments()
    asked.out.mkdir(parents=True, exist_ok=True)
    asked.cache.mkdir(parents=True, exist_ok=True)
    before = describe()
    without_huge_pages()
    with tempfile.TemporaryDirectory() as folder:
        setting = Setting(asked.quick, Path(folder), asked.cache)
        outcomes: list[Outcome] = []
        for subject in asked.only:
            outcomes.append(_measure(subject, setting))
            table = _write(asked.out, before, outcomes, quick=asked.quick)
    sys.stdout.write(table)
    return 1 if any(outcome.fault for outcome in outcomes) else 0


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m tests.benchmarks", description=__doc__)
    parser.add_argument(
        "--quick",
        action="store_true",
        help='one round of most, without the longest (lm-eval, LIME "auto", memory, rendering, the audit)',
    )
    parser.add_argument("--only", type=_subjects, default=SUBJECTS, help=f"some of {', '.join(SUBJECTS)}")
    parser.add_argument("--out", type=Path, default=Path("reports/benchmarks"), help="where the results go")
    parser.add_argument("--cache", type=Path, default=CACHE, help="where references of 100,000 samples are kept")
    return parser.parse_args()


def _subjects(text: str) -> tuple[str, ...]:
    named = tuple(text.split(","))
    for name in named:
        if name not in SUBJECTS:
            raise argparse.ArgumentTypeError(f"{name!r} is none of {', '.join(SUBJECTS)}")
    return named


def _measure(subject: str, setting: Setting) -> Outcome:
    start, rows, fault = time.perf_counter(), [], None
    try:
        for row in import_module(f"tests.benchmarks.{subject}").rows(setting):
            rows.append(row)
            sys.stderr.write(f"{subject}: {row.what}, against {row.against}: {row.figure} {row.verdict}\n")
    except DisagreementError as error:
        fault = str(error)
        sys.stderr.write(f"{subject}: {fault}\n")
    return Outcome(subject, tuple(rows), time.perf_counter() - start, fault)


def _write(out: Path, machine: Machine, outcomes: list[Outcome], *, quick: bool) -> str:
    """Writes what is known so far, so that an interrupted hour is not lost; returns the table."""
    rows = [row for outcome in outcomes for row in outcome.rows]
    faults = [f"- {o.subject}: results disagree, so the rest was not measured: {o.fault}" for o in outcomes if o.fault]
    table = "\n".join([str(machine), "", markdown(rows), "", summary(rows), *faults, ""])
    facts = {
        "machine": machine.as_json(),
        "quick": quick,
        "subjects": {o.subject: {"seconds": round(o.seconds, 1), "fault": o.fault} for o in outcomes},
        "rows": [{"subject": o.subject, **row.as_json()} for o in outcomes for row in o.rows],
    }
    (out / "benchmarks.json").write_text(json.dumps(facts, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")
    (out / "benchmarks.md").write_text(table, encoding="utf-8")
    draw(rows, out / "benchmarks.svg")
    return table


if __name__ == "__main__":
    sys.exit(main())
