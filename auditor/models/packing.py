r"""Batches without padding: the tokens of many texts in one row, attention within each text.

Embeddings, linear layers and norms look at one token at a time; only attention mixes tokens. So B texts are laid out as
one row of N tokens, every token with the position it has in its own text, and the attention function registered here
with transformers' `AttentionInterface` goes text by text, texts of equal length together. Nothing is computed for
padding.

    encoders   the row holds the texts one behind the other, N = ΣT
    decoders   a state depends on what stands before it only, so the row holds every distinct beginning once, N = nodes
               of the trie of the texts; the keys of a text are gathered along its path, its queries are its own nodes

                   Review: good film.        Review: good film.
                   Review: good .                        ⎣ .
                   Review: film.                    ⎣ film.

               Texts are laid out in lexicographic order, in which neighbours share the longest beginnings; where they
               share little (less than `WORTH_SHARING` of all tokens) they are laid out as those of encoders are.

Where only one state of each text is wanted, families listed in `auditor.models.last_layer` compute nothing else in
their last layer.

A model is packed only if it is proven to answer as it does alone (`auditor.models.text`); layers with a sliding window
see shorter texts only, and attention with sinks, biases or a soft cap is refused.
"""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cached_property
from itertools import chain, pairwise

import numpy as np
import torch
from torch.nn.functional import scaled_dot_product_attention
from transformers import AttentionInterface, AttentionMaskInterface
from transformers.integrations.sdpa_attention import sdpa_attention_forward

from auditor.models.contract import Sequences, ragged
from auditor.models.masks import needed, nothing, padding_mask

IMPLEMENTATION = "auditor_packed"
WORTH_SHARING = 0.1
GATHERED = 8
"""Keys that a group may gather for each token of the row: what bounds its memory where beginnings are shared."""


@dataclass(frozen=True, eq=False)
class Rows:
    """Which states of B texts are wanted, R in all."""

    counts: np.ndarray
    """(B,) how many of each text."""
    positions: np.ndarray
    """(R,) where they stand in their text, text by text."""

    @classmethod
    def listed(cls, rows: Sequence[Sequence[int]]) -> "Rows":
        """From a list of positions for each text.

        Raises:
            ValueError: If one is negative: before a text stands another's last token.
        """
        counts = np.fromiter(map(len, rows), np.int64, len(rows))
        positions = np.fromiter(chain.from_iterable(rows), np.int64, int(counts.sum()))
        if positions.min(initial=0) < 0:
            raise ValueError("a state before the beginning of a text was asked for")
        return cls(counts, positions)

    def of(self, batch: Sequence[int]) -> np.ndarray:
        """Which of all rows are those of some texts."""
        return ragged(self._firsts[batch], self.counts[batch])

    @cached_property
    def _firsts(self) -> np.ndarray:
        firsts: np.ndarray = np.cumsum(self.counts) - self.counts
        return firsts


@dataclass(frozen=True, slots=True, eq=False)
class Group:
    """Texts whose attention is computed in one call: C texts, M queries and L keys each."""

    shape: tuple[int, int, int]
    """C, M, L."""
    start: int = 0
    """Where the group begins in the row, or among the rows wanted of the last layer."""
    queries: torch.Tensor | None = None
    """(C·M,) places of the queries in the row; None where they lie one behind the other."""
    keys: torch.Tensor | None = None
    """(C·L,) places of the keys; None where they are the queries."""
    mask: torch.Tensor | None = None
    """(C, 1, M, L), True where a query sees a key; None where all do, or causally."""
    kept: torch.Tensor | None = None
    """Which of the C·M queries are none of padding."""


