"""Maps of heads: truth by construction, the matrices of the eager implementation, and what must not matter."""

import math
from pathlib import Path

import numpy as np
import pytest
import torch
from test_attention_statistics import attended

from auditor.models import find, load
from auditor.models.attention import routing
from auditor.models.attention.maps import HeaviestKeys
from auditor.models.attention.routing import Collector
from tests.models.tiny import TEXTS, save


def mapped(weights: np.ndarray, n_keys: int, *, causal: bool = False) -> HeaviestKeys:
    """The map of explicit attention matrices (H, T, T), through the attention function of a layer."""
    query = torch.tensor(weights, dtype=torch.float32)[None].log().clamp(min=-1e4)
    keys = torch.eye(query.shape[-1]).expand_as(query)
    ones = torch.ones(1, query.shape[-1], dtype=torch.long)
    collector = Collector(ones, ones, ones, n_keys)
    attended((query, keys, keys), collector, causal=causal, scaling=1.0)
    return collector.maps[0]


def test_uniform_attention_gives_uniform_rows_and_keeps_its_share() -> None:
    found = mapped(np.full((2, 20, 20), 1 / 20), 16)
    assert (found.weights == round(255 / 20)).all()
    assert (found.keys == torch.arange(16, dtype=torch.uint8)).all()  # the first among equals
    assert found.kept == pytest.approx(16 / 20)


def test_causal_rows_hold_the_keys_up_to_the_query_and_nothing_else() -> None:
    rows = np.tril(np.ones((10, 10)))
    found = mapped((rows / rows.sum(1, keepdims=True))[None], 10, causal=True)
    for query in range(10):
        weights, keys = found.weights[0, 0, query], found.keys[0, 0, query]
        assert weights[: query + 1].tolist() == [round(255 / (query + 1))] * (query + 1)
        assert keys[: query + 1].tolist() == list(range(query + 1))
        assert not weights[query + 1 :].any()
        assert not keys[query + 1 :].any()
    assert found.kept == pytest.approx(1.0)


def test_a_head_that_looks_back_has_one_key_a_row() -> None:
    backwards = np.eye(6, k=-1)
    backwards[0, 0] = 1
    found = mapped(backwards[None], 4, causal=True)
    assert found.keys[0, 0, :, 0].tolist() == [0, 0, 1, 2, 3, 4]
    assert found.weights[0, 0].tolist() == [[255, 0, 0, 0]] * 6


def test_the_mass_kept_is_summed_before_rounding_over_the_keys_that_are_kept() -> None:
    row = np.array([0.5, 0.001, 0.299, 0.2])
    found = mapped(np.tile(row, (1, 4, 1)), 3)
    assert found.keys[0, 0, 0].tolist() == [0, 2, 3]
    assert found.kept == pytest.approx(0.999, abs=1e-6)
    few = mapped(np.tile(row, (1, 4, 1)), 2)
    assert few.kept == pytest.approx(0.799, abs=1e-6)
    everything = mapped(np.tile(row, (1, 4, 1)), 4)
    assert everything.kept == pytest.approx(0.999, abs=1e-6)  # 0.001 rounds to nothing


def test_blocks_and_key_heads_of_any_size_give_the_same_map(monkeypatch: pytest.MonkeyPatch) -> None:
    torch.manual_seed(0)
    query, key, value = torch.randn(1, 6, 50, 8), torch.randn(1, 2, 50, 8), torch.randn(1, 2, 50, 8)
    found = []
    for rows, cells in ((7, 1), (128, 2**18)):
        monkeypatch.setattr(routing, "ROWS", rows)
        monkeypatch.setattr(routing, "CELLS", cells)
        ones = torch.ones(1, 50, dtype=torch.long)
        collector = Collector(ones, ones, ones, 5)
        attended((query, key, value), collector, causal=True)
        found.append(collector.maps[0])
    assert torch.equal(found[0].keys, found[1].keys)
    assert torch.equal(found[0].weights, found[1].weights)
    torch.testing.assert_close(found[0].kept, found[1].kept)


@pytest.mark.parametrize("family", ["bert", "distilbert", "gpt2", "llama", "mistral"])
def test_maps_equal_the_heaviest_keys_of_eager_matrices(family: str, tmp_path: Path) -> None:
    task = "text-classification" if "bert" in family else "text-generation"
    model = load(find("tiny", save(tmp_path / family, family, task)), device="cpu")
    tokens = model.tokens([(text, None) for text in TEXTS if len(text) > 10])
    found = model.attention_maps(tokens, 4)
    model.model.set_attn_implementation("eager")
    for text, own in zip(tokens, found, strict=True):
        with torch.no_grad():
            out = model.model.base_model(torch.tensor([text.encoded.ids]), output_attentions=True)
        matrices = torch.stack(out.attentions)[:, 0].double().numpy()  # L H T T
        assert own.keys.shape == (*matrices.shape[:3], 4)
        at_keys = np.take_along_axis(matrices, own.keys.astype(np.int64), -1)
        there = own.weights > 0
        np.testing.assert_allclose(own.weights[there] / 255, at_keys[there], atol=0.5 / 255 + 1e-5)
        largest = -np.sort(-np.pad(matrices, [(0, 0)] * 3 + [(0, 4)]), -1)[..., :4]
        np.testing.assert_allclose(own.weights / 255, largest, atol=1 / 255)
        np.testing.assert_allclose(own.kept, (at_keys * there).sum(-1).mean(-1), atol=1e-5)


def test_a_map_does_not_hang_on_the_company_it_is_computed_in(tmp_path: Path) -> None:
    model = load(find("tiny", save(tmp_path / "bert", "bert", "text-classification")), device="cpu")
    tokens = model.tokens([(text, None) for text in TEXTS])
    together = model.attention_maps(tokens, 8)
    for own, text in zip(together, tokens, strict=True):
        alone = model.attention_maps([text], 8)[0]
        assert alone.keys.tobytes() == own.keys.tobytes()
        assert alone.weights.tobytes() == own.weights.tobytes()
        assert np.array_equal(alone.kept, own.kept)


def test_no_statistics_are_kept_for_documents_that_are_not_mapped() -> None:
    ones = torch.ones(2, 5, dtype=torch.long)
    collector = Collector(ones, ones, ones)
    attended(tuple(torch.randn(2, 1, 5, 4) for _ in range(3)), collector)
    assert collector.maps == []


def test_mapping_waits_for_the_device_only_when_all_is_handed_over(tmp_path: Path) -> None:
    from test_device_path import Waits

    model = load(find("tiny", save(tmp_path / "gpt2", "gpt2", "text-generation")), device="cpu")
    text = model.tokens([(TEXTS[0], None)])[0]
    with Waits() as mode:
        model._reader._mapped(text, 8)
    assert not mode.found
    assert math.isfinite(float(model.attention_maps([text], 8)[0].kept.sum()))
