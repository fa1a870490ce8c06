r"""Statistics of attention heads, reduced on the device while the model computes.

With the attention of one head, p_ij the weight of query i on key j (rows sum to 1), i, j = 0 … T−1, the statistics are
means over the T query positions of

    entropy            −Σ_j p_ij ln p_ij                    nats, unsmoothed (Clark et al. 2019 smooth; we do not)
    distance           Σ_j p_ij |i − j|                     tokens (Vig & Belinkov 2019)
    self, previous, next share      p_ii, p_i,i−1, p_i,i+1  0 where that position does not exist
    first, first4 share             Σ_{j<k} p_ij            k = 1, 4 (Xiao et al. 2023). Causal heads leave out the
                                                            queries i < k, where it is 1 by construction; with none
                                                            left (T ≤ k) it is 1.
    special, punctuation share      Σ_j p_ij [j is such a token]

and `received`, for each key j the mean of p_ij over queries, heads and layers. Uniform attention has the entropy ln T,
or the mean of ln(i + 1) for causal heads. Padding takes no part as a query and has weight 0 as a key.

The T × T matrix of a head is never stored: the function registered with transformers' `AttentionInterface` computes
blocks of query rows, small enough to stay in the processor's cache, and reduces each before the next
(`auditor.models.attention.reduction`); causal heads never compute the keys behind a block. Of a short document computed
alone the heaviest keys can be kept as well (`auditor.models.attention.maps`). The function is registered with a mask
function too: without one the interface hands over no mask and padded batches are silently wrong. Since transformers
drops attention outputs without an error in several configurations, the number of layers that came by is counted and
must equal the model's.

Agrees with statistics of the `eager` implementation's matrices (transformers 5.23) within 1e-5 for BERT, GPT-2 and
Llama with grouped queries, padded batches and sliding windows included.
"""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass, field

import torch
from transformers import AttentionInterface, AttentionMaskInterface, PreTrainedModel

from auditor.errors import ModelError
from auditor.models.attention.maps import HeaviestKeys
from auditor.models.attention.reduction import Rows, Sums
from auditor.models.attention.watching import Layer, Watcher
from auditor.models.computing.masks import needed, padding_mask
from auditor.models.computing.patching import Attention, patched
from auditor.models.computing.precision import unrounded
from auditor.models.inputs import UnseenAttentionError

IMPLEMENTATION = "auditor_statistics"
ROWS = 128
"""Query rows of a block, counted over the heads that share a key head."""
CELLS = 2**18
"""Scores of a block for each thread of a CPU: a megabyte of float32, which stays in the cache while it is reduced."""
DEVICE_CELLS = 2**26
"""Scores of a block on a GPU, which wants many at a time: 256 megabytes of float32."""
NEVER = -1e30
"""Score of a key that is not allowed. Its weight is exactly 0, and 0 times it is 0, which infinity would not do."""
Chunk = tuple[slice, int, torch.Tensor | None]
"""Query rows, how many keys they see, and what is added to the scores of the last of these."""


@dataclass
class Collector:
    """Gathers the statistics of one batch, layer by layer, on the device.

    Attributes:
        valid: (B, T), 1 for tokens and 0 for padding. What is collected ends on its device, wherever a layer lies.
        special: (B, T), 1 for special tokens.
        punctuation: (B, T), 1 for punctuation tokens.
        n_keys: How many keys of each query to keep, for a single document; 0 for none.
    """

    valid: torch.Tensor
    special: torch.Tensor
    punctuation: torch.Tensor
    n_keys: int = 0
    layers: list[torch.Tensor] = field(default_factory=list)
    """One (B, H, len(STATISTICS)) tensor of float64 a layer."""
    received: torch.Tensor | None = None
    causal: bool = True
    maps: list[HeaviestKeys] = field(default_factory=list)
    """One a layer, where keys are kept."""

    def add(self, sums: Sums, causal: bool) -> None:
        """Takes the sums of the next layer."""
        device, of_layer = self.valid.device, sums.valid.device
        self.layers.append(sums.means(self.special.to(of_layer), self.punctuation.to(of_layer), causal).to(device))
        received = sums.received_by_token().to(device)
        self.received = received if self.received is None else self.received + received
        self.causal = self.causal and causal

    def layer(self, heads: torch.Size, device: torch.device) -> Layer:
        """Reduces the next layer."""
        return _Reduced(self, heads, device)

    def map_layer(self, heads: torch.Size) -> HeaviestKeys | None:
        """Where the keys of the next layer go, with its (B, K, G) heads; None where none are kept."""
        if self.n_keys == 0:
            return None
        self.maps.append(HeaviestKeys(heads[1:], self.valid.shape[1], self.n_keys, self.valid.device))
        return self.maps[-1]

    def result(self, n_layers: int, name: str) -> tuple[torch.Tensor, torch.Tensor]:
        """The statistics (B, statistics, L, H), float64, and what each token received (B, T).

        Args:
            n_layers: How many layers of the model attend.
            name: Of the model, for the message.

        Raises:
            UnseenAttentionError: If another number of layers came by.
        """
        require_layers(len(self.layers), n_layers, name)
        statistics = torch.stack(self.layers, dim=1)  # B L H statistics
        received = torch.zeros_like(self.valid) if self.received is None else self.received
        return statistics.permute(0, 3, 1, 2), received / n_layers


