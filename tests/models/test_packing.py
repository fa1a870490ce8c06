"""Packed batches: the states of every text as if it were alone, nothing computed for padding or twice."""

from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from torch.overrides import TorchFunctionMode
from transformers import BertForSequenceClassification, BloomConfig, FalconH1Config, Lfm2Config, PreTrainedConfig

from auditor.models import TextClassification, TextGeneration, Window, find, load
from auditor.models.computing import layout as layout_module
from auditor.models.computing.layout import GATHERED, Rows, layout
from auditor.models.inputs import Encoded, Sequences, ragged
from tests.models import tiny
from tests.models.tiny import DECODERS, ENCODERS, load_on_cpu, save

Opened = Callable[..., TextClassification | TextGeneration]


@pytest.fixture(scope="session")
def opened(tmp_path_factory: pytest.TempPathFactory) -> Opened:
    root, made = tmp_path_factory.mktemp("packed"), {}

    def open_(family: str, task: str, **settings: object) -> TextClassification | TextGeneration:
        if (family, task) not in made:
            made[family, task] = save(root / f"{family}-{task}", family, task)
        model = load_on_cpu(find("tiny", made[family, task]), **settings)
        assert isinstance(model, TextClassification | TextGeneration)
        return model

    return open_


def drawn(lengths: list[int], seed: int = 0, low: int = 5, high: int = 60) -> Sequences:
    random = np.random.default_rng(seed)
    return Sequences.of([Encoded(tuple(random.integers(low, high, n).tolist())) for n in lengths])


def prompts(n: int, seed: int = 0) -> Sequences:
    """Prompts that share their first ten tokens and then fork again and again; some are equal, some beginnings."""
    random = np.random.default_rng(seed)
    start = tuple(random.integers(5, 60, 10).tolist())
    return Sequences.of([Encoded((*start, *random.integers(5, 7, random.integers(0, 12)).tolist())) for _ in range(n)])


def one_by_one(model: TextClassification | TextGeneration, sequences: Sequences) -> torch.Tensor:
    with torch.inference_mode():
        return torch.cat(
            [model.model.base_model(input_ids=torch.tensor([text.ids])).last_hidden_state[0] for text in sequences]
        )


def every(sequences: Sequences) -> list[range]:
    return [range(n) for n in sequences.lengths.tolist()]


