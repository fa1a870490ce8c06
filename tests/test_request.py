"""The same request again: answered from the disk without torch, and never from another request's run."""

import json
import os
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest

import auditor
from auditor import audit, config, registry
from auditor.records.store import open_run
from auditor.records.verification import verify
from auditor.running import request
from tests.models.tiny import save
from tests.test_audit import LABELS, SMALL, Silent, corpus

BLOCKED = """
import sys

class Blocked:
    def find_spec(self, name, path=None, target=None):
        if name.partition(".")[0] in {names!r}:
            raise AssertionError(f"imported {{name}}")

sys.meta_path.insert(0, Blocked())
from auditor.terminal.cli import main
sys.exit(main({arguments!r}))
"""
ROOT = Path(__file__).parents[1]
HEAVY = {"torch", "transformers", "pandas", "matplotlib", "weasyprint", "pyarrow", "scipy"}


@pytest.fixture(scope="module")
def model(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return save(tmp_path_factory.mktemp("asked") / "classifier", "bert", "text-classification", **LABELS)


@pytest.fixture
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, model: Path) -> Path:
    """A folder with a model, a corpus, templates and an audit that is complete."""
    monkeypatch.chdir(tmp_path)
    for file in model.iterdir():
        os.link(file, _made(tmp_path / "model") / file.name)
    corpus(tmp_path)
    _made(tmp_path / "looks").joinpath("user.css").write_text("h1 { color: black; }\n", encoding="utf-8")
    audit.run(asked(), pdf=False, progress=Silent())
    return tmp_path


def _made(folder: Path) -> Path:
    folder.mkdir(exist_ok=True)
    return folder


def asked(**more: object) -> config.Config:
    tables = {"model.name": Path("model"), "corpus.path": Path("corpus.jsonl"), "report.templates": Path("looks")}
    small = {key: value for key, value in SMALL.items() if "lime" not in key and "attention" not in key}
    return config.load(None, {"title": "Asked", **tables, **small, **more}, environment={})


def replaced(path: Path, content: bytes) -> None:
    """Another file of that name; the model's are linked."""
    path.unlink()
    path.write_bytes(content)


def changed(path: Path) -> None:
    """One byte of a file is another."""
    content = bytearray(path.read_bytes())
    content[-2] ^= 1
    replaced(path, bytes(content))


def test_the_same_request_is_answered_by_its_run(here: Path) -> None:
    found = request.answered(asked())
    assert found is not None
    assert found.reused
    assert found.run.path.resolve() == open_run("latest", here / "reports").path
    assert found.findings.title == "Asked"
    assert verify(found.run) == []


def told(*command: str) -> subprocess.CompletedProcess[str]:
    """What another process says; it has this checkout's package."""
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    return subprocess.run([sys.executable, *command], check=False, capture_output=True, text=True, env=environment)


@pytest.mark.usefixtures("here")
def test_the_command_says_complete_already_without_torch_or_anything_heavy() -> None:
    arguments = ["run", "--model", "model", "--data", "corpus.jsonl", "--set", "probes.prediction={}", "--no-pdf"]
    whole = told("-m", "auditor", *arguments)
    assert "complete already" not in whole.stdout
    again = told("-c", BLOCKED.format(names=HEAVY, arguments=[*arguments, "--json"]))
    assert again.returncode == whole.returncode == 0, again.stderr
    said = json.loads(again.stdout)
    assert said["reused"]
    assert said["html"] in whole.stdout
    assert "imported " in told("-c", BLOCKED.format(names=HEAVY, arguments=[*arguments, "--fresh"])).stderr


@pytest.mark.parametrize(
    "file",
    [
        "corpus.jsonl",
        "model/model.safetensors",
        "model/config.json",
        "model/tokenizer.json",
        "model/tokenizer_config.json",
        "looks/user.css",
    ],
)
def test_one_other_byte_is_another_request(here: Path, file: str) -> None:
    assert request.answered(asked()) is not None
    before = (here / file).read_bytes()
    changed(here / file)
    assert request.answered(asked()) is None
    replaced(here / file, before)
    assert request.answered(asked()) is not None


def test_another_file_in_the_folder_of_the_model_is_another_request(here: Path) -> None:
    (here / "model" / "chat_template.jinja").write_text("{{ messages }}", encoding="utf-8")
    assert request.answered(asked()) is None


@pytest.mark.parametrize(
    "more",
    [
        {"seed": 4},
        {"corpus.limit": 9},
        {"model.device": "cpu"},
        {"model.dtype": "bfloat16"},
        {"probes.prediction": {}, "probes.attention": {}},
        {"checks.accuracy.at_least": 0.5},
        {"report.language": "zh"},
        {"run.shard_size": 5},
        {"title": "Another"},
    ],
)
@pytest.mark.usefixtures("here")
def test_another_configuration_is_another_request(more: dict[str, object]) -> None:
    assert request.answered(asked(**more)) is None


@pytest.mark.parametrize("name", ["CUDA_VISIBLE_DEVICES", "HF_HUB_OFFLINE", "TRANSFORMERS_CACHE", "PYTHONPATH"])
@pytest.mark.usefixtures("here")
def test_another_environment_is_another_request(monkeypatch: pytest.MonkeyPatch, name: str) -> None:
    monkeypatch.setenv(name, "something else")
    assert request.answered(asked()) is None


