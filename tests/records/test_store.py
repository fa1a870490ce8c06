"""The run folder: made, resumed, reused, listed, opened, rewritten."""

import json
import shutil
import subprocess
from dataclasses import replace
from datetime import UTC, datetime, timedelta, timezone

import pytest
from planned import planned

from auditor.errors import DiskError, StoreError
from auditor.records import disk, store
from auditor.records.types import Document, Failure, Prediction

NOON = datetime(2026, 7, 29, 12, 0, 5, tzinfo=UTC)
PLAN = planned(
    records={"prediction": "Prediction"},
    title="Film reviews",
    configuration={"labels": ["Ja", "Nein", "\u00e4\udcff"], "limit": None, "bound": 0.1},
)
SUMMED = [
    "evidence/documents/00000.parquet",
    "evidence/prediction/00000.parquet",
    "findings.json",
    "plan.json",
    "report.html",
]


@pytest.fixture(autouse=True)
def _no_epoch(monkeypatch):
    monkeypatch.delenv("SOURCE_DATE_EPOCH", raising=False)


def prediction(number):
    return Prediction(str(number), ("a", "b"), (0.5, -0.5), (0.7, 0.3), ("a",), 0.6, 3, False)


def new_run(root, plan=PLAN, **options):
    return store.find_or_create(root, plan, **{"now": NOON, **options})


def fill(run):
    run.write_shard("documents", Document, 0, [Document("1", "one"), Document("2", "two")])
    run.write_shard("prediction", Prediction, 0, [prediction(1), Failure("2", "blank", "nothing to ask")])
    run.write("findings.json", b"{}")
    run.write("report.html", b"<html>")
    run.finish({"verdict": "pass"})
    return run


def test_a_new_run_is_named_after_title_time_and_plan(tmp_path):
    run = new_run(tmp_path)
    assert run.path == tmp_path / "film-reviews" / f"20260729-120005-{run.plan_id[:8]}"
    assert (run.run_id, run.created) == (run.path.name, "2026-07-29T12:00:05Z")
    assert run.plan_id == PLAN.id
    assert not run.is_complete
    assert sorted(path.name for path in run.path.iterdir()) == ["plan.json"]


@pytest.mark.parametrize(
    ("title", "folder"),
    [
        ("../../etc/passwd", "etc-passwd"),
        ("电影评论 1", "电影评论-1"),
        ("", "audit"),
        (" \x00/\udcff", "audit"),
        ("org/Model_v2", "org-model-v2"),
        ("x" * 500, "x" * 60),
    ],
)
def test_no_title_leaves_the_root(tmp_path, title, folder):
    run = store.find_or_create(tmp_path, planned(title=title), now=NOON)
    assert run.path.parent == tmp_path / folder


@pytest.mark.parametrize(
    "titles",
    [
        ["Complaints of customers, classifier of the second level, " + which for which in ("German", "French")],
        ["C reviews", "C++ reviews", "C# reviews!"],
        ["🎬🎬", "🍕", ""],
        ["हिन्दी", "हिन्दि"],
    ],
)
def test_titles_that_give_one_name_are_different_audits(tmp_path, titles):
    made = [store.find_or_create(tmp_path, planned(title=title), now=NOON) for title in titles]
    assert len({run.path.parent for run in made}) == len(titles)
    for title, run in zip(titles, made, strict=True):
        assert [one.path for one in store.runs_in(run.path.parent)] == [run.path]
        assert [one.path for one in store.runs_of(tmp_path, title)] == [run.path]
        again = store.find_or_create(tmp_path, planned(title=title), fresh=True, now=NOON)
        assert again.path.parent == run.path.parent


def test_the_clock_of_any_time_zone_and_source_date_epoch(tmp_path, monkeypatch):
    odd = NOON.astimezone(timezone(timedelta(hours=5, minutes=45)))
    assert new_run(tmp_path / "a", now=odd).created == "2026-07-29T12:00:05Z"
    monkeypatch.setenv("SOURCE_DATE_EPOCH", "1000000000")
    assert new_run(tmp_path / "b").run_id.startswith("20010909-014640-")
    monkeypatch.setenv("SOURCE_DATE_EPOCH", "yesterday")
    with pytest.raises(StoreError, match="SOURCE_DATE_EPOCH must be a whole number"):
        new_run(tmp_path / "c")


