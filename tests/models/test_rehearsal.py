"""Which models show their attention, told from the configuration alone."""

from pathlib import Path
from typing import Any

import pytest
import torch
from transformers import BloomConfig, GptOssConfig, Lfm2Config, MambaConfig, PreTrainedConfig, T5Config, XLNetConfig

from auditor.models import hides_attention
from auditor.models.checkpoints.checkpoint import Checkpoint
from tests.models.tiny import DECODERS, ENCODERS, config_of

TASKS = ("text-classification", "text-generation", "fill-mask")
SMALL = {"vocab_size": 300, "hidden_size": 32, "num_hidden_layers": 2, "num_attention_heads": 4}


def checkpoint(config: PreTrainedConfig, task: str) -> Checkpoint:
    return Checkpoint("tiny", Path("nowhere"), task, None, config)


@pytest.mark.parametrize("task", TASKS)
@pytest.mark.parametrize("family", [*ENCODERS, *DECODERS])
def test_the_families_we_promise_show_it(family: str, task: str) -> None:
    if (family in ENCODERS and task == "text-generation") or (family in DECODERS and task == "fill-mask"):
        return
    assert hides_attention(checkpoint(config_of(family, 300), task)) is None


@pytest.mark.parametrize(
    ("config", "task", "reason"),
    [
        (config_of("deberta-v2", 300), "text-classification", "a way of its own"),
        (XLNetConfig(vocab_size=300, d_model=32, n_layer=2, n_head=4), "text-classification", "a way of its own"),
        (BloomConfig(vocab_size=300, hidden_size=32, n_layer=2, n_head=4), "text-generation", "a way of its own"),
        (
            MambaConfig(vocab_size=300, hidden_size=32, num_hidden_layers=2),
            "text-generation",
            "no layer of this architecture attends",
        ),
        (T5Config(vocab_size=300, d_model=32, num_layers=2, num_heads=4), "text-classification", "position bias"),
        (GptOssConfig(**SMALL, num_local_experts=2, head_dim=8), "text-generation", "learned sinks"),
    ],
    ids=lambda value: type(value).__name__.removesuffix("Config") if isinstance(value, PreTrainedConfig) else "",
)
def test_those_that_do_not_are_told_apart(config: PreTrainedConfig, task: str, reason: str) -> None:
    assert reason in str(hides_attention(checkpoint(config, task)))


def test_a_hybrid_shows_the_layers_that_attend() -> None:
    hybrid = Lfm2Config(**SMALL, num_key_value_heads=2, layer_types=["conv", "full_attention"])
    assert hides_attention(checkpoint(hybrid, "text-generation")) is None


def test_the_size_of_the_weights_does_not_matter() -> None:
    config: Any = config_of("llama", 300)
    config.update({"hidden_size": 65_536, "intermediate_size": 262_144, "head_dim": 16_384})  # 380 GB in float32
    before = torch.get_rng_state()
    assert hides_attention(checkpoint(config, "text-generation")) is None
    assert torch.equal(torch.get_rng_state(), before)
    assert config._attn_implementation_internal is None


def test_what_only_a_run_will_tell_is_left_to_the_run(monkeypatch: pytest.MonkeyPatch) -> None:
    def fails(*_: object, **__: object) -> None:
        raise RuntimeError("Tensor.item() cannot be called on meta tensors")

    monkeypatch.setattr("transformers.BertModel.forward", fails)
    assert hides_attention(checkpoint(config_of("bert", 300), "text-classification")) is None
