"""A run that is killed −9 again and again at random moments, by a scheduler or the kernel, ends with equal sums.

`make soak` does it 500 times (AUDITOR_KILLS).
"""

import os
import random
from functools import partial
from pathlib import Path

import pytest

from auditor import audit
from auditor.records.verification import verify
from tests.models.tiny import save
from tests.test_audit import LABELS, corpus, killed, run, sums

KILLS = int(os.environ.get("AUDITOR_KILLS", "50"))
LATE = 0.3
"""Share of kills that wait until all evidence is there."""
CONCLUDED = {False: 1.5, True: 4.0}
"""Seconds in which what is left is written, without and with a PDF: such a kill comes within them."""
ROUNDS_FOR_A_PDF = 4


@pytest.mark.exhaustive
@pytest.mark.filterwarnings("ignore:.*fork:DeprecationWarning")
def test_kills_at_random_moments_lose_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("SOURCE_DATE_EPOCH", "1790000000")
    model, data = save(tmp_path / "model", "bert", "text-classification", **LABELS), corpus(tmp_path)
    more = {"run.shard_size": 1, "probes.lime.n_samples": 60}

    def made(folder: str, *, pdf: bool) -> audit.Result:
        return run(model, data, {**more, "run.output": folder}, pdf=pdf)

    def evidence(folder: str) -> int:
        return sum(1 for _ in (tmp_path / folder).glob("*/*/evidence/*/*.parquet"))

    whole = {pdf: sums(made(f"whole-{pdf}", pdf=pdf)) for pdf in (False, True)}
    n, chance = evidence("whole-True"), random.Random(KILLS)
    kills, late, round_ = 0, 0, 0
    while kills < KILLS:
        folder, pdf = f"round-{round_}", round_ % ROUNDS_FOR_A_PDF == 0
        steps, delay = chance.randint(0, 6), chance.uniform(0, 0.1)
        if chance.random() < LATE:
            steps, delay = n - evidence(folder), chance.uniform(0, CONCLUDED[pdf])
        if killed(partial(made, folder, pdf=pdf), partial(evidence, folder), steps, delay):
            kills += 1
            late += evidence(folder) == n
            continue
        _require_whole(made(folder, pdf=pdf), whole[pdf])
        round_ += 1
    _require_whole(made(folder, pdf=pdf), whole[pdf])
    assert late >= KILLS * LATE / 3, "kills while conclusions and reports are written"


def _require_whole(ended: audit.Result, expected: str) -> None:
    assert sums(ended) == expected
    assert not verify(ended.run)
