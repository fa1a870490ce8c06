r"""How texts are laid out in the rows of packed batches: their order, which states are wanted, who attends to whom.

    encoders   texts of equal length together, longest first, so that each group is a stretch of the row
    decoders   a state depends on what stands before it only, so the row holds every distinct beginning once; the keys
               of a text are gathered along its path, its queries are its own nodes

                   Review: good film.        Review: good film.
                   Review: good .                        ⎣ .
                   Review: film.                    ⎣ film.

               Texts are laid out in lexicographic order, in which neighbours share the longest beginnings; where they
               share little (less than `WORTH_SHARING` of all tokens) they are laid out as those of encoders are.

All of this is numpy on the host; what a batch needs goes to the device in copies that nobody waits for.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import chain, pairwise

import numpy as np
import torch

from auditor.models.computing.packing import Group, Packing
from auditor.models.inputs import Sequences, ragged

WORTH_SHARING = 0.1
GATHERED = 8
"""Keys that a group may gather for each token of the row: what bounds its memory where beginnings are shared."""
SLOTS = 16_381
"""A prime, many times the distinct tokens of a row on a CPU."""
WORTH_HANDING_OUT = 0.8
"""Largest share of distinct tokens among those of a row at which results are handed out rather than computed again."""


@dataclass(frozen=True, eq=False)
class Rows:
    """Which states of B texts are wanted, R in all."""

    counts: np.ndarray
    """(B,) how many of each text."""
    positions: np.ndarray
    """(R,) where they stand in their text, text by text."""

    @classmethod
    def listed(cls, rows: Sequence[Sequence[int]]) -> "Rows":
        """The rows for a list of positions of each text.

        Raises:
            ValueError: If one is negative: before a text stands another's last token.
        """
        counts = np.fromiter(map(len, rows), np.int64, len(rows))
        positions = np.fromiter(chain.from_iterable(rows), np.int64, int(counts.sum()))
        if positions.min(initial=0) < 0:
            raise ValueError("a state before the beginning of a text was asked for")
        return cls(counts, positions)

    def of(self, batch: Sequence[int]) -> np.ndarray:
        """Indices, among all rows, of the rows of some texts."""
        return ragged(self._firsts[batch], self.counts[batch])

    @cached_property
    def _firsts(self) -> np.ndarray:
        firsts: np.ndarray = np.cumsum(self.counts) - self.counts
        return firsts


@dataclass(frozen=True, slots=True, eq=False)
class Layout:
    """How texts are laid out: their order, what each adds to a row, and how much it shares with the one before it."""

    order: list[int]
    costs: list[int]
    """Tokens that a text adds behind its predecessor in `order`, by text."""
    shared: np.ndarray | None
    """(B,) leading tokens in common with the predecessor, by text; None where nothing is shared."""


def layout(sequences: Sequences, *, causal: bool) -> Layout:
    """The order of the rows: by length, longest first; for decoders lexicographic where that shares enough."""
    if causal and len(sequences) > 1:
        order, shared = _by_beginning(sequences)
        if shared.sum() > WORTH_SHARING * sequences.lengths.sum():
            return Layout(order, (sequences.lengths - shared).tolist(), shared)
    return Layout(np.argsort(-sequences.lengths, kind="stable").tolist(), sequences.lengths.tolist(), None)


def _by_beginning(sequences: Sequences) -> tuple[list[int], np.ndarray]:
    """Lexicographic order, and for each text the tokens it has in common with the one before it."""
    texts = np.split(sequences.ids, sequences.starts[1:])
    order = sorted(range(len(texts)), key=[text.astype(">i4").tobytes() for text in texts].__getitem__)
    shared = np.zeros(len(texts), dtype=np.int64)
    for before, after in pairwise(order):
        shared[after] = _common(texts[before], texts[after])
    return order, shared


def _common(a: np.ndarray, b: np.ndarray) -> int:
    n = min(len(a), len(b))
    differs = np.flatnonzero(a[:n] != b[:n])
    return int(differs[0]) if len(differs) else n


@dataclass(frozen=True, slots=True)
class Packer:
    """Lays batches of texts out for one model."""

    device: torch.device
    first_position: int
    """Of the first token: 0, or behind the padding index for RoBERTa-like models."""
    pad: int
    """Id of the padding token, which such models do not count."""
    finds_equal: bool
    """Whether the model has a use for knowing which tokens are equal."""

    def pack(self, sequences: Sequences, batch: Sequence[int], rows: Rows, shared: np.ndarray | None) -> Packing:
        """Lays out one batch on the device.

        Args:
            sequences: All texts.
            batch: Which of them; by length, or in lexicographic order where they share their beginnings.
            rows: The wanted states of all texts.
            shared: See `Layout`.
        """
        lengths = sequences.lengths[batch]
        if shared is None:
            n_shared, paths, groups, order = np.zeros_like(lengths), None, _equal(lengths), None
        else:
            n_shared = shared[batch]
            n_shared[0] = 0
            paths = _paths(lengths, n_shared)
            groups, order = _gathered(lengths, n_shared, paths)
        places = ragged(sequences.starts[batch] + n_shared, lengths - n_shared)
        ids, positions = sequences.ids[places], self._positions(sequences, batch, n_shared, lengths)
        type_ids = None if sequences.type_ids is None else sequences.type_ids[places]
        distinct, copies = _equal_tokens(ids, positions, type_ids) if self.finds_equal else (None, None)
        counts, at = rows.counts[batch], rows.positions[rows.of(batch)]
        text = np.repeat(np.arange(len(batch)), counts)
        kept = paths[text, at] if paths is not None else (np.cumsum(lengths) - lengths)[text] + at
        return Packing(
            ids=self._send(ids)[None],
            positions=self._send(positions)[None],
            type_ids=None if type_ids is None else self._send(type_ids)[None],
            groups=tuple(self._on_device(group) for group in groups),
            order=None if order is None else self._send(order),
            rows=self._send(kept),
            one_each=shared is None and bool((counts == 1).all()),
            distinct=None if distinct is None else self._send(distinct),
            copies=None if copies is None else self._send(copies),
        )

    def _positions(
        self, sequences: Sequences, batch: Sequence[int], n_shared: np.ndarray, lengths: np.ndarray
    ) -> np.ndarray:
        positions = ragged(n_shared, lengths - n_shared) + self.first_position
        if self.first_position and (sequences.ids == self.pad).any():
            texts = [
                sequences.ids[s : s + n] != self.pad for s, n in zip(sequences.starts[batch], lengths, strict=True)
            ]
            counted = [np.cumsum(real) * real + self.first_position - 1 for real in texts]
            positions = np.concatenate([c[a:] for c, a in zip(counted, n_shared, strict=True)])
        return positions

    def _send(self, array: np.ndarray) -> torch.Tensor:
        tensor = torch.from_numpy(np.ascontiguousarray(array))
        if self.device.type == "cuda":
            tensor = tensor.pin_memory()
        return tensor.to(self.device, non_blocking=True)

    def _on_device(self, group: "_HostGroup") -> Group:
        return Group(group.shape, group.start, *(None if a is None else self._send(a) for a in group.arrays))


@dataclass(frozen=True, slots=True, eq=False)
class _HostGroup:
    shape: tuple[int, int, int]
    start: int = 0
    arrays: tuple[np.ndarray | None, ...] = (None, None, None, None)


def _equal(lengths: np.ndarray) -> list[_HostGroup]:
    """Runs of equal length, each a stretch of the row."""
    bounds = [0, *(np.flatnonzero(np.diff(lengths)) + 1), len(lengths)]
    starts = np.cumsum(lengths) - lengths
    return [_HostGroup((int(b - a), int(lengths[a]), int(lengths[a])), int(starts[a])) for a, b in pairwise(bounds)]


def _equal_tokens(
    ids: np.ndarray, positions: np.ndarray, type_ids: np.ndarray | None
) -> tuple[np.ndarray, np.ndarray] | tuple[None, None]:
    """Positions of the distinct tokens, and for each token of the row the index of its equal among these.

    Each is compared with the one that was put into its slot last, which takes a third of the time of sorting them;
    different tokens that fall into one slot find some of their equals no more.
    """
    tokens = ids.astype(np.int64) * (int(positions.max()) + 1) + positions
    if type_ids is not None:
        tokens = tokens * (int(type_ids.max()) + 1) + type_ids
    places, slots, last = np.arange(len(tokens)), tokens % SLOTS, np.empty(SLOTS, dtype=np.int64)
    last[slots] = places
    same = last[slots]
    same = np.where(tokens[same] == tokens, same, places)
    chosen = same == places
    distinct = np.flatnonzero(chosen)
    if len(distinct) > WORTH_HANDING_OUT * len(tokens):
        return None, None
    return distinct, (np.cumsum(chosen) - 1)[same]


def _paths(lengths: np.ndarray, n_shared: np.ndarray) -> np.ndarray:
    """(B, L) the position in the row of each token of each text; 0 behind its end."""
    paths = np.zeros((len(lengths), lengths.max()), dtype=np.int64)
    position = 0
    for i, (length, n) in enumerate(zip(lengths.tolist(), n_shared.tolist(), strict=True)):
        paths[i, :n] = paths[i - 1, :n]
        paths[i, n:length] = np.arange(position, position + length - n)
        position += length - n
    return paths


def _gathered(lengths: np.ndarray, n_shared: np.ndarray, paths: np.ndarray) -> tuple[list[_HostGroup], np.ndarray]:
    """Texts with about as many queries (up to a factor of two) together, and where each query's output ends up.

    No group gathers more than `GATHERED` keys for each token of the row: texts that share a long beginning add little
    to the row, but each has all of its keys.
    """
    n_queries = lengths - n_shared
    groups, outputs = [], []
    for chosen in _alike(n_queries, lengths, GATHERED * int(n_queries.sum())):
        m, length = int(n_queries[chosen].max()), int(lengths[chosen].max())
        steps = np.arange(m)[None]
        at = n_shared[chosen, None] + steps  # C M: position of each query in its text
        real = steps < n_queries[chosen, None]
        queries = np.take_along_axis(paths[chosen], np.where(real, at, 0), axis=1)
        mask = np.arange(length)[None, None] <= at[..., None]  # C M L
        kept = np.flatnonzero(real)
        arrays = (queries.ravel(), paths[chosen, :length].ravel(), mask[:, None], kept)
        groups.append(_HostGroup((len(chosen), m, length), 0, arrays))
        outputs.append(queries.ravel()[kept])
    return groups, np.argsort(np.concatenate(outputs), kind="stable")


def _alike(n_queries: np.ndarray, lengths: np.ndarray, limit: int) -> Iterator[np.ndarray]:
    """Texts with queries, those with about as many together, in parts that gather at most `limit` keys."""
    bucket = np.ceil(np.log2(n_queries.clip(min=1))).astype(int)
    for size in np.unique(bucket[n_queries > 0]):
        chosen = np.flatnonzero((bucket == size) & (n_queries > 0))
        step = max(1, limit // int(lengths[chosen].max()))
        yield from (chosen[i : i + step] for i in range(0, len(chosen), step))
