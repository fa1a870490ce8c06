"""What is kept of the benchmarks: results by subject, each with the machine and the day it was measured on."""

import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path

from pydantic import TypeAdapter

from tests.benchmarks.figure import draw
from tests.benchmarks.machine import Machine
from tests.benchmarks.results import Row, markdown, summary

FILE, PAGE, FIGURE = "benchmarks.json", "README.md", "benchmarks.svg"
INTRODUCTION = f"""\
# How fast

`make bench` runs `auditor` and each tool that it could replace in one process, in turns, on the same weights and
texts, and stops where their results differ; `make bench-quick` does the shorter half, once. Every row stands against a
tool, or against a limit: the forward pass that is needed, at its best shape. A target that is missed says so. A subject
that is measured again (`make bench ARGS="--only lime"`) replaces its rows here and leaves the others;
`make bench ARGS=--stored` prints this page from [the results]({FILE}) without measuring.

![How far each figure is from its target]({FIGURE})
"""


@dataclass(frozen=True)
class Outcome:
    """What one subject came to."""

    machine: Machine
    rows: tuple[Row, ...]
    seconds: float
    fault: str | None = None
    """Where ours and a peer disagreed: then its rows stop there."""
    note: str | None = None
    """What whoever measured adds, such as why a target is missed."""


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
        (folder / PAGE).write_text(self.page(order), encoding="utf-8")
        draw(self._rows(order), folder / FIGURE)

    def page(self, order: Sequence[str]) -> str:
        """What readers see, as Markdown: how it is measured, the figure, the table."""
        return f"{INTRODUCTION}\n{self.table(order)}"

    def table(self, order: Sequence[str]) -> str:
        """On what it was measured, the rows, how many reach their figure."""
        known = [(name, self.outcomes[name]) for name in order if name in self.outcomes]
        faults = [
            f"- {name}: results disagree, so the rest was not measured: {one.fault}" for name, one in known if one.fault
        ]
        notes = [f"\n{name}: {one.note}" for name, one in known if one.note]
        rows = self._rows(order)
        return "\n".join([*_heads(known), "", markdown(rows), "", summary(rows), *faults, *notes, ""])

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
