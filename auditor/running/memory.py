"""Free memory goes back to the system after every shard.

The arenas of glibc keep what is freed, and what lives on between it keeps them from being used again whole. With this
and a small cache of oneDNN's primitives (`auditor.models`) a process does not grow with the documents that it measures:
`tests/faults/test_flat_memory.py` says by how little, for 10,000 of them.
"""

import ctypes
from collections.abc import Callable
from functools import cache
from typing import Any


def trim() -> None:
    """Gives free memory back, where the C library is one that can (malloc_trim(3)); elsewhere nothing happens."""
    if function := _malloc_trim():
        function(0)


@cache
def _malloc_trim() -> Callable[[int], Any] | None:
    try:
        return getattr(ctypes.CDLL(None), "malloc_trim", None)
    except (OSError, TypeError):  # Windows has no such handle
        return None
