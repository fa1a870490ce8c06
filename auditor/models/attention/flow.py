r"""How attention hands the tokens of a text on to the places where its answer is read, over all layers.

With A_l (T, T) the attention of layer l = 1 … L, the mean over its heads, and q (T,) the weights of the places that the
answer is read from (1 at the first or the last token, 1/T at each where their mean is read; all sum to 1):

    rollout    q R_L    R_l = Â_l R_{l−1},  R_0 = I,  Â_l = (A_l + I) / 2        (Abnar & Zuidema 2020, section 3)
    mean       (1/L) Σ_l q A_l                                what these places attend to, layer by layer

each (T,), ≥ 0, summing to 1. Rows of A_l sum to 1, so that normalising A_l + I is to halve it: the residual connection
counts for as much as the attention. Rollout follows a token through the layers, the mean does not; neither knows what
the values carry, nor the label: attention is no explanation by itself.

The rows of A_l are used block by block as they appear, R_{l−1} and R_l are the only T × T matrices, of one batch, in
float32. Padding takes no part: queries of padding are read from nowhere, keys of padding have the weight 0.

Oracle: the toy of three tokens and two layers (the tests). Agrees with the product of the `eager` implementation's
matrices (transformers 5.23) within 1e-6.
"""

import torch

from auditor.models.attention.routing import require_layers
from auditor.models.attention.watching import Layer

CELLS = 2**24
"""Of one of the two matrices of a batch: 64 megabytes of float32."""
MOST_TOKENS = 8192
"""Of a text that rollout follows: two matrices of 256 megabytes."""


class Flow:
    """Gathers what reaches the places that are read, layer by layer.

    Attributes:
        valid: (B, T), 1 for tokens and 0 for padding.
        places: (B, T) float32, q of each text.
        rolls_out: Whether the layers are multiplied, or averaged.
    """

    def __init__(self, valid: torch.Tensor, places: torch.Tensor, *, rolls_out: bool) -> None:
        self.valid, self.places, self.rolls_out = valid, places, rolls_out
        self._n_layers = 0
        self._sum = torch.zeros_like(places)
        self._product: torch.Tensor | None = None

    def layer(self, heads: torch.Size, device: torch.device) -> Layer:  # noqa: ARG002
        """Looks at the next layer."""
        return _Rolled(self, heads) if self.rolls_out else _Averaged(self, heads)

    def averaged(self, of_layer: torch.Tensor) -> None:
        """Adds q A of the next layer, (B, T)."""
        self._sum += of_layer
        self._n_layers += 1

    def rolled(self, product: torch.Tensor) -> None:
        """R of the next layer, (B, T, T)."""
        self._product = product
        self._n_layers += 1

    @property
    def product(self) -> torch.Tensor | None:
        """R so far; None for the identity."""
        return self._product

    def result(self, n_layers: int, name: str) -> torch.Tensor:
        """What each token hands on to the places that are read, (B, T).

        Args:
            n_layers: How many layers of the model attend.
            name: Of the model, for the message.

        Raises:
            UnseenAttentionError: If another number of layers came by.
        """
        require_layers(self._n_layers, n_layers, name)
        if self._product is None:
            return self._sum / n_layers
        return (self.places[:, None] @ self._product)[:, 0]


class _HeadsAveraged(Layer):
    """The mean over the heads, block by block."""

    def __init__(self, flow: Flow, heads: torch.Size) -> None:
        self.flow, self._heads = flow, heads

    def begin(self, span: slice, seen: int) -> None:
        self.span = span
        self.rows = self.flow.places.new_zeros(self._heads[0], span.stop - span.start, seen)  # B c S

    def take(self, documents: slice, heads: slice, weights: torch.Tensor, scores: torch.Tensor) -> None:  # noqa: ARG002
        summed = weights.sum((1, 2)) / (self._heads[1] * self._heads[2])
        self.rows[documents] += summed.to(self.rows.device)


class _Averaged(_HeadsAveraged):
    def __init__(self, flow: Flow, heads: torch.Size) -> None:
        super().__init__(flow, heads)
        self._sum = torch.zeros_like(flow.places)

    def end(self) -> None:
        reached = self.flow.places[:, None, self.span] @ self.rows
        self._sum[:, : reached.shape[-1]] += reached[:, 0]

    def close(self, attended: torch.Tensor, causal: bool) -> torch.Tensor:  # noqa: ARG002
        self.flow.averaged(self._sum)
        return attended


class _Rolled(_HeadsAveraged):
    def __init__(self, flow: Flow, heads: torch.Size) -> None:
        super().__init__(flow, heads)
        n_documents, n_tokens = flow.places.shape
        self._product = flow.places.new_zeros(n_documents, n_tokens, n_tokens)

    def end(self) -> None:
        before, rows = self.flow.product, self._product[:, self.span]
        seen = self.rows.shape[-1]
        if before is None:
            rows[..., :seen] = self.rows
            rows.diagonal(self.span.start, -2, -1).add_(1.0)
        else:
            torch.baddbmm(before[:, self.span], self.rows, before[:, :seen], out=rows)
        rows /= 2

    def close(self, attended: torch.Tensor, causal: bool) -> torch.Tensor:  # noqa: ARG002
        self.flow.rolled(self._product)
        return attended
