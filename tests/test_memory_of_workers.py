"""Memory that a worker does not need goes back to the system."""

import sys

import pytest

from auditor.running import memory
from tests.faults.resident import resident


@pytest.mark.skipif(sys.platform != "linux", reason="/proc and glibc")
def test_blocks_that_are_free_between_others_go_back_to_the_system():
    memory.trim()
    before = resident()
    blocks, kept = [], []
    for i in range(1000):
        blocks.append(b"x" * (60_000 + i))
        kept.append(b"x" * (600 + i))  # lives on, in between
    held = resident() - before
    del blocks
    memory.trim()
    assert held > 50e6
    assert resident() - before < 0.2 * held
    assert len(kept) == 1000


def test_where_the_c_library_cannot_nothing_happens(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(memory, "_malloc_trim", lambda: None)
    memory.trim()
