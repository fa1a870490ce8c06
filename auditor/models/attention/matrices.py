"""The statistics of `auditor.models.attention.routing` by their definitions, from whole attention matrices.

What the reduction by blocks is held against when a model is loaded: plain formulas over T × T matrices, one text.
"""

import torch

OF_MATRICES = ("entropy", "distance", "self_share", "previous_share", "next_share", "first_share", "first4_share")
"""The statistics that need no knowledge of the tokens."""


def of_matrices(weights: torch.Tensor) -> torch.Tensor:
    """The statistics of `OF_MATRICES`, in that order.

    Args:
        weights: (L, H, T, T), rows sum to 1.

    Returns:
        (7, L, H) float64.
    """
    p = weights.double()
    n = p.shape[-1]
    positions = torch.arange(n)
    apart = (positions[:, None] - positions).abs()
    is_causal = bool((p.triu(1) == 0).all())
    by_name = {
        "entropy": -torch.special.xlogy(p, p).sum(-1).mean(-1),
        "distance": (p * apart).sum(-1).mean(-1),
        "self_share": p.diagonal(0, -2, -1).sum(-1) / n,
        "previous_share": p.diagonal(-1, -2, -1).sum(-1) / n,
        "next_share": p.diagonal(1, -2, -1).sum(-1) / n,
        "first_share": _first(p, 1, is_causal),
        "first4_share": _first(p, 4, is_causal),
    }
    return torch.stack([by_name[name] for name in OF_MATRICES])


def _first(p: torch.Tensor, k: int, is_causal: bool) -> torch.Tensor:
    """Mass on the first k keys; causal heads leave out the queries that see nothing else; 1 if none is left."""
    rows = p[..., k if is_causal else 0 :, :k]
    return rows.sum(-1).mean(-1) if rows.shape[-2] else torch.ones(p.shape[:2], dtype=p.dtype)
