"""What a document costs in memory, from the evidence to the written report: little, and the page nothing."""

import dataclasses
import gc
import tracemalloc
from collections.abc import Callable
from pathlib import Path

import pytest
from invented_large import of_many

from auditor import audit, config
from auditor.findings import Evidence, abridgement
from auditor.records.run import Run
from auditor.records.types import AttentionStatistics, Document, Prediction, Span
from auditor.records.verification import verify
from auditor.report import render_pages
from tests.models.tiny import save
from tests.records.planned import planned
from tests.test_audit import LABELS, Silent, corpus

FEW, MANY = 1_000, 3_000


def peak(work: Callable[[], object]) -> int:
    """Bytes that Python holds at most beyond what was there before."""
    gc.collect()
    tracemalloc.start()
    try:
        work()
        return tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()


def per_document(work: Callable[[int], Callable[[], object]]) -> float:
    """Bytes for each document more."""
    work(FEW)()  # what is imported and made once
    return (peak(work(MANY)) - peak(work(FEW))) / (MANY - FEW)


@pytest.mark.exhaustive
def test_evidence_takes_a_kilobyte_and_a_half_a_document(tmp_path: Path) -> None:
    def stored(n: int) -> Run:
        run = Run(
            tmp_path / str(n),
            planned(
                2,
                {"prediction": "Prediction", "attention": "AttentionStatistics"},
                run_id="run",
                created="2026-11-21T22:00:00Z",
            ),
        )
        _, evidence = of_many(n)
        for shard in range(n // 500):
            documents = evidence.documents[500 * shard : 500 * shard + 500]
            run.write_shard("documents", Document, shard, documents)
            run.write_shard("prediction", Prediction, shard, [evidence.of("prediction")[d.id] for d in documents])
            run.write_shard("attention", AttentionStatistics, shard, [_attention(d) for d in documents])
        return run

    def work(n: int) -> Callable[[], Evidence]:
        from auditor.running.context import read_evidence

        run = stored(n)
        n_rows = {probe: len(rows) for probe, rows in read_evidence(run).rows.items()}
        assert n_rows == {"prediction": n, "attention": n}
        return lambda: read_evidence(run)

    assert per_document(work) < 1_500


@pytest.mark.exhaustive
def test_pages_take_less_than_that_for_each_document_they_leave_out(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(abridgement, "MOST_ROWS", 500)
    monkeypatch.setattr(abridgement, "SHOWN", 100)
    made = {n: of_many(n) for n in (FEW, MANY)}
    assert per_document(lambda n: lambda: render_pages(*made[n])) < 1_500


def _attention(document: Document) -> AttentionStatistics:
    shares = {
        field.name: (0.125, 0.25, 0.375, 0.25)
        for field in dataclasses.fields(AttentionStatistics)
        if field.name.endswith("_share") or field.name in ("entropy", "distance")
    }
    tokens = ("[CLS]", "text", str(len(document.id)), "[SEP]")
    spans = (Span(0, 0), Span(0, 4), Span(5, 6), Span(0, 0))
    return AttentionStatistics(
        document.id, 2, 2, 4, False, False, uniform_entropy=1.4, received=(0.25,) * 4, tokens=tokens, spans=spans,
        **shares,
    )  # fmt: skip


@pytest.mark.exhaustive
def test_files_beside_a_large_report_are_summed_verified_and_taken_away_when_it_is_small_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    model = save(tmp_path / "model", "bert", "text-classification", **LABELS)
    tables = {"model.name": model, "corpus.path": corpus(tmp_path), "probes.prediction": {}, "run.shard_size": 9}
    with monkeypatch.context() as patch:
        patch.setattr(abridgement, "MOST_ROWS", 10)
        patch.setattr(abridgement, "SHOWN", 8)
        large = audit.run(config.load(None, tables, environment={}), pdf=True, progress=Silent())
    beside = {"documents.html", "documents.parquet"}
    place = large.run.path
    assert large.findings.n_documents == 18
    assert beside <= {line.split("  ")[1] for line in (place / "SHA256SUMS").read_text().splitlines()}
    assert verify(large.run) == []
    content = (place / "documents.parquet").read_bytes()
    (place / "documents.parquet").write_bytes(content[:-1])
    assert [fault.path for fault in verify(large.run)] == ["documents.parquet"]
    (place / "documents.parquet").write_bytes(content)
    small = audit.rerender(large.run, pdf=True)
    assert small.findings.documents_left_out == 0
    assert not beside & {path.name for path in place.iterdir()}
    assert verify(small.run) == []
