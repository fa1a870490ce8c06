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
chunks of query rows, reduces them and goes on. It is registered with a mask function too: without one the interface
hands over no mask and padded batches are silently wrong. Since transformers drops attention outputs without an error
in several configurations, the number of layers that came by is counted and must equal the model's.

Agrees with statistics of the `eager` implementation's matrices (transformers 5.23) within 1e-5 for BERT, GPT-2 and
Llama with grouped queries, padded batches and sliding windows included.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

import torch
from transformers import AttentionInterface, AttentionMaskInterface, PreTrainedModel
from transformers.masking_utils import sdpa_mask

from auditor.errors import ModelError

IMPLEMENTATION = "auditor_statistics"
STATISTICS = (
    "entropy",
    "distance",
    "self_share",
    "previous_share",
    "next_share",
    "first_share",
    "first4_share",
    "special_share",
    "punctuation_share",
)
CHUNK = 64
"""Query rows per chunk: 64 rows of 2,048 keys in float32 are half a megabyte a head."""


@dataclass
class Collector:
    """Gathers the statistics of one batch, layer by layer, on the device.

    Attributes:
        valid: (B, T), 1 for tokens and 0 for padding.
        special: (B, T), 1 for special tokens.
        punctuation: (B, T), 1 for punctuation tokens.
    """

    valid: torch.Tensor
    special: torch.Tensor
    punctuation: torch.Tensor
    layers: list[torch.Tensor] = field(default_factory=list)
    """One (B, H, len(STATISTICS)) tensor of float64 a layer."""
    received: torch.Tensor | None = None
    causal: bool = True

    def result(self, n_layers: int, name: str) -> tuple[torch.Tensor, torch.Tensor]:
        """The statistics (B, statistics, L, H), float64, and what each token received (B, T).

        Raises:
            ModelError: If another number of layers came by than the model has.
        """
        if len(self.layers) != n_layers or self.received is None:
            raise ModelError(
                f"{name}: expected the attention of {n_layers} layers, saw {len(self.layers)}; this architecture does "
                "not route its attention through transformers' AttentionInterface: leave out [probes.attention]"
            )
        statistics = torch.stack(self.layers, dim=1)  # B L H statistics
        return statistics.permute(0, 3, 1, 2), self.received / n_layers


_collector: Collector | None = None


@contextmanager
def collecting(model: PreTrainedModel, collector: Collector) -> Iterator[None]:
    """Routes the attention of `model` through the statistics while the block runs."""
    global _collector
    before = model.config._attn_implementation
    model.set_attn_implementation(IMPLEMENTATION)
    _collector = collector
    try:
        yield
    finally:
        _collector = None
        model.set_attn_implementation(before)


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
    """Attention as transformers' `sdpa` computes it, in float32, with the statistics collected on the way.

    Raises:
        ModelError: For variants of attention whose scores this function does not reproduce.
    """
    if any(kwargs.get(name) is not None for name in ("s_aux", "position_bias")):
        raise ModelError(
            f"{type(module).__name__}: attention with learned sinks or position bias is not understood; "
            "leave out [probes.attention]"
        )
    collector = _collector
    if collector is None:
        raise ModelError(f"the attention implementation {IMPLEMENTATION!r} is only for use inside `collecting`")
    groups = query.shape[1] // key.shape[1]
    keys = key.repeat_interleave(groups, dim=1).float()
    values = value.repeat_interleave(groups, dim=1).float()
    causal = attention_mask is None and (is_causal if is_causal is not None else getattr(module, "is_causal", True))
    scale = scaling if scaling is not None else query.shape[-1] ** -0.5
    reduction = _Reduction(collector, query.shape[1], sees_all=not _is_causal(module, is_causal))
    outputs = []
    for start in range(0, query.shape[2], CHUNK):
        rows = query[:, :, start : start + CHUNK].float()
        scores = rows @ keys.transpose(2, 3) * scale  # B H c T
        if softcap is not None:
            scores = torch.tanh(scores / softcap) * softcap
        scores, allowed = _masked(scores, attention_mask, start, causal)
        weights = scores.softmax(dim=-1)
        if allowed is not None:  # a row of padding may see nothing: its softmax is 0/0
            weights = weights.masked_fill(~allowed, 0.0)
        reduction.add(weights, start)
        outputs.append((weights @ values).to(query.dtype))
    reduction.finish()
    return torch.cat(outputs, dim=2).transpose(1, 2).contiguous(), None


