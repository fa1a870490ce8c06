"""Half precision: every forward pass under autocast of the weights' dtype, statistics of attention outside of it."""

from pathlib import Path
from typing import Any

import pytest
import torch

from auditor.models import Window, find, load
from auditor.models.computing.precision import computing, unrounded
from auditor.models.inputs import Cloze
from auditor.probes.attention import punctuation
from tests.models.tiny import TEXTS, load_on_cpu, save

CASES = [("bert", "text-classification"), ("gpt2", "text-classification"), ("llama", "text-generation")]
HALF = [torch.bfloat16, torch.float16]
CPU = torch.device("cpu")


@pytest.fixture(scope="module")
def folders(tmp_path_factory: pytest.TempPathFactory) -> dict[tuple[str, str], Path]:
    root = tmp_path_factory.mktemp("precision")
    cases = [*CASES, ("bert", "fill-mask"), ("distilbert", "text-classification")]
    return {case: save(root / "-".join(case), *case) for case in cases}


def name_of(dtype: torch.dtype) -> str:
    return str(dtype).removeprefix("torch.")


def answers(model: Any) -> torch.Tensor:
    texts = [(text, None) for text in TEXTS]
    return model.outputs(model.encode(texts), [model.question] * len(texts))


def everything(model: Any) -> None:
    """Whatever the model can be asked, packed and padded."""
    tokens = model.tokens([(text, None) for text in TEXTS])
    for model.packs in (True, False):
        model.attention(tokens, [punctuation(text) for text in tokens])
        model.attention_maps(tokens[-1:], 2)
        if model.identity.task == "text-classification":
            answers(model)
        elif model.identity.task == "fill-mask":
            model.fill([Cloze(tokens[0].encoded, ((1, 2), (3, 4)))])
        else:
            model.logprobs([Window((1, 2, 3), (4, 5))])
            model._continue(model.encode([("Good.", None)]))


@pytest.mark.parametrize("dtype", [torch.float32, *HALF])
@pytest.mark.parametrize("case", [*CASES, ("bert", "fill-mask")])
def test_only_half_precision_runs_under_autocast(
    folders: dict[tuple[str, str], Path], case: tuple[str, str], dtype: torch.dtype
) -> None:
    model: Any = load_on_cpu(find("tiny", folders[case]), dtype=name_of(dtype), max_new_tokens=3)
    seen = set()

    def note(*_: object) -> None:
        autocast = torch.is_autocast_enabled("cpu") and torch.get_autocast_dtype("cpu")
        seen.add((autocast, torch.is_grad_enabled()))

    model.model.base_model.register_forward_pre_hook(note)
    everything(model)
    assert seen == {(dtype if dtype in HALF else False, False)}


def test_products_outside_of_autocast_keep_their_digits() -> None:
    exact = torch.randn(8, 300, generator=torch.Generator().manual_seed(0))
    with computing(CPU, torch.bfloat16):
        rounded = exact @ exact.T
        with unrounded(CPU):
            kept = exact @ exact.T
    assert rounded.dtype == torch.bfloat16
    torch.testing.assert_close(kept, exact @ exact.T, rtol=0, atol=0)


def test_a_device_without_autocast_needs_none() -> None:
    with computing(torch.device("meta"), torch.bfloat16), unrounded(torch.device("meta")):
        assert torch.ones(2, 2, device="meta").dtype == torch.float32


def float32(self: torch.nn.LayerNorm, states: torch.Tensor) -> torch.Tensor:
    """What CUDA's autocast makes of a norm."""
    bias = None if self.bias is None else self.bias.float()
    return torch.nn.functional.layer_norm(states.float(), self.normalized_shape, self.weight.float(), bias, self.eps)


@pytest.mark.parametrize("case", [("bert", "text-classification"), ("distilbert", "text-classification"), CASES[1]])
def test_norms_that_hand_on_float32_leave_every_way_open(
    folders: dict[tuple[str, str], Path], case: tuple[str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    exact: Any = load(find("tiny", folders[case]), device="cpu")
    monkeypatch.setattr(torch.nn.LayerNorm, "forward", float32)
    model: Any = load(find("tiny", folders[case]), device="cpu", dtype="bfloat16")
    assert model.packs
    assert model.fast
    everything(model)
    for model.packs in (True, False):
        torch.testing.assert_close(answers(model), answers(exact), rtol=0.05, atol=0.02)


def test_a_masked_model_whose_norms_hand_on_float32_fills_gaps_as_it_does_in_float32(
    folders: dict[tuple[str, str], Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    found = []
    for dtype in ("float32", "bfloat16"):
        model: Any = load(find("tiny", folders["bert", "fill-mask"]), device="cpu", dtype=dtype)
        (text,) = model.spellings(TEXTS[:1])
        (scores,) = model.fill([Cloze(text.tokens.encoded, ((1, 2), (3, 4), (5, 6)))])
        found.append(torch.from_numpy(scores))
        monkeypatch.setattr(torch.nn.LayerNorm, "forward", float32)
    torch.testing.assert_close(found[1], found[0], rtol=0.01, atol=0.02)
