"""The command line: what it prints where, and its exit codes. The audit itself is a double."""

import errno
import json
import os
import signal
import subprocess
import sys
import tomllib
import types
from datetime import UTC, datetime
from pathlib import Path

import pytest

import auditor
from auditor import findings
from auditor.errors import ConfigError, LockedError, ModelError
from auditor.findings.contract.types import Check, Coverage, Findings, Nats, Number, Pointer, Verdict
from auditor.records import store
from auditor.records.types import Document
from auditor.terminal.cli import main
from auditor.terminal.options import read_options
from tests.records.planned import planned

HEAVY = ("torch", "transformers", "matplotlib", "weasyprint", "pyarrow", "scipy", "numpy", "jinja2", "yaml")
NOON = datetime(2026, 7, 29, 12, tzinfo=UTC)
QUICK = ["--model", "some/model", "--data", "some.jsonl"]


def number(value=0.8365):
    low, high = (None, None) if value is None else (value - 0.05, value + 0.05)
    return Number(
        name="accuracy", title="Accuracy", value=value, low=low, high=high, n=1200, unit="share", protocol="Wilson."
    )


def sample_findings(verdict="pass", title="Film reviews"):
    check = Check(
        name="accuracy", title="Accuracy", bound=0.8, direction="at_least", required=True, number=number(),
        result="pass", reason="It is.",
    )  # fmt: skip
    unjudged = check.model_copy(update={"result": "not judged", "number": None, "reason": "There are no labels."})
    coverage = Coverage(
        probe="lime", corpus=200, asked=50, measured=49, failed=1, truncated=0, failures=(("7", "blank", ""),)
    )
    return Findings(
        title=title, task="text-classification", run_id="r", plan_id="p", created="2026-07-29T12:00:00Z", model={},
        corpus={}, provenance={}, parameters={}, checks=(check, unjudged), key_numbers=(number(),), pointers=(),
        conclusion=(Pointer(severity="pass", topic="Sign-off", text="Because.", section=""),),
        verdict=Verdict(result=verdict, headline="1 of 2 checks passes."),
        coverage=(coverage,), notes=("LIME ran on 50 documents.",), numbers=(), slices=(), n_comparisons=0,
        analyses={}, documents=(),
    )  # fmt: skip


def finished_run(root, title="Film reviews", verdict="pass"):
    run = store.find_or_create(root, planned(title=title), now=NOON)
    run.write_shard("documents", Document, 0, [Document("1", "one")])
    run.write("findings.json", findings.write(sample_findings(verdict, title)))
    run.write("report.html", b"<html>")
    run.finish({"verdict": verdict})
    return run


class FakeAudit(types.ModuleType):
    """Answers like `auditor.audit`, and keeps what it was asked."""

    def __init__(self, run):
        super().__init__("auditor.audit")
        self.result = types.SimpleNamespace(
            run=run, findings=sample_findings(), html=run.path / "report.html", pdf=run.path / "report.pdf",
            reused=False, pdf_error=None,
        )  # fmt: skip
        self.raises, self.asked, self.config = None, {}, None

    def run(self, config, **asked):
        self.config, self.asked = config, asked
        if self.raises:
            raise self.raises
        asked["progress"].start({"lime": 40})
        for _ in range(8):
            asked["progress"].advance("lime", 5)
        return self.result

    def rerender(self, run, **asked):
        self.asked = {"run": run.run_id, **asked}
        return self.result

    def check(self, config):
        self.config = config
        return types.SimpleNamespace(lines=["would run lime", "on 200 documents"], as_json=lambda: {"probes": ["lime"]})


@pytest.fixture
def audit(tmp_path, monkeypatch):
    fake = FakeAudit(finished_run(tmp_path / "reports"))
    monkeypatch.setitem(sys.modules, "auditor.audit", fake)
    monkeypatch.setattr(auditor, "audit", fake, raising=False)
    return fake


