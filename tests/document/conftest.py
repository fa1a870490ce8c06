"""Every report is rendered once and every slow checker runs once, whichever test process asks first."""

import fcntl
import json
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
import sample_reports
from browsing import launched
from checkers import NU, or_fail, program, unpacked, verapdf_jars
from sample_reports import EXAMPLE, PRINTED, Report


@pytest.fixture(scope="session")
def once(tmp_path_factory) -> Callable[..., Path]:
    """`once(name, make)`: a folder that both test processes share, filled by `make(folder)` at the first call."""
    base = tmp_path_factory.getbasetemp()
    shelf = (base.parent if "PYTEST_XDIST_WORKER" in os.environ else base) / "documents"
    shelf.mkdir(exist_ok=True)

    def fill(name: str, make: Callable[[Path], None]) -> Path:
        folder = shelf / name
        with (shelf / f"{name}.lock").open("w") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            if not folder.exists():
                arriving = shelf / f"{name}.part"
                arriving.mkdir(exist_ok=True)
                make(arriving)
                arriving.rename(folder)
        return folder

    return fill


@pytest.fixture(scope="session")
def report(once) -> Callable[[str], Report]:
    """A sample report by its name."""

    def find(name: str) -> Report:
        if name == "example":
            return Report(name, EXAMPLE)
        return Report(name, once(name, lambda folder: sample_reports.make(name, folder)))

    return find


@pytest.fixture(scope="session")
def conformance(once, report) -> dict[str, dict[str, dict[str, int]]]:
    """What veraPDF finds: report → profile → failed rules."""

    def judge(folder: Path) -> None:
        files = {name: str(report(name).pdf) for name in PRINTED}
        plain = folder / "plain.pdf"
        plain.write_bytes(plain_pdf())
        found = json.loads(run_vera(*files.values(), str(plain)))
        verdicts = {name: found[file] for name, file in {**files, "plain": str(plain)}.items()}
        (folder / "verdicts.json").write_text(json.dumps(verdicts), encoding="utf-8")

    return json.loads((or_fail(lambda: once("vera", judge)) / "verdicts.json").read_text(encoding="utf-8"))


def plain_pdf() -> bytes:
    """A PDF that claims nothing, to see that the judge can say no."""
    from auditor.report.pdf import load_weasyprint

    return bytes(load_weasyprint().HTML(string="<title>x</title>" + "<p>plain</p>" * 99).write_pdf())


def run_vera(*files: str) -> bytes:
    """The output of vera.py."""
    script = str(Path(__file__).with_name("vera.py"))
    command = [sys.executable, script, ":".join(verapdf_jars()), "ua1,3a", *files]
    return subprocess.run(command, stdout=subprocess.PIPE, check=True).stdout


@pytest.fixture(scope="session")
def faults_of_pages(once, report) -> dict[str, list[str]]:
    """What the Nu HTML checker finds: report → messages."""

    def judge(folder: Path) -> None:
        files = {str(report(name).html): name for name in sample_reports.ALL}
        broken = folder / "broken.html"
        broken.write_text("<p><b>open", encoding="utf-8")
        options = ["--stdout", "--exit-zero-always", "--format", "json", "--errors-only"]
        java = [program("default-jre-headless", "java"), "-XX:TieredStopAtLevel=1", "-XX:+UseSerialGC", "-Xss8m"]
        command = [*java, "-jar", str(unpacked(NU)), *options, *files, str(broken)]
        done = subprocess.run(command, stdout=subprocess.PIPE, check=True)
        found: dict[str, list[str]] = {name: [] for name in (*files.values(), "broken")}
        for message in json.loads(done.stdout)["messages"]:
            name = files.get(message["url"].removeprefix("file:"), "broken")
            found[name].append(f"line {message.get('lastLine')}: {message['message']}")
        (folder / "messages.json").write_text(json.dumps(found), encoding="utf-8")

    return json.loads((or_fail(lambda: once("nu", judge)) / "messages.json").read_text(encoding="utf-8"))


@pytest.fixture(scope="session")
def browser():
    manager, chromium = or_fail(launched)
    yield chromium
    chromium.close()
    manager.stop()
