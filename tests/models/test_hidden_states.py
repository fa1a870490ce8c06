"""What is seen inside a model is what is inside of it: closed forms, planted weights, the stock model text by text."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from torch import nn

from auditor.models import Observes, find, load
from auditor.models.computing.batching import Way
from auditor.models.computing.hidden_states import Observer, UnseenUnitsError, ever_active, reduced
from auditor.models.inputs import HiddenStatistics, UnseenActivationsError
from auditor.records.activations import ACTIVE_ABOVE
from tests.models.architectures import build
from tests.models.tiny import TEXTS, save

FAMILIES = (
    ("bert", "text-classification"),
    ("distilbert", "text-classification"),
    ("gpt2", "text-classification"),
    ("llama", "text-generation"),
    ("roberta", "fill-mask"),
)


@pytest.fixture(scope="module")
def folders(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    root = tmp_path_factory.mktemp("inside")
    return {family: save(root / family, family, task) for family, task in FAMILIES}


def opened(folder: Path) -> Any:
    return load(find("tiny", folder), device="cpu")


def seen(model: Any) -> list[HiddenStatistics]:
    return model.hidden_states(model.tokens([(text, None) for text in TEXTS]))


def units(one: HiddenStatistics, n: int) -> np.ndarray:
    return np.unpackbits(one.active, axis=1)[:, :n].astype(bool)


def test_a_layer_is_reduced_by_the_closed_form() -> None:
    states = torch.ones(2, 3, 40)
    states[0, 1, 7] = -20.0
    states[1, 0] *= 2.0
    states[1, 1:] = torch.nan  # padding
    norms, ratios, dimensions = reduced(states, torch.tensor([[True, True, True], [True, False, False]]))
    assert norms.tolist() == pytest.approx([40**0.5, 2 * 40**0.5])
    assert (float(ratios[0, 0]), int(dimensions[0, 0])) == (pytest.approx(20 / ((39 + 400) / 40) ** 0.5), 7)
    assert ratios[1].tolist() == pytest.approx([1.0] * 4)


def test_of_an_even_number_of_tokens_the_norm_is_the_lower_middle_one() -> None:
    states = torch.tensor([[[4.0, 0.0], [1.0, 0.0], [2.0, 0.0], [100.0, 0.0]]])
    assert float(reduced(states, torch.ones(1, 4, dtype=torch.bool))[0]) == 2.0


def test_states_of_zeros_have_no_ratio_and_what_is_no_number_shows() -> None:
    everything = torch.ones(1, 2, dtype=torch.bool)
    assert reduced(torch.zeros(1, 2, 8), everything)[1].max() == 0.0
    broken = torch.ones(1, 2, 8)
    broken[0, 1, 3] = torch.inf
    assert reduced(broken, everything)[1].isnan().any()


@pytest.mark.parametrize("n_units", [1, 8, 13])
def test_a_unit_has_a_bit(n_units: int) -> None:
    drawn = torch.Generator().manual_seed(0)
    values = torch.randn(3, 5, n_units, generator=drawn) * 2 * ACTIVE_ABOVE / 3
    valid = torch.arange(5) < torch.tensor([[5], [3], [1]])
    bits = ever_active(values, valid).numpy()
    expected = [(values[b][valid[b]].abs() > ACTIVE_ABOVE).any(0).numpy() for b in range(3)]
    assert np.array_equal(bits, np.packbits(np.stack(expected), axis=-1))


@pytest.mark.parametrize("family", [family for family, _ in FAMILIES])
def test_batches_show_what_the_stock_model_has_for_each_text_alone(folders: dict[str, Path], family: str) -> None:
    model = opened(folders[family])
    found, insides = seen(model), model.insides
    assert isinstance(model, Observes)
    assert (insides.n_layers, insides.width, insides.n_units, insides.unseen_units) == (2, 32, insides.n_units, "")
    assert insides.n_units == (128 if family == "gpt2" else 48)
    for text, one in zip(model.tokens([(t, None) for t in TEXTS]), found, strict=True):
        states, active = stock(model, text)
        norms = [float(np.sort(np.linalg.norm(x, axis=-1))[(len(x) - 1) // 2]) for x in states]
        np.testing.assert_allclose(one.norms[: len(norms)], norms, rtol=1e-5)
        for layer, x in enumerate(states):
            ratios = (np.abs(x) / np.sqrt((x**2).mean(-1, keepdims=True))).max(0)
            np.testing.assert_allclose(one.ratios[layer], np.sort(ratios)[::-1][:4], rtol=1e-4)
            np.testing.assert_allclose(ratios[one.dimensions[layer]], one.ratios[layer], rtol=1e-4)
        assert np.array_equal(units(one, insides.n_units), active)


def stock(model: Any, text: Any) -> tuple[list[np.ndarray], np.ndarray]:
    """The hidden states as transformers gives them out, the last left out where a norm follows, and active units."""
    with model.stock.as_built(), torch.inference_mode():
        kept: list[torch.Tensor] = []
        named = [
            (n, m) for n, m in model.model.named_modules() if n.endswith(("act", "act_fn", "activation", "_act_fn"))
        ]
        hooks = [
            m.register_forward_hook(lambda _m, _i, o: kept.append(o[0])) for n, m in named if "layer" in n or ".h." in n
        ]
        output = model.body(**model.stock_arguments(text.encoded), output_hidden_states=True)
        for hook in hooks:
            hook.remove()
    has_final_norm = model.kind in ("gpt2", "llama")
    states = [x[0].numpy() for x in output.hidden_states]
    return states[: len(states) - has_final_norm], np.stack([(a.abs() > ACTIVE_ABOVE).any(0).numpy() for a in kept])


@pytest.mark.parametrize("way", [Way.PADDED, Way.EQUAL, Way.ALONE])
def test_every_way_of_asking_shows_the_same(folders: dict[str, Path], way: Way) -> None:
    model = opened(folders["bert"])
    expected = seen(model)
    model._activations._settled = (model.truth, (way, model.insides))
    for one, other in zip(seen(model), expected, strict=True):
        np.testing.assert_allclose(one.norms, other.norms, rtol=1e-5)
        assert np.array_equal(one.active, other.active)


def test_a_planted_dead_unit_is_the_one_that_is_never_active(folders: dict[str, Path]) -> None:
    model = opened(folders["gpt2"])
    layer = model.body.h[1].mlp.c_fc
    with torch.no_grad():
        layer.weight[:, 7], layer.bias[7] = 0.0, -100.0
        model.body.h[0].mlp.c_fc.weight[:, 9], model.body.h[0].mlp.c_fc.bias[9] = 0.0, 1.0
    ever = np.logical_or.reduce([units(one, 128) for one in seen(model)])
    assert not ever[1, 7]
    assert ever[0, 9]
    assert ever.mean() > 0.9


def test_a_planted_outlier_dimension_is_found_in_every_text_and_layer(tmp_path: Path) -> None:
    model = opened(save(tmp_path / "planted", "gpt2", "text-classification", n_embd=64))
    with torch.no_grad():
        model.body.wte.weight[:, 5] = 50.0
    for one in seen(model):
        assert set(one.dimensions[:, 0]) == {5}
        assert (one.ratios[:, 0] > 6).all()


def test_what_was_found_out_is_kept_with_the_proof_and_no_hook_stays_in_the_model(folders: dict[str, Path]) -> None:
    model = opened(folders["llama"])
    with torch.inference_mode():
        model.body(torch.tensor([[1, 2]]), output_hidden_states=True)  # transformers sets hooks of its own, which stay
    before = hooks(model)
    seen(model)
    assert model.proofs["activations"].difference < 1e-4
    assert hooks(model) == before


def hooks(model: Any) -> int:
    return sum(len(m._forward_hooks) + len(m._forward_pre_hooks) for m in model.model.modules())


@pytest.mark.parametrize("name", ["mixtral", "gpt-oss"])
def test_experts_show_no_units_and_their_states_all_the_same(tmp_path: Path, name: str) -> None:
    model = opened(build(tmp_path, name, "text-generation"))
    found = seen(model)
    assert model.insides.n_units == 0
    assert "experts" in model.insides.unseen_units
    assert found[0].active.size == 0
    assert np.isfinite(found[0].norms).all()


@pytest.mark.parametrize(
    ("name", "reason"),
    [("albert", "no list of its layers"), ("xlm", "not those whose states"), ("bart", "encoder and a decoder")],
)
def test_layers_that_cannot_be_told_apart_are_refused_with_the_reason(tmp_path: Path, name: str, reason: str) -> None:
    model = opened(build(tmp_path, name, "text-classification"))
    for _ in range(2):
        with pytest.raises(UnseenActivationsError, match=reason):
            seen(model)


def test_a_layer_that_comes_by_twice_is_refused() -> None:
    observer = Observer(torch.ones(1, 2, dtype=torch.bool), 1, sees_units=True)
    for layer in (0, 1, 1):
        observer.see(layer, torch.ones(1, 2, 8))
    with pytest.raises(UnseenActivationsError, match="once"):
        _ = observer.columns
    with pytest.raises(UnseenUnitsError):
        observer.see_units(0, nn.functional.relu(torch.ones(3, 8)))
