"""Batches under a token budget: length buckets, order restored, halved when the device runs out of memory.

A batch of n texts whose longest has t tokens costs n·t tokens, padding included. Texts are sorted by length, longest
first, so that padding is small and a batch that does not fit fails at once; a batch never costs more than the budget
unless it holds a single text.
"""

from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

import torch

Forward = Callable[[list[int]], list[torch.Tensor]]
"""Computes the texts with these indices; returns tensors whose first dimension runs over them."""


@dataclass
class Batcher:
    """Runs a forward pass over many texts. The counters say what the device was asked to do."""

    budget: int
    """Tokens per batch, padding included."""
    n_batches: int = 0
    n_tokens: int = 0
    """Real tokens computed."""
    n_padded: int = 0
    """Tokens computed, padding included."""
    n_halvings: int = 0

    @property
    def work(self) -> Counter[str]:
        """The counters, for the manifest."""
        return Counter(
            batches=self.n_batches, tokens=self.n_tokens, tokens_with_padding=self.n_padded, halvings=self.n_halvings
        )

    def run(self, lengths: Sequence[int], forward: Forward, *, equal_lengths: bool = False) -> list[torch.Tensor]:
        """Computes every text once and puts the results in the order of the texts.

        Args:
            lengths: Tokens of each text.
            forward: Computes one batch; each tensor it returns has one row per text of the batch, and the same shape
                behind the first dimension in every batch.
            equal_lengths: Never put texts of different lengths together (for models without a padding token).

        Returns:
            The tensors of `forward`, concatenated over all batches, on the host, one row per text.
        """
        order: list[int] = []
        parts: list[list[torch.Tensor]] = []
        for batch in self._batches(lengths, equal_lengths):
            for done, tensors in self._halving(batch, forward):
                order += done
                parts.append(tensors)
                self._count([lengths[i] for i in done])
        inverse = torch.empty(len(order), dtype=torch.long)
        inverse[torch.tensor(order)] = torch.arange(len(order))
        return [torch.cat(column).cpu()[inverse] for column in zip(*parts, strict=True)]

    def _batches(self, lengths: Sequence[int], equal_lengths: bool) -> Iterator[list[int]]:
        batch: list[int] = []
        longest = 0
        for index in sorted(range(len(lengths)), key=lambda i: -lengths[i]):
            full = (len(batch) + 1) * longest > self.budget
            if batch and (full or (equal_lengths and lengths[index] != longest)):
                yield batch
                batch = []
            if not batch:
                longest = lengths[index]
            batch.append(index)
        if batch:
            yield batch

    def _halving(self, batch: list[int], forward: Forward) -> Iterator[tuple[list[int], list[torch.Tensor]]]:
        try:
            tensors = forward(batch)
        except torch.OutOfMemoryError:
            if len(batch) == 1:
                raise
            tensors = None
        if tensors is not None:
            yield batch, tensors
            return
        torch.cuda.empty_cache()
        self.n_halvings += 1
        self.budget = max(1, self.budget // 2)
        middle = (len(batch) + 1) // 2
        yield from self._halving(batch[:middle], forward)
        yield from self._halving(batch[middle:], forward)

    def _count(self, lengths: list[int]) -> None:
        self.n_batches += 1
        self.n_tokens += sum(lengths)
        self.n_padded += len(lengths) * max(lengths)


def padded(
    sequences: Sequence[Sequence[int]], fill: int, device: torch.device
) -> tuple[torch.Tensor, torch.Tensor | None]:
    """Stacks sequences, padded on the right, on the device.

    Returns:
        Ids (B, T) and the attention mask (B, T), or None for the mask where all have the same length.
    """
    lengths = [len(sequence) for sequence in sequences]
    longest = max(lengths)
    ids = torch.tensor([[*sequence, *[fill] * (longest - len(sequence))] for sequence in sequences])
    if device.type == "cuda":
        ids = ids.pin_memory()
    ids = ids.to(device, non_blocking=True)
    if min(lengths) == longest:
        return ids, None
    mask = torch.arange(longest)[None] < torch.tensor(lengths)[:, None]
    return ids, mask.to(device, torch.long, non_blocking=True)
