"""Nobody has to listen: closed and broken streams change neither what is written nor the exit code."""

import contextlib
import errno
import io
import os
import subprocess
import sys
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest

from auditor import findings
from auditor.records import store
from auditor.records.store import open_run, runs
from auditor.records.types import Document
from auditor.records.verification import verify
from auditor.terminal import streams
from tests.models.tiny import save
from tests.records.planned import planned
from tests.test_audit import LABELS, corpus
from tests.test_cli import sample_findings

CLOSED = [">&-", "2>&-", "<&- >&- 2>&-"]
BROKEN = ["stdout", "stderr", "both"]


def closed(how: str, *arguments: str, cwd: Path) -> int:
    """The exit code of a command whose streams the shell closed."""
    command = ["sh", "-c", f'"$@" {how}', "sh", sys.executable, "-m", "auditor", *arguments]
    return subprocess.run(command, cwd=cwd, env=environment(), timeout=300).returncode


def broken(which: str, *arguments: str, cwd: Path, python: tuple[str, ...] = ()) -> tuple[int, bytes, bytes]:
    """The exit code of a command whose readers have gone before it says anything, and what the others read."""
    gone = {"stdout", "stderr"} if which == "both" else {which}
    reader, writer = os.pipe()
    os.close(reader)
    ends = {name: writer if name in gone else subprocess.PIPE for name in ("stdout", "stderr")}
    command = [sys.executable, *python, "-m", "auditor", *arguments]
    done = subprocess.run(command, cwd=cwd, env=environment(), timeout=300, **ends)
    os.close(writer)
    return done.returncode, done.stdout or b"", done.stderr or b""


def environment() -> dict[str, str]:
    return {**os.environ, "SOURCE_DATE_EPOCH": "1790000000"}


@pytest.fixture(scope="module")
def classifier(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return save(tmp_path_factory.mktemp("heard") / "model", "bert", "text-classification", **LABELS)


def audit_of(model: Path, here: Path) -> list[str]:
    """An audit whose one check fails, so that its exit code is no other's."""
    corpus(here)
    chosen = ["probes.prediction={}", "checks.accuracy.at_least=0.999"]
    own = ["--model", str(model), "--data", "corpus.jsonl", *(f"--set={one}" for one in chosen)]
    return ["run", *own, "--no-pdf"]


def is_whole(here: Path) -> bool:
    [found] = runs(here / "reports")
    place = open_run(found.run_id, here / "reports")
    return verify(place) == [] and (place.path / "report.html").stat().st_size > 10_000


@pytest.mark.exhaustive
def test_an_audit_without_streams_finishes_with_its_own_exit_code(classifier: Path, tmp_path: Path) -> None:
    """With all three closed, files could be given any of their numbers; the run that is there then answers the rest."""
    command = audit_of(classifier, tmp_path)
    for how in reversed(CLOSED):
        assert closed(how, *command, cwd=tmp_path) == 1
        assert is_whole(tmp_path)


@pytest.mark.exhaustive
def test_an_audit_whose_readers_have_gone_finishes_with_its_own_exit_code(classifier: Path, tmp_path: Path) -> None:
    command = audit_of(classifier, tmp_path)
    for which in ("both", "stderr"):
        code, out, _ = broken(which, *command, cwd=tmp_path)
        assert code == 1
        assert (b"report.html" in out) == (which == "stderr")
        assert is_whole(tmp_path)


def test_a_check_without_streams_says_by_its_exit_code_what_is_wrong(classifier: Path, tmp_path: Path) -> None:
    corpus(tmp_path)
    arguments = ("check", "--model", str(classifier), "--data", "corpus.jsonl", "--set=probes.prediction={}")
    assert closed(">&- 2>&-", *arguments, cwd=tmp_path) == 0
    assert closed(">&- 2>&-", "check", "--model", "m", cwd=tmp_path) == 2


@pytest.fixture
def here(tmp_path: Path) -> Path:
    """A folder with a finished run, and more runs than a pipe holds lines of."""
    for i in range(3):
        title = f"Audit {i} " + "x" * 60
        now = datetime(2026, 7, 29, 12, tzinfo=UTC)
        run = store.find_or_create(tmp_path / "reports", planned(title=title), now=now)
        run.write_shard("documents", Document, 0, [Document("1", "one")])
        run.write("findings.json", findings.write(sample_findings("pass", title)))
        run.write("report.html", b"<html>")
        run.finish({"verdict": "pass"})
    return tmp_path


COMMANDS = [("list",), ("show", "latest"), ("show", "latest", "--json"), ("verify", "latest"), ("schema", "findings")]


@pytest.mark.parametrize("arguments", [*COMMANDS, ("show", "no-such-run")])
def test_every_command_has_its_exit_code_whoever_listens(arguments: tuple[str, ...], here: Path) -> None:
    wanted = 2 if "no-such-run" in arguments else 0
    assert closed(CLOSED[-1], *arguments, cwd=here) == wanted
    for which in BROKEN:
        code, _, err = broken(which, *arguments, cwd=here)
        assert code == wanted
        assert b"Exception ignored" not in err
        assert b"Traceback" not in err


@pytest.mark.parametrize("python", [(), ("-u",)])
def test_what_is_read_before_the_reader_goes_is_whole(python: tuple[str, ...], here: Path) -> None:
    command = [sys.executable, *python, "-m", "auditor", "schema", "findings"]
    with subprocess.Popen(
        command, cwd=here, env=environment(), stdout=subprocess.PIPE, stderr=subprocess.PIPE
    ) as process:
        assert process.stdout is not None
        assert process.stderr is not None
        assert process.stdout.readline() == b"{\n"
        process.stdout.close()
        assert process.stderr.read() == b""
        assert process.wait() == 0


def test_a_result_that_does_not_fit_on_a_disk_is_an_error_and_progress_is_not(here: Path) -> None:
    with Path("/dev/full").open("wb") as full:
        command = [sys.executable, "-m", "auditor", "list"]
        done = subprocess.run(command, cwd=here, env=environment(), stdout=full, stderr=subprocess.PIPE, timeout=60)
        assert done.returncode == 74
        assert done.stderr.count(b"\n") == 1
        done = subprocess.run([*command, "--wrong"], cwd=here, env=environment(), stderr=full, timeout=60)
        assert done.returncode == 2


@pytest.fixture
def pipe() -> Iterator[tuple[int, int]]:
    reader, writer = os.pipe()
    yield reader, writer
    for end in (reader, writer):
        with contextlib.suppress(OSError):
            os.close(end)


def test_the_rest_is_dropped_once_a_write_has_failed(pipe: tuple[int, int]) -> None:
    reader, writer = pipe
    heard = io.TextIOWrapper(io.BufferedWriter(streams.Unheard(writer, (errno.EPIPE,))), "utf-8")
    print("one", file=heard, flush=True)
    assert os.read(reader, 100) == b"one\n"
    os.close(reader)
    for _ in range(3):
        print("two" * 10_000, file=heard, flush=True)
    heard.close()
    os.fstat(writer)  # is left to whom it belongs


def test_a_failure_that_is_not_forgiven_is_raised_once(pipe: tuple[int, int]) -> None:
    reader, writer = pipe
    os.close(reader)
    heard = io.BufferedWriter(streams.Unheard(writer, ()))
    heard.write(b"x")
    with pytest.raises(BrokenPipeError):
        heard.flush()
    heard.close()
