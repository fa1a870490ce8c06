"""A folder of nights outlives many versions: what an older one wrote is named, and never stands for something else."""

from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from auditor.errors import StoreError
from auditor.records import baselines, retention, store
from tests.faults.test_clock import night

NOON = datetime(2026, 7, 29, 12, tzinfo=UTC)


def test_a_baseline_of_an_older_format_is_named_and_the_night_is_kept(tmp_path: Path) -> None:
    before, after = night(tmp_path, NOON), night(tmp_path, NOON + timedelta(days=1))
    audit = before.path.parent
    assert baselines.find(after).run_id == before.run_id  # type: ignore[union-attr]
    baselines.choose(store.summary_of(before.path))
    plan = before.path / "plan.json"
    plan.write_bytes(plan.read_bytes().replace(b"auditor.plan/4", b"auditor.plan/1"))
    with pytest.raises(StoreError, match=rf"the baseline {before.run_id} is gone or not complete; choose another"):
        baselines.find(after)
    with pytest.raises(StoreError, match="the baseline"):
        retention.decide(audit, store.runs_in(audit), retention.Retention(1, 1, 1))
    assert after.is_complete
    baselines.clear(audit)
    assert baselines.find(after) is None, "what cannot be read has not passed"
    assert [one.is_kept for one in retention.decide(audit, store.runs_in(audit), retention.Retention(0, 0, 0))]


def test_a_damaged_run_that_nobody_chose_stops_no_night(tmp_path: Path) -> None:
    before, after = night(tmp_path, NOON), night(tmp_path, NOON + timedelta(days=1))
    plan = before.path / "plan.json"
    plan.write_bytes(plan.read_bytes().replace(b'"waivers"', b'"vouchers"'))
    baselines.settle(after)
    assert baselines.settled(after) == before.run_id
    with pytest.raises(StoreError, match=r"plan\.json: waivers: is missing; the file was damaged or changed"):
        baselines.open_for(after)
