"""Documents drawn again and again, with repetition: the sums of what the drawn ones add, the same digits everywhere.

The n documents are drawn n times with replacement, B = 2,000 times. The index streams are the raw 64-bit output of
PCG64, which NumPy keeps stable, seeded with the SHA-256 of (seed, name of the number). Values are laid on a grid of
2⁻⁵² n·max|x|, so that every sum is exact in float64 and neither BLAS nor the number of threads can change a digit.
"""

import contextlib
import hashlib
from collections.abc import Iterator
from contextvars import ContextVar

import numpy as np
from numpy.typing import NDArray

RESAMPLES = 2000
CELLS = 1 << 21
"""Largest resample table held at once: about 16 MB per array of it."""

Floats = NDArray[np.float64]
_LEFT_OUT: ContextVar[bool] = ContextVar("_LEFT_OUT", default=False)


def resampled_sums(features: Floats, seed: int, name: str) -> Iterator[Floats]:
    """Blocks (b, m) of the sums over B resamples of the n rows of `features`, which lie on a grid."""
    n = len(features)
    bits = stream(seed, name)
    block = max(1, CELLS // n)
    for start in range(0, RESAMPLES, block):
        b = min(block, RESAMPLES - start)
        cells = indices(bits, b * n, n).reshape(b, n)
        cells += n * np.arange(b)[:, None]
        times_drawn = np.bincount(cells.ravel(), minlength=b * n).reshape(b, n)
        yield times_drawn.astype(np.float64) @ features


def resamples(n: int, times: int, seed: int, name: str) -> Iterator[NDArray[np.int64]]:
    """The n rows of each of so many resamples."""
    bits = stream(seed, name)
    return (indices(bits, n, n) for _ in range(times))


def indices(stream: np.random.PCG64, size: int, n: int) -> NDArray[np.int64]:
    """`size` indices below n, from 32 bits each (bias below n/2³²)."""
    raw: NDArray[np.uint64] = stream.random_raw((size + 1) // 2)
    halves = np.concatenate([raw & np.uint64(0xFFFFFFFF), raw >> np.uint64(32)])[:size]
    halves *= np.uint64(n)
    halves >>= np.uint64(32)
    return halves.view(np.int64)


def on_grid(features: Floats) -> Floats:
    """Each column rounded so finely that sums of n of its entries are exact in float64."""
    largest = np.max(np.abs(features), axis=0) * len(features)
    exponents = np.frexp(np.where(largest > 0, largest, 1.0))[1]
    gridded: Floats = np.ldexp(np.rint(np.ldexp(features, 52 - exponents)), exponents - 52)
    return gridded


def stream(seed: int, name: str) -> np.random.PCG64:
    """The raw random bits that belong to a seed and the name of a number."""
    return np.random.PCG64(
        int.from_bytes(hashlib.sha256(f"{seed}\0{name}".encode("utf-8", "replace")).digest()[:16], "big")
    )


@contextlib.contextmanager
def left_out() -> Iterator[None]:
    """Within a `with` block nothing is resampled: numbers have values without intervals, at little cost."""
    token = _LEFT_OUT.set(True)
    try:
        yield
    finally:
        _LEFT_OUT.reset(token)


def is_left_out() -> bool:
    """Whether nothing is to be resampled now."""
    return _LEFT_OUT.get()
