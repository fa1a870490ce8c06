"""What models are made of, as a run keeps it: read back equal, the first word stays, damage is named."""

import dataclasses

import pytest
from sample_run import NOON, PLAN, derive, write

from auditor.errors import StoreError
from auditor.records import store
from auditor.records.structure import Block, Module, Structure
from auditor.records.verification import verify

BLOCK = Block("layer", 1, 10, 10, 0.1, 0.2, 3.0, 1, 0)
MADE = Structure("models/tiny", 10, 40, {"float32": 10}, (("a", "b"),), {}, 0, (BLOCK,), (Module("", "Tiny", 1, 10),))


def test_what_a_run_keeps_is_read_back_and_stays(tmp_path):
    run = store.find_or_create(tmp_path, PLAN, now=NOON)
    assert run.structures() == ()
    run.describe([MADE])
    other = dataclasses.replace(MADE, model="another")
    run.describe([dataclasses.replace(MADE, n_bytes=1), other])
    assert run.structures() == (other, MADE)


def test_it_belongs_to_the_run_and_its_sums(tmp_path):
    run = write(tmp_path)
    run.describe([MADE])
    assert not run.is_complete, "its sums are those of before"
    derive(run, "<html>")
    assert b"structure.json" in (run.path / "SHA256SUMS").read_bytes()
    assert verify(run) == []
    path = run.path / "structure.json"
    path.write_bytes(path.read_bytes().replace(b"0.2", b"0.3"))
    assert [fault.path for fault in verify(run)] == ["structure.json"]


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (b"{", "is not JSON"),
        (b'{"format": "auditor.structure/9"}', "has the format"),
        (b'{"format": "auditor.structure/1", "models": [{}]}', r"models\[0\].model: is missing"),
        (b'{"format": "auditor.structure/1"}', "models: expected a list"),
    ],
)
def test_damage_is_named(tmp_path, content, reason):
    run = store.find_or_create(tmp_path, PLAN, now=NOON)
    (run.path / "structure.json").write_bytes(content)
    with pytest.raises(StoreError, match=reason):
        run.structures()
