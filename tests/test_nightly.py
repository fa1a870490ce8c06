"""`auditor nightly`: runs, resumes, compares, announces, removes and pings, with the exit codes of a night."""

import http.client
import http.server
import json
import shutil
import socket
import threading
from collections.abc import Iterator
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from pathlib import Path
from xml.etree import ElementTree

import pytest
from safetensors.torch import load_file, save_file

from auditor.findings import comparing
from auditor.findings.comparing import RunComparison
from auditor.records import baselines, store
from auditor.records.store import runs, summary_of
from auditor.records.verification import verify
from auditor.running import results
from auditor.terminal import nightly
from auditor.terminal.cli import main
from tests.models.tiny import save
from tests.test_audit import LABELS, corpus

NOON = datetime(2026, 7, 29, 12, tzinfo=UTC)


@pytest.fixture(scope="module")
def model(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return save(tmp_path_factory.mktemp("nights") / "classifier", "bert", "text-classification", **LABELS)


@pytest.fixture
def command(model: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """An audit that passes, in a folder of its own; every run is a day after the one before."""
    monkeypatch.chdir(tmp_path)
    days = iter(range(100))
    monkeypatch.setattr(store, "_moment", lambda _: NOON + timedelta(days=next(days)))
    given = {
        "probes.prediction": "{}",
        "checks.accuracy.at_least": "0.01",
        "run.shard_size": "6",
        "report.pdf": "false",
    }
    keys = [f"--set={key}={value}" for key, value in given.items()]
    return ["nightly", "--model", str(model), "--data", str(corpus(tmp_path)), *keys]


@pytest.fixture
def listener() -> Iterator[tuple[str, list[str]]]:
    """An address, and the paths that it was asked for."""
    asked: list[str] = []

    class Handler(http.server.BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            asked.append(self.path)
            self.send_response(200)
            self.end_headers()

        def log_message(self, *_: object) -> None:
            pass

    server = http.server.HTTPServer(("127.0.0.1", 0), Handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield f"http://127.0.0.1:{server.server_port}/alive", asked
    server.shutdown()
    server.server_close()


def audits(root: Path = Path("reports")) -> list[store.RunSummary]:
    return runs(root)


def test_every_night_is_a_run_that_is_compared_with_the_last_that_passed(
    command: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(command) == 0
    assert "since " not in capsys.readouterr().out
    assert main([*command, "--junit", "checks.xml"]) == 0
    first, second = audits()
    out = capsys.readouterr().out
    assert f"since {first.run_id}: " in out
    comparison = json.loads((second.path / "comparison.json").read_bytes())
    assert comparison["result"] == "not worse"
    assert comparison["before"]["run_id"] == first.run_id
    assert "comparison.html" in (second.path / "SHA256SUMS").read_text()
    assert verify(store.open_run(second.path, Path("reports"))) == []
    assert second.manifest["numbers"]["accuracy"]["n"] == 18
    cases = ElementTree.parse("checks.xml").getroot().iter("testcase")
    assert [(case.get("classname"), case.get("name"), len(case)) for case in cases] == [
        ("auditor.checks", "accuracy", 1),
        ("auditor.baseline", "accuracy", 1),
    ]


def test_a_number_that_got_worse_ends_with_1(
    model: Path, command: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    turned = Path("turned")
    shutil.copytree(model, turned)
    weights = load_file(turned / "model.safetensors")
    heads = {name: -value for name, value in weights.items() if name.startswith("classifier")}
    save_file({**weights, **heads}, turned / "model.safetensors", metadata={"format": "pt"})
    rows = [{"id": f"d{i}", "text": f"film {i}", "label": "positive"} for i in range(40)]
    here = [*command, "--data", str(corpus(Path(), rows)), "--set=title=One", "--set=checks.accuracy.required=false"]
    told = []
    for folder in (model, turned, model):
        code = main([*here, "--model", str(folder), "--json"])
        told.append((code, json.loads(capsys.readouterr().out)["baseline"]))
    assert told[0] == (0, None)
    assert sorted((code, since["result"]) for code, since in told[1:] if since) == [(0, "not worse"), (1, "worse")]


def test_a_night_that_cannot_be_compared_says_with_which_run(
    command: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    main(command)
    [first] = audits()
    rows = [{"id": f"d{i}", "text": f"another film {i}", "label": "positive"} for i in range(18)]
    other = corpus(Path(), rows)
    capsys.readouterr()
    main([*command, "--data", str(other), "--set=title=" + first.title])
    assert f"not compared with {first.run_id}: the report says why" in capsys.readouterr().out


def test_an_interrupted_night_is_resumed_and_a_deadline_ends_with_5(
    command: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    assert main([*command, "--deadline", "0s"]) == 5
    assert "stopped after 0 of 3 shards" in capsys.readouterr().err
    [unfinished] = audits()
    assert unfinished.state == "unfinished"
    assert main(command) == 0
    [finished] = audits()
    assert (finished.run_id, finished.state) == (unfinished.run_id, "complete")


def test_if_changed_makes_no_run_of_what_is_known(command: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    main(command)
    capsys.readouterr()
    assert main([*command, "--if-changed"]) == 0
    assert "complete already" in capsys.readouterr().out
    assert len(audits()) == 1


def test_a_night_without_a_run_ends_as_the_one_that_got_worse(
    command: list[str], monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    for _ in range(2):
        main(command)
    first, _ = audits()
    capsys.readouterr()
    assert main([*command, "--if-changed"]) == 0
    assert f"since {first.run_id}: " in capsys.readouterr().out
    monkeypatch.setattr(results, "comparing", Worse)
    assert main([*command, "--if-changed", "--json"]) == 1
    told = json.loads(capsys.readouterr().out)
    assert (told["reused"], told["exit_code"], told["baseline"]["run_id"]) == (True, 1, first.run_id)


class Worse:
    """Reads every comparison as one in which a judged number got worse."""

    @staticmethod
    def read(content: bytes) -> RunComparison:
        made = comparing.read(content)
        numbers = tuple(one.model_copy(update={"change": "worse"}) for one in made.numbers)
        return made.model_copy(update={"numbers": numbers})


def test_old_runs_are_removed_and_the_baseline_is_not(command: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    for _ in range(2):
        main(command)
    first, second = audits()
    baselines.choose(first)
    capsys.readouterr()
    main([*command, "--keep-daily", "1", "--keep-weekly", "0", "--keep-monthly", "0", "--json"])
    assert json.loads(capsys.readouterr().out)["removed"] == [second.run_id]
    assert first.run_id in {run.run_id for run in audits()}
    assert len(audits()) == 2


def test_the_night_pings_at_its_end_and_is_done_without_an_answer(
    command: list[str], listener: tuple[str, list[str]], capsys: pytest.CaptureFixture[str]
) -> None:
    address, asked = listener
    assert main([*command, "--ping", address]) == 0
    assert asked == ["/alive"]
    nowhere = str(Path(__file__) / "checks.xml")
    assert main([*command, "--ping", "http://127.0.0.1:9/nobody", "--junit", nowhere]) == 74
    done = capsys.readouterr()
    assert "the night itself is done" in done.err
    assert f"{nowhere}: cannot be written" in done.err
    assert "since " in done.out
    assert main([*command, "--deadline", "0s", "--ping", address]) == 5
    assert asked == ["/alive"], "a night that is not over says nothing"
    assert not any("127.0.0.1" in (run.path / "plan.json").read_text() for run in audits())


@pytest.mark.parametrize(
    ("patience", "answer", "said"),
    [(10.0, b"nonsense\r\n\r\n", "nonsense"), (0.2, b"", "no answer within 0.2 seconds")],
)
def test_whatever_answers_a_ping_is_no_fault_of_the_night(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], patience: float, answer: bytes, said: str
) -> None:
    monkeypatch.setattr(nightly, "_PATIENCE", patience)
    over = threading.Event()

    def speak(server: socket.socket) -> None:
        connection, _ = server.accept()
        with connection, suppress(OSError):
            connection.sendall(answer)
            while not answer and not over.wait(0.05):
                connection.sendall(b"H")  # a piece now and then: none of them is late

    with socket.create_server(("127.0.0.1", 0)) as server:
        threading.Thread(target=speak, args=[server], daemon=True).start()
        nightly._ping(f"http://127.0.0.1:{server.getsockname()[1]}/")
        over.set()
    assert f"{said}; the night itself is done" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("option", "value", "said"),
    [
        ("--deadline", "soon", "expected a time such as 5h"),
        ("--deadline", "", "expected a time such as 5h"),
        ("--ping", "file:///etc/passwd", "begins with https://"),
        ("--ping", "http://", "begins with https://"),
        ("--ping", "http://[::1", "begins with https://"),
        ("--ping", "http://host:port/", "begins with https://"),
        ("--ping", "https://host:99999/", "begins with https://"),
        ("--ping", "https://host/a b", "are written as %C3%BC, %20"),
        ("--ping", "https://host/ü", "are written as %C3%BC, %20"),
    ],
)
def test_a_wrong_option_is_refused_before_anything_runs(
    command: list[str], capsys: pytest.CaptureFixture[str], option: str, value: str, said: str
) -> None:
    assert main([*command, option, value]) == 2
    assert said in capsys.readouterr().err
    assert not Path("reports").exists()


def test_times_are_hours_minutes_and_seconds() -> None:
    assert [nightly._seconds(text) for text in ("5h", "90m", "1h30m", "20s")] == [18_000, 5_400, 5_400, 20]


def test_the_page_of_a_job_gets_verdict_and_checks_as_text(
    command: list[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("GITHUB_STEP_SUMMARY", str(tmp_path / "summary.md"))
    main([*command, "--set", "title=<b>a|b</b>"])
    text = (tmp_path / "summary.md").read_text(encoding="utf-8")
    assert text.startswith("## &lt;b&gt;a&#124;b&lt;/b&gt;\n\n**pass**: ")
    assert "| Accuracy | pass | at least 0.01 | " in text
    assert summary_of(audits()[0].path).title == "<b>a|b</b>"


def test_a_page_of_a_job_that_cannot_be_written_is_no_fault_of_the_night(
    command: list[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("GITHUB_STEP_SUMMARY", str(tmp_path / "nowhere" / "summary.md"))
    assert main(command) == 0
    assert "the night itself is done" in capsys.readouterr().err
