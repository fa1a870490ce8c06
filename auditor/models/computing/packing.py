r"""Batches without padding: the tokens of many texts in one row, attention within each text.

Embeddings, linear layers and norms look at one token at a time; only attention mixes tokens. So B texts are laid out as
one row of N tokens, every token with the position it has in its own text, and the attention function registered here
with transformers' `AttentionInterface` goes text by text, texts of equal length together. Nothing is computed for
padding.

    encoders   the row holds the texts one behind the other, N = ΣT
    decoders   where texts share their beginnings the row holds every distinct one once, N = nodes of the trie of the
               texts; see `auditor.models.computing.layout`, which lays batches out

Some families compute less in their first and last layer, see `auditor.models.computing.outer_layers`.

A model is packed only if it is proven to answer as it does alone (`auditor.models.text.adapter`); layers with a
sliding window see shorter texts only, and attention with sinks, biases or a soft cap is refused.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass

import torch
from torch.nn.functional import scaled_dot_product_attention
from transformers import AttentionInterface, AttentionMaskInterface
from transformers.integrations.sdpa_attention import sdpa_attention_forward

from auditor.models.computing.masks import needed, nothing, padding_mask

IMPLEMENTATION = "auditor_packed"


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
    distinct: torch.Tensor | None = None
    """(U,) places of tokens that differ in id, position or type; None where nearly all do, or nobody asks."""
    copies: torch.Tensor | None = None
    """(N,) which of these the token at each place is."""

    @property
    def arguments(self) -> dict[str, torch.Tensor]:
        """The keyword arguments of the model's `forward`."""
        arguments = {
            "input_ids": self.ids,
            "position_ids": self.positions,
            "attention_mask": nothing(self.ids.device),
        }
        return arguments if self.type_ids is None else {**arguments, "token_type_ids": self.type_ids}

    def attend(
        self, query: torch.Tensor, key: torch.Tensor, value: torch.Tensor, scale: float | None, causal: bool
    ) -> torch.Tensor:
        """Attention within each text: (N, H, D) queries, keys and values to (N, H, D)."""
        outputs = []
        for group in self.groups:
            n, m, length = group.shape
            span = slice(group.start, group.start + n * m)
            rows = query[span] if group.queries is None else query[group.queries]
            keys, values = (x[span] if group.keys is None else x[group.keys] for x in (key, value))
            attended = _sdpa(
                torch.unflatten(rows, 0, (n, m)),
                torch.unflatten(keys, 0, (n, length)),
                torch.unflatten(values, 0, (n, length)),
                group.mask,
                scale,
                causal=causal and group.mask is None and m > 1,
            ).flatten(0, 1)
            outputs.append(attended if group.kept is None else attended[group.kept])
        joined = torch.cat(outputs) if len(outputs) > 1 else outputs[0]
        return joined if self.order is None else joined[self.order]

    def mix(self, asked: torch.Tensor, states: torch.Tensor, scale: float) -> torch.Tensor:
        """Means of the (N, D) states of each text, by their weights for each of (B, H, D) things asked of it."""
        outputs, done = [], 0
        for group in self.groups:
            n, _, length = group.shape
            keys = torch.unflatten(states[group.start : group.start + n * length], 0, (n, length))[:, None]
            outputs.append(scaled_dot_product_attention(asked[done : done + n, None], keys, keys, scale=scale)[:, 0])
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


_active: ContextVar[Packing | None] = ContextVar("packing", default=None)
"""Of each thread its own, so that models in several threads do not mix."""


@torch.compiler.disable  # type: ignore[untyped-decorator]
def active() -> Packing | None:
    """The batch that this thread computes; None outside `packed`."""
    return _active.get()


@contextmanager
def packed(packing: Packing) -> Iterator[None]:
    """Computes attention within the texts of `packing` while the block runs, in this thread."""
    before = _active.set(packing)
    try:
        yield
    finally:
        _active.reset(before)


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
    packing = _active.get()
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
