"""Free memory goes back to the system after every shard.

The arenas of glibc keep what is freed, and what lives on between it keeps them from being used again whole. Without
this, and without a small cache of oneDNN's primitives (`auditor.models`), a process that measures 10,000 short
documents with all default probes is 25 MB larger at its end than after the first thousand; with this alone 9 MB, with
both 4 MB (`tests/faults/test_flat_memory.py`). It takes 2 ms.
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
