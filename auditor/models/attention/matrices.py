"""The statistics of `auditor.models.attention.routing` by their definitions, from whole attention matrices.

What the reduction by blocks is held against when a model is loaded: plain formulas over T × T matrices, one text.
"""

import torch


def of_matrices(weights: torch.Tensor) -> torch.Tensor:
    """The first seven statistics of `attention.STATISTICS`, those that need no knowledge of the tokens.

    Args:
        weights: (L, H, T, T), rows sum to 1.

    Returns:
        (7, L, H) float64: entropy, distance, shares of the token itself, the previous, the next, the first, the first
        four.
    """
    p = weights.double()
    n = p.shape[-1]
    positions = torch.arange(n)
    apart = (positions[:, None] - positions).abs()
    is_causal = bool((p.triu(1) == 0).all())
    diagonals = [p.diagonal(offset, -2, -1).sum(-1) / n for offset in (0, -1, 1)]
    firsts = [_first(p, k, is_causal) for k in (1, 4)]
    return torch.stack([-torch.special.xlogy(p, p).sum(-1).mean(-1), (p * apart).sum(-1).mean(-1), *diagonals, *firsts])


def _first(p: torch.Tensor, k: int, is_causal: bool) -> torch.Tensor:
    """Mass on the first k keys; causal heads leave out the queries that see nothing else; 1 if none is left."""
    rows = p[..., k if is_causal else 0 :, :k]
    return rows.sum(-1).mean(-1) if rows.shape[-2] else torch.ones(p.shape[:2], dtype=p.dtype)