@pytest.fixture
def auditor_says(capsys):
    """Run one command; returns exit code, stdout, stderr."""

    def run(*arguments):
        code = main([str(argument) for argument in arguments])
        return code, *capsys.readouterr()

    return run


def test_help_lists_every_command(auditor_says):
    code, out, err = auditor_says("--help")
    assert (code, err) == (0, "")
    for command in (
        "run",
        "check",
        "report",
        "list",
        "show",
        "verify",
        "lock",
        "sign",
        "doctor",
        "init",
        "schema",
        "baseline",
        "prune",
    ):
        assert f"\n  {command} " in out
    assert not any(line.endswith("...") for line in out.splitlines()[1:]), "a summary is too long for 80 columns"


def test_the_version(auditor_says):
    assert auditor_says("--version") == (0, f"{auditor.__version__}\n", "")


@pytest.mark.parametrize("command", [["--help"], ["list", "--root", "."], ["run", "--help"], ["lit"]])
def test_a_quick_command_imports_nothing_heavy(command, tmp_path):
    finished_run(tmp_path)
    code = f"import sys; from auditor.terminal.cli import main; main({command}); print(*sys.modules, file=sys.stderr)"
    done = subprocess.run([sys.executable, "-c", code], cwd=tmp_path, capture_output=True, text=True, check=True)
    assert not set(HEAVY) & set(done.stderr.split())


def test_verify_needs_neither_torch_nor_the_model(tmp_path):
    finished_run(tmp_path)
    code = (
        "import sys; sys.modules['torch'] = None; from auditor.terminal.cli import main; sys.exit(main(sys.argv[1:]))"
    )
    verify = [sys.executable, "-c", code, "verify", "latest", "--root", "."]
    subprocess.run(verify, cwd=tmp_path, capture_output=True, check=True)


def test_the_module_is_the_command(tmp_path):
    done = subprocess.run(
        [sys.executable, "-m", "auditor", "list"], cwd=tmp_path, capture_output=True, text=True, check=False
    )
    assert (done.returncode, done.stdout) == (0, "no runs in reports\n")


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["lit"], "Did you mean 'list'"),
        (["run", "--modle", "x"], "--modle"),
        (["show"], "RUN"),
        (["schema", "plan"], "plan"),
        (["run"], "expected a configuration file, or --model MODEL and --data FILE"),
        (["run", "--model", "x"], "--data FILE"),
        (["run", "a.toml", "-c", "b.toml"], "found two: a.toml and --config b.toml"),
        (["run", "no.toml"], "no.toml: no such file"),
        (["run", *QUICK, "--set", "seed"], "--set seed: expected KEY=VALUE"),
        (["run", *QUICK, "--set", "sede=1"], "sede"),
        (["run", *QUICK, "--trust-remote-code"], "40 hexadecimal digits"),
        (["show", "nothing"], "nothing: no such run in reports"),
        (["verify", "gone.pdf"], "gone.pdf: no such file; expected a report.pdf, or a run"),
    ],
)
def test_wrong_use_is_exit_2_and_says_what_is_wrong(auditor_says, audit, arguments, said):
    code, out, err = auditor_says(*arguments)
    assert (code, out) == (2, "")
    assert said in err
    assert "Traceback" not in err
    assert audit.asked == {}


def test_run_prints_verdict_checks_and_where_the_reports_lie(auditor_says, audit):
    code, out, err = auditor_says("run", *QUICK)
    assert code == 0
    assert out.splitlines() == [
        "pass: 1 of 2 checks passes.",
        "  pass        Accuracy at least 0.8: 0.8365 (0.7865 to 0.8865), n = 1,200",
        "  not judged  Accuracy at least 0.8: There are no labels.",
        str(audit.result.html),
        str(audit.result.pdf),
    ]
    assert err.splitlines()[-1] == "lime: 40 of 40 documents"


