"""What is kept of the benchmarks: results by subject, each with the machine and the day it was measured on."""

import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path

from pydantic import TypeAdapter

from tests.benchmarks.figure import draw
from tests.benchmarks.machine import Machine
from tests.benchmarks.results import Row, markdown, summary

FILE = "benchmarks.json"


@dataclass(frozen=True)
class Outcome:
    """What one subject came to."""

    machine: Machine
    rows: tuple[Row, ...]
    seconds: float
    fault: str | None = None
    """Where ours and a peer disagreed: then its rows stop there."""


@dataclass
class Record:
    """All subjects measured so far."""

    quick: bool
    outcomes: dict[str, Outcome] = field(default_factory=dict)

    @classmethod
    def read(cls, folder: Path, *, quick: bool) -> "Record":
        """What an earlier run of the same kind wrote; nothing where there is none."""
        file = folder / FILE
        known = TypeAdapter(cls).validate_json(file.read_bytes()) if file.exists() else cls(quick)
        return known if known.quick == quick else cls(quick)

    def write(self, folder: Path, order: Sequence[str]) -> None:
        """Writes everything known, so that an interrupted hour is not lost."""
        folder.mkdir(parents=True, exist_ok=True)
        self.outcomes = {name: self.outcomes[name] for name in order if name in self.outcomes}
        (folder / FILE).write_text(json.dumps(asdict(self), indent=1, ensure_ascii=False) + "\n", encoding="utf-8")
        (folder / "benchmarks.md").write_text(self.table(order), encoding="utf-8")
        draw(self._rows(order), folder / "benchmarks.svg")

    def table(self, order: Sequence[str]) -> str:
        """On what it was measured, the rows, how many reach their figure."""
        known = [(name, self.outcomes[name]) for name in order if name in self.outcomes]
        faults = [
            f"- {name}: results disagree, so the rest was not measured: {own.fault}" for name, own in known if own.fault
        ]
        rows = self._rows(order)
        return "\n".join([*_heads(known), "", markdown(rows), "", summary(rows), *faults, ""])

    def _rows(self, order: Sequence[str]) -> list[Row]:
        return [row for name in order if name in self.outcomes for row in self.outcomes[name].rows]


def _heads(known: Sequence[tuple[str, Outcome]]) -> list[str]:
    """On what it was measured; where that is not the same for all subjects, a paragraph for each machine and day."""
    together: dict[str, list[tuple[str, Machine]]] = {}
    for name, outcome in known:
        together.setdefault(str(replace(outcome.machine, load=0.0)), []).append((name, outcome.machine))
    texts = [str(max((machine for _, machine in own), key=lambda one: one.load)) for own in together.values()]
    if len(texts) == 1:
        return texts
    names = [", ".join(name for name, _ in own) for own in together.values()]
    return [f"{subjects}: {text}\n" for subjects, text in zip(names, texts, strict=True)]
