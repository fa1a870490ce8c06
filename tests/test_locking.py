"""A lock names every file that the models are made of; a run that requires it refuses any other model, unloaded."""

import hashlib
import json
import shutil
from pathlib import Path

import pytest

from auditor import audit, config, models
from auditor.errors import ConfigError, ModelError
from auditor.running import locking, request
from auditor.terminal import cli
from tests.models.tiny import save
from tests.test_audit import LABELS, corpus


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    root = tmp_path_factory.mktemp("locked")
    save(root / "classifier", "bert", "text-classification", **LABELS)
    save(root / "writer", "gpt2", "text-generation")
    return root


@pytest.fixture
def here(made: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder with an audit of two models, and their lock."""
    shutil.copytree(made, tmp_path, dirs_exist_ok=True)
    monkeypatch.chdir(tmp_path)
    corpus(tmp_path)
    (tmp_path / "audit.toml").write_text(
        '[corpus]\npath = "corpus.jsonl"\n[model]\nname = "classifier"\nlock = "audit.lock"\n'
        '[probes.perplexity]\nmodel = "writer"\n'
    )
    locking.write(tmp_path / "audit.lock", locking.make(settings()))
    return tmp_path


def settings(**more: object) -> config.Config:
    return config.load(
        Path("audit.toml"), {key.replace("__", "."): value for key, value in more.items()}, environment={}
    )


def refused(**more: object) -> str:
    with pytest.raises(ModelError) as caught:
        audit.check(settings(**more))
    assert caught.value.exit_code == 4
    return str(caught.value)


def sha256(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()


def test_the_models_of_the_lock_pass_wherever_they_lie(here: Path) -> None:
    audit.check(settings())
    (here / "classifier").rename(here / "moved")
    audit.check(settings(model__name=Path("moved")))


def test_the_lock_has_every_model_and_file_with_its_hash(here: Path) -> None:
    kept = json.loads((here / "audit.lock").read_text())["models"]
    assert set(kept) == {"model.name", "probes.perplexity.model"}
    for key, folder in (("model.name", "classifier"), ("probes.perplexity.model", "writer")):
        files = kept[key]["files"]
        assert {"model.safetensors", "tokenizer.json", "tokenizer_config.json", "config.json"} <= set(files)
        assert files == {name: sha256(here / folder / name) for name in files}


@pytest.mark.parametrize("model", ["classifier", "writer"])
@pytest.mark.parametrize("file", ["model.safetensors", "tokenizer.json"])
def test_a_changed_bit_is_refused_before_anything_loads(
    here: Path, monkeypatch: pytest.MonkeyPatch, model: str, file: str
) -> None:
    monkeypatch.setattr(models, "load", None)
    path = here / model / file
    before, content = sha256(path), bytearray(path.read_bytes())
    content[-2] ^= 1 if file.endswith("safetensors") else ord(content[-2:-1]) ^ ord(" ")
    path.write_bytes(content)
    key = {"classifier": "model.name", "writer": "probes.perplexity.model"}[model]
    said = refused()
    assert said.startswith(f"audit.lock: {key}: {file} was changed: expected {before}, found {sha256(path)}\n")


def test_a_missing_and_an_additional_file_are_refused(here: Path) -> None:
    (here / "classifier/tokenizer_config.json").rename(here / "classifier/added_tokens.json")
    (here / "classifier/adapter_config.json").write_text("{}")
    said = refused()
    assert "added_tokens.json is additional: expected no such file, found " in said
    assert "tokenizer_config.json is missing: expected " in said
    assert "adapter_config.json is additional" in said


def test_code_that_comes_with_a_model_is_refused_before_it_is_run(here: Path) -> None:
    (here / "classifier/modeling_own.py").write_text("raise SystemExit('was run')")
    said = refused(model__trust_remote_code=True)
    assert "modeling_own.py is additional" in said
    assert "nothing of it was run" in said


def test_a_model_that_the_lock_does_not_know_is_refused(here: Path) -> None:
    kept = json.loads((here / "audit.lock").read_text())
    del kept["models"]["probes.perplexity.model"]
    (here / "audit.lock").write_text(json.dumps(kept))
    with pytest.raises(ConfigError, match=r"audit\.lock: has no probes\.perplexity\.model; write it again"):
        audit.check(settings())


@pytest.mark.parametrize("content", [None, "", "[]", '{"format": "auditor.lock/1", "models": {"model.name": 1}}'])
def test_a_lock_that_is_not_there_or_none_is_a_fault_of_the_configuration(here: Path, content: str | None) -> None:
    (here / "audit.lock").unlink()
    if content is not None:
        (here / "audit.lock").write_text(content)
    with pytest.raises(ConfigError, match=r"audit\.lock: .*`auditor lock` writes one"):
        audit.check(settings())


def test_another_lock_is_another_request(here: Path) -> None:
    before = request.files(settings())
    (here / "audit.lock").write_text("{}")
    assert request.files(settings()) != before


def test_the_command_writes_where_it_is_told_and_says_what(here: Path, capsys: pytest.CaptureFixture[str]) -> None:
    before = (here / "audit.lock").read_bytes()
    assert cli.main(["lock", "audit.toml", "--lock", "other.lock"]) == 0
    assert (here / "other.lock").read_bytes() == before
    said = capsys.readouterr().out.splitlines()
    assert said[0].startswith("model.name: classifier: ")
    assert said[-1] == "other.lock: written; require it with --lock, or with lock under [model]"
