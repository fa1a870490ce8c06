"""Every command prints one JSON object on stdout where it is asked to, and nothing else there, whatever happens."""

import json
import sys
from pathlib import Path
from types import SimpleNamespace

import pytest
import typer

import auditor
from auditor.records.sums import Fault
from auditor.running.proving import Verified
from auditor.terminal import cli, doctor, nightly
from auditor.terminal.cli import main
from auditor.terminal.faults import wants_json
from tests.test_cli import QUICK, FakeAudit, finished_run


def leaves(command, *path):
    """Every command, by its words."""
    for name, inner in getattr(command, "commands", {}).items():
        yield from leaves(inner, *path, name)
    if not hasattr(command, "commands"):
        yield " ".join(path), command


COMMANDS = dict(leaves(typer.main.get_command(cli.app)))
ASKED = {
    "run": QUICK,
    "check": QUICK,
    "nightly": QUICK,
    "report": ["RUN"],
    "list": [],
    "show": ["RUN"],
    "verify": ["RUN"],
    "sign": ["RUN", "--key", "key.p12"],
    "lock": QUICK,
    "finish": ["RUN"],
    "doctor": [],
    "init": ["new.toml"],
    "schema": ["findings"],
    "help": [],
    "history": ["RUN"],
    "export": ["RUN", "--to", "csv", "--out", "exported"],
    "prune": [],
    "baseline set": ["RUN"],
    "baseline show": [],
    "baseline clear": ["RUN"],
}
"""What each command is asked here; `diff` names a file, or -, behind `--json` (tests/test_diff.py)."""


@pytest.fixture
def run(tmp_path, monkeypatch):
    """A finished run; audits, and looks at the machine, are doubles."""
    monkeypatch.chdir(tmp_path)
    made = finished_run(Path("reports"))
    fake = FakeAudit(made)
    monkeypatch.setitem(sys.modules, "auditor.audit", fake)
    monkeypatch.setattr(auditor, "audit", fake, raising=False)
    monkeypatch.setattr(doctor, "examine", lambda _: [doctor.Finding("torch", "missing", "pip install torch", 4)])
    monkeypatch.setattr(nightly, "prune_audit", lambda *_: [])
    fake.result.comparison = None
    fake.finish = lambda *_, **__: fake.result
    monkeypatch.setattr("auditor.running.locking.make", lambda _: {})
    monkeypatch.setattr("auditor.running.sealing.sign_run", lambda *_: Path("audit.toml"))
    monkeypatch.setattr("auditor.report.page.signatures.verify", lambda _: (SimpleNamespace(signer="Ada", time="now"),))
    Path("audit.toml").touch()
    return made


def told(capsys, *arguments):
    """Exit code, the object on stdout, stderr."""
    code = main([str(argument) for argument in arguments])
    out, err = capsys.readouterr()
    found = json.loads(out)
    assert isinstance(found, dict)
    return code, found, err


def test_every_command_has_the_option_and_is_asked_here():
    assert set(ASKED) | {"diff"} == set(COMMANDS)
    assert {
        name for name, command in COMMANDS.items() if all("--json" not in one.opts for one in command.params)
    } == set()


@pytest.mark.parametrize("command", ASKED)
def test_a_command_prints_one_object(run, capsys, command):
    arguments = [run.path if word == "RUN" else word for word in ASKED[command]]
    code, found, err = told(capsys, *command.split(), *arguments, "--json")
    assert "error" not in found
    assert found.get("exit_code", 0) == code == (4 if command == "doctor" else 0)
    assert "Traceback" not in err


@pytest.mark.parametrize("command", [*ASKED, "diff"])
def test_wrong_use_is_an_object_too(capsys, command):
    flag = ["--json", "-"] if command == "diff" else ["--json"]
    code, found, err = told(capsys, *command.split(), *flag, "--no-such-option")
    assert (code, found["exit_code"], found["error"]["kind"]) == (2, 2, "UsageError")
    assert "--no-such-option" in found["error"]["message"]
    assert "--no-such-option" in err


@pytest.mark.usefixtures("run")
@pytest.mark.parametrize("command", ["report", "show", "verify", "history", "baseline set", "baseline clear"])
def test_a_run_that_there_is_not_is_an_object_and_a_line(capsys, command):
    code, found, err = told(capsys, *command.split(), "nowhere", "--json")
    assert (code, found["exit_code"], found["error"]["kind"]) == (2, 2, "NoSuchRunError")
    assert err == f"auditor: {found['error']['message']}\n"


@pytest.mark.usefixtures("run")
@pytest.mark.parametrize(
    ("raised", "code", "kind"),
    [
        (KeyboardInterrupt(), 5, "InterruptedRunError"),
        (OSError(28, "No space left on device", "x"), 74, "DiskError"),
        (ZeroDivisionError(), 70, "ZeroDivisionError"),
    ],
)
def test_whatever_is_raised_is_an_object(capsys, monkeypatch, raised, code, kind):
    def failing(*_, **__):
        raise raised

    monkeypatch.setattr(auditor.audit, "run", failing)
    ended, found, _ = told(capsys, "run", *QUICK, "--json")
    assert (ended, found["exit_code"], found["error"]["kind"]) == (code, code, kind)


def test_faults_of_a_run_are_listed(run, capsys, monkeypatch):
    fault = Fault("report.html", "was changed")
    monkeypatch.setattr("auditor.running.proving.verify_run", lambda *_: Verified(run.run_id, [fault]))
    code, found, err = told(capsys, "verify", run.path, "--json")
    assert (code, found["sound"], found["faults"]) == (6, False, [{"path": "report.html", "problem": "was changed"}])
    assert err == f"auditor: {run.path}: 1 fault, see above\n"


def test_without_the_option_stdout_has_no_object(capsys):
    assert main(["show", "nowhere"]) == 2
    assert capsys.readouterr().out == ""


@pytest.mark.parametrize(
    ("arguments", "wanted"),
    [
        (["run", "--json"], True),
        (["diff", "a", "--json", "-"], True),
        (["diff", "a", "--json=-"], True),
        (["diff", "a", "--json", "changes.json"], False),
        (["list"], False),
        ([], False),
    ],
)
def test_when_an_object_is_wanted(arguments, wanted):
    assert wants_json(arguments) is wanted
