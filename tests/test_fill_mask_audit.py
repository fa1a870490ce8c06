"""A masked language model is audited from corpus to report, and may be asked as a reference too."""

import json
import math
from pathlib import Path

import numpy as np
import pytest
import torch

from auditor import audit, config
from auditor.errors import ConfigError, ProbeError
from auditor.models import find, load
from auditor.records.types import PseudoPerplexity
from auditor.records.verification import verify
from auditor.report.drawing import formats
from tests.models.tiny import TEXTS, save


class Silent:
    """A progress that nobody watches."""

    def start(self, total_documents_by_probe: dict[str, int]) -> None: ...

    def say(self, text: str) -> None: ...

    def advance(self, probe: str, documents: int) -> None: ...


@pytest.fixture(scope="module")
def models(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    root = tmp_path_factory.mktemp("masked")
    return {
        "masked": save(root / "masked", "bert", "fill-mask"),
        "classifier": save(root / "classifier", "bert", "text-classification"),
        "writer": save(root / "writer", "llama", "text-generation"),
    }


@pytest.fixture
def data(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    rows = [
        {"id": f"d{i}", "text": f"{text} filmings {i}", "label": ("a", "b")[i % 2], "size": "sl"[len(text) > 30]}
        for i, text in enumerate(TEXTS * 2)
    ]
    path = tmp_path / "corpus.jsonl"
    path.write_text("".join(json.dumps(row) + "\n" for row in rows))
    return path


def run(model: Path, data: Path, **more: object) -> audit.Result:
    settings = config.load(
        None, {"model.name": model, "corpus.path": data, "run.shard_size": 5, **more}, environment={}
    )
    return audit.run(settings, pdf=False, command="auditor run", progress=Silent())


def by_hand(folder: Path, texts: list[str]) -> float:
    """Corpus pseudo-perplexity, within-word, by the loop that everyone writes."""
    model = load(find("tiny", folder), device="cpu")
    scores = []
    for text in texts:
        encoded = model.tokenizer(text, return_tensors="pt")
        ids, words = encoded["input_ids"], encoded.word_ids(0)
        for t, word in enumerate(words):
            if word is None:
                continue
            masked = ids.clone()
            for later in range(t, len(words)):
                if words[later] == word:
                    masked[0, later] = model.tokenizer.mask_token_id
            with torch.no_grad():
                logits = model.model(**{**encoded, "input_ids": masked}).logits[0, t]
            scores.append(float(logits.log_softmax(-1)[ids[0, t]]))
    return math.exp(-np.mean(scores))


def test_a_masked_model_is_audited_and_its_numbers_stand_in_the_report(models: dict[str, Path], data: Path) -> None:
    result = run(models["masked"], data, checks={"pseudo_perplexity.corpus": {"at_most": 1e9}})
    found = result.findings
    assert {row.probe: (row.asked, row.measured, row.failed) for row in found.coverage} == {
        "attention": (12, 12, 0),
        "pseudo_perplexity": (12, 12, 0),
    }
    assert found.predictions is None
    assert found.verdict.result == "pass"
    assert found.pseudo_perplexity is not None
    corpus = found.pseudo_perplexity.corpus
    texts = [json.loads(line)["text"] for line in data.read_text().splitlines()]
    assert corpus.value == pytest.approx(by_hand(models["masked"], texts), rel=1e-5)
    assert found.key_numbers[0] == corpus
    assert not found.pseudo_perplexity.is_reference
    assert found.pseudo_perplexity.n_split > 0
    page = result.html.read_text()
    for number in (corpus, found.pseudo_perplexity.median_document):
        assert formats.value(number) in page
        assert formats.interval(number) in page
    assert "must never be compared with the perplexity of a causal language model" in page
    assert "bits per byte either" in page
    assert '<section id="attention"' in page
    assert verify(result.run) == []


def test_every_slice_has_a_pseudo_perplexity_that_a_check_may_bound(models: dict[str, Path], data: Path) -> None:
    name = "pseudo_perplexity.corpus{size=s}"
    result = run(
        models["masked"], data, **{"probes.pseudo_perplexity": {"variant": "original"}, f"checks.{name}.at_most": 1e9}
    )
    assert result.findings.checks[0].number is not None
    assert result.findings.checks[0].number.value is not None
    assert {row.probe for row in result.findings.coverage} == {"pseudo_perplexity"}
    assert all(r.variant == "original" for r in result.run.read("pseudo_perplexity", PseudoPerplexity))


def test_a_classifier_may_ask_a_masked_reference_model_beside_a_causal_one(models: dict[str, Path], data: Path) -> None:
    more = {
        "probes.pseudo_perplexity.model": models["masked"],
        "probes.perplexity.model": models["writer"],
        "corpus.label": "",
    }
    found = run(models["classifier"], data, **more).findings
    assert found.pseudo_perplexity is not None
    assert found.perplexity is not None
    assert found.pseudo_perplexity.is_reference
    assert found.pseudo_perplexity.model != found.perplexity.model
    assert found.documents[0].pseudo_perplexity != found.documents[0].perplexity


@pytest.mark.parametrize(
    ("model", "more", "error", "message"),
    [
        ("masked", {"probes.lime": {}}, ProbeError, "needs a model that classifies, which fill-mask does not"),
        ("masked", {"probes.perplexity": {}}, ProbeError, 'model = "a text-generation model"'),
        ("classifier", {"probes.pseudo_perplexity": {}}, ProbeError, 'fills masks.* model = "a fill-mask model"'),
        ("masked", {"model.candidates": ["a", "b"]}, ConfigError, "candidates: is not for fill-mask"),
        ("masked", {"model.multi_label": True}, ConfigError, "multi_label: is not for fill-mask"),
        ("masked", {"checks.accuracy.at_least": 0.5}, ConfigError, "this run cannot give such a number"),
        ("masked", {"checks.pseudo_perplexity.bits_per_byte.at_most": 2}, ConfigError, "checks"),
        ("masked", {"checks.attention.head_share[sink].at_least": 0.5}, ConfigError, "cannot give such a number"),
    ],
)
def test_what_a_masked_model_cannot_do_is_said_before_it_is_loaded(
    models: dict[str, Path], data: Path, model: str, more: dict[str, object], error: type[Exception], message: str
) -> None:
    with pytest.raises(error, match=message):
        run(models[model], data, **more)
