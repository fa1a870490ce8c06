"""Makes the worked example of the nights: `make example-nights`, some minutes, no network.

    night 1   160 of the reviews; it passes and becomes the baseline
    night 2   the same: every row is used again
    night 3   the model was retrained in a hurry, on the 40 other reviews: it is worse, and the night fails
    night 4   the model of before, and all 200 reviews

Each is `auditor nightly` as a scheduler would call it, in a folder that has the audit, corpus and model of that night.
The clock of the runs is set, so that a second making differs in little but the last digits of the retraining. Of the
audit's folder everything is kept but the rows for later nights (`.cache`); only the last night has a PDF.
"""

import argparse
import contextlib
import json
import os
import shutil
import sys
import tempfile
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, tzinfo
from pathlib import Path
from unittest import mock

SAMPLES = Path(__file__).parent.absolute()
OUT = SAMPLES.parent / "reports" / "nights"
BUDGET = 6_000_000
"""Bytes that the example may take in the repository."""
_CONFIG, _CORPUS, _MODEL = "nights.toml", "corpora/reviews.jsonl", "models/sentiment"
_WEIGHTS = "model.safetensors"
_LEFT_OUT = 5
"""Of the first nights every fifth review is left out: what the retraining sees."""
_KEPT_OUT = shutil.ignore_patterns(".cache", "*.lock", ".lock")


@dataclass(frozen=True)
class Night:
    """What is new, and how it must end."""

    day: int
    """Of November 2026."""
    grown: bool
    """Whether the corpus has all reviews."""
    retrained: bool
    exit_code: int
    pdf: bool = False


NIGHTS = (
    Night(27, grown=False, retrained=False, exit_code=0),
    Night(28, grown=False, retrained=False, exit_code=0),
    Night(29, grown=False, retrained=True, exit_code=1),
    Night(30, grown=True, retrained=False, exit_code=0, pdf=True),
)


@dataclass(frozen=True)
class Review:
    """A text and its label, for `training.train`."""

    text: str
    label: str


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the nights and keep what they wrote; returns 0."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--out", type=Path, default=OUT, help="where the example goes; what was there is removed")
    parser.add_argument("--set", action="append", default=[], metavar="KEY=VALUE", help="of every night, for a trial")
    options = parser.parse_args(arguments)
    out = options.out.absolute()
    with tempfile.TemporaryDirectory() as folder, contextlib.chdir(folder):
        lay_out(Path())
        for night in NIGHTS:
            run(night, options.set)
        keep(Path("reports"), out)
    return 0


def lay_out(folder: Path) -> None:
    """The audit as it is configured, and the folders of its corpus and model."""
    shutil.copy(SAMPLES / _CONFIG, folder)
    (folder / _CORPUS).parent.mkdir()
    (folder / _MODEL).parent.mkdir()


def run(night: Night, settings: Sequence[str]) -> None:
    """One night, in the current folder.

    Raises:
        SystemExit: It did not end as it must.
    """
    from auditor.terminal.cli import main as auditor

    lines = reviews()
    kept = lines if night.grown else [line for i, line in enumerate(lines) if i % _LEFT_OUT]
    Path(_CORPUS).write_text("".join(kept), encoding="utf-8")
    shutil.copytree(SAMPLES / _MODEL, _MODEL, dirs_exist_ok=True)
    if night.retrained:
        retrain(Path(_MODEL), [Review(**_fields(line)) for line in lines[::_LEFT_OUT]])
    options = [f"--set={setting}" for setting in (f"report.pdf={str(night.pdf).lower()}", *settings)]
    with clock(datetime(2026, 11, night.day, 2, 30, tzinfo=UTC)):
        code = auditor(["nightly", _CONFIG, "--output", "reports", "--device", "cpu", *options])
    if code != night.exit_code:
        sys.exit(f"the night of November {night.day} ended with {code}, expected {night.exit_code}")


def reviews() -> list[str]:
    """The lines of the sample corpus."""
    return (SAMPLES / _CORPUS).read_text(encoding="utf-8").splitlines(keepends=True)


def _fields(line: str) -> dict[str, str]:
    review = json.loads(line)
    return {key: review[key] for key in ("text", "label")}


def retrain(folder: Path, texts: Sequence[Review]) -> None:
    """Trains the model on, with too few texts and too high a learning rate: some seconds."""
    import torch
    from transformers import AutoModelForSequenceClassification, AutoTokenizer

    import training

    torch.manual_seed(1)
    tokenizer = AutoTokenizer.from_pretrained(folder)
    model = AutoModelForSequenceClassification.from_pretrained(folder, dtype=torch.float32)
    labels = tuple(model.config.id2label[i] for i in range(model.config.num_labels))
    recipe = training.Recipe(labels, seed=1, epochs=3, learning_rate=4e-4, max_length=64, batch=8)
    training.train(model, tokenizer, texts, recipe)
    with tempfile.TemporaryDirectory() as saved:
        model.half().save_pretrained(saved)
        shutil.copy(Path(saved) / _WEIGHTS, folder)  # nothing else of the model is another


@contextlib.contextmanager
def clock(moment: datetime) -> Iterator[None]:
    """Runs begin, and end, at this moment."""

    class Clock(datetime):
        @classmethod
        def now(cls, tz: tzinfo | None = None) -> datetime:  # type: ignore[override]
            return moment.astimezone(tz)

    with mock.patch("auditor.audit.datetime", Clock):
        yield


def keep(made: Path, out: Path) -> None:
    """Puts what the nights wrote in the place of what is there, if it is small enough.

    Raises:
        SystemExit: It is larger than the repository shall bear.
    """
    with tempfile.TemporaryDirectory() as folder:
        kept = Path(shutil.copytree(made, Path(folder) / "kept", ignore=_KEPT_OUT))
        size = size_of(kept)
        if size > BUDGET:
            sys.exit(f"the example has {size:,} bytes, more than {BUDGET:,}: nothing was kept")
        if out.exists():
            shutil.rmtree(out)
        shutil.copytree(kept, out)
    pages = sorted(os.path.relpath(path) for path in out.glob("*/index.html"))
    print(*pages, f"{size:,} bytes of {BUDGET:,}", sep="\n")


def size_of(folder: Path) -> int:
    """Bytes of all files."""
    return sum(path.stat().st_size for path in folder.rglob("*") if path.is_file())


if __name__ == "__main__":
    sys.exit(main())
