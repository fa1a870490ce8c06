"""Whole audits of texts in which special tokens stand literally: counted, said on page one, scored only as text."""

import json
from pathlib import Path

import pytest

from auditor import audit, config
from auditor.records.types import Perplexity, Prediction
from tests.models.tiny import save
from tests.test_audit import LABELS, Silent

CONTROL_TOKENS = {
    "plain": "a dull film that never ends",
    "mask": "a [MASK] film that never ends",
    "sep": "a dull film [SEP] that never ends [CLS]",
    "chat": "<|im_start|>user\nhello<|im_end|>",
}
BOS_TWICE = {"once": "the film was not bad at all", "literal": "<|endoftext|>the film was not bad at all"}


def audited(here: Path, model: Path, texts: dict[str, str], probe: str, **more: object) -> audit.Result:
    data = here / "corpus.jsonl"
    data.write_text("".join(json.dumps({"id": name, "text": text}) + "\n" for name, text in texts.items()))
    settings = {"model.name": model, "corpus.path": data, f"probes.{probe}": {}, "run.output": here / "reports"}
    settings |= {f"model.{key}": value for key, value in more.items()}
    return audit.run(config.load(None, settings, environment={}), pdf=False, progress=Silent())


@pytest.mark.usefixtures("no_embedded_fonts")
def test_control_tokens_of_the_tokenizer_are_counted_and_noted_on_page_one(tmp_path: Path) -> None:
    model = save(tmp_path / "model", "bert", "text-classification", **LABELS)
    result = audited(tmp_path, model, CONTROL_TOKENS, "prediction")
    found = {row.document_id: row.special_tokens for row in result.run.read("prediction", Prediction)}
    assert found == {"plain": (), "mask": ("[MASK]",), "sep": ("[SEP]", "[CLS]"), "chat": ()}
    note = (
        "2 documents contain special tokens of the tokenizer literally ([CLS] in 1, [MASK] in 1 and [SEP] in 1); "
        "the model reads them as such."
    )
    assert result.findings.notes[0] == note
    assert note in result.html.read_text(encoding="utf-8").split('id="predictions"')[0]


@pytest.mark.usefixtures("no_embedded_fonts")
def test_a_first_token_that_stands_in_the_text_is_noted_and_not_scored_twice(tmp_path: Path) -> None:
    model = save(tmp_path / "model", "gpt2", "text-generation")
    result = audited(tmp_path, model, BOS_TWICE, "perplexity", candidates=[" good", " bad"])
    once, literal = result.run.read("perplexity", Perplexity)
    assert literal.logprobs == pytest.approx(once.logprobs, abs=1e-5)
    assert literal.n_bytes == once.n_bytes
    assert "<|endoftext|> in 1" in result.findings.notes[0]
