"""The plan for a million documents (tests/simulations/million.md): what it says of the size of shards."""

import numpy as np
import pytest

from tests.simulations import million


def efficiency(seconds: float, size: int) -> float:
    return million.run(np.random.default_rng(0), seconds, size).efficiency


def test_shards_of_half_a_minute_keep_the_devices_busy_and_those_of_an_hour_do_not() -> None:
    assert efficiency(3.15, 25) > 0.99
    assert efficiency(0.3, 100) > 0.97
    assert efficiency(0.3, 10_000) < 0.65


def test_without_failures_and_costs_the_devices_share_the_work(monkeypatch: pytest.MonkeyPatch) -> None:
    for name, value in {"FATAL": 0, "START": 0.0, "PER_SHARD": 0.0, "HOURS_BETWEEN_LOSSES": 1e9}.items():
        monkeypatch.setattr(million, name, value)
    night = million.run(np.random.default_rng(0), 0.3, 25)
    assert night.hours == pytest.approx(1_000_000 * 0.3 / 16 / 3600, rel=0.002)
    assert night.efficiency == pytest.approx(1.0, abs=0.001)
    assert night.lost == pytest.approx(0.0, abs=1e-9)
