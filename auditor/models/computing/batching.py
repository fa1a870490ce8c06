"""Batches under a token budget: length buckets, order restored, halved when the device runs out of memory.

Two ways to fill a batch of texts that come in a given order:

    padded   n texts whose longest has t tokens cost n·t tokens. Texts come longest first, and a batch ends before more
             than `PADDING` of it would be padding; or before a text of another length, or of another kind; or behind
             every text, for models that answer otherwise (see `auditor.models.computing.proof`)
    packed   texts without padding between them cost what each adds (see `auditor.models.computing.packing`)

A batch never costs more than the budget unless it holds a single text. Nothing waits for the device before the last
batch has been handed to it, so that the host prepares a batch while the device computes the one before.
"""

from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from enum import StrEnum

import numpy as np
import torch

from auditor.models.inputs import ragged

PADDING = 0.03
"""Largest share of padding in a batch."""

Forward = Callable[[list[int]], list[torch.Tensor]]
"""Computes the texts with these indices; returns tensors whose first dimension runs over their rows."""


class Way(StrEnum):
    """How texts are put into batches."""

    PACKED = "packed"
    PADDED = "padded"
    EQUAL = "equal lengths"
    ALONE = "one by one"


@dataclass
class Batcher:
    """Runs a forward pass over many texts. The counters say what the device was asked to do."""

    budget: int
    """Tokens per batch, padding included."""
    padding: float = PADDING
    """Largest share of padding in a batch."""
    n_batches: int = 0
    n_texts: int = 0
    """Texts that were computed; the same text twice counts twice."""
    n_gradients: int = 0
    """Those of them that were also gone through backwards."""
    n_tokens: int = 0
    """Tokens of the texts."""
    n_computed: int = 0
    """Tokens computed: padding included, beginnings that texts share counted once."""
    n_head_rows: int = 0
    """States that went through a language model's head."""
    n_halvings: int = 0
    """How often the budget fell because a batch did not fit."""

    @property
    def work(self) -> Counter[str]:
        """The counters, for the manifest."""
        return Counter(
            batches=self.n_batches,
            texts=self.n_texts,
            gradients=self.n_gradients,
            tokens=self.n_tokens,
            tokens_computed=self.n_computed,
            head_rows=self.n_head_rows,
            halvings=self.n_halvings,
        )

    @contextmanager
    def uncounted(self) -> Iterator[None]:
        """Leaves the counters as they were before the block."""
        before = vars(self).copy()
        try:
            yield
        finally:
            vars(self).update(before)

    def padded(
        self,
        lengths: Sequence[int],
        forward: Forward,
        *,
        way: Way = Way.PADDED,
        kinds: Sequence[int] | None = None,
        rows: Sequence[int] | None = None,
    ) -> list[torch.Tensor]:
        """Computes every text once, in padded batches, and puts the results in the order of the texts.

        Args:
            lengths: Tokens of each text.
            forward: Computes one batch; each tensor it returns has the rows of the batch's texts one behind the other,
                and the same shape behind the first dimension in every batch.
            way: Which texts may be put together.
            kinds: Of each text; texts of different kinds are never put together.
            rows: Rows that each text has in the results; one each if None.

        Returns:
            The tensors of `forward`, concatenated over all batches, on the host, text by text.
        """

        def cost(batch: Sequence[int]) -> int:
            return len(batch) * max(lengths[i] for i in batch)

        return self._run(self._padded(lengths, way, kinds or [0] * len(lengths)), forward, lengths, cost, rows)

    def packed(
        self,
        order: Sequence[int],
        costs: Sequence[int],
        lengths: Sequence[int],
        forward: Forward,
        rows: Sequence[int] | None,
    ) -> list[torch.Tensor]:
        """Like `padded`, without padding: texts in this order, each of which adds `costs` to a batch.

        The first text of a batch shares nothing and costs all of its length.
        """

        def cost(batch: Sequence[int]) -> int:
            return lengths[batch[0]] + sum(costs[i] for i in batch[1:])

        return self._run(self._packed(order, costs, lengths), forward, lengths, cost, rows)

    def _run(
        self,
        batches: Iterator[list[int]],
        forward: Forward,
        lengths: Sequence[int],
        cost: Callable[[Sequence[int]], int],
        rows: Sequence[int] | None,
    ) -> list[torch.Tensor]:
        order: list[int] = []
        parts: list[list[torch.Tensor]] = []
        for batch in batches:
            for done, tensors in self._halving(batch, forward, cost):
                order += done
                parts.append(tensors)
                self.n_batches += 1
                self.n_texts += len(done)
                self.n_tokens += sum(lengths[i] for i in done)
                self.n_computed += cost(done)
        back = torch.from_numpy(_back(order, rows))
        return [torch.cat(column).cpu()[back] for column in zip(*parts, strict=True)]

    def _padded(self, lengths: Sequence[int], way: Way, kinds: Sequence[int]) -> Iterator[list[int]]:
        batch: list[int] = []
        longest = real = 0
        for index in sorted(range(len(lengths)), key=lambda i: (kinds[i], -lengths[i])):
            whole = (len(batch) + 1) * longest
            wasteful = whole > (1 + self.padding) * (real + lengths[index])
            stranger = way is Way.ALONE or (way is Way.EQUAL and lengths[index] != longest)
            if batch and (whole > self.budget or wasteful or stranger or kinds[index] != kinds[batch[0]]):
                yield batch
                batch, real = [], 0
            if not batch:
                longest = lengths[index]
            batch.append(index)
            real += lengths[index]
        if batch:
            yield batch

    def _packed(self, order: Sequence[int], costs: Sequence[int], lengths: Sequence[int]) -> Iterator[list[int]]:
        batch: list[int] = []
        total = 0
        for index in order:
            if batch and total + costs[index] > self.budget:
                yield batch
                batch = []
            total = total + costs[index] if batch else lengths[index]
            batch.append(index)
        if batch:
            yield batch

    def _halving(
        self, batch: list[int], forward: Forward, cost: Callable[[Sequence[int]], int]
    ) -> Iterator[tuple[list[int], list[torch.Tensor]]]:
        """The batch, or its halves where it does not fit; later batches cost no more than half of what did not."""
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
        smaller = max(1, cost(batch) // 2)
        if smaller < self.budget:
            self.n_halvings += 1
            self.budget = smaller
        middle = (len(batch) + 1) // 2
        yield from self._halving(batch[:middle], forward, cost)
        yield from self._halving(batch[middle:], forward, cost)


def _back(order: Sequence[int], rows: Sequence[int] | None) -> np.ndarray:
    """The index, among rows computed in `order`, of each row of the results."""
    places = np.argsort(np.array(order, dtype=np.int64), kind="stable")
    if rows is None:
        return places
    counts = np.asarray(rows)[np.array(order, dtype=np.int64)]
    firsts = np.cumsum(counts) - counts
    return ragged(firsts[places], counts[places])


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