@pytest.mark.usefixtures("here")
def test_a_variable_that_only_this_program_reads_is_in_the_configuration() -> None:
    tables = {"model.name": Path("model"), "corpus.path": Path("corpus.jsonl")}
    first = config.load(None, tables, environment={})
    second = config.load(None, tables, environment={"AUDITOR_SEED": "7"})
    assert request.settings(first) != request.settings(second)


def test_a_token_of_the_hub_is_no_part_of_a_request(here: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HF_TOKEN", "hf_secret")
    assert request.answered(asked()) is not None
    assert "secret" not in "".join(path.read_text() for path in here.rglob("manifest.json"))


@pytest.mark.usefixtures("here")
def test_another_release_of_a_library_is_another_request(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.syspath_prepend(str(_made(tmp_path / "site")))
    assert request.answered(asked()) is not None
    (tmp_path / "site" / "transformers-99.0.dist-info").mkdir()
    assert request.answered(asked()) is None


@pytest.mark.usefixtures("here")
def test_another_accelerator_is_another_request(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    _made(tmp_path / "dev").joinpath("nvidia0").touch()
    found = request._accelerators(tmp_path)
    assert found == ["dev/nvidia0", ""]
    monkeypatch.setattr(request, "_accelerators", lambda _: found)
    assert request.answered(asked()) is None


@pytest.mark.usefixtures("here")
def test_other_code_of_this_package_is_another_request(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (_made(tmp_path / "auditor") / "__init__.py").touch()
    monkeypatch.setattr(auditor, "__file__", str(tmp_path / "auditor" / "__init__.py"))
    assert request.answered(asked()) is None


@pytest.mark.usefixtures("here")
@pytest.mark.parametrize("name", ["organisation/model", "nowhere/at-all"])
def test_a_model_of_the_hub_goes_the_whole_way(name: str) -> None:
    hub = config.load(None, {"model.name": name, "corpus.path": Path("corpus.jsonl"), "title": "Asked"}, environment={})
    assert request.settings(hub) is not None
    with pytest.raises(request._UnclearError):
        request.files(hub)


@pytest.mark.usefixtures("here")
@pytest.mark.parametrize(
    ("group", "name"), [("auditor.probes", "prediction"), ("auditor.tasks", "text-classification")]
)
def test_what_a_third_party_has_registered_goes_the_whole_way(
    monkeypatch: pytest.MonkeyPatch, group: str, name: str
) -> None:
    assert request.settings(asked(**{"model.task": "text-classification"})) is not None
    monkeypatch.setattr(registry, "foreign", lambda of: frozenset({name} if of == group else ()))
    assert request.settings(asked(**{"model.task": "text-classification"})) is None
    assert request.answered(asked(**{"model.task": "text-classification"})) is None


@pytest.mark.parametrize(("group", "name"), [("auditor.probes", "attention"), ("auditor.tasks", "text-classification")])
def test_a_run_that_a_third_party_had_a_part_in_is_not_remembered(
    here: Path, monkeypatch: pytest.MonkeyPatch, group: str, name: str
) -> None:
    (run,) = (open_run(path, here) for path in here.glob("reports/*/*/"))
    settings = request.settings(asked())
    assert request.described(asked(), settings, run.plan) is not None
    monkeypatch.setattr(registry, "foreign", lambda of: frozenset({name} if of == group else ()))
    one = next(iter(run.plan.probes.values()))
    plan = replace(run.plan, probes={**run.plan.probes, "attention": one})  # as a task's own choice of probes
    assert request.described(asked(), settings, plan) is None


def test_an_unfinished_later_run_of_the_plan_is_resumed_the_whole_way(here: Path) -> None:
    (first,) = here.glob("reports/*/*/")
    later = first.with_name(f"{first.name}-2")
    later.mkdir()
    plan = json.loads((first / "plan.json").read_text()) | {"run_id": later.name}
    (later / "plan.json").write_text(json.dumps(plan), encoding="utf-8")
    assert request.answered(asked()) is None


def test_a_run_whose_plan_was_changed_answers_nothing_of_another(here: Path) -> None:
    (plan,) = here.glob("reports/*/*/plan.json")
    (plan.parent / "findings.json").unlink()
    assert request.answered(asked()) is None


def test_what_changed_while_it_was_measured_is_not_remembered(here: Path) -> None:
    settings = request.settings(asked())
    (run,) = (open_run(path, here) for path in here.glob("reports/*/*/"))
    assert request.described(asked(), settings, run.plan) is not None
    css = here / "looks" / "user.css"
    before = css.read_bytes()
    changed(css)
    assert request.described(asked(), settings, run.plan) is None
    replaced(css, before)
    changed(here / "corpus.jsonl")
    assert request.described(asked(), settings, run.plan) is None


def test_a_run_of_before_is_remembered_once_the_whole_way_has_found_it(here: Path) -> None:
    (path,) = here.glob("reports/*/*/manifest.json")
    manifest = json.loads(path.read_text())
    del manifest["request"]
    path.write_text(json.dumps(manifest), encoding="utf-8")
    assert request.answered(asked()) is None
    assert audit.run(asked(), pdf=False, progress=Silent()).reused
    assert request.answered(asked()) is not None
    assert verify(open_run(path.parent, here)) == []


def test_a_report_that_is_rendered_again_still_answers(here: Path) -> None:
    (path,) = here.glob("reports/*/*/")
    audit.rerender(open_run(path, here), pdf=False)
    assert request.answered(asked()) is not None
