"""A million documents on 16 GPUs: which size of shards, how long, and what do losses cost?

`python -m tests.simulations.million [--draws 20]`. Sixteen workers take one shard after the other, as
`auditor.running.executors.scheduling` gives them out; in every cell the mean over the draws. A worker is lost by chance
once in 100 hours, and its shard is done again by another, which starts and loads the weights first. Ten of the million
documents end every worker that measures them: two attempts are lost, then one in groups of the square root of
their number and one in which those of a group are measured one by one, then the shard is done without the document.

Measured on one core of this project's machine, with samples/models/sentiment and the probes prediction, LIME (1,000
variants at most), faithfulness and attention, shards of one document: 3.15 s of CPU a document, with a standard
deviation of 1.65 s, over 13 documents and on a busy machine: a rough figure. Losses per hour and the start are assumed,
the other two times a document are scaled, none was measured on a GPU. What a shard costs besides: 0.046 s (shards of 1
and of 25 of 200 documents, prediction and attention alone); in the same shards a document by itself costs 2.7 times as
much as one of 25; in groups it is taken to cost as much, which is too much. How long a document takes on a GPU depends
on model and probes, `auditor run --dry-run` tells; so the table has three. A start with a load is taken to be 60 s: it
was 10 s for that model, of 24 MB.

With 20 draws (seconds) the table is that of `million.md`, beside this file.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from heapq import heapify, heapreplace
from pathlib import Path
from typing import Final

import numpy as np

from tests.simulations.command import print_table

PAGE = Path(__file__).with_suffix(".md")
DRAWS = 20
DOCUMENTS: Final = 1_000_000
WORKERS: Final = 16
SECONDS: Final = (3.15, 0.3, 0.03)
"""Of a document: as measured on one core, and ten and a hundred times faster."""
SIZES: Final = (25, 100, 1000, 10_000)
SPREAD: Final = 1.65 / 3.15
"""Standard deviation of the time of a document, of its mean."""
PER_SHARD: Final = 0.046
SINGLY: Final = 2.7
START: Final = 60.0
HOURS_BETWEEN_LOSSES: Final = 100.0
FATAL: Final = 10
ATTEMPTS: Final = 2
"""Lost before the fatal document is looked for."""


@dataclass(frozen=True)
class Night:
    """What one simulated run came to."""

    hours: float
    efficiency: float
    """The time that the documents take, of all the time of all workers until the last shard is done."""
    lost: float
    """What was done twice or in groups, and starts after losses, of the same."""


def run(rng: np.random.Generator, seconds: float, size: int) -> Night:
    """One run; work is in seconds of one worker."""
    n = -(-DOCUMENTS // size)
    times = np.maximum(rng.normal(seconds * size, SPREAD * seconds * np.sqrt(size), n), 0.1 * seconds * size)
    fatal = np.bincount(rng.integers(n, size=FATAL), minlength=n)
    whole = times + PER_SHARD
    extra = np.where(fatal > 0, _lost_to_documents(rng, times, fatal, size), 0.0) + _lost_by_chance(rng, whole)
    free = [START] * WORKERS
    heapify(free)
    for one in whole + extra:
        heapreplace(free, free[0] + one)
    used = WORKERS * max(free)
    return Night(max(free) / 3600, float(times.sum()) / used, float(extra.sum()) / used)


def _lost_to_documents(rng: np.random.Generator, times: np.ndarray, fatal: np.ndarray, size: int) -> np.ndarray:
    """Attempts that end somewhere in the shard, in a group and at a document of it, and the starts after each."""
    whole = ATTEMPTS + np.maximum(fatal - 1, 0)  # another fatal document ends the shard once more
    ended = rng.uniform(size=len(times)) * whole * times
    searched = fatal * SINGLY * times * (0.5 + 0.5 / np.sqrt(size))
    return ended + searched + (whole + 2 * fatal) * START


def _lost_by_chance(rng: np.random.Generator, whole: np.ndarray) -> np.ndarray:
    """Attempts that were cut short, until one was not."""
    lost = np.zeros_like(whole)
    open_ = np.ones(len(whole), bool)
    while open_.any():
        until = rng.exponential(3600 * HOURS_BETWEEN_LOSSES, len(whole))
        open_ &= until < whole
        lost += np.where(open_, until + START, 0.0)
    return lost


def table(draws: int) -> Iterator[str]:
    yield "| a document | documents a shard | shards | a shard | all | efficiency | lost to failures |"
    yield "|--:|--:|--:|--:|--:|--:|--:|"
    for seconds in SECONDS:
        for size in SIZES:
            rng = np.random.default_rng(size)
            nights = [run(rng, seconds, size) for _ in range(draws)]
            hours, efficiency, lost = (
                float(np.mean([getattr(one, name) for one in nights])) for name in ("hours", "efficiency", "lost")
            )
            shard = seconds * size + PER_SHARD
            yield (
                f"| {seconds:g} s | {size:,} | {-(-DOCUMENTS // size):,} | {shard:,.1f} s | {hours:.2f} h "
                f"| {efficiency:.1%} | {lost:.2%} |"
            )


if __name__ == "__main__":
    print_table("tests.simulations.million", __doc__, table, DRAWS)
