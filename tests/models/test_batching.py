"""Batches under a token budget: each text once, in order, little padding, and half as many when memory runs out."""

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from auditor.models.computing.batching import Batcher, Way, padded

CPU = torch.device("cpu")


def lengths_of(batch: list[int]) -> list[torch.Tensor]:
    return [torch.tensor(batch)]


@given(st.lists(st.integers(1, 40), min_size=1, max_size=80), st.integers(1, 200), st.booleans())
def test_every_text_is_computed_once_and_comes_back_in_order(lengths: list[int], budget: int, equal: bool) -> None:
    seen: list[list[int]] = []

    def forward(batch: list[int]) -> list[torch.Tensor]:
        seen.append(batch)
        return [torch.tensor(batch) * 10, torch.tensor([[lengths[i], i] for i in batch])]

    batcher = Batcher(budget)
    tens, pairs = batcher.padded(lengths, forward, way=Way.EQUAL if equal else Way.PADDED)
    assert tens.tolist() == [10 * i for i in range(len(lengths))]
    assert pairs.tolist() == [[n, i] for i, n in enumerate(lengths)]
    assert sorted(i for batch in seen for i in batch) == list(range(len(lengths)))
    for batch in seen:
        own = [lengths[i] for i in batch]
        assert len(batch) == 1 or len(batch) * max(own) <= budget
        assert not equal or len(set(own)) == 1
    assert batcher.n_tokens == sum(lengths)
    assert batcher.n_computed == sum(len(b) * max(lengths[i] for i in b) for b in seen)
    assert batcher.n_batches == len(seen)


def test_sorting_by_length_leaves_little_padding() -> None:
    lengths = [(7 * i) % 30 + 1 for i in range(3000)]
    batcher = Batcher(2048)
    batcher.padded(lengths, lengths_of)
    assert batcher.n_computed / batcher.n_tokens <= 1.03


def test_a_batch_that_does_not_fit_is_halved_with_the_same_result() -> None:
    def forward(batch: list[int]) -> list[torch.Tensor]:
        if len(batch) > 3:
            raise torch.OutOfMemoryError("too much")
        return lengths_of(batch)

    batcher = Batcher(1000)
    assert batcher.padded([5] * 20, forward)[0].tolist() == list(range(20))
    assert batcher.n_halvings >= 2
    assert batcher.budget < 1000
    assert batcher.n_tokens == 100


def test_padding_is_masked_and_only_where_it_is() -> None:
    ids, mask = padded([[5, 6, 7], [8]], 9, CPU)
    assert ids.tolist() == [[5, 6, 7], [8, 9, 9]]
    assert mask is not None
    assert mask.tolist() == [[1, 1, 1], [1, 0, 0]]
    assert padded([[1, 2], [3, 4]], 9, CPU)[1] is None


@pytest.mark.parametrize("share", [1, 3, 8, 30])
def test_memory_that_runs_out_halves_the_budget_no_further_than_what_fits(share: int) -> None:
    lengths = [(7 * i) % 30 + 1 for i in range(300)]
    limit = 1024 // share

    def forward(batch: list[int]) -> list[torch.Tensor]:
        if len(batch) > 1 and sum(lengths[i] for i in batch) > limit:
            raise torch.OutOfMemoryError("too much")
        return lengths_of(batch)

    batcher = Batcher(1024)
    order = list(range(len(lengths)))
    assert batcher.packed(order, lengths, lengths, forward, None)[0].tolist() == order
    assert limit // 2 - 1 <= batcher.budget <= 1024
    assert (batcher.n_halvings > 0) == (share > 1)


def test_the_budget_falls_to_half_of_what_did_not_fit() -> None:
    def forward(batch: list[int]) -> list[torch.Tensor]:
        if len(batch) > 16:
            raise torch.OutOfMemoryError("too much")
        return lengths_of(batch)

    batcher = Batcher(1024)
    assert batcher.padded([8] * 512, forward)[0].tolist() == list(range(512))
    assert batcher.budget == 128
    assert batcher.n_halvings == 3
