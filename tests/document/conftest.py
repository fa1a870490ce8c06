"""Every slow checker runs once and every page is taken apart once, whichever test process asks first."""

import functools
import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import sample_reports
from browsing import found_on, launched
from checkers import NU, or_fail, program, unpacked, verapdf_jars
from sample_reports import PRINTED

JUDGES = {"browser", "conformance", "faults_of_pages"}
"""Fixtures that start a browser or a virtual machine."""


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """What large programs judge is tried where every case is: they take most of a minute each."""
    for item in items:
        if JUDGES & set(getattr(item, "fixturenames", ())):
            item.add_marker(pytest.mark.exhaustive)


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
    from auditor.report.page.pdf import load_weasyprint

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


@pytest.fixture(scope="session")
def found(once, browser, report):
    """What a browser finds on the page of a report, by the name of the report."""

    def look(name: str) -> dict[str, dict[str, Any]]:
        def make(folder: Path) -> None:
            (folder / "found.json").write_text(json.dumps(found_on(browser, report(name))), encoding="utf-8")

        return json.loads((once(f"found-{name}", make) / "found.json").read_text(encoding="utf-8"))

    return functools.cache(look)
