"""How cost is measured: in turns, in CPU seconds of this process, memory in a process of its own.

Clocks of a shared machine drift, so contenders run in turns, A B C, C B A, A B C, and ratios are taken within a round:
whatever slowed one down slowed its neighbours too. What is printed is the median over the rounds with the smallest and
the largest. What takes minutes runs in slices instead, a few documents at a time (`Turns`). CPU seconds are those of
all threads; there is one, so they are what a quiet machine would show on the wall. Peak memory is the high-water mark
of a fresh process, above what it held when models were loaded and warm.

Ours asks PyTorch for huge pages (`auditor.models`). That is settled once for a process, so what runs in turns
goes without, as a notebook does; in processes of their own ours has them and the peers do not.
"""

import gc
import multiprocessing
import os
import resource
import sys
import threading
import time
from collections import deque
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import ProcessPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from statistics import median
from typing import Any

Work = Callable[[], Any]
HUGE_PAGES = "THP_MEM_ALLOC_ENABLE"
_STATUS = Path("/proc/self/status")
_CLEAR = Path("/proc/self/clear_refs")


@dataclass(frozen=True)
class Spread:
    """One quantity, measured a few times."""

    values: tuple[float, ...]
    unit: str = "s"

    @property
    def median(self) -> float:
        return median(self.values)

    def over(self, other: "Spread", unit: str = "×") -> "Spread":
        """The ratio, round by round where both have the same rounds, else of the medians."""
        if len(self.values) == len(other.values):
            return Spread(tuple(a / b for a, b in zip(self.values, other.values, strict=True)), unit)
        return Spread((self.median / other.median,), unit)

    def times(self, factor: float, unit: str) -> "Spread":
        return Spread(tuple(value * factor for value in self.values), unit)

    def __str__(self) -> str:
        if len(self.values) == 1:
            return f"{short(self.median)} {self.unit}"
        return f"{short(self.median)} {self.unit} ({short(min(self.values))}–{short(max(self.values))})"


def short(value: float) -> str:
    """Three significant digits, thousands grouped, never an exponent."""
    if value and abs(value) < 100:
        digits = 2 if abs(value) >= 1 else 3
        return f"{value:.{digits}g}" if abs(value) < 1 else f"{value:.{1 if abs(value) >= 10 else digits}f}"
    return f"{value:,.0f}"


@dataclass
class Timed:
    """What one contender cost, and what it found in the last round."""

    cpu: list[float] = field(default_factory=list)
    result: Any = None

    @property
    def seconds(self) -> Spread:
        return Spread(tuple(self.cpu))


def in_turns(contenders: Mapping[str, Work], rounds: int, *, warm_up: bool = True) -> dict[str, Timed]:
    """Runs the contenders one after the other, `rounds` times, every other round backwards.

    Args:
        contenders: What to run, by name; each returns its result.
        rounds: How often.
        warm_up: Whether to run each once before, without looking at the clock.
    """
    found = {name: Timed() for name in contenders}
    order = list(contenders)
    for number in range(-1 if warm_up else 0, rounds):
        for name in order if number % 2 == 0 else order[::-1]:
            gc.collect()
            start = time.process_time()
            found[name].result = contenders[name]()
            if number >= 0:
                found[name].cpu.append(time.process_time() - start)
    return found


class Turns:
    """Long contenders in slices: each runs until it calls `over`, then the next goes on, so that all share the weather.

    Only one runs at a time, so that the CPU seconds of the process between two calls are those of whoever ran.
    """

    def __init__(self, contenders: Mapping[str, Callable[[Callable[[], None]], Any]]) -> None:
        self._contenders = contenders
        self._gates = {name: threading.Semaphore(0) for name in contenders}
        self._waiting = deque(contenders)
        self._over = threading.Semaphore(0)

    def run(self) -> dict[str, Timed]:
        """Runs all of them to their ends.

        Raises:
            BaseException: What a contender raised, once it is its turn.
        """
        found = {name: Timed() for name in self._contenders}
        faults: list[BaseException] = []

        def contend(name: str) -> None:
            self._gates[name].acquire()
            try:
                found[name].result = self._contenders[name](partial(self._pass_on, name))
            except BaseException as fault:
                faults.append(fault)
            self._over.release()

        for name in self._contenders:
            threading.Thread(target=contend, args=(name,), daemon=True).start()
        spent = dict.fromkeys(self._contenders, 0.0)
        while self._waiting:
            name = self._waiting.popleft()
            start = time.process_time()
            self._gates[name].release()
            self._over.acquire()
            spent[name] += time.process_time() - start
            if faults:
                raise faults[0]
        for name, seconds in spent.items():
            found[name].cpu.append(seconds)
        return found

    def _pass_on(self, name: str) -> None:
        self._waiting.append(name)
        self._over.release()
        self._gates[name].acquire()


@dataclass
class ForwardClock:
    """CPU seconds of the calling thread inside the outermost torch modules: the model alone, on one thread of torch."""

    seconds: float = 0.0
    depth: int = 0
    _start: float = 0.0

    def enter(self, *_: object) -> None:
        if self.depth == 0:
            self._start = time.thread_time()
        self.depth += 1

    def leave(self, *_: object) -> None:
        self.depth -= 1
        if self.depth == 0:
            self.seconds += time.thread_time() - self._start


@contextmanager
def forward_clock() -> Iterator[ForwardClock]:
    """Clocks every torch module, whoever calls it, while the block runs."""
    from torch.nn.modules import module

    clock = ForwardClock()
    hooks = (
        module.register_module_forward_pre_hook(clock.enter),
        module.register_module_forward_hook(clock.leave, always_call=True),
    )
    try:
        yield clock
    finally:
        for hook in hooks:
            hook.remove()


def without_huge_pages() -> None:
    """Settles for this process that PyTorch takes ordinary pages, whatever is loaded later."""
    import torch

    os.environ[HUGE_PAGES] = "0"
    torch.zeros(1)


def peak_memory(prepare: Callable[..., tuple[Work, Work]], *args: object, rounds: int = 1) -> Spread:
    """MB that work needs at its peak beyond what was there before, each round in a fresh process.

    Args:
        prepare: A function of a module, not of a function: makes everything ready and returns a small piece of work,
            to warm up, and the work itself.
        args: Its arguments.
        rounds: How often.
    """
    return Spread(tuple(_in_child(prepare, args) for _ in range(rounds)), "MB")


def _in_child(prepare: Callable[..., tuple[Work, Work]], args: tuple[object, ...]) -> float:
    os.environ.pop(HUGE_PAGES, None)
    with ProcessPoolExecutor(1, mp_context=multiprocessing.get_context("spawn")) as child:
        return child.submit(_peak, prepare, args).result()


def _peak(prepare: Callable[..., tuple[Work, Work]], args: tuple[object, ...]) -> float:
    warm_up, work = prepare(*args)
    warm_up()
    gc.collect()
    before = high_water(reset=True)
    work()
    return (high_water() - before) / 1e6


def high_water(*, reset: bool = False) -> float:
    """Largest resident size so far in bytes; since the last reset, where the system can forget."""
    if _STATUS.exists():
        if reset:
            _CLEAR.write_text("5", encoding="ascii")
        lines = _STATUS.read_text(encoding="ascii").splitlines()
        return next(int(line.split()[1]) * 1024 for line in lines if line.startswith("VmHWM"))
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * (1 if sys.platform == "darwin" else 1024)
