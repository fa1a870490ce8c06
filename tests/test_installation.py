"""A source tree that was never installed knows no probe and no task: every command that needs one says so."""

import os
import subprocess
import sys
import sysconfig
from importlib.metadata import EntryPoint, PackageNotFoundError
from pathlib import Path

import pytest

from auditor import registry
from auditor.errors import InstallationError

ROOT = Path(__file__).parents[1]
SAID = "auditor is not installed in this environment: pip install -e ."


@pytest.fixture(scope="module")
def tree(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The source, and beside it all packages of this environment but the one that says that auditor is installed."""
    tree = tmp_path_factory.mktemp("tree")
    (tree / "packages").mkdir()
    for folder in {sysconfig.get_path(name) for name in ("purelib", "platlib")}:
        for package in Path(folder).iterdir():
            if not package.name.startswith("auditor-"):
                (tree / "packages" / package.name).symlink_to(package)
    for part in ("auditor", "templates"):
        (tree / part).symlink_to(ROOT / part)
    return tree


def told(tree: Path, *command: str) -> subprocess.CompletedProcess[str]:
    """What the program says that runs from the tree; -S, so that no path file adds another one."""
    path = os.pathsep.join([str(tree), str(tree / "packages")])
    return subprocess.run(
        [sys.executable, "-S", "-m", "auditor", *command],
        check=False,
        capture_output=True,
        text=True,
        cwd=tree,
        env={**os.environ, "PYTHONPATH": path},
    )


@pytest.mark.parametrize(
    "command",
    [
        ["check", "--model", "model", "--data", "data.jsonl"],
        ["run", "--model", "model", "--data", "data.jsonl"],
        ["run", "--model", "model", "--data", "data.jsonl", "--task", "fill-mask", "--set", "probes.lime.limit=3"],
    ],
)
def test_an_audit_from_a_tree_that_is_not_installed_says_so_in_one_line(tree: Path, command: list[str]) -> None:
    answer = told(tree, *command)
    assert (answer.returncode, answer.stdout, answer.stderr) == (2, "", f"auditor: {SAID}\n")


def test_the_doctor_says_it_too(tree: Path) -> None:
    answer = told(tree, "doctor")
    assert answer.returncode == 2
    assert f"missing  auditor       0.1.0: {SAID}" in answer.stdout.splitlines()


def test_what_needs_no_registry_runs_all_the_same(tree: Path) -> None:
    assert told(tree, "list").stdout == "no runs in reports\n"
    assert told(tree, "--version").returncode == 0


def test_an_installation_older_than_the_code_is_told_apart_from_none(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(registry, "entry_points", lambda group: ())  # noqa: ARG005
    with pytest.raises(InstallationError, match=r"installed in this environment before its code had auditor\.tasks"):
        registry.registered("auditor.tasks")

    def absent(name: str) -> None:
        raise PackageNotFoundError(name)

    monkeypatch.setattr(registry, "distribution", absent)
    with pytest.raises(InstallationError) as fault:
        registry.registered("auditor.tasks")
    assert str(fault.value) == SAID


def test_what_an_older_installation_names_and_is_no_longer_there_is_to_be_installed_again() -> None:
    moved = EntryPoint("lime", "auditor.probes.lime:LimeProbe", "auditor.probes")
    with pytest.raises(InstallationError, match=r"lime = auditor\.probes\.lime:LimeProbe cannot be loaded.*-e \."):
        registry.load(moved)
