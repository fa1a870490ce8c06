"""Ten thousand documents with every default probe: what is measured is written and let go, shard by shard."""

import json
import os
from pathlib import Path

import pytest

from auditor import audit, config
from tests.faults.resident import resident
from tests.models.tiny import save
from tests.test_audit import LABELS, Silent

N = int(os.environ.get("AUDITOR_DOCUMENTS", "10000"))
ROOM = 8 * 2**20
"""Bytes that may come to it after the first tenth: 4 MB were measured, which the allocator keeps between blocks."""


class Watching(Silent):
    """A progress that looks how large the process is."""

    def __init__(self) -> None:
        super().__init__()
        self.sizes: list[int] = []

    def advance(self, probe: str, documents: int) -> None:
        super().advance(probe, documents)
        self.sizes.append(resident())


@pytest.mark.exhaustive
@pytest.mark.parametrize("cache", [False, True])
def test_ten_thousand_documents_with_all_default_probes_take_no_more_than_one_thousand(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, cache: bool
) -> None:
    monkeypatch.chdir(tmp_path)
    model = save(tmp_path / "model", "bert", "text-classification", **LABELS)
    rows = ({"id": f"d{i}", "text": f"film {i}", "label": ("negative", "positive")[i % 2]} for i in range(N))
    (tmp_path / "corpus.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8")
    tables = {"model.name": model, "corpus.path": "corpus.jsonl", "probes.lime.n_samples": 20, "run.shard_size": 100}
    settings = config.load(None, {**tables, "run.cache": cache}, environment={})
    preflight, progress = audit.check(settings), Watching()
    with monkeypatch.context() as patch:
        patch.setattr(
            audit, "_concluded", lambda run, *_, **__: run
        )  # the report of so many: tests/test_large_corpora.py
        run = audit.run(settings, pdf=False, progress=progress)
    probes = {probe.name for probe in preflight.probes}
    assert probes == set(preflight.task.default_probes)
    assert progress.done == dict.fromkeys(probes, N)
    tenth = len(progress.sizes) // 10
    grown = max(progress.sizes[-tenth:]) - max(progress.sizes[:tenth])
    print(f"{N:,} documents: {max(progress.sizes[:tenth]) / 1e6:.0f} MB, at the end {grown / 1e6:+.1f} MB")  # noqa: T201
    assert grown < ROOM
    assert len(list((run.path / "evidence").glob("*/*.parquet"))) == (len(probes) + 1) * (N // 100)  # type: ignore[attr-defined]
