"""The heaviest keys of every query of one document, head by head, while the model computes it.

A weight p is kept as the byte round(255 p), so that it is known within 0.2 percentage points. The keys of a query are
ordered by that byte, and equal ones by their position: the order does not hang on the last bits of a weight, and is the
same for a text computed alone on any device. What rounds to 0 is left out; the mass kept, Σ p over the keys that are
kept, is summed before rounding.

Only short documents are mapped, one at a time, beside the batches from which statistics are made.
"""

import torch

STEPS = 255


class HeaviestKeys:
    """The keys of one layer.

    Attributes:
        keys: (K, G, T, n) uint8, positions.
        weights: (K, G, T, n) uint8.
        kept: (K, G, T) mass of these keys.
    """

    def __init__(self, heads: torch.Size, n_tokens: int, n_keys: int, device: torch.device) -> None:
        self.keys = torch.zeros(*heads, n_tokens, n_keys, dtype=torch.uint8, device=device)
        self.weights = torch.zeros_like(self.keys)
        self.kept = torch.zeros(*heads, n_tokens, dtype=torch.float64, device=device)

    def take(self, span: slice, heads: slice, weights: torch.Tensor) -> None:
        """Takes the weights (k, G, c, S) of some query rows of some key heads."""
        n = min(self.keys.shape[-1], weights.shape[-1])
        rounded, order = (weights * STEPS).round().to(torch.uint8).sort(stable=True, dim=-1, descending=True)
        rounded, order = rounded[..., :n], order[..., :n]
        self.weights[heads, :, span, :n] = rounded
        self.keys[heads, :, span, :n] = torch.where(rounded > 0, order, 0).to(torch.uint8)
        self.kept[heads, :, span] = (weights.gather(-1, order).double() * (rounded > 0)).sum(-1)