@pytest.mark.parametrize("family", ENCODERS)
def test_states_of_encoders_are_those_of_each_text_alone(opened: Opened, family: str) -> None:
    model = opened(family, "text-classification")
    assert model.packs
    sequences = drawn([3, 9, 9, 1, 30, 2, 9, 30, 17])
    alone = one_by_one(model, sequences)
    torch.testing.assert_close(model.read(sequences, every(sequences), lambda s, _: s), alone, rtol=1e-4, atol=1e-5)
    assert model.batcher.n_computed == model.batcher.n_tokens == sequences.lengths.sum()
    some = [(n // 2,) for n in sequences.lengths.tolist()]
    wanted = alone[torch.from_numpy(sequences.starts + sequences.lengths // 2)]
    torch.testing.assert_close(model.read(sequences, some, lambda s, _: s), wanted, rtol=1e-4, atol=1e-5)


class Products(TorchFunctionMode):
    """Counts the rows that are multiplied by each weight."""

    def __init__(self) -> None:
        super().__init__()
        self.rows: Counter[int] = Counter()

    def __torch_function__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        if func is torch.nn.functional.linear:
            self.rows[id(args[1])] += args[0].numel() // args[0].shape[-1]
        return func(*args, **(kwargs or {}))


def rows_of(module: torch.nn.Module) -> list[int]:
    """Fills with the number of states that each call of a module gives."""
    rows: list[int] = []
    module.register_forward_hook(lambda _, __, out: rows.append(out.numel() // out.shape[-1]))
    return rows


def layers_of(model: TextClassification | TextGeneration) -> torch.nn.ModuleList:
    return next(m for m in model.model.base_model.modules() if isinstance(m, torch.nn.ModuleList))


def projections(layer: torch.nn.Module) -> list[torch.nn.Module]:
    names = {"query", "key", "value", "q_lin", "k_lin", "v_lin"}
    return [module for name, module in layer.named_modules() if name.rsplit(".", 1)[-1] in names]


@pytest.mark.parametrize("family", ENCODERS)
def test_the_last_layer_computes_one_state_of_each_text_and_no_keys_or_values(opened: Opened, family: str) -> None:
    model = opened(family, "text-classification")
    last = layers_of(model)[-1]
    feed_forward = rows_of(last.ffn if family == "distilbert" else last.intermediate)
    queries, keys, values = map(rows_of, projections(last))
    model.outputs(drawn([5] * 40), [model.question] * 40)
    assert (feed_forward, queries, keys, values) == ([40], [40], [], [])


@pytest.mark.parametrize("family", ENCODERS)
def test_equal_tokens_at_equal_places_are_projected_once_in_the_first_layer(opened: Opened, family: str) -> None:
    model = opened(family, "text-classification")
    sequences = Sequences.of([Encoded((5, *ids, 6)) for ids in [(20, 30, 40), (20, 40), (30, 40), (20, 30), (20, 30)]])
    alone = one_by_one(model, sequences)
    distinct = {token for text in sequences for token in enumerate(text.ids)}
    with Products() as products:
        found = model.read(sequences, every(sequences), lambda s, _: s)
    assert [products.rows[id(own.weight)] for own in projections(layers_of(model)[0])] == [len(distinct)] * 3
    torch.testing.assert_close(found, alone, rtol=1e-4, atol=1e-5)
    with Products() as products:
        model.read(drawn([9, 9, 8]), [[0]] * 3, lambda s, _: s)
    assert {products.rows[id(own.weight)] for own in projections(layers_of(model)[0])} == {26}  # too few are equal


@pytest.mark.parametrize("family", ENCODERS)
def test_the_proof_of_packing_hands_out_equal_tokens(opened: Opened, family: str) -> None:
    model = opened(family, "text-classification")
    twice = model.truth.twice()
    key = projections(layers_of(model)[0])[1]
    with Products() as products:
        model.read(twice.texts, twice.rows, lambda states, _: states)
    assert products.rows[id(key.weight)] <= twice.texts.lengths.sum() / 2


@pytest.mark.parametrize("slots", [1, 7, 16_381])
def test_what_is_handed_out_is_equal_however_few_the_slots(slots: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(layout_module, "SLOTS", slots)
    monkeypatch.setattr(layout_module, "WORTH_HANDING_OUT", 1.0)
    random = np.random.default_rng(0)
    ids, positions, types = (random.integers(0, n, 300) for n in (20, 6, 2))
    distinct, copies = layout_module._equal_tokens(ids, positions, types)
    assert distinct is not None
    for column in (ids, positions, types):
        assert (column[distinct][copies] == column).all()
    if slots == 16_381:
        assert len(distinct) == len(set(zip(ids.tolist(), positions.tolist(), types.tolist(), strict=True)))


@pytest.mark.parametrize("family", DECODERS)
@pytest.mark.parametrize("budget", [1, 60, 2048])
def test_states_of_prompts_that_share_beginnings_are_those_of_each_alone(
    opened: Opened, family: str, budget: int
) -> None:
    model = opened(family, "text-generation", batch_tokens=budget)
    model.limit = 64  # for Mistral, whose window of 8 forbids it: only texts within the window are compared below
    sequences = prompts(40)
    if family == "mistral":
        sequences = Sequences.of([Encoded(text.ids[:8]) for text in sequences])
    found = model.read(sequences, every(sequences), lambda s, _: s)
    torch.testing.assert_close(found, one_by_one(model, sequences), rtol=1e-4, atol=1e-4)


def test_every_distinct_beginning_is_computed_once(opened: Opened) -> None:
    model = opened("llama", "text-generation")
    sequences = prompts(60, seed=3)
    beginnings = {text.ids[:n] for text in sequences for n in range(1, len(text.ids) + 1)}
    model.read(sequences, every(sequences), lambda s, _: s)
    assert model.batcher.n_computed == len(beginnings) < model.batcher.n_tokens == sequences.lengths.sum()


def test_texts_that_share_little_are_laid_out_by_length() -> None:
    assert layout(drawn([4, 9, 2]), causal=True).order == [1, 0, 2]
    assert layout(drawn([4, 9, 2]), causal=True).shared is None
    assert layout(prompts(9), causal=False).shared is None
    assert layout(prompts(9), causal=True).shared is not None


def test_texts_longer_than_a_sliding_window_are_padded(opened: Opened) -> None:
    model = opened("mistral", "text-generation")
    sequences = drawn([20, 20, 12])
    found = model.read(sequences, every(sequences), lambda s, _: s)
    torch.testing.assert_close(found, one_by_one(model, sequences), rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize("family", ["bert", "gpt2"])
def test_padded_states_are_the_same(opened: Opened, family: str) -> None:
    model = opened(family, "text-classification")
    sequences = drawn([3, 9, 1, 30, 2])
    rows = [(0, n - 1) for n in sequences.lengths.tolist()]
    packed = model.read(sequences, rows, lambda s, _: s)
    model.packs = False
    torch.testing.assert_close(model.read(sequences, rows, lambda s, _: s), packed, rtol=1e-4, atol=1e-5)


def test_rows_know_their_place_among_all_rows(opened: Opened) -> None:
    model = opened("bert", "text-classification", batch_tokens=12)
    sequences = drawn([3, 9, 1, 7])
    assert model.read(sequences, every(sequences), lambda _, index: index).tolist() == list(range(20))


def test_roberta_does_not_count_padding_tokens_inside_a_text(opened: Opened) -> None:
    model = opened("roberta", "text-classification")
    sequences = Sequences.of([Encoded((0, 20, 1, 30, 2)), Encoded((0, 9, 2))])
    found = model.read(sequences, every(sequences), lambda s, _: s)
    torch.testing.assert_close(found, one_by_one(model, sequences), rtol=1e-4, atol=1e-5)


def test_a_model_whose_attention_is_not_routed_is_not_packed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    bloom = BloomConfig(vocab_size=400, hidden_size=32, n_layer=2, n_head=4)
    monkeypatch.setattr(tiny, "config_of", lambda *_: bloom)
    model = load(find("tiny", save(tmp_path / "bloom", "gpt2", "text-classification")), device="cpu")
    assert not model.packs
    assert torch.isfinite(model.outputs(drawn([3, 5]), [model.question] * 2)).all()


def test_a_head_that_reads_more_than_the_first_state_is_not_given_only_that(
    opened: Opened, monkeypatch: pytest.MonkeyPatch
) -> None:
    def mean_pooled(self: BertForSequenceClassification, **inputs: torch.Tensor) -> object:
        states = self.bert(**inputs).last_hidden_state
        mask = inputs.get("attention_mask")
        weights = torch.ones(states.shape[:2]) if mask is None else mask.float()
        logits = self.classifier((states * weights[..., None]).sum(1) / weights.sum(1, keepdim=True))
        return type("Output", (), {"logits": logits})()

    monkeypatch.setattr(BertForSequenceClassification, "forward", mean_pooled)
    model = opened("bert", "text-classification")
    assert not model.packs
    assert model.fast is None
    together = model.outputs(drawn([3, 9]), [model.question] * 2)
    alone = model.outputs(drawn([3, 9]).take(np.array([1])), [model.question])
    torch.testing.assert_close(together[1:], alone, rtol=1e-4, atol=1e-5)


def test_ragged_ranges() -> None:
    assert ragged(np.array([5, 0, 9]), np.array([2, 0, 3])).tolist() == [5, 6, 9, 10, 11]
    assert ragged(np.array([], dtype=int), np.array([], dtype=int)).tolist() == []


def test_sequences_join_and_are_taken_apart() -> None:
    a, b = (
        Sequences.of([Encoded((1, 2), (0, 1), True)]),
        Sequences.of([Encoded((3,), (0,)), Encoded((4, 5, 6), (1, 1, 0))]),
    )
    joined = Sequences.join([a, b])
    assert list(joined) == [*a, *b]
    assert joined[2] == Encoded((4, 5, 6), (1, 1, 0))
    assert list(joined.take(np.array([2, 0]))) == [joined[2], joined[0]]


def test_long_shared_beginnings_do_not_gather_more_keys_than_the_row_allows(opened: Opened) -> None:
    model = opened("llama", "text-generation")
    start = tuple(range(5, 55))
    sequences = Sequences.of([Encoded((*start, 60 + i, 60 + i % 7)) for i in range(200)])
    sizes: list[tuple[int, int]] = []
    pack = model._packer.pack

    def watched(*args: object) -> object:
        packing = pack(*args)
        n_tokens = packing.ids.shape[1]
        sizes.extend((c * length, n_tokens) for c, _, length in (group.shape for group in packing.groups))
        return packing

    model._packer = type("Watched", (), {"pack": staticmethod(watched)})()
    rows = [(51,)] * 200
    found = model.read(sequences, rows, lambda s, _: s)
    alone = one_by_one(model, sequences)[torch.from_numpy(sequences.starts + 51)]
    torch.testing.assert_close(found, alone, rtol=1e-4, atol=1e-4)
    assert {n for _, n in sizes} == {50 + 2 * 200}  # everything in one batch, every beginning once
    assert sum(keys for keys, _ in sizes) > GATHERED * 450
    assert all(keys <= GATHERED * n for keys, n in sizes)


def test_a_state_before_a_text_cannot_be_asked_for(opened: Opened) -> None:
    with pytest.raises(ValueError, match="before the beginning of a text"):
        Rows.listed([(0, 1), (-1,)])
    model = opened("gpt2", "text-generation")
    with pytest.raises(ValueError, match="before the beginning of a text"):
        model.logprobs([Window((3,), (5,)), Window((), (5,))])


BY_CONVOLUTION = Lfm2Config(
    vocab_size=400,
    hidden_size=32,
    intermediate_size=48,
    num_hidden_layers=2,
    num_attention_heads=4,
    num_key_value_heads=2,
    full_attn_idxs=[1],
    max_position_embeddings=64,
)
BY_RECURRENCE = FalconH1Config(
    vocab_size=400,
    hidden_size=32,
    intermediate_size=48,
    num_hidden_layers=2,
    num_attention_heads=4,
    num_key_value_heads=2,
    mamba_d_ssm=32,
    mamba_n_heads=4,
    mamba_d_head=8,
    mamba_n_groups=1,
    mamba_d_state=16,
    mamba_chunk_size=16,
    max_position_embeddings=64,
)


@pytest.mark.parametrize("config", [BY_CONVOLUTION, BY_RECURRENCE], ids=lambda own: own.model_type)
def test_models_whose_tokens_meet_outside_of_attention_are_not_packed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, config: PreTrainedConfig
) -> None:
    monkeypatch.setattr(tiny, "config_of", lambda *_: config)
    monkeypatch.setattr(torch, "randn_like", torch.zeros_like)  # as small as freshly made: below bfloat16's rounding
    model = load(find("tiny", save(tmp_path / "m", "gpt2", "text-generation")), device="cpu", dtype="bfloat16")
    assert not model.packs


@pytest.mark.parametrize("family", ["gpt2", "llama", "bert"])
@pytest.mark.parametrize("dtype", ["bfloat16", "float16"])
def test_plain_models_are_packed_in_half_precision(opened: Opened, family: str, dtype: str) -> None:
    assert opened(family, "text-classification", dtype=dtype).packs


def test_a_channel_of_large_values_does_not_hide_a_difference(opened: Opened) -> None:
    model = opened("gpt2", "text-generation", dtype="bfloat16")
    wanted = torch.randn(20, 64, generator=torch.Generator().manual_seed(0))
    wanted[:, 3] += 1000
    rounded = wanted * (1 + 0.01 * torch.randn(20, 64, generator=torch.Generator().manual_seed(1)))
    wrong = wanted.clone()
    wrong[7] = wanted[8]
    wrong[7, 3] = wanted[7, 3]
    assert model.close(rounded, wanted)
    assert not model.close(wrong, wanted)
    assert not model.close(wanted * torch.nan, wanted)
    assert model.close(torch.zeros(3, 4), torch.zeros(3, 4))
