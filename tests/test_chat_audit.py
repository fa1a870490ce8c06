"""Audits of chat models: the template is applied when asked for, said either way, and refused where there is none."""

import json
from pathlib import Path
from typing import Any

import pytest

from auditor import audit, config
from auditor.errors import ConfigError, ModelError
from auditor.running.planning import plan
from tests.models.test_chat import CHATML, saved
from tests.models.tiny import TEXTS, save
from tests.test_audit import Silent


@pytest.fixture(scope="module")
def talker(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return saved(tmp_path_factory.mktemp("talker") / "model", CHATML)


def settings(here: Path, model: Path, **more: Any) -> config.Config:
    data = here / "corpus.jsonl"
    data.write_text("".join(json.dumps({"text": text}) + "\n" for text in TEXTS), encoding="utf-8")
    own = {f"model.{key}": value for key, value in more.items()}
    probes = {"probes.lime.n_samples": 60, "probes.perplexity": {}, "run.output": here / "reports"}
    return config.load(None, {"model.name": model, "corpus.path": data, **probes, **own}, environment={})


@pytest.mark.usefixtures("no_embedded_fonts")
def test_a_chat_model_is_audited_through_its_template_and_the_report_says_so(talker: Path, tmp_path: Path) -> None:
    asked = settings(tmp_path, talker, chat=True, candidates=["good", "bad"], prompt="{text}\nGood or bad?")
    result = audit.run(asked, pdf=False, progress=Silent())
    assert all(row.failed == 0 for row in result.findings.coverage)
    assert result.findings.model["Chat template"].startswith("around every prompt")
    protocol = next(n.protocol for n in result.findings.numbers if n.name == "perplexity.corpus")
    assert "without the chat template" in protocol
    assert not any("chat template" in note for note in result.findings.notes)
    assert "without the chat template" in result.html.read_text(encoding="utf-8")


def test_a_template_that_was_not_applied_is_noted(talker: Path, tmp_path: Path) -> None:
    plain = save(tmp_path / "writer", "llama", "text-generation")
    assert any("chat = true" in note for note in audit.check(settings(tmp_path, talker)).notes)
    assert not any("chat" in note for note in audit.check(settings(tmp_path, talker, chat=True)).notes)
    assert not any("chat" in note for note in audit.check(settings(tmp_path, plain)).notes)


def test_chat_is_another_plan(talker: Path, tmp_path: Path) -> None:
    plans = [plan(audit.check(settings(tmp_path, talker, chat=chat)), "") for chat in (False, True)]
    assert [one.prompt.chat for one in plans] == [False, True]
    assert plans[0].id != plans[1].id


def test_a_model_without_a_template_and_a_classifier_are_refused(tmp_path: Path) -> None:
    with pytest.raises(ModelError, match="no chat template"):
        audit.check(settings(tmp_path, save(tmp_path / "writer", "llama", "text-generation"), chat=True))
    masked = settings(tmp_path, save(tmp_path / "masked", "bert", "fill-mask"), chat=True)
    with pytest.raises(ConfigError, match=r"model\.chat: is not for fill-mask"):
        audit.check(masked.model_copy(update={"probes": {}}))
    with pytest.raises(ConfigError, match="chat is for text-generation only"):
        settings(tmp_path, tmp_path, chat=True, task="fill-mask")
