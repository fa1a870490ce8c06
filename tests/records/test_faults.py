"""What a run folder must survive: every single write failing, kills, a second process."""

import errno
import fcntl
import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest
import sample_run

from auditor.errors import DiskError, LockedError
from auditor.records import disk, store
from auditor.records.types import Document
from auditor.records.verification import verify
from tests.records.failing_disk import attempt


@pytest.fixture
def faulty(monkeypatch):
    """Run something on a disk whose k-th call fails; returns what it raised and how many calls there were."""
    return lambda work, k: attempt(monkeypatch, work, k)


def tables(root):
    return {path: path.read_bytes() for path in root.rglob("*.parquet")}


def test_whichever_call_fails_nothing_is_lost_and_the_next_run_has_equal_sums(tmp_path, faulty):
    expected = sample_run.fingerprint(sample_run.write(tmp_path / "whole"))
    _, n_calls = faulty(lambda: sample_run.write(tmp_path / "counted"), 0)
    assert n_calls > 50
    for k in range(1, n_calls + 1):
        root = tmp_path / str(k)
        error, _ = faulty(lambda root=root: sample_run.write(root), k)
        assert error is not None, f"call {k} failed and nobody said so"
        assert "\n" not in str(error)
        assert error.exit_code == 74
        for summary in store.runs(root):
            assert summary.state != "complete" or verify(store.open_run(summary.path, root)) == []
        before = tables(root)
        faulty(lambda root=root: sample_run.write(root), 0)
        run = sample_run.write(root)
        assert sample_run.fingerprint(run) == expected, f"after call {k} failed"
        assert verify(run) == []
        assert before.items() <= tables(root).items(), f"a shard was written again after call {k} failed"
        assert not list(root.rglob(".*")), f"something was left behind after call {k} failed"


def test_whichever_call_fails_while_a_report_is_rendered_again_the_run_never_lies(tmp_path, faulty):
    def render_again(run):
        with run.lock():
            sample_run.derive(run, "<html lang=en>")

    run = sample_run.write(tmp_path)
    evidence = tables(run.path)
    _, n_calls = faulty(lambda: render_again(run), 0)
    for k in range(1, n_calls + 1):
        faulty(lambda: render_again(run), k)
        assert not run.is_complete or verify(run) == []
        assert run.manifest() is not None
        assert tables(run.path) == evidence
        faulty(lambda: render_again(run), 0)
        assert verify(run) == []


def test_a_failed_write_keeps_the_old_file(tmp_path, faulty):
    disk.write(tmp_path / "file", b"old")
    _, n_calls = faulty(lambda: disk.write(tmp_path / "file", b"old"), 0)
    for k in range(1, n_calls):
        faulty(lambda: disk.write(tmp_path / "file", b"new"), k)
        assert (tmp_path / "file").read_bytes() in (b"old", b"new")
        assert [path.name for path in tmp_path.iterdir()] == ["file"]


def test_a_short_write_is_continued(tmp_path, monkeypatch):
    write = os.write
    monkeypatch.setattr(os, "write", lambda descriptor, content: write(descriptor, content[:3]))
    disk.write(tmp_path / "file", b"0123456789")
    assert (tmp_path / "file").read_bytes() == b"0123456789"


def test_a_line_behind_one_that_a_full_disk_broke_off_is_a_line_of_its_own(tmp_path, monkeypatch):
    file, write = tmp_path / "lines.jsonl", os.write
    disk.append(file, b"first\n")
    with monkeypatch.context() as patch:
        patch.setattr(os, "write", lambda fd, content: _two_bytes_and_no_more(write, fd, content))
        with pytest.raises(DiskError):
            disk.append(file, b"second\n")
    disk.append(file, b"third\n")
    assert file.read_bytes() == b"first\nse\nthird\n"


def _two_bytes_and_no_more(write, descriptor, content):
    if len(content) < len(b"second\n"):
        raise OSError(errno.ENOSPC, "full")
    return write(descriptor, bytes(content[:2]))


