"""How far the run is, for whoever waits: a bar on a terminal, plain lines in a log. On stderr; stdout is the result."""

import sys
from collections.abc import Mapping
from types import TracebackType
from typing import TYPE_CHECKING, Self

if TYPE_CHECKING:
    from rich.progress import TaskID

STEPS = 10
"""Lines per probe in a log."""


class Lines:
    """One line for every tenth of a probe's documents."""

    def __init__(self) -> None:
        self._total: dict[str, int] = {}
        self._done: dict[str, int] = {}

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        """Nothing to put in order: every line is complete."""

    def start(self, total_documents_by_probe: Mapping[str, int]) -> None:
        """Begin to count."""
        self._total = dict(total_documents_by_probe)
        self._done = dict.fromkeys(self._total, 0)

    def say(self, text: str) -> None:
        """One line of news."""
        sys.stderr.write(f"{text}\n")
        sys.stderr.flush()

    def advance(self, probe: str, documents: int) -> None:
        """So many more documents are done."""
        total, before = self._total.get(probe, 0), self._done.get(probe, 0)
        done = self._done[probe] = before + documents
        if total and (done * STEPS // total > before * STEPS // total or done >= total > before):
            self.say(f"{probe}: {done:,} of {total:,} documents")


class Bar:
    """One bar per probe, with the time left; lines of news scroll above it."""

    def __init__(self) -> None:
        from rich.console import Console
        from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

        self._console = Console(stderr=True, highlight=False)
        name = TextColumn("{task.description}", markup=False)
        self._bars = Progress(name, BarColumn(), MofNCompleteColumn(), TimeRemainingColumn(), console=self._console)
        self._tasks: dict[str, TaskID] = {}

    def __enter__(self) -> Self:
        self._bars.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._bars.stop()

    def start(self, total_documents_by_probe: Mapping[str, int]) -> None:
        """Draw the bars."""
        self._tasks = {probe: self._bars.add_task(probe, total=n) for probe, n in total_documents_by_probe.items()}

    def say(self, text: str) -> None:
        """One line of news."""
        self._console.print(text, markup=False)

    def advance(self, probe: str, documents: int) -> None:
        """So many more documents are done."""
        if probe in self._tasks:
            self._bars.advance(self._tasks[probe], documents)


def open_progress() -> Bar | Lines:
    """What fits where stderr goes."""
    return Bar() if sys.stderr.isatty() else Lines()
