"""A language model whose every token costs more nats than exp can take: measured, compared and printed all the same."""

import json
from pathlib import Path

import pytest
from safetensors.torch import load_file, save_file

from auditor import audit, config
from auditor.records.types import Perplexity
from tests.models.tiny import TEXTS, save
from tests.test_audit import LABELS, Silent

LOUDER = 1e5
"""By how much the logits are larger than a tiny model's."""


@pytest.fixture(scope="module")
def absurd(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = save(tmp_path_factory.mktemp("absurd") / "llama", "llama", "text-generation")
    weights = load_file(folder / "model.safetensors")
    weights["lm_head.weight"] = weights["lm_head.weight"] * LOUDER
    save_file(weights, folder / "model.safetensors", metadata={"format": "pt"})
    return folder


def test_its_perplexities_are_kept_and_judged_in_nats(absurd: Path, tmp_path: Path) -> None:
    model = save(tmp_path / "bert", "bert", "text-classification", **LABELS)
    rows = [{"text": f"{text} {i}", "label": "positive"} for i, text in enumerate(TEXTS * 3)]
    (tmp_path / "corpus.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8")
    given = {
        "model.name": model,
        "corpus.path": tmp_path / "corpus.jsonl",
        "run.output": tmp_path / "reports",
        "report.pdf": False,
        "probes.perplexity.model": absurd,
        "checks": {"perplexity.corpus": {"at_most": 1e200}},
    }
    result = audit.run(config.load(None, given, environment={}), progress=Silent())
    measured = [row for row in result.run.read("perplexity", Perplexity) if isinstance(row, Perplexity)]
    assert len(measured) == 18
    numbers = {number.name: number for number in result.findings.numbers}
    for name in ("corpus", "mean", "median", "word"):
        number = numbers[f"perplexity.{name}"]
        assert number.value is None
        assert number.nats is not None
        if name == "mean":
            assert number.nats.low is None, "it hangs on one document"
            continue
        assert number.nats.low is not None
        assert 709 < number.nats.low < (number.nats.value or 0) < (number.nats.high or 0)
    nats = sum(row.nll for row in measured) / sum(len(row.logprobs) for row in measured)
    assert numbers["perplexity.corpus"].compared.value == pytest.approx(nats)
    assert result.findings.verdict.result == "fail"
    assert "&gt; 1e300" in result.html.read_text(encoding="utf-8")
    assert audit.rerender(result.run, pdf=False).findings == result.findings
