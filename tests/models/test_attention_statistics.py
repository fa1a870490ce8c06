"""The statistics against the toy of the design notes, invariants, and the matrices of the eager implementation."""

from collections.abc import Sequence
from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

import numpy as np
import pytest
import torch
from torch.utils._python_dispatch import TorchDispatchMode
from transformers import PreTrainedModel

from auditor.models import find, load
from auditor.models.attention import routing
from auditor.models.attention.reduction import STATISTICS
from auditor.models.attention.routing import Collector, attend, collecting
from auditor.probes.attention import punctuation, uniform_entropy
from tests.models.tiny import TEXTS, save


def attended(
    tensors: Sequence[torch.Tensor], collector: Collector, *, causal: bool = False, **options: object
) -> torch.Tensor:
    """What `attend` returns for query, key and value, as a layer of a model would call it."""
    model = SimpleNamespace(config=SimpleNamespace(_attn_implementation=""), set_attn_implementation=lambda _: None)
    with torch.inference_mode(), collecting(cast("PreTrainedModel", model), collector):
        return attend(torch.nn.Identity(), *tensors, options.pop("mask", None), is_causal=causal, **options)[0]


def reduced(
    weights: np.ndarray, *, causal: bool, valid: list[int] | None = None
) -> tuple[dict[str, np.ndarray], Collector]:
    """Statistics of explicit attention matrices (H, T, T), which a query of their logarithms and the keys 1 give."""
    query = torch.tensor(weights, dtype=torch.float32)[None].log().clamp(min=-1e4)
    keys = torch.eye(query.shape[-1]).expand_as(query)
    flags = torch.tensor([valid or [1] * query.shape[-1]])
    collector = Collector(flags, torch.zeros_like(flags), torch.zeros_like(flags))
    output = attended((query, keys, keys), collector, causal=causal, scaling=1.0)
    np.testing.assert_allclose(output[0].transpose(0, 1), weights, atol=1e-6)
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
    backwards = np.eye(5, k=-1)
    backwards[0, 0] = 1
    previous, _ = reduced(backwards[None], causal=True)
    following, _ = reduced(backwards[None, ::-1, ::-1].copy(), causal=False)
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
        "first_share": matrix[:, skip[1] :, :1].sum(-1).mean(-1) if n > skip[1] else np.ones(len(matrix)),
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
        implementation, before = model.model.config._attn_implementation, model.model(ids).logits
        tokens = model.tokens([(TEXTS[0], None)])
        model.attention(tokens, [punctuation(t) for t in tokens])
        torch.testing.assert_close(model.model(ids).logits, before)
    assert model.model.config._attn_implementation == implementation


def random_heads(n_documents: int, heads: int, key_heads: int, n_tokens: int, size: int = 8) -> list[torch.Tensor]:
    """Query, key and value, (B, heads, T, size); the queries are long enough for heads that concentrate."""
    torch.manual_seed(n_tokens)
    shapes = [(n_documents, count, n_tokens, size) for count in (heads, key_heads, key_heads)]
    query, key, value = (torch.randn(shape) for shape in shapes)
    return [query * 2, key, value]


def collector_of(lengths: list[int], n_tokens: int) -> Collector:
    """A collector for padded documents, with some tokens special and some signs."""
    positions = torch.arange(n_tokens).expand(len(lengths), -1)
    valid = positions < torch.tensor(lengths)[:, None]
    return Collector(valid.long(), (positions % 5 == 0).long(), (positions % 3 == 1).long())


