"""Whatever is changed in a finished run is found."""

import json
from dataclasses import dataclass
from datetime import UTC, datetime

import pytest
from planned import planned

from auditor.errors import StoreError
from auditor.records import disk, schema, store, sums
from auditor.records.explanations import Explanation
from auditor.records.kinds import record_name
from auditor.records.types import Document, Failure, Prediction
from auditor.records.verification import verify


@dataclass(frozen=True)
class Length:
    """A third party's record."""

    document_id: str
    length: int


@pytest.fixture
def run(tmp_path):
    plan = planned(2, {"lime": "Explanation", "length": record_name(Length)})
    run = store.find_or_create(tmp_path, plan, now=datetime(2026, 1, 1, tzinfo=UTC))
    for shard in range(2):
        run.write_shard("documents", Document, shard, [Document(str(shard), "text")])
        run.write_shard("lime", Explanation, shard, [Failure(str(shard), "blank", "")])
        run.write_shard("length", Length, shard, [Length(str(shard), 4)])
    run.write("findings.json", b"{}")
    run.write("report.html", b"<html>")
    run.finish({})
    return run


def faults(run):
    return [str(fault) for fault in verify(run)]


def resum(run):
    """Forge the sums, so that only what lies behind them can object."""
    content = sums.render(sums.compute(run.path))
    (run.path / "SHA256SUMS").write_bytes(content)
    manifest = json.loads((run.path / "manifest.json").read_text())
    (run.path / "manifest.json").write_text(json.dumps({**manifest, "sums": sums.sha256(content)}))


def test_a_finished_run_is_sound(run):
    assert faults(run) == []


def test_leftovers_of_a_killed_process_are_no_fault(run):
    for name in (".lock", ".report.html.77.tmp", "evidence/documents/.00009.parquet.77.tmp", ".manifest.json.aside"):
        (run.path / name).write_bytes(b"half")
    assert faults(run) == []


@pytest.mark.parametrize(
    "name", ["report.html", "findings.json", "evidence/documents/00001.parquet", "evidence/length/00000.parquet"]
)
def test_a_flipped_bit_is_found(run, name):
    content = bytearray((run.path / name).read_bytes())
    content[len(content) // 2] ^= 1
    (run.path / name).write_bytes(content)
    assert f"{name}: was changed: its checksum is not the one in SHA256SUMS" in faults(run)


def test_missing_and_added_files_are_found(run):
    (run.path / "report.html").rename(run.path / "report.pdf")
    (run.path / "notes.txt").write_text("mine")
    assert faults(run) == [
        "notes.txt: does not belong to the run",
        "report.html: is missing",
        "report.pdf: was added: SHA256SUMS does not list it",
    ]


def test_an_incomplete_run_is_no_sound_run(run):
    (run.path / "manifest.json").unlink()
    assert faults(run) == ["manifest.json: is missing: the run is not complete"]


def test_forged_sums_are_found(run):
    (run.path / "report.html").write_bytes(b"<html>forged")
    (run.path / "SHA256SUMS").write_bytes(sums.render(sums.compute(run.path)))
    assert faults(run) == ["SHA256SUMS: was changed: its checksum is not the one in manifest.json"]


@pytest.mark.parametrize("content", [b"nonsense\n", b"\xff\n", b"0" * 64 + b"report.html\n", None])
def test_broken_sums_are_found(run, content):
    (run.path / "SHA256SUMS").unlink()
    if content is not None:
        (run.path / "SHA256SUMS").write_bytes(content)
    problem = "is missing" if content is None else "line 1 is not a checksum and a name"
    assert faults(run) == [f"SHA256SUMS: {problem}"]


def test_a_changed_plan_is_found_even_with_forged_sums(run):
    plan = json.loads((run.path / "plan.json").read_text())
    (run.path / "plan.json").write_text(json.dumps({**plan, "seed": 1}))
    resum(run)
    [fault] = faults(store.open_run(run.path, run.path))
    assert fault.startswith("plan.json: has the plan id ")


def test_an_unreadable_table_is_found_even_with_forged_sums(run):
    (run.path / "evidence/documents/00001.parquet").write_bytes(b"not Parquet")
    resum(run)
    [fault] = faults(run)
    assert fault.startswith("evidence/documents/00001.parquet: not a readable Parquet file")


def test_a_table_of_another_record_is_found_even_with_forged_sums(run):
    for probe, record in (("documents", Explanation), ("length", Prediction), ("lime", Document)):
        (run.path / f"evidence/{probe}/00001.parquet").write_bytes(schema.to_bytes(record, []))
    resum(run)
    assert faults(run) == [
        "evidence/documents/00001.parquet: holds Explanation rows; expected Document",
        f"evidence/length/00001.parquet: holds Prediction rows; expected {record_name(Length)}",
        "evidence/lime/00001.parquet: holds Document rows; expected Explanation",
    ]


def test_a_shard_that_is_missing_or_of_no_planned_probe_is_found_even_with_forged_sums(run):
    (run.path / "evidence/length/00000.parquet").unlink()
    disk.write(run.path / "evidence/other/00000.parquet", schema.to_bytes(Prediction, []))
    resum(run)
    assert faults(run) == [
        "evidence/length/00000.parquet: is missing",
        "evidence/other/00000.parquet: does not belong to the run: no such probe is planned",
    ]


def test_a_list_that_names_files_elsewhere_reads_nothing_there(run, tmp_path):
    (tmp_path / "secret").write_text("secret")
    listed = sums.parse((run.path / "SHA256SUMS").read_bytes()) | {"../../secret": sums.sha256(b"secret")}
    (run.path / "SHA256SUMS").write_bytes(sums.render(listed))
    assert "../../secret: is missing" in faults(run)


def test_a_manifest_of_the_future_is_named(run):
    (run.path / "manifest.json").write_text('{"format": "auditor.run/9"}')
    with pytest.raises(StoreError, match=r"has the format 'auditor\.run/9'"):
        verify(run)