def test_the_same_plan_is_resumed_then_reused(tmp_path):
    first = new_run(tmp_path)
    assert new_run(tmp_path, now=NOON + timedelta(days=1)).path == first.path
    fill(first)
    again = new_run(tmp_path, now=NOON + timedelta(days=2))
    assert again.path == first.path
    assert again.is_complete


def test_another_plan_is_another_run(tmp_path):
    assert new_run(tmp_path).path != new_run(tmp_path, replace(PLAN, seed=1)).path


def test_fresh_makes_a_new_run_even_in_the_same_second(tmp_path):
    made = [new_run(tmp_path, fresh=True) for _ in range(11)]
    assert len({run.path for run in made}) == 11
    assert made[10].run_id == made[0].run_id + "-11"
    assert new_run(tmp_path).path == made[10].path, "the newest is the one to resume"


def test_a_folder_in_which_nothing_was_written_yet_is_taken_over(tmp_path):
    run = new_run(tmp_path)
    (run.path / "plan.json").rename(run.path / ".plan.json.1.tmp")
    assert new_run(tmp_path).path == run.path


def test_a_folder_with_foreign_content_is_left_alone(tmp_path):
    run = new_run(tmp_path)
    (run.path / "plan.json").rename(run.path / "mine.json")
    assert new_run(tmp_path).run_id == run.run_id + "-2"


def test_rows_come_back_in_the_order_of_the_shards(tmp_path):
    run = new_run(tmp_path)
    rows = {shard: [prediction(shard), Failure(f"bad {shard}", "blank", "")] for shard in (100000, 2, 0)}
    for shard, content in rows.items():
        assert not run.has("prediction", shard)
        run.write_shard("prediction", Prediction, shard, content)
        assert run.has("prediction", shard)
    assert list(run.read("prediction", Prediction)) == rows[0] + rows[2] + rows[100000]
    assert list(run.read("documents", Document)) == []


def test_a_damaged_shard_is_named(tmp_path):
    run = new_run(tmp_path)
    run.write_shard("documents", Document, 3, [Document("1", "t")])
    (run.path / "evidence/documents/00003.parquet").write_bytes(b"PAR1")
    with pytest.raises(StoreError, match=r"documents/00003\.parquet: not a readable Parquet file"):
        list(run.read("documents", Document))


