"""The hub: what a folder of its cache is called, whether it answers in time, what is done where it does not."""

import os
import shutil
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path

import pytest

from auditor import audit, config, hub
from auditor.errors import ModelError
from auditor.findings import Findings
from auditor.findings.analyses.perplexity import PerplexityFindings
from tests.models.tiny import save
from tests.test_audit import LABELS, Silent, corpus

COMMIT = "0123456789abcdef0123456789abcdef01234567"


@pytest.mark.parametrize(
    ("path", "found"),
    [
        (f"/cache/hub/models--org--name/snapshots/{COMMIT}", ("org/name", COMMIT)),
        (f"models--gpt2/snapshots/{COMMIT}/", ("gpt2", COMMIT)),
        (f"/cache/models--org--name/snapshots/{COMMIT}/sub", None),
        ("/cache/models--org--name/snapshots/main", None),
        (f"/cache/models--org--name/blobs/{COMMIT}", None),
        (f"/cache/datasets--org--name/snapshots/{COMMIT}", None),
        ("snapshots", None),
        ("/", None),
    ],
)
def test_a_snapshot_folder_is_the_model_of_its_id_at_its_commit(path: str, found: tuple[str, str] | None) -> None:
    assert hub.snapshot_of(Path(path)) == found


@pytest.fixture
def listening() -> Iterator[tuple[socket.socket, str]]:
    """A server that accepts and never says anything."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        yield server, f"http://127.0.0.1:{server.getsockname()[1]}"


@contextmanager
def serving(answer: Callable[[BaseHTTPRequestHandler], None]) -> Iterator[str]:
    """A server on this machine that answers so; yields its address."""

    class Handler(BaseHTTPRequestHandler):
        def do_HEAD(self) -> None:
            answer(self)

        def log_message(self, *_: object) -> None: ...

    with HTTPServer(("127.0.0.1", 0), Handler) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        yield f"http://127.0.0.1:{server.server_address[1]}"
        server.shutdown()
        thread.join()


@pytest.fixture
def endpoint(monkeypatch: pytest.MonkeyPatch) -> Callable[[str], None]:
    for variable in [name for name in os.environ if name.lower().endswith("_proxy")]:
        monkeypatch.delenv(variable)
    return lambda url: monkeypatch.setattr("huggingface_hub.constants.ENDPOINT", url)


@pytest.mark.parametrize("status", [200, 401, 404, 405, 503, 301, 502, 504])
def test_whatever_the_hub_says_it_answers_but_a_gateway_is_not_the_hub(
    endpoint: Callable[[str], None], status: int
) -> None:
    def answer(request: BaseHTTPRequestHandler) -> None:
        request.send_response(status)
        request.send_header("Location", "http://127.0.0.1:9/")
        request.end_headers()

    with serving(answer) as url:
        endpoint(url)
        assert hub.answers() == (status not in (502, 504))


def test_a_slow_hub_answers_too(endpoint: Callable[[str], None]) -> None:
    def answer(request: BaseHTTPRequestHandler) -> None:
        time.sleep(0.5)
        request.send_response(200)
        request.end_headers()

    with serving(answer) as url:
        endpoint(url)
        assert hub.answers(seconds=60)


def test_a_hub_that_refuses_or_never_says_anything_does_not_answer(
    endpoint: Callable[[str], None], listening: tuple[socket.socket, str]
) -> None:
    endpoint("http://127.0.0.1:9")
    assert not hub.answers()
    endpoint(listening[1])
    assert not hub.answers(seconds=0.2)
    endpoint("no address")
    assert not hub.answers()


def test_the_limit_holds_where_looking_up_the_name_hangs(
    endpoint: Callable[[str], None], monkeypatch: pytest.MonkeyPatch
) -> None:
    done = threading.Event()

    def hang(*_: object, **__: object) -> None:
        done.wait(60)
        raise OSError

    monkeypatch.setattr(socket, "getaddrinfo", hang)
    endpoint("http://hub.invalid")
    assert not hub.answers(seconds=0.2)
    done.set()


def test_a_proxy_that_only_the_client_can_use_is_taken_to_work(
    endpoint: Callable[[str], None], monkeypatch: pytest.MonkeyPatch
) -> None:
    endpoint("http://127.0.0.1:9")
    monkeypatch.setenv("ALL_PROXY", "socks5://127.0.0.1:1080")
    assert hub.answers()


def environment(home: Path, url: str) -> dict[str, str]:
    kept = {name: value for name, value in os.environ.items() if not name.lower().endswith("_proxy")}
    return {**kept, "HF_HUB_OFFLINE": "0", "HF_ENDPOINT": url, "HF_HOME": str(home)}


@pytest.mark.parametrize("listens", [True, False])
def test_without_a_hub_an_id_fails_before_torch_is_imported_and_says_what_to_do(
    tmp_path: Path, listening: tuple[socket.socket, str], listens: bool
) -> None:
    code = (
        "import sys; from auditor.terminal.cli import main; code = main(sys.argv[1:]); "
        "print('torch' in sys.modules, 'transformers' in sys.modules); sys.exit(code)"
    )
    arguments = ["run", "--model", "somebody/sentiment", "--data", "corpus.jsonl"]
    done = subprocess.run(
        [sys.executable, "-c", code, *arguments],
        cwd=tmp_path,
        env=environment(tmp_path / "home", listening[1] if listens else "http://127.0.0.1:9"),
        capture_output=True,
        text=True,
        timeout=120,
    )
    assert (done.returncode, done.stdout) == (4, "False False\n")
    assert done.stderr.startswith("auditor: somebody/sentiment: there is no such folder, and the hub cannot be reached")
    assert "HF_ENDPOINT" in done.stderr
    assert done.stderr.count("\n") == 1


@pytest.fixture(scope="module")
def snapshot(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A classifier in a cache, as `from_pretrained` leaves it."""
    place = tmp_path_factory.mktemp("home") / "hub" / "models--somebody--sentiment"
    (place / "refs").mkdir(parents=True)
    (place / "refs" / "main").write_text(COMMIT)
    return save(place / "snapshots" / COMMIT, "bert", "text-classification", **LABELS)


