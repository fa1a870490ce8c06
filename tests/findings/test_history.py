"""All runs of an audit: control limits, the first bad night, nights that are missing; a year of them at once."""

import json
import math
import subprocess
import sys
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from auditor.findings.contract.numbers import perplexity, since_baseline
from auditor.findings.history import History, history, manifest_facts, nights
from auditor.findings.statistics import control
from auditor.findings.statistics.intervals import Estimate
from auditor.records.run import Run
from auditor.records.store import find_or_create, runs, summary_of
from auditor.terminal.cli import main
from tests.records.planned import planned
from tests.test_cli import number, sample_findings

START = datetime(2026, 1, 1, 22, tzinfo=UTC)


def night(root: Path, day: int, value: float | None, result: str | None = "pass", **more: Any) -> Run:
    number = {"title": "Accuracy", "unit": "share", "value": value, "low": None, "high": None, "n": 200}
    check = {"result": result, "direction": "at_least", "bound": 0.8}
    made = find_or_create(root, planned(title="Reviews", seed=day), fresh=True, now=START + timedelta(days=day))
    facts = {"numbers": {"accuracy": number}, "checks": {"accuracy": check} if result else {}}
    made.finish({"verdict": "fail" if result == "fail" else "pass", "headline": "", **facts, **more})
    return made


def of(root: Path) -> History:
    return history(nights(runs(root)))


def test_a_manifest_keeps_the_numbers_of_the_whole_corpus_whatever_labels_are_called() -> None:
    names = ("accuracy", "recall[{x}]", "accuracy{length=short}", "recall[{x}]{length=short}")
    numbers = tuple(number().model_copy(update={"name": name}) for name in names)
    kept = manifest_facts(sample_findings().model_copy(update={"numbers": numbers}))["numbers"]
    assert list(kept) == ["accuracy", "recall[{x}]"]


