"""What `auditor init --schedule` and `--docker` print is understood by systemd, cron, GitHub, Kubernetes and Docker."""

import configparser
import json
import os
import re
import shutil
import subprocess
import sys
from datetime import datetime
from pathlib import Path
from zoneinfo import ZoneInfo

import check_jsonschema
import kubernetes_validate
import pytest
import typer
import yaml
from cronsim import CronSim

from auditor import errors
from auditor.terminal import cli, manual, scheduling
from auditor.terminal.cli import main

UNITS = {
    "Unit": {"Description"},
    "Service": {
        *("Type", "WorkingDirectory", "Environment", "ExecStart", "SuccessExitStatus", "KillMode", "TimeoutStopSec"),
        *("Nice", "IOSchedulingClass", "NoNewPrivileges"),
    },
    "Timer": {"OnCalendar", "Persistent", "AccuracySec"},
    "Install": {"WantedBy"},
}
KINDS = [["--schedule", kind] for kind in scheduling.Schedule] + [["--docker"]]
AWKWARD = '100 % "sure" $HOME\'s.toml'


@pytest.fixture(autouse=True)
def config(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("HF_TOKEN", "hf_" + "x" * 34)
    Path("audit.toml").touch()
    return Path("audit.toml")


def written(*arguments: object) -> dict[str, str]:
    assert main(["init", *map(str, arguments), "--out", "out", "--at", "02:30", "--timezone", "Europe/Berlin"]) == 0
    return {path.name: path.read_text(encoding="utf-8") for path in Path("out").iterdir()}


def conforms(schema: str, path: Path) -> bool:
    with pytest.raises(SystemExit) as done:
        check_jsonschema.main(["--builtin-schema", f"vendor.{schema}", str(path)])
    return done.value.code == 0


def stub(folder: Path, code: int) -> str:
    """A program `auditor` that says a line and ends with this code."""
    path = folder / "bin" / "auditor"
    path.parent.mkdir(exist_ok=True)
    path.write_text(f"#!/bin/sh\necho told\nexit {code}\n", encoding="utf-8")
    path.chmod(0o755)
    return str(path)


def unit(text: str) -> configparser.ConfigParser:
    parser = configparser.ConfigParser(interpolation=None, strict=True, delimiters=("=",), comment_prefixes=("#",))
    parser.optionxform = str  # type: ignore[method-assign,assignment]
    parser.read_string(text)
    return parser


@pytest.mark.parametrize("name", ["audit.toml", AWKWARD])
def test_systemd_runs_it_every_night_and_makes_up_for_a_missed_one(name):
    Path(name).touch()
    files = written(name, "--schedule", "systemd")
    service, timer = unit(files["auditor-nightly.service"]), unit(files["auditor-nightly.timer"])
    for parsed in (service, timer):
        assert all(set(parsed[section]) <= UNITS[section] for section in parsed.sections())
    assert timer["Timer"]["OnCalendar"] == "*-*-* 02:30:00 Europe/Berlin"
    assert timer["Timer"]["Persistent"] == "true"
    assert service["Service"]["SuccessExitStatus"] == str(errors.InterruptedRunError.exit_code)
    if program := shutil.which("systemd-analyze"):
        paths = [Path("out") / file for file in files]
        done = subprocess.run([program, "verify", "--man=no", *paths], capture_output=True, text=True, check=False)
        assert (done.returncode, done.stderr) == (0, "")


def test_a_unit_has_no_specifier_and_no_variable_by_accident(tmp_path, monkeypatch):
    folder = tmp_path / "50 % of $it"
    folder.mkdir()
    (folder / AWKWARD).touch()
    monkeypatch.setattr(scheduling, "_auditor", lambda: ["/opt/a b/auditor"])
    monkeypatch.setenv("HF_HOME", '/hub 1 %"')
    files = written(folder / AWKWARD, "--schedule", "systemd")
    service = unit(files["auditor-nightly.service"])
    assert service["Unit"]["Description"] == 'Audit 100 %% "sure" $HOME\'s'
    told = service["Service"]
    assert told["WorkingDirectory"] == str(folder).replace("%", "%%")
    assert told["Environment"] == '"HF_HOME=/hub 1 %%\\""'
    assert told["ExecStart"] == ('"/opt/a b/auditor" nightly -c "100 %% \\"sure\\" $$HOME\'s.toml" --deadline 5h')


def job(crontab: str) -> tuple[dict[str, str], str, str]:
    """Variables, times and command of the only job, as cron reads them."""
    *settings, line = [line for line in crontab.splitlines() if line and not line.startswith("#")]
    fields = line.split(maxsplit=5)
    assert not re.search(r"(?<!\\)%", fields[5])
    return dict(one.split("=", 1) for one in settings), " ".join(fields[:5]), fields[5].replace("\\%", "%")


@pytest.mark.parametrize("name", ["audit.toml", AWKWARD])
@pytest.mark.parametrize(("code", "mail"), [(0, ""), (5, ""), (1, "told\n"), (75, "told\n")])
def test_cron_starts_it_at_its_time_and_sends_mail_where_it_matters(monkeypatch, tmp_path, name, code, mail):
    Path(name).touch()
    monkeypatch.setattr(scheduling, "_auditor", lambda: [stub(tmp_path, code)])
    settings, times, command = job(written(name, "--schedule", "cron")["crontab"])
    night = next(CronSim(times, datetime(2026, 7, 1, 12, tzinfo=ZoneInfo(settings["CRON_TZ"]))))
    assert night.isoformat() == "2026-07-02T02:30:00+02:00"
    done = subprocess.run(["/bin/sh", "-c", command], cwd="/", capture_output=True, text=True, check=False)
    assert (done.stdout, done.stderr) == (mail, "")


@pytest.mark.parametrize(("code", "ends"), [(0, 0), (1, 1), (5, 0), (75, 75)])
def test_github_takes_the_workflow_and_a_deadline_is_a_warning(config, tmp_path, code, ends):
    workflow = yaml.load(written(config, "--schedule", "github")["nightly.yml"], yaml.BaseLoader)
    assert workflow["on"]["schedule"] == [{"cron": "30 2 * * *", "timezone": "Europe/Berlin"}]
    (step,) = [step for step in workflow["jobs"]["audit"]["steps"] if step.get("name") == "One night"]
    stub(tmp_path, code)
    environment = {"PATH": f"{tmp_path / 'bin'}:{os.environ['PATH']}", "AUDIT": "audit.toml"}
    done = subprocess.run(["bash", "-e", "-c", step["run"]], env=environment, capture_output=True, check=False)
    assert (done.returncode, b"::warning::" in done.stdout) == (ends, code == 5)


def test_github_and_compose_conform_to_their_schemas(config):
    written(config, "--schedule", "github", "--docker")
    assert conforms("github-workflows", Path("out/nightly.yml"))
    assert conforms("compose-spec", Path("out/compose.yaml"))
    Path("out/nightly.yml").write_text("on: push\njobs: 1\n", encoding="utf-8")
    assert not conforms("github-workflows", Path("out/nightly.yml"))


def test_kubernetes_takes_the_job_and_tries_again_what_another_try_may_mend(config):
    made = yaml.safe_load(written(config, "--schedule", "kubernetes")["cronjob.yaml"])
    kubernetes_validate.validate(made, kubernetes_validate.latest_version(), strict=True)
    assert (made["spec"]["schedule"], made["spec"]["timeZone"]) == ("30 2 * * *", "Europe/Berlin")
    drained, ended = made["spec"]["jobTemplate"]["spec"]["podFailurePolicy"]["rules"]
    assert (drained["action"], ended["action"]) == ("Ignore", "FailJob")
    again = {errors.DiskError.exit_code, errors.LockedError.exit_code, errors.EXIT_BUG, errors.EXIT_FINE}
    assert set(ended["onExitCodes"]["values"]) == exit_codes() - again


def exit_codes() -> set[int]:
    """All that the manual lists."""
    return {int(code) for code in re.findall(r"^\| +(\d+) \|", manual.read("exit-codes"), re.MULTILINE)}


def test_kubernetes_expands_no_name_of_a_file():
    Path(AWKWARD).touch()
    made = yaml.safe_load(written(AWKWARD, "--schedule", "kubernetes")["cronjob.yaml"])
    (container,) = made["spec"]["jobTemplate"]["spec"]["template"]["spec"]["containers"]
    assert container["args"][2] == f"/audit/{AWKWARD}".replace("$", "$$")


@pytest.mark.parametrize("name", ["audit.toml", AWKWARD])
def test_the_image_is_sound_and_starts_the_night(name):
    Path(name).touch()
    files = written(name, "--docker")
    assert set(files) == {"Dockerfile", "compose.yaml", ".dockerignore"}
    lint = Path(sys.executable).with_name("hadolint")
    program = str(lint) if lint.is_file() else shutil.which("hadolint")
    assert program, "hadolint is missing: pip install -e '.[dev]'"
    done = subprocess.run([program, "--no-color", "out/Dockerfile"], capture_output=True, text=True, check=False)
    assert (done.returncode, done.stdout) == (0, "")
    starts = json.loads(re.findall(r"^CMD (.*)$", files["Dockerfile"], re.MULTILINE)[0])
    composed = yaml.safe_load(files["compose.yaml"])["services"]["nightly"]["command"]
    assert composed == [word.replace("$", "$$") for word in starts]
    assert starts[2] == f"/audit/{name}"
    pango = re.search(r"apt-get install (libpango.*)", manual.read("install"))
    assert pango is not None
    assert pango[1] in files["Dockerfile"]


@pytest.mark.parametrize(
    ("name", "out", "mounted"),
    [("audit.toml", "out", ".."), ("audit.toml", ".", "."), ("deploy/a b$c/audit.toml", "deploy", "./a b$$c")],
)
def test_the_folder_of_the_configuration_is_mounted_wherever_the_files_lie(name, out, mounted):
    Path(name).parent.mkdir(parents=True, exist_ok=True)
    Path(name).touch()
    assert main(["init", name, "--docker", "--out", out]) == 0
    service = yaml.safe_load(Path(out, "compose.yaml").read_text(encoding="utf-8"))["services"]["nightly"]
    sources = {volume["target"]: volume["source"] for volume in service["volumes"]}
    assert sources == {"/audit": mounted, "/reports": "./reports", "/cache": "cache"}
    assert Path(out, mounted.replace("$$", "$"), Path(service["command"][2]).name).is_file()
    assert conforms("compose-spec", Path(out, "compose.yaml"))


def test_github_is_told_the_configuration_as_the_repository_has_it(config, capsys, monkeypatch):
    workflow = yaml.safe_load(written(config.absolute(), "--schedule", "github")["nightly.yml"])
    assert workflow["jobs"]["audit"]["env"]["AUDIT"] == "audit.toml"
    Path("elsewhere").mkdir()
    monkeypatch.chdir("elsewhere")
    assert main(["init", "../audit.toml", "--schedule", "github"]) == 2
    assert "is not below this folder" in capsys.readouterr().err


@pytest.mark.parametrize("kind", KINDS)
def test_commands_are_those_of_the_program_and_no_secret_is_told(config, kind):
    known = {flag for one in typer.main.get_command(cli.app).commands["nightly"].params for flag in one.opts}
    for name, text in written(config, *kind).items():
        assert os.environ["HF_TOKEN"] not in text
        assert text.startswith("# ")
        assert Path(name).name in text.splitlines()[0] or name == "crontab"
        for line in (line for line in text.splitlines() if re.search(r"\bnightly,? .*-c\b", line)):
            flags = re.findall(r"(?<!\S)(--?[a-z][a-z-]*)", line.split("nightly", 1)[1].split(">")[0])
            assert set(flags) <= known


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["other.toml", "--schedule", "cron"], "other.toml: not found"),
        (["--schedule", "cron", "--at", "25:00"], "expected a time of the day"),
        (["--docker", "--timezone", "Europe/Atlantis"], "expected the name of a time zone"),
        (["--docker", "--timezone", "../../etc/passwd"], "expected the name of a time zone"),
        (["--docker", "--out", "."], "exists already"),
        (["new.toml", "--out", "deploy"], "--out deploy: is for the files of --schedule or --docker"),
        (["--docker", "--model", "m"], "--model and --data are for a new configuration"),
    ],
)
def test_what_cannot_be_is_said(capsys, arguments, said):
    Path("compose.yaml").write_text("mine", encoding="utf-8")
    assert main(["init", *arguments]) == 2
    assert said in capsys.readouterr().err
    assert sorted(path.name for path in Path().iterdir()) == ["audit.toml", "compose.yaml"]


def test_without_a_folder_they_are_printed(capsys):
    assert main(["init", "--schedule", "systemd"]) == 0
    printed = capsys.readouterr().out
    assert main(["init", "--schedule", "systemd", "--json"]) == 0
    files = json.loads(capsys.readouterr().out)["files"]
    assert printed == "".join(files.values())
    assert "OnCalendar=*-*-* 02:30:00 UTC" in printed
