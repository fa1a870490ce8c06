"""Models that bring code: only when trusted, of a commit or a folder, and another code is another plan."""

import json
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from auditor import audit, config
from auditor.errors import ConfigError, ModelError
from auditor.models import find
from auditor.records.plan import Plan
from auditor.running.planning import plan
from tests.models.tiny import save
from tests.test_audit import LABELS, Silent, corpus

COMMIT = "0123456789abcdef0123456789abcdef01234567"
CONFIG = """
from transformers import BertConfig


class OwnConfig(BertConfig):
    model_type = "own-bert"
"""
MODEL = """
from transformers import BertForSequenceClassification

from .own_config import OwnConfig


class OwnBert(BertForSequenceClassification):
    config_class = OwnConfig
"""


@pytest.fixture(autouse=True)
def modules(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Where transformers puts the code that it runs."""
    monkeypatch.setattr("transformers.dynamic_module_utils.HF_MODULES_CACHE", str(tmp_path / "modules"))
    monkeypatch.setattr(sys, "path", [*sys.path])
    before = set(sys.modules)
    yield
    for name in [name for name in sys.modules if name.startswith("transformers_modules")]:
        if name not in before:
            del sys.modules[name]


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A classifier whose classes lie beside its weights."""
    place = save(tmp_path / "model", "bert", "text-classification", **LABELS)
    (place / "own_config.py").write_text(CONFIG)
    (place / "own_model.py").write_text(MODEL)
    rewrite(place, "own_config.OwnConfig", "own_model.OwnBert")
    return place


def rewrite(place: Path, configuration: str, model: str) -> None:
    content = json.loads((place / "config.json").read_text())
    own = {"AutoConfig": configuration, "AutoModelForSequenceClassification": model}
    content |= {"model_type": "own-bert", "architectures": ["OwnBertForSequenceClassification"], "auto_map": own}
    (place / "config.json").write_text(json.dumps(content))


def settings(here: Path, model: Path, **more: object) -> config.Config:
    own = {f"model.{key}": value for key, value in more.items()}
    given = {"model.name": str(model), "corpus.path": corpus(here), "probes.prediction": {}, **own}
    return config.load(None, {**given, "run.output": here / "reports"}, environment={})


def planned(here: Path, model: Path) -> Plan:
    return plan(audit.check(settings(here, model, trust_remote_code=True)), "")


@pytest.mark.usefixtures("no_embedded_fonts")
def test_the_code_of_a_folder_is_run_hashed_and_shown(folder: Path, tmp_path: Path) -> None:
    result = audit.run(settings(tmp_path, folder, trust_remote_code=True), pdf=False, progress=Silent())
    digest = find("m", folder, trust_remote_code=True).code_sha256
    assert digest is not None
    assert result.findings.model["Code, SHA-256"] == digest
    assert f"Code that came with the model was run (SHA-256 {digest})." in result.findings.notes
    assert digest in result.html.read_text(encoding="utf-8")
    assert {"own_config.py", "own_model.py"} <= set(result.run.plan.model.files)


def test_changed_code_is_another_plan_and_no_other_tokenizer(folder: Path, tmp_path: Path) -> None:
    before = planned(tmp_path, folder)
    assert planned(tmp_path, folder) == before
    (folder / "parts").mkdir()
    (folder / "parts" / "more.py").write_text("MORE = 1\n")
    after = planned(tmp_path, folder)
    assert after.model.code_sha256 != before.model.code_sha256
    assert after.model.tokenizer_sha256 == before.model.tokenizer_sha256


def test_code_that_is_not_trusted_is_neither_run_nor_hashed(folder: Path, tmp_path: Path) -> None:
    with pytest.raises(ModelError, match="brings its own code"):
        audit.check(settings(tmp_path, folder))
    plain = save(tmp_path / "plain", "bert", "text-classification", **LABELS)
    (plain / "stray.py").write_text("1 / 0\n")
    assert find("m", plain).code_sha256 is None
    assert "stray.py" not in find("m", plain).hashes


def test_code_in_another_repository_is_refused(folder: Path, tmp_path: Path) -> None:
    rewrite(folder, "own_config.OwnConfig", "somebody/else--own_model.OwnBert")
    with pytest.raises(ModelError, match="code of another repository"):
        audit.check(settings(tmp_path, folder, trust_remote_code=True))


def test_code_that_lacks_a_package_is_said_in_one_line(folder: Path, tmp_path: Path) -> None:
    (folder / "own_config.py").write_text("import a_package_that_nobody_has\n" + CONFIG)
    with pytest.raises(ModelError, match="a_package_that_nobody_has"):
        audit.check(settings(tmp_path, folder, trust_remote_code=True))


@pytest.mark.parametrize("trusted", [False, True])
def test_a_folder_has_no_revision(folder: Path, tmp_path: Path, trusted: bool) -> None:
    with pytest.raises(ConfigError, match=r"model\.revision: .* is a folder, which has no revisions"):
        settings(tmp_path, folder, revision=COMMIT, trust_remote_code=trusted)


def test_a_snapshot_folder_has_one_revision_and_no_other(folder: Path, tmp_path: Path) -> None:
    place = tmp_path / "models--somebody--own" / "snapshots" / COMMIT
    place.parent.mkdir(parents=True)
    folder.rename(place)
    found = audit.check(settings(tmp_path, place, revision=COMMIT, trust_remote_code=True))
    assert (found.checkpoint.name, found.checkpoint.revision) == ("somebody/own", COMMIT)
    assert any(COMMIT in note for note in found.notes)
    for other in ("main", COMMIT[::-1]):
        with pytest.raises(ConfigError, match=f"holds {COMMIT}, not {other}"):
            settings(tmp_path, place, revision=other)


def test_code_from_the_hub_needs_a_commit(tmp_path: Path) -> None:
    for revision in (None, "main"):
        with pytest.raises(ConfigError, match="needs a revision of 40 hexadecimal digits"):
            settings(tmp_path, Path("somebody/own"), revision=revision, trust_remote_code=True)
