"""The least that the hardware needs: the stock model on rectangles of tokens, at the batch size that suits it best."""

import time
from collections.abc import Callable
from typing import Any

import torch

TOKENS_PER_BATCH = (512, 1024, 2048, 4096)

Forward = Callable[[torch.Tensor], Any]


def rectangles(
    forward: Forward, n_tokens: int, length: int, vocabulary: int, budgets: tuple[int, ...] = TOKENS_PER_BATCH
) -> Callable[[], None]:
    """A forward pass over `n_tokens` random tokens in texts of one length: no padding, no mask, the best batch size."""
    per_batch = budgets[0]
    if len(budgets) > 1:
        per_batch = min(budgets, key=lambda budget: _seconds_per_token(forward, budget, length, vocabulary))
    rows, left = max(1, per_batch // length), round(n_tokens / length)
    sizes = [rows] * (left // rows) + ([left % rows] if left % rows else [])
    batches = [_random(size, length, vocabulary) for size in sizes]

    def run() -> None:
        with torch.inference_mode():
            for batch in batches:
                forward(batch)

    return run


def _seconds_per_token(forward: Forward, budget: int, length: int, vocabulary: int) -> float:
    ids = _random(max(1, budget // length), length, vocabulary)
    best = float("inf")
    with torch.inference_mode():
        for _ in range(3):
            start = time.process_time()
            forward(ids)
            best = min(best, time.process_time() - start)
    return best / ids.numel()


def _random(rows: int, length: int, vocabulary: int) -> torch.Tensor:
    return torch.randint(5, vocabulary, (rows, length), generator=torch.Generator().manual_seed(0))
