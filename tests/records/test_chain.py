"""Each night remembers those before it: what was rewritten, removed by hand or taken out of the chain is found."""

import json
import os
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from planned import planned

from auditor.errors import LockedError
from auditor.records import chain, retention, store, sums
from auditor.records.types import Document

FIRST = datetime(2026, 1, 1, 12, tzinfo=UTC)


@pytest.fixture(autouse=True)
def _no_flushing(monkeypatch):
    monkeypatch.setattr(os, "fsync", lambda _: None)


def open_night(root, number, *, hours=24):
    plan = replace(planned(1), title="audit", seed=number)
    return store.find_or_create(root, plan, now=FIRST + timedelta(hours=hours * number))


def finish(run, text=None):
    run.write_shard("documents", Document, 0, [Document("1", text or run.run_id)])
    return render(run, b"<html>")


def render(run, page):
    run.write("findings.json", b"{}")
    run.write("report.html", page)
    run.finish({chain.KEY: chain.links(run)})
    return run


@pytest.fixture
def nights(tmp_path):
    return [finish(open_night(tmp_path, number)) for number in range(4)]


def faults(run):
    return [str(fault) for fault in chain.verify(run).faults]


def named(run):
    return [link["run_id"] for link in run.manifest()[chain.KEY]]


def forge(run, *, text=None, **manifest):
    """Rewrite a run so that its own sums hold."""
    if text:
        finish_bytes = run.path / "evidence/documents/00000.parquet"
        finish_bytes.write_bytes(text)
    content = sums.render(sums.compute(run.path))
    (run.path / "SHA256SUMS").write_bytes(content)
    kept = json.loads((run.path / "manifest.json").read_text())
    (run.path / "manifest.json").write_text(json.dumps({**kept, "sums": sums.sha256(content), **manifest}))


def test_each_night_names_the_night_before(nights):
    assert [named(run) for run in nights] == [[], *([run.run_id] for run in nights[:-1])]
    found = chain.verify(nights[-1])
    assert (found.faults, found.notes, found.n_runs) == ([], [], 3)


def test_two_at_once_are_both_named_by_the_one_that_ends_after_both(tmp_path):
    slow, fast = open_night(tmp_path, 1), open_night(tmp_path, 2)
    zeroth = finish(open_night(tmp_path, 0))
    finish(fast)
    finish(slow)
    last = finish(open_night(tmp_path, 3))
    assert (named(fast), named(slow), named(last)) == ([zeroth.run_id], [fast.run_id], [slow.run_id])


def test_a_clock_that_was_set_back_forks_nothing(tmp_path):
    future = finish(open_night(tmp_path, 400))
    finish(open_night(tmp_path, 1))
    last = finish(open_night(tmp_path, 2))
    assert faults(last) == faults(future) == []
    assert chain.verify(last).n_runs == 2


@pytest.mark.parametrize("number", [0, 1, 2])
def test_a_night_whose_evidence_and_sums_were_rewritten_is_found_from_every_later_night_and_from_itself(nights, number):
    forge(nights[number], text=b"other")
    told = f"was rewritten: plan, evidence or links are not those that {nights[number + 1].run_id} was made after"
    for later in nights[number + 1 :]:
        assert faults(later) == [f"../{nights[number].run_id}: {told}"]
    assert faults(nights[number]) == [f"SHA256SUMS: {told}"]


def test_a_night_whose_report_and_sums_were_rewritten_is_found(nights):
    (nights[1].path / "report.html").write_bytes(b"<html>forged")
    forge(nights[1])
    assert faults(nights[3]) == [
        f"../{nights[1].run_id}: was rewritten: SHA256SUMS is not the one that {nights[2].run_id} was made after"
    ]


def test_a_link_that_was_taken_out_is_found_from_the_night_after(nights):
    forge(nights[1], before=[])
    assert faults(nights[3])[0].startswith(f"../{nights[1].run_id}: was rewritten: plan, evidence or links")


def test_a_night_that_is_rendered_again_keeps_its_links_and_is_named_as_such(nights):
    before = named(nights[1])
    for page in (b"<html>new", b"<html>newer"):
        render(nights[1], page)
    assert named(nights[1]) == before
    found = chain.verify(nights[3])
    assert found.faults == []
    assert found.notes == [
        f"{nights[1].run_id} was rendered again after {nights[2].run_id}: evidence is the same, other files are not"
    ]


def test_a_night_that_is_rendered_back_to_what_it_was_is_not_named(nights):
    for page in (b"<html>new", b"<html>"):
        render(nights[1], page)
    assert chain.verify(nights[3]).notes == []


def test_pruned_nights_are_named_and_the_chain_goes_on_behind_them(nights, tmp_path):
    for run in nights[1:3]:
        assert retention.remove(store.summary_of(run.path))
    found = chain.verify(nights[3])
    assert (found.faults, found.n_runs) == ([], 1)
    assert found.notes == [f"{run.run_id} was pruned" for run in (nights[2], nights[1])]
    forge(nights[0], text=b"other")
    assert f"../{nights[0].run_id}: was rewritten" in faults(nights[3])[0]
    assert named(finish(open_night(tmp_path, 9))) == [nights[3].run_id], "what a pruned run named stays named"


def test_a_night_that_was_rewritten_and_then_pruned_is_found(nights):
    forge(nights[1], text=b"other")
    retention.remove(store.summary_of(nights[1].path))
    assert faults(nights[3])[0].startswith(f"../{nights[1].run_id}: was changed before it was pruned")


def test_a_night_that_was_removed_by_hand_is_found(nights):
    nights[1].path.rename(nights[1].path.parents[2] / "elsewhere")
    assert faults(nights[3]) == [
        f"../{nights[1].run_id}: is gone, and was not removed by `auditor prune`; {nights[2].run_id} was made after it"
    ]


def test_a_run_that_is_being_pruned_by_another_process_is_not_said_to_be_gone(nights):
    with nights[1].lock():
        assert not retention.remove(store.summary_of(nights[1].path))
        with pytest.raises(LockedError), nights[1].lock():
            pass
    assert chain.verify(nights[3]).notes == []


def test_lines_about_pruned_runs_that_were_cut_and_links_that_are_none_are_passed_over(nights):
    retention.remove(store.summary_of(nights[1].path))
    ledger = nights[0].path.parent / chain.PRUNED
    ledger.write_bytes(ledger.read_bytes() + b'{"run_id": "2026')
    assert chain.verify(nights[3]).notes == [f"{nights[1].run_id} was pruned"]
    forge(nights[3], before=[{"run_id": 1}, None, "x"])
    assert faults(nights[3]) == []


def test_runs_of_before_the_chain_are_all_named_by_the_first_that_has_one(nights, tmp_path):
    for run in nights:
        manifest = {key: value for key, value in run.manifest().items() if key != chain.KEY}
        (run.path / "manifest.json").write_text(json.dumps(manifest))
    last = finish(open_night(tmp_path, 9))
    assert named(last) == [run.run_id for run in nights]
    assert chain.verify(last).n_runs == 4


def test_a_copy_outside_of_its_audit_has_no_chain(nights, tmp_path):
    elsewhere = nights[3].path.rename(tmp_path / "copy")
    assert chain.verify(store.open_run(elsewhere, tmp_path)) is None


def test_a_run_that_lost_its_manifest_or_its_sums_is_found(nights):
    (nights[0].path / "manifest.json").unlink()
    (nights[1].path / "SHA256SUMS").unlink()
    assert [line.split(": ")[1].split(" that")[0] for line in faults(nights[3])] == [
        "is not the complete run any more",
        "is not the complete run any more",
    ]