class _Reduced(Layer):
    """One layer, reduced to its statistics."""

    def __init__(self, collector: Collector, heads: torch.Size, device: torch.device) -> None:
        self._collector, self._heads = collector, heads
        self._valid = collector.valid.to(device)
        self._sums, self._heaviest = Sums(self._valid, heads), collector.map_layer(heads)

    def begin(self, span: slice, seen: int) -> None:
        self._rows = Rows(span, seen, self._heads, self._valid)

    def take(self, documents: slice, heads: slice, weights: torch.Tensor, scores: torch.Tensor) -> None:
        self._rows.take(documents, heads, weights, scores)
        if self._heaviest is not None:
            self._heaviest.take(self._rows.span, heads, weights[0].to(self._collector.valid.device))

    def end(self) -> None:
        self._sums.add(self._rows)

    def close(self, attended: torch.Tensor, causal: bool) -> torch.Tensor:
        self._collector.add(self._sums, causal)
        return attended


def require_layers(seen: int, expected: int, name: str) -> None:
    """Refuses attention of which not every layer came by.

    Args:
        seen: Layers that came by.
        expected: Layers of the model that attend.
        name: Of the model, for the message.

    Raises:
        UnseenAttentionError: Others came by, or there are none.
    """
    if not expected:
        raise UnseenAttentionError(f"{name}: no layer of this architecture attends")
    if seen != expected:
        raise UnseenAttentionError(
            f"{name}: expected the attention of {expected} layers, saw {seen}; this architecture does not show all of "
            "it to transformers' AttentionInterface"
        )


_watcher: ContextVar[Watcher | None] = ContextVar("watcher", default=None)
"""Of each thread its own, so that models in several threads do not mix."""


@contextmanager
def collecting(model: PreTrainedModel, watcher: Watcher) -> Iterator[None]:
    """Shows the attention of `model` to a watcher while the block runs, in this thread."""
    before = _watcher.set(watcher)
    try:
        with patched(Attention(model, IMPLEMENTATION)):
            yield
    finally:
        _watcher.reset(before)


@torch.compiler.disable  # type: ignore[untyped-decorator]
def attend(
    module: torch.nn.Module,
    query: torch.Tensor,  # B H T D
    key: torch.Tensor,  # B H/groups T D
    value: torch.Tensor,  # B H/groups T D
    attention_mask: torch.Tensor | None,  # B 1 T T: True where allowed, or added to the scores
    dropout: float = 0.0,  # noqa: ARG001  (the interface's signature; models are in eval mode)
    scaling: float | None = None,
    is_causal: bool | None = None,
    softcap: float | None = None,
    **kwargs: object,
) -> tuple[torch.Tensor, None]:
    """Attention as transformers' `sdpa` computes it, in float32, shown to the watcher block by block.

    Raises:
        UnseenAttentionError: For variants of attention whose scores this function does not reproduce.
    """
    _require_understood(module, kwargs)
    attention_mask = needed(attention_mask)
    causal = bool(is_causal if is_causal is not None else getattr(module, "is_causal", True))
    scale = scaling if scaling is not None else query.shape[-1] ** -0.5
    queries = torch.unflatten(query.float() * scale, 1, (key.shape[1], -1))  # B K G T D
    layer = _current_watcher().layer(queries.shape[:3], query.device)
    with unrounded(query.device):
        chunks = _chunks(queries, attention_mask, causal)
        attended = _attended(queries, key.float().contiguous(), value.float().contiguous(), chunks, softcap, layer)
    return layer.close(attended, causal), None


