"""`python -m tests.benchmarks [--quick] [--only lime,attention] [--note TEXT] [--stored] [--out DIR]`.

Subjects that are not asked for stand in the results as they were measured before, each with its date.
"""

import argparse
import sys
import tempfile
import time
from dataclasses import replace
from importlib import import_module
from pathlib import Path

from tests.benchmarks.machine import describe
from tests.benchmarks.measuring import without_huge_pages
from tests.benchmarks.record import Outcome, Record
from tests.benchmarks.results import DisagreementError, Setting

SUBJECTS = (
    "lime",
    "adaptive",
    "host_work",
    "explainers",
    "attention",
    "perplexity",
    "pseudo_perplexity",
    "rendering",
    "scale",
    "nights",
    "executors",
    "comparing",
    "audit",
)
CACHE = Path.home() / ".cache" / "auditor-benchmarks"


def main() -> int:
    asked = _arguments()
    asked.cache.mkdir(parents=True, exist_ok=True)
    record = Record.read(asked.out, quick=asked.quick)
    if asked.stored:
        record.write(asked.out, SUBJECTS)
    else:
        _measure_all(asked, record)
    sys.stdout.write(record.table(SUBJECTS))
    return 1 if any(outcome.fault for outcome in record.outcomes.values()) else 0


def _measure_all(asked: argparse.Namespace, record: Record) -> None:
    """Measures the subjects asked for; what is known is written after each."""
    without_huge_pages()
    with tempfile.TemporaryDirectory() as folder:
        setting = Setting(asked.quick, Path(folder), asked.cache)
        for subject in asked.only:
            record.outcomes[subject] = replace(_measure(subject, setting), note=asked.note)
            record.write(asked.out, SUBJECTS)


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m tests.benchmarks", description=__doc__)
    parser.add_argument(
        "--quick",
        action="store_true",
        help='one round of most, without the longest (lm-eval, LIME "auto", memory, rendering, the audit)',
    )
    parser.add_argument("--only", type=_subjects, default=SUBJECTS, help=f"some of {', '.join(SUBJECTS)}")
    parser.add_argument("--note", help="printed below the table for these subjects, such as why a target is missed")
    parser.add_argument("--stored", action="store_true", help="measure nothing; print the stored results again")
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
    machine, start, rows, fault = describe(), time.perf_counter(), [], None
    try:
        for row in import_module(f"tests.benchmarks.{subject}").rows(setting):
            rows.append(row)
            sys.stderr.write(f"{subject}: {row.what}, against {row.against}: {row.figure} {row.verdict}\n")
    except DisagreementError as error:
        fault = str(error)
        sys.stderr.write(f"{subject}: {fault}\n")
    return Outcome(machine, tuple(rows), time.perf_counter() - start, fault)


if __name__ == "__main__":
    sys.exit(main())
