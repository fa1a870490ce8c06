"""The clock may be set back, a night may have 23 or 25 hours, and machines stand in any time zone."""

import os
import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest

from auditor.records import baselines, chain, retention, store
from auditor.records.run import Run
from auditor.records.types import Document
from auditor.terminal import nightly
from tests.records.planned import planned

ZONES = ("UTC", "Asia/Kathmandu", "America/St_Johns", "Pacific/Kiritimati")


@pytest.fixture(autouse=True)
def _quick(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("SOURCE_DATE_EPOCH", raising=False)
    monkeypatch.setattr(os, "fsync", lambda _: None)


def night(root: Path, now: datetime) -> Run:
    """A complete run that passed."""
    run = store.find_or_create(root, planned(1), fresh=True, now=now)
    run.write_shard("documents", Document, 0, [Document("1", "one")])
    run.write("findings.json", b"{}")
    run.write("report.html", b"<html>")
    run.finish({"verdict": "pass", chain.KEY: chain.links(run)})
    return run


@pytest.mark.parametrize("zone", ZONES)
def test_a_run_is_named_and_dated_in_utc_whatever_the_zone(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, zone: str
) -> None:
    monkeypatch.setenv("TZ", zone)
    time.tzset()
    try:
        run = night(tmp_path, datetime(2026, 3, 1, 2, 30, tzinfo=ZoneInfo(zone)))
        expected = datetime(2026, 3, 1, 2, 30, tzinfo=ZoneInfo(zone)).astimezone(UTC)
        assert run.created == f"{expected:%Y-%m-%dT%H:%M:%SZ}"
        assert run.run_id.startswith(f"{expected:%Y%m%d-%H%M%S}-")
    finally:
        monkeypatch.undo()
        time.tzset()


def test_the_hour_that_a_night_has_twice_gives_two_runs_in_their_order(tmp_path: Path) -> None:
    berlin = ZoneInfo("Europe/Berlin")
    first, second = (night(tmp_path, datetime(2026, 10, 25, 2, 30, tzinfo=berlin, fold=fold)) for fold in (0, 1))
    assert [run.run_id for run in store.runs_in(first.path.parent)] == [first.run_id, second.run_id]
    assert (first.created, second.created) == ("2026-10-25T00:30:00Z", "2026-10-25T01:30:00Z")
    assert baselines.find(second).run_id == first.run_id


def test_a_year_of_local_nights_with_both_changes_of_the_clock_is_a_run_a_day(tmp_path: Path) -> None:
    berlin, start = ZoneInfo("Europe/Berlin"), datetime(2026, 3, 25, 2, 30)
    made = [night(tmp_path, (start + timedelta(days=day)).replace(tzinfo=berlin)) for day in range(8)]
    decisions = retention.decide(made[0].path.parent, store.runs_in(made[0].path.parent), retention.Retention(8, 0, 0))
    assert [one.is_kept for one in decisions] == [True] * 8
    assert len({run.created[:10] for run in made}) == 8


def test_a_clock_that_was_set_back_takes_no_name_and_loses_no_run(tmp_path: Path) -> None:
    noon = datetime(2026, 7, 29, 12, tzinfo=UTC)
    before = night(tmp_path, noon)
    after = night(tmp_path, noon - timedelta(days=2))
    again = night(tmp_path, noon)
    assert len({run.path for run in (before, after, again)}) == 3
    assert again.run_id == f"{before.run_id}-2"
    assert chain.verify(again).faults == []
    assert [run.run_id for run in store.runs_in(before.path.parent)] == [after.run_id, before.run_id, again.run_id]


def test_a_deadline_is_counted_by_a_clock_that_nobody_sets(monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[Callable[[], bool]] = []
    elapsed = [1000.0]
    monkeypatch.setattr(time, "monotonic", lambda: elapsed[0])
    monkeypatch.setattr(time, "time", lambda: pytest.fail("the clock of the wall was asked"))
    monkeypatch.setattr("auditor.audit.run", lambda *_, stop, **__: asked.append(stop))
    nightly._run(None, "", 60.0, False)
    [stop] = asked
    assert not stop()
    elapsed[0] += 61
    assert stop()