def _attended(
    queries: torch.Tensor,  # B K G T D
    keys: torch.Tensor,  # B K T D
    values: torch.Tensor,  # B K T D
    chunks: Iterator[Chunk],
    softcap: float | None,
    layer: Layer,
) -> torch.Tensor:
    """(B, T, H, D), shown to a layer of the watcher on the way."""
    heads, (groups, n_tokens) = queries.shape[:3], queries.shape[2:4]
    attended = queries.new_empty(heads[0], n_tokens, *heads[1:], values.shape[-1])  # B T K G D
    for span, seen, bias in chunks:
        layer.begin(span, seen)
        for tile in _tiles(heads, groups * (span.stop - span.start) * seen, queries.device):
            of_tile = None if bias is None else bias[tile]
            scores = _scores(queries[tile][..., span, :], keys[tile][..., :seen, :], of_tile, softcap)
            scores -= scores.amax(-1, keepdim=True)
            weights = scores.softmax(-1)
            layer.take(*tile, weights, scores)
            output = weights.flatten(2, 3) @ values[tile][..., :seen, :]
            attended[tile[0], span, tile[1]] = torch.unflatten(output, 2, (groups, -1)).permute(0, 3, 1, 2, 4)
        layer.end()
    return attended.flatten(2, 3)


def _require_understood(module: torch.nn.Module, arguments: Mapping[str, object]) -> None:
    if any(arguments.get(name) is not None for name in ("s_aux", "position_bias")):
        raise UnseenAttentionError(
            f"{type(module).__name__}: attention with learned sinks or position bias is not understood"
        )


def _current_watcher() -> Watcher:
    watcher = _watcher.get()
    if watcher is None:
        raise ModelError(f"the attention implementation {IMPLEMENTATION!r} is only for use inside `collecting`")
    return watcher


def _scores(
    queries: torch.Tensor, keys: torch.Tensor, bias: torch.Tensor | None, softcap: float | None
) -> torch.Tensor:
    """Scores (b, k, G, c, S) of queries (b, k, G, c, D) for keys (b, k, S, D); `bias` is added to the last keys'."""
    scores = torch.unflatten(queries.flatten(2, 3) @ keys.mT, 2, (queries.shape[2], -1))
    if softcap is not None:
        scores.div_(softcap).tanh_().mul_(softcap)
    if bias is not None:
        scores[..., -bias.shape[-1] :] += bias
    return scores


def _chunks(queries: torch.Tensor, mask: torch.Tensor | None, causal: bool) -> Iterator[Chunk]:
    """Query rows, how many keys they see, and what to add to the scores of the last of these, (B, K, G, c, …)."""
    heads, n_tokens = queries.shape[:3], queries.shape[3]
    size = max(1, ROWS // queries.shape[2])
    for start in range(0, n_tokens, size):
        rows = slice(start, min(start + size, n_tokens))
        n_rows = rows.stop - start
        if mask is not None:
            bias = _bias(mask[..., :n_tokens].expand(-1, -1, n_tokens, -1)[:, :, rows])
            yield rows, n_tokens, torch.unflatten(bias.expand(heads[0], heads[1] * heads[2], -1, -1), 1, heads[1:])
        elif causal:
            later = torch.full((n_rows, n_rows), NEVER, dtype=torch.float32, device=queries.device).triu(1)
            yield rows, rows.stop, later.expand(*heads, -1, -1)
        else:
            yield rows, n_tokens, None


def _bias(mask: torch.Tensor) -> torch.Tensor:
    """The mask as something to add to scores, none of it infinite."""
    return torch.where(mask, 0.0, NEVER) if mask.dtype == torch.bool else mask.float().clamp(min=NEVER)


def _tiles(heads: torch.Size, cells: int, device: torch.device) -> Iterator[tuple[slice, slice]]:
    """Documents and key heads to compute at a time, from the scores that one key head needs."""
    n_documents, key_heads, _ = heads
    limit = CELLS * torch.get_num_threads() if device.type == "cpu" else DEVICE_CELLS
    n_heads = max(1, limit // cells)
    step = max(1, n_heads // key_heads)
    for document in range(0, n_documents, step):
        for head in range(0, key_heads, n_heads):
            yield slice(document, document + step), slice(head, head + n_heads)


AttentionInterface.register(IMPLEMENTATION, attend)
AttentionMaskInterface.register(IMPLEMENTATION, padding_mask)
