"""A model of which accelerate keeps parts elsewhere answers like the whole one.

Parts on the disk stand for those on another device: their weights are on the meta device until a layer is called, so
that whatever reads them past its hook fails.
"""

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from accelerate import dispatch_model

from auditor.models import FillMask, TextClassification, TextGeneration, Window, find, load
from auditor.models.checkpoints.loading import load_model
from auditor.models.computing.batching import Batcher
from tests.models.tiny import TEXTS, save

LAST = {"bert": "encoder.layer.1", "llama": "layers.1"}


def spread(plain: Any, folder: Path, away: set[str]) -> Any:
    """The adapter again, over a model with these modules on the disk."""
    model = load_model(find("tiny", folder), torch.device("cpu"), torch.float32)
    leaves = {name for name, module in model.named_modules() if not any(True for _ in module.children())}
    here = {name for name in leaves if not any(f"{name}.".startswith(f"{one}.") for one in away)}
    places = dict.fromkeys(away, "disk") | dict.fromkeys(here, "cpu")
    model = dispatch_model(model, places, main_device="cpu", offload_dir=str(folder / "away"), force_hooks=True)
    assert any(own.is_meta for own in model.parameters())
    return type(plain)(model, plain.tokenizer, plain.identity, Batcher(2048))


@pytest.mark.parametrize("away", [{"model.layers.1"}, {"model.layers.1", "lm_head"}, {"model.embed_tokens"}])
def test_a_language_model_scores_the_same(tmp_path: Path, away: set[str]) -> None:
    plain = load(find("tiny", save(tmp_path, "llama", "text-generation")), device="cpu")
    assert isinstance(plain, TextGeneration)
    model = spread(plain, tmp_path, away)
    windows = [Window(tuple(range(3, 3 + n)), tuple(range(4, 3 + n))) for n in (4, 9, 30)]
    for found, wanted in zip(model.logprobs(windows), plain.logprobs(windows), strict=True):
        np.testing.assert_allclose(found, wanted, atol=1e-4)


@pytest.mark.parametrize("family", ["bert", "llama"])
def test_a_classifier_answers_and_attends_the_same(tmp_path: Path, family: str) -> None:
    plain = load(find("tiny", save(tmp_path, family, "text-classification")), device="cpu")
    assert isinstance(plain, TextClassification)
    model = spread(plain, tmp_path, {f"{plain.model.base_model_prefix}.{LAST[family]}"})
    texts = [(text, None) for text in TEXTS]
    asked = [plain.question] * len(texts)
    torch.testing.assert_close(
        model.outputs(model.encode(texts), asked), plain.outputs(plain.encode(texts), asked), rtol=1e-4, atol=1e-4
    )
    tokens = plain.tokens(texts)
    nothing = [[False] * len(one.texts) for one in tokens]
    for found, wanted in zip(model.attention(tokens, nothing), plain.attention(tokens, nothing), strict=True):
        for name, values in wanted.by_name.items():
            np.testing.assert_allclose(found.by_name[name], values, atol=1e-4)


def test_a_masked_language_model_fills_the_same(tmp_path: Path) -> None:
    from tests.models.test_fill_mask import every_gap

    plain = load(find("tiny", save(tmp_path, "distilbert", "fill-mask")), device="cpu")
    assert isinstance(plain, FillMask)
    model = spread(plain, tmp_path, {"distilbert.transformer.layer.1", "vocab_transform"})
    clozes = every_gap(plain, TEXTS)
    for found, wanted in zip(model.fill(clozes), plain.fill(clozes), strict=True):
        np.testing.assert_allclose(found, wanted, atol=1e-4)