def test_the_bound_of_a_perplexity_is_kept_in_nats_like_its_values(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    estimate = Estimate(math.log(33), math.log(30), math.log(36), 200)
    one = perplexity("perplexity.corpus", "Perplexity", estimate, "")
    check = (
        sample_findings()
        .checks[0]
        .model_copy(update={"name": one.name, "number": one, "bound": 50.0, "direction": "at_most"})
    )
    margin = check.model_copy(update={"name": since_baseline(one.name), "number": None, "bound": 0.05})
    unmeasured = check.model_copy(update={"number": None})
    facts = manifest_facts(sample_findings().model_copy(update={"numbers": (one,), "checks": (check, margin)}))
    assert facts["numbers"][one.name]["value"] == pytest.approx(math.log(33))
    assert [kept["bound"] for kept in facts["checks"].values()] == [pytest.approx(math.log(50)), 0.05]
    assert manifest_facts(sample_findings().model_copy(update={"checks": (unmeasured,)}))["checks"] == {
        one.name: {"result": "pass", "direction": "at_most", "bound": pytest.approx(math.log(50))}
    }
    night(tmp_path, 0, 0.9, **facts)
    assert main(["history", "--root", str(tmp_path)]) == 0
    assert capsys.readouterr().out.splitlines()[2].startswith("night             verdict  perplexity.corpus, nats")


def test_limits_are_three_standard_deviations_by_the_mean_moving_range() -> None:
    values = [1.0, 2.0] * 6 + [9.0]
    *early, last = control.limits(values, floor=0.0)
    assert early == [None] * control.LEAST
    assert last is not None
    assert (last.centre, last.high - last.centre) == pytest.approx((1.5, 3 / 1.128))
    assert last.side(9.0) == 1
    assert last.side(-2.0) == -1
    assert last.side(4.0) == 0


def test_normal_nights_are_rarely_outside_and_a_step_is_found_at_once() -> None:
    random = np.random.default_rng(0)
    outside = n = 0
    for _ in range(40):
        values = random.normal(0.8, 0.01, 365).tolist()
        known = [(v, one) for v, one in zip(values, control.limits(values, floor=0.005), strict=True) if one]
        outside, n = outside + sum(one.side(value) != 0 for value, one in known), n + len(known)
        step = list(control.limits([*values, 0.7, 0.7, 0.7], floor=0.005))[-3:]
        assert [one and one.side(0.7) for one in step] == [-1, -1, -1]
    assert 0.004 < outside / n < 0.012


def test_equal_nights_make_no_news_of_rounding_and_a_night_without_a_value_is_passed_over() -> None:
    values = [0.8] * 12 + [None, 0.8 + 1e-9, 0.79]
    made = list(control.limits(values, floor=0.005))
    assert made[-2] is not None
    assert made[-1] is not None
    assert made[-2].side(0.8 + 1e-9) == 0
    assert made[-1].side(0.79) == -1


def test_a_process_that_has_moved_for_good_is_what_is_expected() -> None:
    values = [0.8, 0.81] * 15 + [0.9, 0.91] * 15
    made = list(control.limits([*values, 0.9], floor=0.005))
    assert made[30] is not None
    assert made[30].side(0.9) == 1
    assert made[-1] is not None
    assert made[-1].side(0.9) == 0
    assert made[-1].centre == pytest.approx(0.905)


def test_the_first_bad_night_begins_the_series_that_lasts_until_now(tmp_path: Path) -> None:
    for day, (value, result) in enumerate([(0.7, "fail"), (0.9, "pass"), (0.7, "fail"), (0.71, "fail")]):
        night(tmp_path, day, value, result)
    [trend] = of(tmp_path).trends
    assert trend.first_bad is not None
    assert trend.first_bad.created.startswith("2026-01-03")
    night(tmp_path, 4, 0.9)
    assert of(tmp_path).trends[0].first_bad is None


def test_beyond_the_limits_is_bad_only_on_the_bad_side_of_a_check(tmp_path: Path) -> None:
    for day in range(12):
        night(tmp_path, day, 0.90 + 0.002 * (day % 2))
    night(tmp_path, 12, 0.92)
    assert of(tmp_path).trends[0].first_bad is None, "better"
    night(tmp_path, 13, 0.85)
    first = of(tmp_path).trends[0].first_bad
    assert first is not None
    assert first.result == "pass", "the check alone would have said nothing"
    assert first.limits is not None
    assert first.limits.low > 0.85


def test_without_a_check_either_side_is_bad(tmp_path: Path) -> None:
    for day in range(12):
        night(tmp_path, day, 0.90 + 0.002 * (day % 2), None)
    night(tmp_path, 12, 0.95, None)
    assert of(tmp_path).trends[0].first_bad is not None


def test_missing_nights_are_named(tmp_path: Path) -> None:
    for day in (0, 1, 2, 3, 6, 7, 8, 10):
        night(tmp_path, day, 0.9)
    assert [(gap.after[:10], gap.before[:10], gap.n_missing) for gap in of(tmp_path).gaps] == [
        ("2026-01-04", "2026-01-07", 2),
        ("2026-01-09", "2026-01-11", 1),
    ]


def test_runs_within_a_day_are_no_nights_of_which_some_are_missing(tmp_path: Path) -> None:
    made = night(tmp_path, 0, 0.9)
    minutes = (0, 1, 2, 3, 60, 61, 62, 4 * 24 * 60)
    runs = [
        replace(one, created=f"{START + timedelta(minutes=m):%Y-%m-%dT%H:%M:%SZ}")
        for one in nights([summary_of(made.path)])
        for m in minutes
    ]
    (gap,) = history(runs).gaps
    assert (gap.after[:10], gap.before[:10], gap.n_missing) == ("2026-01-01", "2026-01-05", 3)


def test_runs_of_before_and_damaged_numbers_count_as_nights_without_numbers(tmp_path: Path) -> None:
    night(tmp_path, 0, 0.9, numbers={"accuracy": {"title": "Accuracy"}, "f1": 3}, checks=7)
    night(tmp_path, 1, 0.9)
    made = of(tmp_path)
    assert [point.value for point in made.trends[0].points] == [None, 0.9]
    assert [one.verdict for one in made.nights] == ["pass", "pass"]


def test_the_command_shows_and_prints_them(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    for day in range(16):
        night(tmp_path, day, 0.9)
    last = night(tmp_path, 18, 0.7, "fail")
    assert main(["history", "--root", str(tmp_path)]) == 0
    out = capsys.readouterr().out.splitlines()
    assert out[0] == "Reviews"
    assert out[2].split() == ["night", "verdict", "accuracy"]
    assert out[-5].split() == ["2026-01-19", "22:00", "fail", "0.7", "!"]
    assert out[-4:] == [
        "and 3 earlier",
        "",
        f"accuracy: bad since 2026-01-19, run {last.run_id}: 0.7, expected 0.895 to 0.905",
        "about 2 nights are missing between 2026-01-16 and 2026-01-19",
    ]
    assert main(["history", last.run_id, "--root", str(tmp_path), "--json"]) == 0
    told = json.loads(capsys.readouterr().out)
    assert told["format"] == "auditor.history/1"
    assert len(told["nights"]) == 17
    assert told["trends"][0]["points"][-1]["is_bad"] is True
    assert told["gaps"][0]["n_missing"] == 2


def test_names_with_brackets_are_printed_as_they_are(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    number = {"title": "Recall", "unit": "share", "value": 0.5, "low": None, "high": None, "n": 200}
    night(tmp_path, 0, 0.9, None, numbers={"recall[red]": number})
    assert main(["history", "--root", str(tmp_path)]) == 0
    assert capsys.readouterr().out.splitlines()[2].split() == ["night", "verdict", "recall[red]"]


def test_where_there_are_checks_only_their_numbers_are_printed(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    number = {"title": "N", "unit": "share", "value": 0.5, "low": None, "high": None, "n": 200}
    night(tmp_path, 0, 0.9, numbers={"f1": number, "accuracy": number})
    assert main(["history", "--root", str(tmp_path)]) == 0
    assert capsys.readouterr().out.splitlines()[2].split() == ["night", "verdict", "accuracy"]


def test_a_year_of_runs_is_read_without_torch(tmp_path: Path) -> None:
    many = {f"n{i}": {"title": "N", "unit": "share", "value": 0.5, "low": 0.4, "high": 0.6, "n": 9} for i in range(35)}
    first = night(tmp_path, 0, 0.9, numbers=many)
    for day in range(1, 365):
        folder, created = first.path.parent / f"{day:05d}", START + timedelta(days=day)
        folder.mkdir()
        for name in ("plan.json", "manifest.json"):
            text = (first.path / name).read_text().replace(first.run_id, folder.name)
            (folder / name).write_text(text.replace(first.created, f"{created:%Y-%m-%dT%H:%M:%SZ}"))
    code = (
        "import sys; sys.modules['torch'] = None\n"
        "from auditor.terminal.cli import main\n"
        f"sys.exit(main(['history', '--root', {str(tmp_path)!r}, '--json']))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    told = json.loads(done.stdout)
    assert len(told["nights"]) == 365
    assert {len(trend["points"]) for trend in told["trends"]} == {365}
    assert told["gaps"] == []


def test_a_run_that_is_named_from_within_its_audit_is_one_of_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    first, second = night(tmp_path, 0, 0.9), night(tmp_path, 1, 0.9)
    for folder, name in ((first.path.parent, second.run_id), (second.path, ".")):
        monkeypatch.chdir(folder)
        assert main(["history", name, "--json"]) == 0
        assert [one["run_id"] for one in json.loads(capsys.readouterr().out)["nights"]] == [first.run_id, second.run_id]