def test_run_hands_on_every_option(auditor_says, audit):
    flags = "--task text-classification --text-column body --label-column stars --pair-column other --device cpu"
    more = "--dtype float32 --batch-tokens 512 --limit 7 --seed 3 --output out --set probes.lime.n_samples=200 --fresh"
    assert auditor_says("run", *QUICK, *flags.split(), *more.split(), "--no-pdf")[0] == 0
    config = audit.config
    assert (config.model.name, config.model.task, config.model.device) == ("some/model", "text-classification", "cpu")
    assert (config.model.dtype, config.model.batch_tokens) == ("float32", 512)
    assert (config.corpus.path, config.corpus.text, config.corpus.label) == ("some.jsonl", "body", "stars")
    assert (config.corpus.pair, config.corpus.limit, config.seed, config.run.output) == ("other", 7, 3, "out")
    assert config.probes == {"lime": {"n_samples": 200}}
    assert (audit.asked["fresh"], audit.asked["pdf"]) == (True, False)
    assert audit.asked["command"].startswith("auditor run --model some/model --data some.jsonl --task")


def test_a_command_line_that_is_not_utf_8_is_kept_as_a_report_can_hold_it(auditor_says, audit, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    Path("caf\udce9.toml").write_text("[corpus]\npath = 'a.csv'\n[model]\nname = 'm'")
    assert auditor_says("run", "caf\udce9.toml")[0] == 0
    assert audit.asked["command"] == "auditor run 'caf\\udce9.toml'"


@pytest.mark.parametrize("given", [["audit.toml"], ["-c", "audit.toml"], ["--config", "audit.toml"]])
def test_a_configuration_file_is_read_and_flags_take_precedence(auditor_says, audit, tmp_path, monkeypatch, given):
    monkeypatch.chdir(tmp_path)
    Path("audit.toml").write_text('[model]\nname = "m"\n[corpus]\npath = "c.jsonl"\n[report]\npdf = false\n')
    assert auditor_says("run", *given, "--model", "other")[0] == 0
    assert (audit.config.model.name, audit.config.corpus.path) == ("other", "c.jsonl")
    assert (audit.asked["fresh"], audit.asked["pdf"]) == (False, False)


def test_run_as_json_is_one_object_and_nothing_else(auditor_says, audit):
    code, out, _ = auditor_says("run", *QUICK, "--json")
    told = json.loads(out)
    assert (code, told["exit_code"], told["result"]) == (0, 0, "pass")
    assert told["html"] == str(audit.result.html)
    assert told["checks"][0]["number"]["value"] == 0.8365
    assert told["run_id"] == audit.result.run.run_id


@pytest.mark.parametrize(
    ("verdict", "pdf_error", "expected"),
    [
        ("pass", None, 0),
        ("pass with conditions", None, 0),
        ("not established", None, 8),
        ("not established", "no Pango", 8),
        ("fail", None, 1),
        ("pass", "no Pango", 7),
        ("fail", "no Pango", 1),
    ],
)
def test_the_exit_code_of_a_finished_run(auditor_says, audit, verdict, pdf_error, expected):
    audit.result.findings = sample_findings(verdict)
    audit.result.pdf_error = pdf_error
    code, out, err = auditor_says("run", *QUICK)
    assert code == expected
    assert out.startswith(verdict)
    assert ("auditor: no PDF: no Pango" in err) == bool(pdf_error)


def test_a_run_that_was_complete_already_says_so(auditor_says, audit):
    audit.result.reused = True
    _, out, _ = auditor_says("run", *QUICK)
    assert out.startswith("complete already: nothing was computed; `auditor run --fresh` runs it anew\n")
    assert json.loads(auditor_says("run", *QUICK, "--json")[1])["reused"] is True


@pytest.mark.parametrize(
    ("error", "expected", "said"),
    [
        (ModelError("m: expected safetensors"), 4, "auditor: m: expected safetensors\n"),
        (LockedError("r: locked by process 7"), 75, "auditor: r: locked by process 7\n"),
        (KeyboardInterrupt(), 5, "auditor: interrupted; what is measured is kept: resume with the same command\n"),
        (OSError(errno.ENOSPC, "No space left on device", "/cache"), 74, "/cache: No space left on device; what was"),
    ],
)  # fmt: skip
def test_an_error_is_one_line_and_its_exit_code(auditor_says, audit, error, expected, said):
    audit.raises = error
    code, out, err = auditor_says("run", *QUICK)
    assert (code, out) == (expected, "")
    assert said in err
    assert len(err.splitlines()) == bool(said)


def test_a_defect_of_the_program_is_not_hidden(auditor_says, audit):
    audit.raises = ZeroDivisionError()
    code, out, err = auditor_says("run", *QUICK)
    assert (code, out) == (70, "")
    assert err.startswith("Traceback")
    assert err.endswith(
        "ZeroDivisionError\nauditor: this is a fault of auditor, not of your input: please report it; "
        "what is measured is kept\n"
    )


def test_what_comes_from_a_corpus_does_not_steer_the_terminal(auditor_says, audit):
    audit.raises = ModelError("label \x1b[31m\u202edlo\rx")
    assert auditor_says("run", *QUICK)[2] == "auditor: label \ufffd[31m\ufffddlo\ufffdx\n"


def test_what_may_be_copied_from_a_complaint_stands_there_without_our_name(auditor_says, audit):
    audit.raises = ConfigError("complete this table")
    audit.raises.add_note('[corpus.labels]\n"+1" = ""  # \x1b[31m')
    err = 'auditor: complete this table\n[corpus.labels]\n"+1" = ""  # \ufffd[31m\n'
    assert auditor_says("run", *QUICK) == (2, "", err)


@pytest.mark.usefixtures("audit")
def test_check_says_what_would_run(auditor_says):
    assert auditor_says("check", *QUICK) == (0, "would run lime\non 200 documents\n", "")
    assert json.loads(auditor_says("check", *QUICK, "--json")[1]) == {"probes": ["lime"]}


def test_report_renders_again(auditor_says, audit, tmp_path):
    code, out, _ = auditor_says("report", "latest", "--root", tmp_path / "reports", "--no-pdf")
    asked = {"run": audit.result.run.run_id, "pdf": False, "templates": None, "fonts": None}
    assert (code, audit.asked) == (0, asked)
    assert out.endswith("report.pdf\n")
    audit.result.pdf_error = "no Pango"
    assert auditor_says("report", audit.result.run.path)[0] == 7
    audit.result = types.SimpleNamespace(
        **{**vars(audit.result), "findings": sample_findings("fail"), "pdf_error": None}
    )
    assert auditor_says("report", audit.result.run.path)[0] == 0, "rendering is no gate"


def test_report_takes_templates_and_fonts_of_the_reader(auditor_says, audit, tmp_path):
    own = ("--templates", tmp_path / "t", "--fonts", tmp_path / "f")
    assert auditor_says("report", audit.result.run.path, *own)[0] == 0
    assert (audit.asked["templates"], audit.asked["fonts"]) == (tmp_path / "t", tmp_path / "f")
    config = read_options(model="m", data=tmp_path / "d", templates=Path("t"), fonts=tmp_path / "f")
    assert config.locate("report.templates") == Path("t"), "a folder given by a flag is relative to where one stands"
    assert config.locate("report.fonts") == tmp_path / "f"


def test_list_shows_every_run(auditor_says, tmp_path):
    assert auditor_says("list", "--root", tmp_path) == (0, f"no runs in {tmp_path}\n", "")
    run = finished_run(tmp_path, "电影", "fail")
    other = store.find_or_create(tmp_path, planned(title="b"), now=NOON.replace(hour=13))
    code, out, _ = auditor_says("list", "--root", tmp_path)
    assert [line.split() for line in out.splitlines()] == [
        [run.run_id, "fail", "电影"],
        [other.run_id, "unfinished", "b"],
    ]
    told = json.loads(auditor_says("list", "--root", tmp_path, "--json")[1])["runs"]
    assert [row["verdict"] for row in told] == ["fail", None]
    assert [row["state"] for row in told] == ["complete", "unfinished"]
    assert code == 0


def test_list_prints_any_title_to_any_terminal(tmp_path):
    finished_run(tmp_path, "电影")
    environment = {**os.environ, "PYTHONIOENCODING": "ascii"}
    command = [sys.executable, "-m", "auditor", "list", "--root", str(tmp_path)]
    done = subprocess.run(command, env=environment, capture_output=True, text=True, check=True)
    assert r"\u7535\u5f71" in done.stdout


def test_show_tells_what_was_found(auditor_says, tmp_path):
    run = finished_run(tmp_path)
    code, out, _ = auditor_says("show", run.run_id[:8], "--root", tmp_path)
    assert code == 0
    for line in ("Film reviews", "pass: 1 of 2 checks passes.", "Accuracy: 0.8365 (0.7865 to 0.8865), n = 1,200"):
        assert line in out.splitlines()
    assert "lime: 49 of 50 documents measured" in out
    assert "LIME ran on 50 documents." in out
    told = json.loads(auditor_says("show", run.path, "--json")[1])
    assert told["findings"]["title"] == "Film reviews"
    assert told["complete"] is True


def test_show_says_what_was_not_measurable_and_what_was_left_out_and_never_clamps_a_perplexity(auditor_says, tmp_path):
    run = finished_run(tmp_path)
    found = findings.read(run.read_bytes("findings.json"))
    nats = Nats(value=805.3, low=800.1, high=812.4)
    update = {
        "value": None,
        "low": None,
        "high": None,
        "title": "Corpus perplexity",
        "unit": "perplexity",
        "nats": nats,
    }
    (lime,) = found.coverage
    lime = lime.model_copy(update={"measured": 45, "not_measurable": 4, "reasons": {"no-segments": 4}})
    hidden = lime.model_copy(update={"probe": "attention", "left_out": "the model does not show its attention"})
    key = found.key_numbers[0].model_copy(update=update)
    found = found.model_copy(update={"coverage": (lime, hidden), "key_numbers": (key,)})
    run.write("findings.json", findings.write(found))
    out = auditor_says("show", run.run_id, "--root", tmp_path)[1]
    assert "lime: 45 of 50 documents measured, 1 failed, 4 not measurable (nothing to switch off)" in out
    assert "attention: not measured: the model does not show its attention" in out
    assert "Corpus perplexity: > 1e300, in nats 805.3 (800.1 to 812.4), n = 1,200" in out


def test_show_of_an_unfinished_run_says_so(auditor_says, tmp_path):
    run = store.find_or_create(tmp_path, planned(), now=NOON)
    code, _, err = auditor_says("show", run.path)
    assert (code, len(err.splitlines())) == (2, 1)
    assert "the run is not finished" in err


def test_a_signed_report_that_is_rendered_again_is_said_not_to_be_signed(auditor_says, audit):
    run = audit.result.run
    run.write("report.pdf", b"%PDF-1.7 /ByteRange")
    code, _, err = auditor_says("report", run.path)
    assert code == 0
    assert err == "auditor: report.pdf was signed and is not any more: `auditor sign` signs what is there now\n"


def test_verify_tells_sound_from_changed(auditor_says, tmp_path):
    run = finished_run(tmp_path)
    assert auditor_says("verify", run.path) == (
        0, f"{run.run_id}: sound; checksums, plan, tables and PDF are those of the run\n", "",
    )  # fmt: skip
    (run.path / "report.html").write_bytes(b"<html>forged")
    code, out, err = auditor_says("verify", run.path)
    assert code == 6
    assert out == "report.html: was changed: its checksum is not the one in SHA256SUMS\n"
    assert err == f"auditor: {run.path}: 1 fault, see above\n"


def test_init_writes_a_configuration_that_is_understood_and_never_overwrites(auditor_says, audit, tmp_path):
    path = tmp_path / "new" / "audit.toml"
    code, out, _ = auditor_says("init", path, "--model", "org/model", "--data", "docs.csv")
    assert (code, out) == (0, f"{path}: written; edit it, then `auditor check {path}`\n")
    assert auditor_says("check", path)[0] == 0
    assert audit.config.model.name == "org/model"
    path.write_text("mine")
    code, _, err = auditor_says("init", path)
    assert (code, path.read_text()) == (2, "mine")
    assert "exists already and is left as it is" in err


def test_init_names_what_is_here_as_the_new_file_must_and_writes_nothing_but_toml(auditor_says, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "docs.csv").write_text("text\nGood.\n")
    assert auditor_says("init", "new/audit.toml", "--model", "org/model", "--data", "docs.csv")[0] == 0
    written = tomllib.loads((tmp_path / "new" / "audit.toml").read_text())
    assert (written["corpus"]["path"], written["model"]["name"]) == ("../docs.csv", "org/model")
    code, _, err = auditor_says("init", "audit.yaml")
    assert (code, (tmp_path / "audit.yaml").exists()) == (2, False)
    assert "what is written is TOML" in err


@pytest.mark.parametrize("file", ["plan.json", "manifest.json"])
def test_a_run_whose_own_papers_are_damaged_does_not_verify(auditor_says, tmp_path, file):
    run = finished_run(tmp_path)
    (run.path / file).write_text("{")
    assert auditor_says("verify", run.path)[0] == 6
    assert auditor_says("verify", "no-such-run", "--root", tmp_path)[0] == 2


@pytest.mark.parametrize("of", ["config", "findings", "comparison", "printed"])
def test_schema_is_json_schema(auditor_says, of):
    code, out, _ = auditor_says("schema", of)
    assert code == 0
    assert json.loads(out)["$schema"] == "https://json-schema.org/draft/2020-12/schema"


def test_a_reader_that_closes_the_pipe_is_not_told_off():
    command = [sys.executable, "-m", "auditor", "schema", "findings"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE) as process:
        process.stdout.close()
        assert process.stderr.read() == b""
        assert process.wait() == 0


RUN_UNTIL_STOPPED = """
import sys, time, types
fake = types.ModuleType("auditor.audit")
def run(config, *, stop, **_):
    from auditor.errors import InterruptedRunError
    print("measuring", flush=True)
    while OBEDIENT and not stop():
        time.sleep(0.01)
    if OBEDIENT:
        raise InterruptedRunError("stopped after 1 of 9 shards")
    time.sleep(600)
fake.run = run
import auditor
auditor.audit = sys.modules["auditor.audit"] = fake
from auditor.terminal.cli import main
sys.exit(main(["run", "--model", "m", "--data", "d.jsonl"]))
"""


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
@pytest.mark.parametrize("obedient", [True, False])
def test_a_signal_lets_the_shard_finish_and_a_second_one_does_not(number, obedient):
    code = RUN_UNTIL_STOPPED.replace("OBEDIENT", str(obedient))
    with subprocess.Popen(
        [sys.executable, "-c", code], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    ) as run:
        assert run.stdout.readline() == "measuring\n"
        run.send_signal(number)
        assert run.stderr.readline() == "auditor: stopping after this shard; once more stops at once\n"
        if not obedient:
            run.send_signal(number)
        rest = run.stderr.read()
        assert run.wait() == 5
    assert rest.startswith(
        "auditor: stopped after 1 of 9" if obedient else "auditor: interrupted; what is measured is kept"
    )


def test_the_handlers_of_the_caller_are_put_back(auditor_says):
    before = signal.getsignal(signal.SIGINT), signal.getsignal(signal.SIGTERM)
    auditor_says("--help")
    assert (signal.getsignal(signal.SIGINT), signal.getsignal(signal.SIGTERM)) == before
