"""The statistics against the toy of the design notes, invariants, and the matrices of the eager implementation."""

from pathlib import Path

import numpy as np
import pytest
import torch

from auditor.models import find, load
from auditor.models.attention import STATISTICS, Collector, _Reduction
from auditor.probes.attention import punctuation, uniform_entropy
from tests.models.tiny import TEXTS, save


def reduced(
    weights: np.ndarray, *, causal: bool, valid: list[int] | None = None
) -> tuple[dict[str, np.ndarray], Collector]:
    """Statistics of explicit attention matrices (H, T, T)."""
    tensor = torch.tensor(weights, dtype=torch.float32)[None]
    flags = torch.tensor([valid or [1] * tensor.shape[-1]])
    collector = Collector(flags, torch.zeros_like(flags), torch.zeros_like(flags))
    reduction = _Reduction(collector, tensor.shape[1], sees_all=not causal)
    reduction.add(tensor, 0)
    reduction.finish()
    return dict(zip(STATISTICS, collector.layers[0][0].T.numpy(), strict=True)), collector


def test_the_toy_of_three_tokens_and_two_causal_layers() -> None:
    first = np.array([[[1, 0, 0], [0.5, 0.5, 0], [0.2, 0.3, 0.5]]])
    second = np.array([[[1, 0, 0], [0.25, 0.75, 0], [0.1, 0.1, 0.8]]])
    entropies = {0: (0, 0.69314718, 1.02965301), 1: (0, 0.56233514, 0.63903186)}
    for layer, (matrix, distance, sink) in enumerate(((first, 0.4, 0.35), (second, 0.18333333, 0.175))):
        found, _ = reduced(matrix, causal=True)
        assert found["entropy"][0] == pytest.approx(np.mean(entropies[layer]), abs=1e-7)
        assert found["distance"][0] == pytest.approx(distance, abs=1e-7)
        assert found["first_share"][0] == pytest.approx(sink, abs=1e-7)


def test_uniform_attention_has_the_entropy_of_its_length() -> None:
    everywhere, _ = reduced(np.full((2, 7, 7), 1 / 7), causal=False)
    assert everywhere["entropy"] == pytest.approx(np.log(7))
    assert everywhere["entropy"] == pytest.approx(uniform_entropy(7, causal=False))
    rows = np.tril(np.ones((7, 7)))
    backwards, _ = reduced((rows / rows.sum(1, keepdims=True))[None], causal=True)
    assert backwards["entropy"] == pytest.approx(uniform_entropy(7, causal=True))


def test_identity_looks_at_itself_from_no_distance() -> None:
    found, collector = reduced(np.eye(5)[None], causal=False)
    assert found["entropy"] == pytest.approx(0)
    assert found["distance"] == pytest.approx(0)
    assert found["self_share"] == pytest.approx(1)
    assert collector.received is not None
    assert collector.received[0].numpy() == pytest.approx(np.full(5, 0.2))


def test_shifts_look_at_the_previous_and_the_next_token() -> None:
    previous, _ = reduced(np.eye(5, k=-1)[None], causal=True)
    following, _ = reduced(np.eye(5, k=1)[None], causal=False)
    assert previous["previous_share"] == pytest.approx(4 / 5)
    assert following["next_share"] == pytest.approx(4 / 5)


def test_permuting_heads_permutes_statistics() -> None:
    weights = np.random.default_rng(0).dirichlet(np.ones(6), size=(4, 6))
    straight, _ = reduced(weights, causal=False)
    permuted, _ = reduced(weights[[2, 0, 3, 1]], causal=False)
    for name in STATISTICS:
        np.testing.assert_allclose(permuted[name], straight[name][[2, 0, 3, 1]])


def test_padding_queries_are_left_out() -> None:
    weights = np.random.default_rng(1).dirichlet(np.ones(4), size=(2, 4))
    long = np.zeros((2, 6, 6))
    long[:, :4, :4] = weights
    long[:, 4:, 0] = 1
    short, _ = reduced(weights, causal=False)
    padded, collector = reduced(long, causal=False, valid=[1, 1, 1, 1, 0, 0])
    for name in STATISTICS:
        np.testing.assert_allclose(padded[name], short[name])
    assert collector.received is not None
    assert collector.received[0, 4:].abs().sum() == 0


def by_hand(matrix: np.ndarray, special: np.ndarray, signs: np.ndarray, causal: bool) -> dict[str, np.ndarray]:
    """The definitions, written out once more on an explicit matrix (H, T, T)."""
    n = matrix.shape[-1]
    i, j = np.indices((n, n))
    with np.errstate(divide="ignore", invalid="ignore"):
        logs = np.where(matrix > 0, np.log(matrix), 0)
    skip = {k: (k if causal else 0) for k in (1, 4)}
    return {
        "entropy": -(matrix * logs).sum(-1).mean(-1),
        "distance": (matrix * abs(i - j)).sum(-1).mean(-1),
        "self_share": (matrix * (i == j)).sum(-1).mean(-1),
        "previous_share": (matrix * (i == j + 1)).sum(-1).mean(-1),
        "next_share": (matrix * (i == j - 1)).sum(-1).mean(-1),
        "first_share": matrix[:, skip[1] :, :1].sum(-1).mean(-1),
        "first4_share": matrix[:, skip[4] :, :4].sum(-1).mean(-1) if n > skip[4] else np.ones(len(matrix)),
        "special_share": (matrix * special).sum(-1).mean(-1),
        "punctuation_share": (matrix * signs).sum(-1).mean(-1),
    }


@pytest.mark.parametrize("family", ["bert", "distilbert", "gpt2", "llama", "mistral", "qwen3"])
def test_statistics_equal_those_of_eager_matrices_in_padded_batches(family: str, tmp_path: Path) -> None:
    task = "text-classification" if "bert" in family else "text-generation"
    model = load(find("tiny", save(tmp_path / family, family, task)), device="cpu")
    long = "Not a bad film at all, and it's moving. " * 3
    tokens = model.tokens([(text, None) for text in [*TEXTS[:4], long]])
    signs = [punctuation(text) for text in tokens]
    found = model.attention(tokens, signs)
    model.model.set_attn_implementation("eager")
    for text, sign, own in zip(tokens, signs, found, strict=True):
        with torch.no_grad():
            out = model.model.base_model(torch.tensor([text.encoded.ids]), output_attentions=True)
        assert len(out.attentions) == 2
        for layer, matrix in enumerate(out.attentions):
            wanted = by_hand(
                matrix[0].double().numpy(), np.array(text.special), np.array(sign), causal="bert" not in family
            )
            for name in STATISTICS:
                np.testing.assert_allclose(
                    own.by_name[name][layer], wanted[name], atol=1e-5, err_msg=f"{family} {name}"
                )
        mean = torch.stack(out.attentions).double().mean((0, 1, 2, 3)).numpy()
        np.testing.assert_allclose(own.received, mean, atol=1e-6)


def test_the_statistics_change_nothing_about_the_answer(tmp_path: Path) -> None:
    model = load(find("tiny", save(tmp_path / "llama", "llama", "text-generation")), device="cpu")
    ids = torch.arange(5, 40)[None]
    with torch.no_grad():
        before = model.model(ids).logits
        tokens = model.tokens([(TEXTS[0], None)])
        model.attention(tokens, [punctuation(t) for t in tokens])
        torch.testing.assert_close(model.model(ids).logits, before)
    assert model.model.config._attn_implementation == "sdpa"
