"""Attention that is followed to where an answer is read: the toy of the design notes, products of matrices."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from auditor.models import find, load
from auditor.models.attention import answers, routing
from auditor.models.attention.answers import _read_at
from auditor.models.attention.flow import Flow
from auditor.models.inputs import UnseenAttentionError
from auditor.records.types import Document
from tests.models.architectures import build
from tests.models.test_attention_statistics import attended, matrices, random_heads
from tests.models.tiny import TEXTS, save

FIRST = np.array([[1, 0, 0], [0.5, 0.5, 0], [0.2, 0.3, 0.5]])
SECOND = np.array([[1, 0, 0], [0.25, 0.75, 0], [0.1, 0.1, 0.8]])
DOCUMENTS = [Document(str(i), text) for i, text in enumerate([*TEXTS, "Not a bad film at all, and it's moving. " * 3])]


def flowed(layers: Sequence[np.ndarray], pooling: str, *, rolls_out: bool, causal: bool = True) -> np.ndarray:
    """What explicit matrices (H, T, T), one a layer, hand on: queries of their logarithms and the keys 1 give them."""
    valid = torch.ones(1, layers[0].shape[-1])
    flow = Flow(valid, _read_at(valid, pooling), rolls_out=rolls_out)  # type: ignore[arg-type]
    for weights in layers:
        query = torch.tensor(weights, dtype=torch.float32)[None].log().clamp(min=-1e4)
        keys = torch.eye(query.shape[-1]).expand_as(query)
        attended((query, keys, keys), flow, causal=causal, scaling=1.0)
    return flow.result(len(layers), "toy")[0].double().numpy()


def by_hand(layers: Sequence[np.ndarray], *, rolls_out: bool) -> np.ndarray:
    """(T, T): the definitions once more, on matrices (T, T)."""
    if not rolls_out:
        return np.mean(layers, axis=0)
    product = np.eye(len(layers[0]))
    for matrix in layers:
        product = (matrix + np.eye(len(matrix))) / 2 @ product
    return product


def test_the_toy_of_three_tokens_and_two_causal_layers() -> None:
    layers = [FIRST[None], SECOND[None]]
    assert flowed(layers, "last", rolls_out=True) == pytest.approx((0.1525, 0.1725, 0.675), abs=1e-7)
    assert flowed(layers, "first", rolls_out=True) == pytest.approx((1, 0, 0), abs=1e-7)
    everywhere = np.mean([[1, 0, 0], [0.34375, 0.65625, 0], [0.1525, 0.1725, 0.675]], axis=0)
    assert flowed(layers, "mean", rolls_out=True) == pytest.approx(everywhere, abs=1e-7)
    assert flowed(layers, "last", rolls_out=False) == pytest.approx((0.15, 0.2, 0.65), abs=1e-7)


def test_heads_are_averaged_and_their_order_does_not_matter() -> None:
    random = np.random.default_rng(0)
    layers = [random.dirichlet(np.ones(6), size=(4, 6)) for _ in range(3)]
    expected = by_hand([layer.mean(0) for layer in layers], rolls_out=True)
    for order in ([0, 1, 2, 3], [2, 0, 3, 1]):
        found = flowed([layer[order] for layer in layers], "first", rolls_out=True, causal=False)
        assert found == pytest.approx(expected[0], abs=1e-6)
        assert found.sum() == pytest.approx(1, abs=1e-6)


def test_identity_keeps_every_token_where_it_is() -> None:
    assert flowed([np.eye(5)[None]] * 4, "last", rolls_out=True) == pytest.approx((0, 0, 0, 0, 1))


@pytest.mark.parametrize("rolls_out", [True, False])
@pytest.mark.parametrize("causal", [False, True])
@pytest.mark.parametrize(("rows", "cells"), [(7, 1), (16, 2000), (1000, 10**9)])
def test_blocks_of_any_size_padding_and_grouped_queries_change_nothing(
    rows: int, cells: int, causal: bool, rolls_out: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(routing, "ROWS", rows)
    monkeypatch.setattr(routing, "CELLS", cells)
    lengths, n_tokens = [40, 23, 1], 40
    valid = (torch.arange(n_tokens) < torch.tensor(lengths)[:, None]).float()
    allowed = torch.ones(n_tokens, n_tokens, dtype=torch.bool)
    allowed = (allowed.tril() if causal else allowed) & valid.bool()[:, None, None]
    layers = [random_heads(3, 6, 2, n_tokens, size) for size in (8, 4)]
    flow = Flow(valid, _read_at(valid, "last"), rolls_out=rolls_out)
    for tensors in layers:
        attended(tensors, flow, causal=causal, mask=allowed)
    found = flow.result(2, "random").numpy()
    for b, n in enumerate(lengths):
        own = [matrices(query, key, allowed)[b, :, :n, :n].mean(0).numpy() for query, key, _ in layers]
        np.testing.assert_allclose(found[b, :n], by_hand(own, rolls_out=rolls_out)[n - 1], atol=1e-6)
        assert not found[b, n:].any()


@pytest.mark.parametrize(
    ("family", "task"),
    [
        *(("bert", "text-classification"), ("distilbert", "text-classification"), ("gpt2", "text-classification")),
        *(("llama", "text-generation"), ("mistral", "text-generation")),
    ],
)
def test_it_is_the_product_of_the_matrices_that_the_model_gives_out(family: str, task: str, tmp_path: Path) -> None:
    model: Any = load(find("tiny", save(tmp_path / family, family, task), task=task), device="cpu")
    assert model.pooling == ("first" if "bert" in family else "last")
    given = {rolls: model.attention_of_answers(DOCUMENTS, rolls_out=rolls) for rolls in (True, False)}
    model.model.set_attn_implementation("eager")
    for i, tokens in enumerate(model.read_as(DOCUMENTS)):
        with torch.no_grad():
            out = model.model.base_model(torch.tensor([tokens.encoded.ids]), output_attentions=True)
        layers = [layer[0].mean(0).double().numpy() for layer in out.attentions]
        for rolls_out, found in given.items():
            expected = by_hand(layers, rolls_out=rolls_out)[0 if model.pooling == "first" else -1]
            np.testing.assert_allclose(found[i].values, expected, atol=1e-6)
            assert len(found[i].parts) == len(expected)


def opened(folder: Path, architecture: str, task: str = "text-classification") -> Any:
    build(folder / architecture, architecture, task)
    return load(find("tiny", folder / architecture, task=task), device="cpu")


def test_a_head_that_reads_the_mean_of_all_states_is_found_out(tmp_path: Path) -> None:
    build(tmp_path / "m", "modernbert", "text-classification")
    config = tmp_path / "m" / "config.json"
    config.write_text(config.read_text().replace('"classifier_pooling": "cls"', '"classifier_pooling": "mean"'))
    assert load(find("tiny", tmp_path / "m", task="text-classification"), device="cpu").pooling == "mean"  # type: ignore[attr-defined]


def test_attention_cannot_be_followed_through_layers_that_do_not_attend(tmp_path: Path) -> None:
    model = opened(tmp_path, "qwen3-next", "text-generation")
    with pytest.raises(UnseenAttentionError, match="1 of 3 layers attend") as reason:
        model.attention_of_answers(DOCUMENTS[:1], rolls_out=True)
    assert (reason.value.kind, reason.value.of_model) == ("hybrid-attention", True)


def test_few_texts_at_a_time_are_followed_and_none_that_is_too_long(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    model = opened(tmp_path, "bert")
    together = model.attention_of_answers(DOCUMENTS, rolls_out=True)
    budget, before = model.batcher.budget, model.batcher.n_batches
    monkeypatch.setattr(answers, "CELLS", 1)
    apart = model.attention_of_answers(DOCUMENTS, rolls_out=True)
    assert model.batcher.n_batches - before >= 4
    assert model.batcher.budget == budget
    for one, other in zip(together, apart, strict=True):
        np.testing.assert_allclose(one.values, other.values, atol=1e-6)
    monkeypatch.setattr(answers, "MOST_TOKENS", 20)
    with pytest.raises(UnseenAttentionError, match="more than the 20") as reason:
        model.attention_of_answers(DOCUMENTS, rolls_out=True)
    assert not reason.value.of_model
    assert len(model.attention_of_answers(DOCUMENTS, rolls_out=False)) == len(DOCUMENTS)


def test_nothing_of_the_model_stays_changed(tmp_path: Path) -> None:
    model = opened(tmp_path, "bert")
    implementation = model.model.config._attn_implementation
    encoded, questions = model.encode([(TEXTS[0], None)]), model.ask(DOCUMENTS[:1])
    before = model.outputs(encoded, questions)
    model.attention_of_answers(DOCUMENTS, rolls_out=True)
    model.head_effects(DOCUMENTS[:1], questions, [0])
    assert torch.equal(model.outputs(encoded, questions), before)
    assert model.model.config._attn_implementation == implementation