def test_a_dozen_kills_leave_the_sums_of_an_undisturbed_run(tmp_path):
    command = [sys.executable, sample_run.__file__, str(tmp_path), "12"]
    done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=300)
    assert done.returncode == 0, done.stderr
    assert done.stdout.startswith("12 killed")


HOLD = """
import sys, time
from pathlib import Path
from auditor.records import disk
with disk.lock(Path(sys.argv[1])):
    print("held", flush=True)
    time.sleep(600)
"""


@pytest.fixture
def other_process(tmp_path):
    command = [sys.executable, "-c", HOLD, str(tmp_path)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout.readline() == "held\n"
        yield process
        process.kill()


def test_a_second_process_is_told_who_holds_the_run(tmp_path, other_process):
    with pytest.raises(LockedError, match=rf"locked by process {other_process.pid} on ") as caught, disk.lock(tmp_path):
        pass
    assert caught.value.exit_code == 75


def test_the_lock_of_a_killed_process_is_gone(tmp_path, other_process):
    other_process.send_signal(signal.SIGKILL)
    other_process.wait()
    assert (tmp_path / disk.LOCK).exists()
    with disk.lock(tmp_path):
        assert (tmp_path / disk.LOCK).read_text().startswith(f"process {os.getpid()} on ")
    assert not (tmp_path / disk.LOCK).exists()


def test_the_lock_is_let_go_after_an_error(tmp_path):
    with pytest.raises(ZeroDivisionError), disk.lock(tmp_path):
        _ = 1 / 0
    with disk.lock(tmp_path):
        pass


def test_the_lock_survives_its_file_being_removed_by_the_last_holder(tmp_path, monkeypatch):
    """Between opening and locking, the last holder may remove the file: then the lock is on a file without a name."""
    answers = iter([False, True])
    monkeypatch.setattr(disk, "_is_current", lambda *_: next(answers))
    with disk.lock(tmp_path):
        pass
    assert next(answers, None) is None


@pytest.mark.parametrize("kind", [errno.ENOLCK, errno.ENOSYS, errno.EOPNOTSUPP])
def test_a_file_system_without_locks_is_named_as_such(tmp_path, monkeypatch, kind):
    def refuse(*_):
        raise OSError(kind, os.strerror(kind))

    monkeypatch.setattr(fcntl, "flock", refuse)
    with (
        pytest.raises(DiskError, match="cannot be locked: its file system has no locks") as caught,
        disk.lock(tmp_path),
    ):
        pass
    assert caught.value.exit_code == 74
    assert "\n" not in str(caught.value)
    assert "--output" in str(caught.value)


def test_leftovers_of_a_killed_process_are_removed_at_the_next_start(tmp_path):
    leftovers = [tmp_path / ".report.html.7.tmp", tmp_path / "evidence/lime/.00003.parquet.7.tmp"]
    for path in leftovers:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(b"half")
    with disk.lock(tmp_path):
        assert not any(path.exists() for path in leftovers)


def test_a_read_only_run_says_so_before_anything_is_measured(tmp_path, monkeypatch):
    run = store.find_or_create(tmp_path, sample_run.PLAN, now=sample_run.NOON)

    def refuse(*_, **__):
        raise OSError(errno.EROFS, os.strerror(errno.EROFS))

    with monkeypatch.context() as patch:
        patch.setattr(os, "open", refuse)
        with pytest.raises(DiskError, match="cannot be locked: Read-only file system"), run.lock():
            pass
        with pytest.raises(DiskError, match="cannot be written: Read-only file system"):
            run.write_shard("documents", Document, 0, [])


def test_a_file_that_cannot_be_read_is_one_line(tmp_path, monkeypatch):
    def refuse(*_, **__):
        raise PermissionError(errno.EACCES, os.strerror(errno.EACCES))

    monkeypatch.setattr(Path, "read_bytes", refuse)
    with pytest.raises(DiskError, match=r"cannot be read: Permission denied$"):
        disk.read(tmp_path / "file")
