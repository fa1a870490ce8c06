"""The baseline of an audit, and which of its runs are kept."""

import json
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from auditor.errors import StoreError
from auditor.records import baselines, disk, retention
from auditor.records.run import Run
from auditor.records.store import RunSummary, find_or_create, open_run, runs, summary_of
from auditor.running import index
from auditor.terminal.cli import main
from auditor.terminal.keeping import prune_audit
from tests.records.planned import planned

START = datetime(2026, 1, 1, 22, tzinfo=UTC)


def night(root: Path, day: int, verdict: str | None = "pass", *, hour: float = 0, title: str = "Reviews") -> Run:
    """A run so many days after the first of January; unfinished without a verdict."""
    made = find_or_create(root, planned(title=title, seed=day), fresh=True, now=START + timedelta(days=day, hours=hour))
    if verdict:
        made.finish({"verdict": verdict})
    return made


def listed(root: Path) -> tuple[Path, list[RunSummary]]:
    found = runs(root)
    assert found[0].audit is not None
    return found[0].audit, found


def test_the_baseline_is_the_last_run_that_passed_until_one_is_chosen(tmp_path: Path) -> None:
    made = [night(tmp_path, day, verdict) for day, verdict in enumerate(["pass", "pass with conditions", "fail", None])]
    audit, known = listed(tmp_path)
    assert baselines.baseline_of(audit, known) == known[1]
    assert baselines.baseline_of(audit, known, before=made[1].run_id) == known[0], "no run is its own baseline"
    assert baselines.baseline_of(audit, known, before=made[0].run_id) is None
    baselines.choose(known[2])
    assert baselines.baseline_of(audit, known) == known[2], "a person may choose a run that failed"
    assert baselines.clear(audit)
    assert not baselines.clear(audit)
    assert baselines.baseline_of(audit, known) == known[1]


@pytest.mark.parametrize(("result", "is_baseline"), [("pass", True), ("not judged", True), ("watch", False)])
def test_a_run_that_may_be_worse_than_its_baseline_is_not_the_next_one(
    tmp_path: Path, result: str, is_baseline: bool
) -> None:
    night(tmp_path, 0)
    checks = {"accuracy": {"result": "watch"}, "accuracy@baseline": {"result": result}}
    night(tmp_path, 1, None).finish({"verdict": "pass with conditions", "checks": checks})
    audit, known = listed(tmp_path)
    assert baselines.baseline_of(audit, known) == known[int(is_baseline)]


def test_the_run_that_the_newest_was_compared_with_is_kept(tmp_path: Path) -> None:
    for hour in range(3):
        made = night(tmp_path, 0, None, hour=hour / 4)
        baselines.settle(made)
        made.finish({"verdict": "pass" if hour == 1 else "fail"})
    audit, known = listed(tmp_path)
    baselines.choose(known[0])
    decisions = retention.decide(audit, known, retention.Retention(1, 0, 0))
    assert [one.reasons for one in decisions] == [
        ("baseline",),
        ("the newest is compared with it",),
        ("newest", "daily"),
    ]


def test_a_baseline_that_is_gone_or_cannot_be_read_is_an_error_that_says_what_to_do(tmp_path: Path) -> None:
    for day in (0, 1):
        night(tmp_path, day)
    audit, known = listed(tmp_path)
    baselines.choose(known[0])
    with pytest.raises(StoreError, match="is gone or not complete; choose another with `auditor baseline set RUN`"):
        baselines.baseline_of(audit, known[1:])
    (audit / baselines.FILE).write_text("{")
    with pytest.raises(StoreError, match="is not JSON"):
        baselines.baseline_of(audit, known)


def test_an_unfinished_run_or_a_copy_elsewhere_cannot_be_the_baseline(tmp_path: Path) -> None:
    with pytest.raises(StoreError, match="is unfinished; expected a complete run"):
        baselines.choose(summary_of(night(tmp_path, 0, None).path))
    made = night(tmp_path, 1)
    made.path.rename(tmp_path / "copy")
    with pytest.raises(StoreError, match="outside the folder of its audit"):
        baselines.choose(summary_of(tmp_path / "copy"))


def kept(root: Path, daily: int, weekly: int, monthly: int) -> dict[str, tuple[str, ...]]:
    """Date of a run → why it is kept."""
    audit, known = listed(root)
    decisions = retention.decide(audit, known, retention.Retention(daily, weekly, monthly))
    return {one.run.created[:10]: one.reasons for one in decisions if one.is_kept}


def test_the_newest_runs_of_the_last_days_weeks_and_months_are_kept(tmp_path: Path) -> None:
    for day in range(100):  # to 10 April, a Friday; of the last night two runs
        night(tmp_path, day, "fail")
    night(tmp_path, 99, "fail", hour=1)
    assert kept(tmp_path, 3, 0, 0).keys() == {"2026-04-08", "2026-04-09", "2026-04-10"}
    assert kept(tmp_path, 0, 3, 0).keys() == {"2026-03-29", "2026-04-05", "2026-04-10"}, "Sundays end weeks"
    assert kept(tmp_path, 0, 0, 3).keys() == {"2026-02-28", "2026-03-31", "2026-04-10"}
    assert kept(tmp_path, 0, 0, 0) == {"2026-04-10": ("newest",)}
    audit, known = listed(tmp_path)
    decisions = retention.decide(audit, known, retention.Retention(1, 1, 1))
    assert [one.is_kept for one in decisions[-2:]] == [False, True], "of one day the newest"
    assert decisions[-1].reasons == ("newest", "daily", "weekly", "monthly")