def matrices(
    query: torch.Tensor, key: torch.Tensor, allowed: torch.Tensor, softcap: float | None = None
) -> torch.Tensor:
    """Attention matrices (B, H, T, T) in float64, as the textbook has them."""
    keys = key.repeat_interleave(query.shape[1] // key.shape[1], dim=1).double()
    scores = query.double() @ keys.mT / query.shape[-1] ** 0.5
    if softcap is not None:
        scores = softcap * torch.tanh(scores / softcap)
    return scores.masked_fill(~allowed, float("-inf")).softmax(-1).nan_to_num(0.0)


def check_all(
    tensors: list[torch.Tensor], lengths: list[int], allowed: torch.Tensor, *, causal: bool, **options: object
) -> None:
    """Everything that `attend` gives equals what float64 matrices give, document by document, without padding."""
    query, key, value = tensors
    collector = collector_of(lengths, query.shape[2])
    output = attended((query, key, value), collector, causal=causal, **options)
    wanted = matrices(query, key, allowed, cast("float | None", options.get("softcap")))
    values = value.repeat_interleave(query.shape[1] // value.shape[1], dim=1).double()
    close = 1e-5 if query.dtype == torch.float32 else 2e-2
    assert collector.received is not None
    assert torch.isfinite(collector.received).all()
    assert torch.isfinite(collector.layers[0]).all()
    for b, n in enumerate(lengths):
        if n == 0:
            continue
        np.testing.assert_allclose(output[b, :n].double(), (wanted @ values)[b, :, :n].transpose(0, 1), atol=close)
        matrix = wanted[b, :, :n, :n].numpy()
        flags = [getattr(collector, name)[b, :n].numpy() for name in ("special", "punctuation")]
        for place, (name, numbers) in enumerate(by_hand(matrix, *flags, causal=causal).items()):
            np.testing.assert_allclose(collector.layers[0][b, :, place], numbers, atol=1e-5, rtol=1e-6, err_msg=name)
        np.testing.assert_allclose(collector.received[b, :n], matrix.mean((0, 1)), atol=1e-6)


@pytest.mark.parametrize("causal", [False, True])
@pytest.mark.parametrize("n_tokens", [1, 2, 3, 4, 5, 127, 128, 129, 300])
def test_any_length_whether_or_not_it_fills_its_blocks(n_tokens: int, causal: bool) -> None:
    allowed = torch.ones(n_tokens, n_tokens, dtype=torch.bool)
    check_all(random_heads(1, 3, 3, n_tokens), [n_tokens], allowed.tril() if causal else allowed, causal=causal)


@pytest.mark.parametrize("key_heads", [1, 2, 6])
@pytest.mark.parametrize("causal", [False, True])
def test_padded_documents_with_grouped_queries_a_window_and_a_softcap(key_heads: int, causal: bool) -> None:
    lengths, n_tokens = [150, 97, 3, 1, 0], 150
    near = (torch.arange(n_tokens)[:, None] - torch.arange(n_tokens)).abs() < 40
    allowed = (near.tril() if causal else near) & collector_of(lengths, n_tokens).valid.bool()[:, None, None]
    for mask in (allowed, torch.zeros(allowed.shape).masked_fill(~allowed, float("-inf"))):
        for softcap in (None, 3.0):
            check_all(
                random_heads(5, 6, key_heads, n_tokens), lengths, allowed, causal=causal, mask=mask, softcap=softcap
            )


@pytest.mark.parametrize("key_heads", [2, 6])
def test_blocks_of_any_size_give_the_same(key_heads: int, monkeypatch: pytest.MonkeyPatch) -> None:
    tensors, lengths = random_heads(3, 6, key_heads, 70), [70, 70, 70]
    for rows, cells in ((7, 1), (16, 70 * 16 * 2), (32, 70 * 32 * 7), (1000, 10**9)):
        monkeypatch.setattr(routing, "ROWS", rows)
        monkeypatch.setattr(routing, "CELLS", cells)
        check_all(tensors, lengths, torch.ones(70, 70, dtype=torch.bool).tril(), causal=True)
        check_all(tensors, lengths, torch.ones(70, 70, dtype=torch.bool), causal=False)


def test_half_precision_is_reduced_in_single_precision() -> None:
    tensors = [tensor.bfloat16() for tensor in random_heads(2, 4, 2, 140)]
    check_all(tensors, [140, 140], torch.ones(140, 140, dtype=torch.bool).tril(), causal=True)


def test_autocast_rounds_no_statistic() -> None:
    tensors, found = [tensor.bfloat16() for tensor in random_heads(2, 4, 2, 140)], []
    for enabled in (False, True):
        collector = collector_of([140, 140], 140)
        with torch.autocast("cpu", torch.bfloat16, enabled=enabled):
            attended(tensors, collector)
        found.append(collector.layers[0])
    torch.testing.assert_close(*found, rtol=0, atol=0)


def test_a_large_score_common_to_all_keys_leaves_the_entropy() -> None:
    query, key, value = random_heads(1, 2, 2, 200)
    common = key + 30 * torch.sign(query[:, :, :1])  # scores of up to 200
    collector = collector_of([200], 200)
    attended((query, common, value), collector)
    wanted = torch.special.entr(matrices(query, common, torch.ones(200, 200, dtype=torch.bool))).sum(-1).mean(-1)
    np.testing.assert_allclose(collector.layers[0][..., 0], wanted, atol=1e-5)


class Largest(TorchDispatchMode):
    """Notes how many dimensions of at least `n_tokens` a new tensor has at most, and calls that wait for the device."""

    def __init__(self, n_tokens: int) -> None:
        super().__init__()
        self.n_tokens, self.long_dimensions, self.waits = n_tokens, 0, list[str]()

    def __torch_dispatch__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        out = func(*args, **(kwargs or {}))
        for tensor in out if isinstance(out, (tuple, list)) else [out]:
            if isinstance(tensor, torch.Tensor) and not func.is_view:
                long = sum(size >= self.n_tokens for size in tensor.shape)
                self.long_dimensions = max(self.long_dimensions, long)
        if func.overloadpacket in (
            torch.ops.aten._local_scalar_dense,
            torch.ops.aten.nonzero,
            torch.ops.aten.is_nonzero,
        ):
            self.waits.append(str(func))
        return out


@pytest.mark.parametrize("causal", [False, True])
@pytest.mark.parametrize("padded", [False, True])
def test_no_tensor_has_two_dimensions_as_long_as_the_text_and_nothing_waits(causal: bool, padded: bool) -> None:
    n_tokens = 2 * routing.ROWS + 1
    mask = torch.ones(2, 1, n_tokens, n_tokens, dtype=torch.bool).tril() if padded else None
    with Largest(n_tokens) as seen:
        attended(random_heads(2, 4, 2, n_tokens), collector_of([n_tokens] * 2, n_tokens), causal=causal, mask=mask)
    assert seen.long_dimensions == 1
    assert seen.waits == []
