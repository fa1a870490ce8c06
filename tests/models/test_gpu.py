"""The device path on a real GPU: the same answers as on the CPU. Run with `make test ARGS="-m gpu"`."""

from pathlib import Path

import numpy as np
import pytest
import torch

from auditor.models import TextClassification, TextGeneration, Window, find, load
from auditor.probes.attention import punctuation
from tests.models.tiny import TEXTS, save

pytestmark = pytest.mark.gpu


@pytest.mark.parametrize("family", ["bert", "roberta", "llama", "mistral"])
def test_answers_and_attention_are_those_of_the_cpu(family: str, tmp_path: Path) -> None:
    folder = save(tmp_path / family, family, "text-classification")
    found = []
    for device in ("cpu", "cuda"):
        model = load(find("tiny", folder), device=device, dtype="float32")
        assert isinstance(model, TextClassification)
        texts = [(text, None) for text in TEXTS]
        tokens = model.tokens(texts)
        outputs = model.outputs(model.encode(texts), [model.question] * len(texts))
        assert outputs.device.type == "cpu"
        found.append((outputs, model.attention(tokens, [punctuation(t) for t in tokens])))
    torch.testing.assert_close(found[0][0], found[1][0], rtol=1e-3, atol=1e-3)
    for on_cpu, on_gpu in zip(found[0][1], found[1][1], strict=True):
        for name, values in on_cpu.by_name.items():
            np.testing.assert_allclose(on_gpu.by_name[name], values, atol=1e-3)


def test_log_probabilities_are_those_of_the_cpu(tmp_path: Path) -> None:
    folder = save(tmp_path / "llama", "llama", "text-generation")
    found = []
    for device in ("cpu", "cuda"):
        model = load(find("tiny", folder), device=device, dtype="float32")
        assert isinstance(model, TextGeneration)
        windows = [Window(ids[:-1], ids[1:]) for text in TEXTS[:4] if len(ids := model.spell(text).encoded.ids) > 1]
        found.append(model.logprobs(windows))
    for on_cpu, on_gpu in zip(*found, strict=True):
        np.testing.assert_allclose(on_gpu, on_cpu, atol=1e-3)


@pytest.mark.parametrize("dtype", ["bfloat16", "float16"])
@pytest.mark.parametrize("family", ["bert", "distilbert", "gpt2"])
def test_half_precision_packs_and_answers_as_float32_does_on_the_cpu(family: str, dtype: str, tmp_path: Path) -> None:
    folder = save(tmp_path / family, family, "text-classification")
    texts = [(text, None) for text in TEXTS]
    found, norms = [], set()
    for settings in ({"device": "cpu", "dtype": "float32"}, {"device": "cuda", "dtype": dtype}):
        model = load(find("tiny", folder), **settings)
        assert isinstance(model, TextClassification)
        assert model.packs
        assert model.fast
        norm = next(module for module in model.model.modules() if isinstance(module, torch.nn.LayerNorm))
        norm.register_forward_hook(lambda _, __, out: norms.add(out.dtype))
        found.append(model.outputs(model.encode(texts), [model.question] * len(texts)))
    torch.testing.assert_close(found[1], found[0], rtol=0.05, atol=0.02)
    assert norms == {torch.float32}