@pytest.mark.parametrize("created", ["", "2026", "9999-99-99", "2026-01-01T00:00:00"])
def test_a_manifest_without_a_moment_is_unreadable_and_holds_up_no_other_run(tmp_path: Path, created: str) -> None:
    made = [night(tmp_path, day) for day in range(3)]
    manifest = json.loads((made[0].path / "manifest.json").read_text())
    (made[0].path / "manifest.json").write_text(json.dumps({**manifest, "created": created}))
    command = ["prune", "--root", str(tmp_path), "--keep-daily=1", "--keep-weekly=0", "--keep-monthly=0"]
    assert main(command) == 0
    assert [run.path.exists() for run in made] == [True, False, True]


def test_a_run_that_failed_stays_as_long_as_its_day_although_the_audit_was_run_again(tmp_path: Path) -> None:
    for day in (0, 1):
        for hour, verdict in ((0, "fail"), (0.5, "fail"), (1, "pass"), (1.5, "fail" if day else "pass")):
            night(tmp_path, day, verdict, hour=hour)
    audit, known = listed(tmp_path)
    decided = retention.decide(audit, known, retention.Retention(2, 0, 0))
    assert [one.reasons for one in decided] == [
        (), ("failed",), (), ("daily",),
        (), (), ("baseline",), ("newest", "daily"),
    ]  # fmt: skip
    assert not retention.decide(audit, known, retention.Retention(1, 0, 0))[1].is_kept


def test_days_without_a_run_do_not_count(tmp_path: Path) -> None:
    for day in (0, 40, 90):
        night(tmp_path, day, "fail")
    assert len(kept(tmp_path, 3, 0, 0)) == 3


def test_a_week_and_a_month_are_those_of_their_year(tmp_path: Path) -> None:
    for day in (0, 364):  # 1 January, a Thursday, and 31 December, a Thursday too: ISO weeks 1 and 53
        night(tmp_path, day, "fail")
    night(tmp_path, 365 + 3, "fail")  # 4 January of the next year, a Monday: week 1 again
    assert len(kept(tmp_path, 0, 3, 0)) == 3
    assert len(kept(tmp_path, 0, 0, 3)) == 3


@pytest.mark.parametrize("title", ["Reviews", "Audit"])  # a run without a title is looked for in the folder `audit`
def test_a_run_that_cannot_be_read_stays(tmp_path: Path, title: str) -> None:
    unreadable = night(tmp_path, 0, "fail", title=title)
    for name in ("plan.json", "manifest.json"):
        (unreadable.path / name).write_text("{}")
    night(tmp_path, 1, "fail", title=title)
    assert main(["prune", "--root", str(tmp_path), "--keep-daily=0", "--keep-weekly=0", "--keep-monthly=0"]) == 0
    assert (unreadable.path / "plan.json").exists()


def test_an_unfinished_run_of_the_second_of_the_newest_one_can_be_resumed(tmp_path: Path) -> None:
    finished, begun = night(tmp_path, 0, "fail"), night(tmp_path, 0, None)
    audit, known = listed(tmp_path)
    decisions = retention.decide(audit, known, retention.Retention(0, 0, 0))
    assert {one.run.path: one.reasons for one in decisions} == {
        finished.path: ("newest",),
        begun.path: ("can be resumed",),
    }