def _is_causal(module: torch.nn.Module, is_causal: bool | None) -> bool:
    return bool(is_causal if is_causal is not None else getattr(module, "is_causal", True))


def _masked(
    scores: torch.Tensor, mask: torch.Tensor | None, start: int, causal: bool
) -> tuple[torch.Tensor, torch.Tensor | None]:
    """Scores (B, H, c, T) with −inf where attention is not allowed, and where it is allowed, if not everywhere."""
    if mask is not None:
        chunk = mask[:, :, start : start + scores.shape[2], : scores.shape[3]]
        allowed = chunk if chunk.dtype == torch.bool else chunk > torch.finfo(chunk.dtype).min / 2
        if chunk.dtype != torch.bool:
            scores = scores + chunk.float()
    elif causal:
        positions = torch.arange(scores.shape[3], device=scores.device)
        allowed = positions[None] <= positions[start : start + scores.shape[2], None]
    else:
        return scores, None
    return scores.masked_fill(~allowed, float("-inf")), allowed


class _Reduction:
    """Sums the statistics of one layer over its chunks of query rows, in float64."""

    def __init__(self, collector: Collector, n_heads: int, sees_all: bool) -> None:
        self.collector = collector
        self.causal = not sees_all
        valid = collector.valid.double()
        self.sums = torch.zeros(*valid.shape[:1], n_heads, len(STATISTICS), dtype=torch.float64, device=valid.device)
        self.received = torch.zeros_like(valid)
        self.valid = valid
        self.columns = torch.stack((collector.special, collector.punctuation), dim=-1).float()[:, None]  # B 1 T 2

    def add(self, weights: torch.Tensor, start: int) -> None:
        """Adds the rows `weights` (B, H, c, T) of the queries from `start` on."""
        n_rows, n_keys = weights.shape[2:]
        keys = torch.arange(n_keys, device=weights.device)
        queries = keys[start : start + n_rows]
        valid = self.valid[:, None, start : start + n_rows]  # B 1 c
        distance = (queries[:, None] - keys[None]).abs().float()  # c T
        rows = {
            "entropy": -torch.special.xlogy(weights, weights).sum(-1),
            "distance": torch.einsum("bhct,ct->bhc", weights, distance),
            "self_share": self._diagonal(weights, queries, 0),
            "previous_share": self._diagonal(weights, queries, -1),
            "next_share": self._diagonal(weights, queries, 1),
            "first_share": weights[..., 0] * self._beyond(queries, 1),
            "first4_share": weights[..., :4].sum(-1) * self._beyond(queries, 4),
        }
        shares = weights @ self.columns  # B H c 2
        rows["special_share"], rows["punctuation_share"] = shares[..., 0], shares[..., 1]
        stacked = torch.stack([rows[name] for name in STATISTICS], dim=-1).double()  # B H c statistics
        self.sums += (stacked * valid[..., None]).sum(2)
        self.received += torch.einsum("bhct,bc->bt", weights, valid[:, 0].float()).double() / weights.shape[1]

    def finish(self) -> None:
        """Turns sums into means and hands the layer to the collector."""
        n_queries = self.valid.sum(1)  # B
        counts = n_queries[:, None, None].expand(-1, 1, len(STATISTICS)).clone()
        if self.causal:
            for size, name in ((1, "first_share"), (4, "first4_share")):
                counts[..., STATISTICS.index(name)] -= size
        means = torch.where(counts > 0, self.sums / counts.clamp(min=1), 1.0)
        self.collector.layers.append(means)
        received = self.received / n_queries[:, None]
        previous = self.collector.received
        self.collector.received = received if previous is None else previous + received
        self.collector.causal = self.collector.causal and self.causal

    def _beyond(self, queries: torch.Tensor, size: int) -> torch.Tensor:
        """1 for the queries whose first `size` tokens are not all they can see, 0 for the others."""
        return (queries >= size).float() if self.causal else torch.ones_like(queries, dtype=torch.float32)

    @staticmethod
    def _diagonal(weights: torch.Tensor, queries: torch.Tensor, offset: int) -> torch.Tensor:
        columns = queries + offset
        inside = (columns >= 0) & (columns < weights.shape[3])
        picked = weights.gather(3, columns.clamp(0, weights.shape[3] - 1).expand(*weights.shape[:2], -1)[..., None])
        return picked[..., 0] * inside


AttentionInterface.register(IMPLEMENTATION, attend)
AttentionMaskInterface.register(IMPLEMENTATION, sdpa_mask)