def test_the_sums_are_those_of_sha256sum(tmp_path):
    run = fill(new_run(tmp_path))
    done = subprocess.run(["sha256sum", "-c", "SHA256SUMS"], cwd=run.path, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert done.stdout.splitlines() == [f"{name}: OK" for name in SUMMED]


def test_the_manifest_keeps_what_it_is_given(tmp_path):
    manifest = fill(new_run(tmp_path)).manifest()
    assert manifest["format"] == "auditor.run/1"
    assert manifest["verdict"] == "pass"
    assert manifest["title"] == "Film reviews"


def test_only_what_is_summed_can_be_written(tmp_path):
    with pytest.raises(ValueError, match="would not be summed"):
        new_run(tmp_path).write("../notes.txt", b"")


def test_what_is_not_there_is_a_store_error(tmp_path):
    run = new_run(tmp_path)
    with pytest.raises(StoreError, match=r"has no findings\.json: the run is not finished"):
        run.read_bytes("findings.json")
    assert fill(run).read_bytes("report.html") == b"<html>"
    with pytest.raises(StoreError, match=r"has no report\.pdf: see `auditor verify`"):
        run.read_bytes("report.pdf")


def test_a_rewritten_run_is_incomplete_until_it_is_finished_again(tmp_path):
    run = fill(new_run(tmp_path))
    before = (run.path / "SHA256SUMS").read_bytes()
    run.write("report.html", b"<html lang=en>")
    assert not run.is_complete
    manifest = run.manifest()
    assert manifest["verdict"] == "pass", "kept for whoever finishes the rewriting"
    run.finish(manifest)
    assert run.is_complete
    assert (run.path / "SHA256SUMS").read_bytes() != before
    assert sorted(path.name for path in run.path.iterdir()) == [
        "SHA256SUMS",
        "evidence",
        "findings.json",
        "manifest.json",
        "plan.json",
        "report.html",
    ]


def test_a_removed_pdf_leaves_the_sums(tmp_path):
    run = new_run(tmp_path)
    run.write("report.pdf", b"%PDF")
    fill(run)
    run.remove("report.pdf")
    run.remove("report.pdf")
    assert not run.is_complete
    run.finish({})
    assert b"report.pdf" not in (run.path / "SHA256SUMS").read_bytes()


def test_the_listing_shows_every_run_oldest_first(tmp_path):
    done = fill(new_run(tmp_path))
    open_ = new_run(tmp_path, replace(PLAN, title="Other"), now=NOON - timedelta(hours=1))
    broken = tmp_path / "audit" / "broken"
    disk.write(broken / "plan.json", b"{")
    listed = {run.path: run for run in store.runs(tmp_path)}
    assert list(listed) == [broken, open_.path, done.path]
    assert [run.state for run in listed.values()] == ["unreadable", "unfinished", "complete"]
    assert listed[done.path].manifest["verdict"] == "pass"
    assert listed[open_.path].title == "Other"
    assert store.runs(tmp_path / "nowhere") == []


def test_a_run_is_opened_by_folder_id_beginning_or_latest(tmp_path):
    old = new_run(tmp_path, replace(PLAN, seed=1), now=NOON - timedelta(days=30))
    new = fill(new_run(tmp_path))
    for name in (new.path, str(new.path), new.run_id, "20260729", "latest"):
        assert store.open_run(name, tmp_path).path == new.path
    assert store.open_run(old.run_id, tmp_path).path == old.path


def test_a_run_that_is_not_there_or_not_one(tmp_path):
    for seed in (0, 1):
        new_run(tmp_path, replace(PLAN, seed=seed))
    with pytest.raises(StoreError, match=r"means 2 runs .* give more of the run id"):
        store.open_run("2026", tmp_path)
    made = store.runs(tmp_path)[0]
    shutil.copytree(made.path, tmp_path / "copy")
    with pytest.raises(StoreError, match=r"means 2 runs \(.*copy.*\); give the folder"):
        store.open_run(made.run_id, tmp_path)
    with pytest.raises(StoreError, match=r"no such run in .*auditor list"):
        store.open_run("1999", tmp_path)
    with pytest.raises(StoreError, match="no such run"):
        store.open_run("latest", tmp_path / "empty")
    with pytest.raises(StoreError, match=r"it has no plan\.json"):
        store.open_run(tmp_path, tmp_path)


@pytest.mark.parametrize("name", ["plan.json", "manifest.json"])
def test_a_format_of_the_future_is_named_beside_the_one_understood(tmp_path, name):
    run = fill(new_run(tmp_path))
    content = json.loads((run.path / name).read_text())
    (run.path / name).write_text(json.dumps({**content, "format": "auditor.future/7"}))
    with pytest.raises(StoreError, match=r"has the format 'auditor\.future/7'; this version .* understands 'auditor\."):
        store.open_run(run.path, tmp_path)


def test_a_plan_of_another_program_is_refused(tmp_path):
    disk.write(tmp_path / "a/b/plan.json", b'{"format": "auditor.plan/4", "n_shards": 1}')
    with pytest.raises(StoreError, match=r"a/b/plan\.json: title: is missing"):
        store.open_run(tmp_path / "a/b", tmp_path)


def old_run(root, name="film-reviews/20200101-000000-0a1b2c3d"):
    """A complete run as a version of auditor.plan/1 left it."""
    plan = {"format": "auditor.plan/1", "run_id": name.rpartition("/")[2], "created": "2020-01-01T00:00:00Z"}
    manifest = {**plan, "format": "auditor.run/1", "title": "Film reviews", "verdict": "pass"}
    disk.write(root / name / "plan.json", json.dumps(plan).encode())
    disk.write(root / name / "manifest.json", json.dumps(manifest).encode())
    return root / name


def test_a_run_of_the_format_of_before_is_listed_and_refused_with_one_line_by_whatever_name(tmp_path):
    old = old_run(tmp_path)
    assert [(run.run_id, run.state) for run in store.runs(tmp_path)] == [(old.name, "unreadable")]
    for name in (old, old.name, "2020", "latest"):
        with pytest.raises(StoreError) as caught:
            store.open_run(name, tmp_path)
        assert str(caught.value) == (
            f"{old / 'plan.json'}: has the format 'auditor.plan/1'; this version of auditor understands "
            "'auditor.plan/4'; open the run with the version that wrote it, or audit anew"
        )
    new = new_run(tmp_path)
    assert new.path.parent == old.parent
    assert store.open_run("latest", tmp_path).path == new.path


def test_a_root_that_cannot_be_written_is_one_line(tmp_path):
    (tmp_path / "file").write_text("in the way")
    with pytest.raises(DiskError, match="cannot be written: Not a directory; choose another") as caught:
        new_run(tmp_path / "file")
    assert "\n" not in str(caught.value)
    assert caught.value.exit_code == 74