def test_baseline_running_and_resumable_runs_stay_and_forgotten_ones_go(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    first = night(tmp_path, 0)
    forgotten, running = night(tmp_path, 1, None), night(tmp_path, 2, None)
    newest, resumable = night(tmp_path, 3, "fail"), night(tmp_path, 4, None)
    other = night(tmp_path, 0, title="Another")
    command = ["prune", "--root", str(tmp_path), "--keep-daily=0", "--keep-weekly=0", "--keep-monthly=0"]
    with running.lock():
        assert main([*command, "--dry-run"]) == 0
        assert f"{running.run_id}  in use\n" in capsys.readouterr().out
        assert main(command) == 0
    left = {run.run_id for run in runs(tmp_path)}
    assert left == {first.run_id, running.run_id, newest.run_id, resumable.run_id, other.run_id}
    assert not forgotten.path.exists()


def test_a_dry_run_removes_nothing_and_says_the_same(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    for day in range(3):
        night(tmp_path, day, "fail")
    command = ["prune", "--root", str(tmp_path), "--keep-daily=1", "--keep-weekly=0", "--keep-monthly=0", "--json"]
    assert main([*command, "--dry-run"]) == 0
    told = json.loads(capsys.readouterr().out)
    assert len(runs(tmp_path)) == 3
    assert main(command) == 0
    assert json.loads(capsys.readouterr().out) == {**told, "dry_run": False}
    assert len(runs(tmp_path)) == 1


def test_nothing_is_removed_where_the_baseline_is_unknown(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    for day in range(3):
        night(tmp_path, day)
    audit, _ = listed(tmp_path)
    (audit / baselines.FILE).write_text("damaged")
    assert main(["prune", "--root", str(tmp_path), "--keep-daily=0"]) == 2
    assert "is not JSON" in capsys.readouterr().err
    assert len(runs(tmp_path)) == 3


def test_an_audit_whose_baseline_is_gone_holds_up_no_other(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    for title in ("Broken", "Sound"):
        made = [night(tmp_path, day, title=title) for day in range(3)]
    broken, sound = (tmp_path / name for name in ("broken", "sound"))
    disk.write(broken / baselines.FILE, b'{"format": "auditor.baseline/1", "run_id": "gone"}')
    root = ["--root", str(tmp_path)]
    assert main(["baseline", "show", *root]) == 2
    out, err = capsys.readouterr()
    assert out == f"sound  {made[-1].run_id}  pass  the last that passed\n"
    assert err.count("\n") == err.count("the baseline gone is gone or not complete; choose another") == 1
    assert main(["baseline", "show", *root, "--json"]) == 2
    told = json.loads(capsys.readouterr().out)
    assert ([one["audit"] for one in told["baselines"]], len(told["faults"])) == (["sound"], 1)
    command = ["prune", *root, "--keep-daily=1", "--keep-weekly=0", "--keep-monthly=0"]
    assert main([*command, "--dry-run", "--json"]) == 2
    told = json.loads(capsys.readouterr().out)
    assert ([one["removed"] for one in told["runs"]], len(told["faults"])) == ([True, True, False], 1)
    assert main(command) == 2
    out, err = capsys.readouterr()
    assert "1 kept, 2 removed" in out
    assert "the baseline gone is gone" in err
    assert [len(list(audit.glob("*/plan.json"))) for audit in (broken, sound)] == [3, 1]


def test_a_run_that_was_half_removed_is_unfinished_and_goes_next_time(tmp_path: Path) -> None:
    made, _ = night(tmp_path, 0), night(tmp_path, 1)
    disk.remove(made.path / "manifest.json")
    assert summary_of(made.path).state == "unfinished"
    main(["prune", "--root", str(tmp_path), "--keep-daily=14"])
    assert not made.path.exists()


def test_a_removed_run_leaves_the_page_of_all_runs(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    first, second = night(tmp_path, 0), night(tmp_path, 0, hour=1)
    page = second.path.parent / "index.html"
    index.renew(second)
    assert first.run_id in page.read_text(encoding="utf-8")
    main(["prune", "--root", str(tmp_path), "--dry-run"])
    assert first.run_id in page.read_text(encoding="utf-8")
    main(["prune", "--root", str(tmp_path)])
    assert first.run_id not in page.read_text(encoding="utf-8")
    assert second.run_id in page.read_text(encoding="utf-8")
    assert main(["prune", "--root", str(tmp_path / "elsewhere")]) == 0
    assert capsys.readouterr().out.endswith(f"no runs in {tmp_path / 'elsewhere'}\n")


def test_the_run_of_tonight_stays_where_the_clock_was_set_back(tmp_path: Path) -> None:
    later, tonight = night(tmp_path, 0, hour=1), night(tmp_path, 0)
    night(tmp_path, 0, hour=0)
    assert len(prune_audit(tonight.path, retention.Retention(14, 8, 12))) == 1
    assert {run.run_id for run in runs(tmp_path)} == {later.run_id, tonight.run_id}


def test_copies_beside_the_audits_are_left_alone(tmp_path: Path) -> None:
    night(tmp_path, 0, "fail").path.rename(tmp_path / "example")
    night(tmp_path, 1, "fail")
    main(["prune", "--root", str(tmp_path), "--keep-daily=0", "--keep-weekly=0", "--keep-monthly=0"])
    assert open_run(tmp_path / "example", tmp_path).is_complete


def test_the_commands_say_what_was_chosen(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    made, root = [night(tmp_path, day, "fail") for day in (0, 1)], ["--root", str(tmp_path)]
    main(["baseline", "show", *root])
    assert capsys.readouterr().out == "reviews  none: no run was chosen, and none has passed\n"
    assert main(["baseline", "set", made[0].run_id, *root]) == 0
    assert capsys.readouterr().out == f"{made[0].run_id}: the baseline of Reviews\n"
    main(["baseline", "show", *root])
    assert capsys.readouterr().out == f"reviews  {made[0].run_id}  fail  chosen\n"
    main(["baseline", "show", "--json", *root])
    told = json.loads(capsys.readouterr().out)["baselines"]
    assert [(one["audit"], one["chosen"], one["run"]["run_id"]) for one in told] == [("reviews", True, made[0].run_id)]
    assert main(["baseline", "clear", "latest", *root]) == 0
    assert capsys.readouterr().out == "Reviews: cleared\n"
    assert main(["baseline", "set", "nothing", *root]) == 2
