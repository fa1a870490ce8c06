"""An audit with every probe that a classifier has, stopped between two shards, has the sums of one that was not."""

from pathlib import Path
from typing import Any

import pytest

from auditor import audit
from auditor.errors import InterruptedRunError
from auditor.records.run import Run
from auditor.records.sums import compute
from auditor.records.types import Failure
from auditor.registry import registered
from tests.models.tiny import TEXTS, save
from tests.test_audit import LABELS, corpus, run

FEW: dict[str, dict[str, Any]] = {
    "lime": {"n_samples": 20, "limit": 3},
    "occlusion": {"limit": 3},
    "shap": {"max_evaluations": 40, "limit": 3},
    "saliency": {"limit": 3},
    "input_x_gradient": {"limit": 3},
    "integrated_gradients": {"limit": 3},
    "attention_rollout": {"limit": 3},
    "mean_attention": {"limit": 3},
    "anchors": {"limit": 1},
    "faithfulness": {},
    "sanity": {"limit": 1},
    "head_ablation": {"limit": 2},
    "global_surrogate": {},
    "prediction": {},
    "attention": {},
    "activations": {},
}
OTHERS = {"perplexity", "pseudo_perplexity"}
"""These ask language models."""


ASKED = {**{f"probes.{name}": table for name, table in FEW.items()}, "run.shard_size": 3, "run.cache": False}


def asked(model: Path, data: Path, output: str, **how: Any) -> Run:
    made: Any = run(model, data, {**ASKED, "run.output": output}, **how)
    return made  # the conclusions are left out


def stopped_after(n: int) -> Any:
    questions = iter(range(100))
    return lambda: next(questions) >= n


def test_every_probe_is_resumed_with_equal_sums(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert FEW.keys() | OTHERS == {name for name in registered("auditor.probes") if not name.startswith("third")}
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("SOURCE_DATE_EPOCH", "1790000000")
    rows = [
        {"id": f"d{i}", "text": f"{text} {i}", "label": list(LABELS["label2id"])[i % 2]} for i, text in enumerate(TEXTS)
    ]
    model, data = save(tmp_path / "m", "bert", "text-classification", **LABELS), corpus(tmp_path, rows)
    monkeypatch.setattr(audit, "_concluded", lambda run, *_, **__: run)
    whole = asked(model, data, "whole")
    with pytest.raises(InterruptedRunError):
        asked(model, data, "parts", stop=stopped_after(1))
    parts = asked(model, data, "parts")
    kept = [{k: v for k, v in compute(one.path).items() if k.startswith("evidence/")} for one in (whole, parts)]
    assert kept[0] == kept[1]
    assert {name.split("/")[1] for name in kept[0]} == {*FEW, "documents"}
    for name in FEW:
        assert not [row for row in parts.read_facts(name) if isinstance(row, Failure)], name