@dataclass(frozen=True, slots=True, eq=False)
class Packing:
    """One batch on the device."""

    ids: torch.Tensor
    """(1, N)."""
    positions: torch.Tensor
    """(1, N)."""
    type_ids: torch.Tensor | None
    groups: tuple[Group, ...]
    order: torch.Tensor | None
    """(N,) for each place in the row, its place in the concatenated outputs of the groups; None: the same."""
    rows: torch.Tensor
    """(R,) places of the wanted states in the row, text by text."""
    one_each: bool
    """Whether exactly one state of each text is wanted."""

    @property
    def arguments(self) -> dict[str, torch.Tensor]:
        """What the model is called with."""
        found = {
            "input_ids": self.ids,
            "position_ids": self.positions,
            "attention_mask": nothing(self.ids.device),
        }
        return found if self.type_ids is None else {**found, "token_type_ids": self.type_ids}

    def attend(
        self, query: torch.Tensor, key: torch.Tensor, value: torch.Tensor, scale: float | None, causal: bool
    ) -> torch.Tensor:
        """Attention within each text: (N, H, D) queries, keys and values to (N, H, D)."""
        outputs = []
        for group in self.groups:
            n, m, length = group.shape
            own = slice(group.start, group.start + n * m)
            rows = query[own] if group.queries is None else query[group.queries]
            keys, values = (x[own] if group.keys is None else x[group.keys] for x in (key, value))
            found = _sdpa(
                torch.unflatten(rows, 0, (n, m)),
                torch.unflatten(keys, 0, (n, length)),
                torch.unflatten(values, 0, (n, length)),
                group.mask,
                scale,
                causal=causal and group.mask is None and m > 1,
            ).flatten(0, 1)
            outputs.append(found if group.kept is None else found[group.kept])
        joined = torch.cat(outputs) if len(outputs) > 1 else outputs[0]
        return joined if self.order is None else joined[self.order]

    def attend_rows(
        self, query: torch.Tensor, key: torch.Tensor, value: torch.Tensor, scale: float | None
    ) -> torch.Tensor:
        """Attention of one query of each text, (B, H, D), to all of its (N, H, D) keys and values."""
        outputs, done = [], 0
        for group in self.groups:
            n, _, length = group.shape
            own = slice(group.start, group.start + n * length)
            found = _sdpa(
                query[done : done + n, None],
                torch.unflatten(key[own], 0, (n, length)),
                torch.unflatten(value[own], 0, (n, length)),
                None,
                scale,
                causal=False,
            )
            outputs.append(found[:, 0])
            done += n
        return torch.cat(outputs)


def _sdpa(
    query: torch.Tensor,  # C M H D
    key: torch.Tensor,  # C L H/groups D
    value: torch.Tensor,
    mask: torch.Tensor | None,
    scale: float | None,
    *,
    causal: bool,
) -> torch.Tensor:
    repeats = query.shape[2] // key.shape[2]
    if repeats > 1:
        key, value = (x.repeat_interleave(repeats, dim=2) for x in (key, value))
    q, k, v = (x.transpose(1, 2) for x in (query, key, value))
    return scaled_dot_product_attention(q, k, v, attn_mask=mask, scale=scale, is_causal=causal).transpose(1, 2)


_active: Packing | None = None


@torch.compiler.disable  # type: ignore[untyped-decorator]
def active() -> Packing | None:
    """The batch being computed; None outside `packed`."""
    return _active


@contextmanager
def packed(packing: Packing) -> Iterator[None]:
    """Computes attention within the texts of `packing` while the block runs."""
    global _active
    _active = packing
    try:
        yield
    finally:
        _active = None


@torch.compiler.disable  # type: ignore[untyped-decorator]
def attend(
    module: torch.nn.Module,
    query: torch.Tensor,  # 1 H N D
    key: torch.Tensor,
    value: torch.Tensor,
    attention_mask: torch.Tensor | None,
    dropout: float = 0.0,
    scaling: float | None = None,
    is_causal: bool | None = None,
    **kwargs: object,
) -> tuple[torch.Tensor, None]:
    """Attention within each text of the active batch; that of `sdpa` where there is none.

    Raises:
        NotImplementedError: For variants of attention that are not packed.
    """
    packing = _active
    if packing is None:
        return sdpa_attention_forward(  # type: ignore[no-any-return]
            module, query, key, value, needed(attention_mask), dropout, scaling, is_causal, **kwargs
        )
    if any(kwargs.get(name) is not None for name in ("softcap", "s_aux", "position_bias")):
        raise NotImplementedError(f"{type(module).__name__} is not packed")
    causal = is_causal if is_causal is not None else getattr(module, "is_causal", True)
    queries, keys, values = (x[0].transpose(0, 1) for x in (query, key, value))
    return packing.attend(queries, keys, values, scaling, bool(causal))[None], None


