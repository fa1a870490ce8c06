"""A run that is killed −9 again and again at random moments, by a scheduler or the kernel, ends with equal sums.

`make soak` does it 500 times (AUDITOR_KILLS).
"""

import os
import random
from pathlib import Path

import pytest

from auditor.records.verification import verify
from tests.models.tiny import save
from tests.test_audit import LABELS, corpus, killed, run, sums

KILLS = int(os.environ.get("AUDITOR_KILLS", "50"))


@pytest.mark.exhaustive
@pytest.mark.filterwarnings("ignore:.*fork:DeprecationWarning")
def test_kills_at_random_moments_lose_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("SOURCE_DATE_EPOCH", "1790000000")
    model, data = save(tmp_path / "model", "bert", "text-classification", **LABELS), corpus(tmp_path)
    more = {"run.shard_size": 1, "probes.lime.n_samples": 60}
    whole = run(model, data, {**more, "run.output": "whole"})
    chance, kills, round_ = random.Random(KILLS), 0, 0
    while kills < KILLS:
        output = {**more, "run.output": f"round-{round_}"}

        def files(folder: Path = tmp_path / f"round-{round_}") -> int:
            return sum(1 for _ in folder.glob("*/*/evidence/*/*.parquet"))

        steps, delay = chance.randint(0, 6), chance.uniform(0, 0.1)
        if killed(lambda settings=output: run(model, data, settings), files, steps, delay):  # type: ignore[misc]
            kills += 1
            continue
        ended = run(model, data, output)
        assert sums(ended) == sums(whole)
        assert not verify(ended.run)
        round_ += 1
    ended = run(model, data, {**more, "run.output": f"round-{round_}"})
    assert sums(ended) == sums(whole)
    assert not verify(ended.run)
