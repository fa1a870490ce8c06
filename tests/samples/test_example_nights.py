"""The worked example of four nights: what each night has, what is kept of it, and that it can be made again."""

from pathlib import Path

import pytest

import example_nights
from auditor.records.store import open_run, runs
from auditor.running.proving import verify_run
from example_nights import BUDGET, NIGHTS, OUT, keep, reviews, size_of


def test_the_first_nights_leave_out_what_the_retraining_sees() -> None:
    lines = reviews()
    assert len(lines) == 200
    assert [night.grown for night in NIGHTS] == [False, False, False, True]
    assert len([line for i, line in enumerate(lines) if i % example_nights._LEFT_OUT]) == 160


def test_an_example_that_is_too_large_is_not_kept_and_rows_of_later_nights_never(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    made, out = tmp_path / "made", tmp_path / "out"
    (made / ".cache").mkdir(parents=True)
    (made / ".cache" / "rows").write_bytes(b"x" * 100)
    (made / "index.html").write_bytes(b"page")
    out.mkdir()
    (out / "old").touch()
    monkeypatch.setattr(example_nights, "BUDGET", 3)
    with pytest.raises(SystemExit, match="nothing was kept"):
        keep(made, out)
    assert (out / "old").exists()
    monkeypatch.setattr(example_nights, "BUDGET", 4)
    keep(made, out)
    assert [path.name for path in out.iterdir()] == ["index.html"]


def test_what_is_kept_is_sound_and_within_its_budget() -> None:
    for run in runs(OUT):
        assert verify_run(open_run(run.path, OUT)).faults == []
    assert size_of(OUT) <= BUDGET
    assert len(runs(OUT)) == len(NIGHTS)


@pytest.mark.exhaustive
def test_the_nights_are_made_again_and_end_as_they_must(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(example_nights, "BUDGET", 10 * BUDGET)
    little = [f"--set=probes.{probe}.limit=2" for probe in ("lime", "occlusion", "attention")]
    assert example_nights.main(["--out", str(tmp_path / "nights"), *little, "--set=report.pdf=false"]) == 0
    made = runs(tmp_path / "nights")
    assert [run.created for run in made] == [f"2026-11-{night.day}T02:30:00Z" for night in NIGHTS]
    assert [run.manifest["verdict"] for run in made][2] == "fail"
    assert made[1].manifest["rows"]["prediction"] == {"computed": 0, "reused": 160, "since": "2026-11-27T02:30:00Z"}
    assert (made[0].path.parent / "index.html").is_file()