AttentionInterface.register(IMPLEMENTATION, attend)
AttentionMaskInterface.register(IMPLEMENTATION, padding_mask)


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

    def pack(self, sequences: Sequences, batch: Sequence[int], rows: Rows, shared: np.ndarray | None) -> Packing:
        """One batch.

        Args:
            sequences: All texts.
            batch: Which of them; by length, or in lexicographic order where they share their beginnings.
            rows: The wanted states of all texts.
            shared: See `Layout`.
        """
        lengths = sequences.lengths[batch]
        if shared is None:
            own, paths, groups, order = np.zeros_like(lengths), None, _equal(lengths), None
        else:
            own = shared[batch]
            own[0] = 0
            paths = _paths(lengths, own)
            groups, order = _gathered(lengths, own, paths)
        places = ragged(sequences.starts[batch] + own, lengths - own)
        counts, at = rows.counts[batch], rows.positions[rows.of(batch)]
        text = np.repeat(np.arange(len(batch)), counts)
        wanted = paths[text, at] if paths is not None else (np.cumsum(lengths) - lengths)[text] + at
        return Packing(
            ids=self._send(sequences.ids[places])[None],
            positions=self._send(self._positions(sequences, batch, own, lengths))[None],
            type_ids=None if sequences.type_ids is None else self._send(sequences.type_ids[places])[None],
            groups=tuple(self._on_device(group) for group in groups),
            order=None if order is None else self._send(order),
            rows=self._send(wanted),
            one_each=shared is None and bool((counts == 1).all()),
        )

    def _positions(
        self, sequences: Sequences, batch: Sequence[int], own: np.ndarray, lengths: np.ndarray
    ) -> np.ndarray:
        positions = ragged(own, lengths - own) + self.first_position
        if self.first_position and (sequences.ids == self.pad).any():
            texts = [
                sequences.ids[s : s + n] != self.pad for s, n in zip(sequences.starts[batch], lengths, strict=True)
            ]
            counted = [np.cumsum(real) * real + self.first_position - 1 for real in texts]
            positions = np.concatenate([c[a:] for c, a in zip(counted, own, strict=True)])
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


def _paths(lengths: np.ndarray, own: np.ndarray) -> np.ndarray:
    """(B, L) the place in the row of each token of each text; 0 behind its end."""
    paths = np.zeros((len(lengths), lengths.max()), dtype=np.int64)
    place = 0
    for i, (length, shared) in enumerate(zip(lengths.tolist(), own.tolist(), strict=True)):
        paths[i, :shared] = paths[i - 1, :shared]
        paths[i, shared:length] = np.arange(place, place + length - shared)
        place += length - shared
    return paths


def _gathered(lengths: np.ndarray, own: np.ndarray, paths: np.ndarray) -> tuple[list[_HostGroup], np.ndarray]:
    """Texts with about as many queries (up to a factor of two) together, and where each query's output ends up.

    No group gathers more than `GATHERED` keys for each token of the row: texts that share a long beginning add little
    to the row, but each has all of its keys.
    """
    n_queries = lengths - own
    groups, outputs = [], []
    for chosen in _alike(n_queries, lengths, GATHERED * int(n_queries.sum())):
        m, length = int(n_queries[chosen].max()), int(lengths[chosen].max())
        steps = np.arange(m)[None]
        at = own[chosen, None] + steps  # C M: position of each query in its text
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