def settings(here: Path, model: object, **more: object) -> config.Config:
    given = {"model.name": str(model), "corpus.path": corpus(here), "probes.prediction": {}, **more}
    return config.load(None, {**given, "run.output": here / "reports"}, environment={})


@pytest.fixture
def unreachable(endpoint: Callable[[str], None], snapshot: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    endpoint("http://127.0.0.1:9")
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_OFFLINE", False)
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_CACHE", str(snapshot.parents[2]))


@pytest.mark.usefixtures("unreachable")
def test_without_a_hub_what_is_in_the_cache_is_used(tmp_path: Path) -> None:
    found = audit.check(settings(tmp_path, "somebody/sentiment")).checkpoint
    assert (found.name, found.revision) == ("somebody/sentiment", COMMIT)
    with pytest.raises(ModelError, match="cannot be reached"):
        audit.check(settings(tmp_path, "somebody/else"))
    with pytest.raises(ModelError, match="cannot be reached"):
        audit.check(settings(tmp_path, "somebody/sentiment", **{"model.revision": "v2"}))
    reference = {"probes.perplexity.model": "somebody/writer"}
    with pytest.raises(ModelError, match="somebody/writer"):
        audit.check(settings(tmp_path, "somebody/sentiment", **reference))


def test_a_folder_never_asks_the_hub(tmp_path: Path, snapshot: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_OFFLINE", False)
    monkeypatch.setattr(hub, "answers", lambda: pytest.fail("the hub was asked"))
    audit.check(settings(tmp_path, shutil.copytree(snapshot, tmp_path / "model")))


def said(result: audit.Result) -> tuple[Findings, str]:
    return result.findings, result.html.read_text(encoding="utf-8")


@pytest.mark.usefixtures("no_embedded_fonts")
def test_a_model_in_a_cache_folder_is_called_by_its_id_and_revision(tmp_path: Path, snapshot: Path) -> None:
    place = snapshot.parents[1].with_name("models--somebody--writer") / "snapshots" / COMMIT[::-1]
    save(place, "llama", "text-generation")
    result = audit.run(
        settings(tmp_path, snapshot, **{"probes.perplexity.model": str(place)}), pdf=False, progress=Silent()
    )
    found, page = said(result)
    assert found.title == "Audit of somebody/sentiment"
    assert (found.model["Name"], found.model["Revision"]) == ("somebody/sentiment", COMMIT)
    assert result.run.plan.model.name == "somebody/sentiment"
    assert found.model["Reference models"].startswith(f"somebody/writer@{COMMIT[::-1]}: ")
    perplexity = found.analysis("perplexity", PerplexityFindings)
    assert perplexity is not None
    assert perplexity.model == "somebody/writer"
    assert any("the reference model somebody/writer," in note for note in found.notes)
    assert str(snapshot) not in page
    assert str(place) not in page.replace(found.parameters["perplexity"]["model"], "")
