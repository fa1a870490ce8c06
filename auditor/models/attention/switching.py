r"""Heads that are switched off, what each head's tokens receive, and where an answer is read: watchers of one batch.

A head is switched off by zeros in the place of what it took from the values, before the output projection of its layer,
whose bias stays: the model goes on as if the columns of the projection that belong to this head were zero. Zero, not
the head's mean over texts: it needs no other text, and its effect hangs on nothing but the text. Each text of a batch
may be without another head, so that copies of a text stand beside each other.

Several forward passes may follow each other (one for each candidate of a language model): layers are counted anew in
each.
"""

from collections.abc import Sequence

import torch

from auditor.models.attention.routing import require_layers
from auditor.models.attention.watching import Layer


class _Changed(Layer):
    """Hands on what a function makes of what was attended to."""

    def __init__(self, watcher: "Without | Disturbed", number: int) -> None:
        self._watcher, self._number = watcher, number

    def close(self, attended: torch.Tensor, causal: bool) -> torch.Tensor:  # noqa: ARG002
        return self._watcher.change(attended, self._number)


class Without:
    """Switches off one head in each text of a batch."""

    def __init__(self, off: Sequence[int], n_layers: int, device: torch.device) -> None:
        """Says what to switch off.

        Args:
            off: Of each text the head, l · H + h; −1 for none.
            n_layers: How many layers of the model attend.
            device: Of the model.
        """
        self._n_layers, self._n_seen = n_layers, 0
        self._off = torch.tensor(off).to(device, non_blocking=True)[:, None]

    def layer(self, heads: torch.Size, device: torch.device) -> Layer:  # noqa: ARG002
        """Switches off in the next layer."""
        self._n_seen += 1
        return _Changed(self, (self._n_seen - 1) % self._n_layers)

    def change(self, attended: torch.Tensor, layer: int) -> torch.Tensor:
        """(B, T, H, D) with zeros for the head that is switched off."""
        n_heads = attended.shape[2]
        heads = layer * n_heads + torch.arange(n_heads, device=self._off.device)
        off = (self._off == heads).to(attended.device, non_blocking=True)  # B H
        return attended.masked_fill(off[:, None, :, None], 0.0)

    def require_whole(self, name: str) -> None:
        """Refuses forward passes of which not all layers came by.

        Raises:
            UnseenAttentionError: It is so.
        """
        left = self._n_seen % self._n_layers
        require_layers(left if left or not self._n_seen else self._n_layers, self._n_layers, name)


class Disturbed:
    """Disturbs the last layer of T copies of a text of T tokens, each at one query: answers change where they are read.

    One more copy, the last of the batch, is left alone.
    """

    def __init__(self, n_layers: int) -> None:
        self._n_layers, self._n_seen = n_layers, 0

    def layer(self, heads: torch.Size, device: torch.device) -> Layer:  # noqa: ARG002
        """Disturbs the next layer, if it is the last."""
        self._n_seen += 1
        return _Changed(self, self._n_seen - 1)

    def change(self, attended: torch.Tensor, layer: int) -> torch.Tensor:
        """(T + 1, T, H, D), in the last layer of copy t the query t exchanged for something far larger."""
        if layer != self._n_layers - 1:
            return attended
        n_tokens, (_, _, *shape) = attended.shape[1], attended.shape
        waves = torch.arange(n_tokens * shape[0] * shape[1], device=attended.device).view(n_tokens, *shape).cos()
        changed, at = attended.clone(), torch.arange(n_tokens, device=attended.device)
        changed[at, at] = waves.to(attended.dtype) * (1 + 10 * attended.abs().amax())
        return changed

    def require_whole(self, name: str) -> None:
        """Refuses a forward pass of which not all layers came by.

        Raises:
            UnseenAttentionError: It is so.
        """
        require_layers(self._n_seen, self._n_layers, name)


class Received:
    """Gathers the weight that each token receives of each head, the mean over the queries.

    Attributes:
        valid: (B, T), 1 for tokens and 0 for padding.
        layers: (B, H, T) float32 of each layer.
    """

    def __init__(self, valid: torch.Tensor) -> None:
        self.valid = valid
        self.layers: list[torch.Tensor] = []

    def layer(self, heads: torch.Size, device: torch.device) -> Layer:
        """Looks at the next layer."""
        return _Received(self, heads, device)

    def result(self, n_layers: int, name: str) -> torch.Tensor:
        """(B, L, H, T).

        Raises:
            UnseenAttentionError: If another number of layers came by.
        """
        require_layers(len(self.layers), n_layers, name)
        return torch.stack(self.layers, dim=1)


class _Received(Layer):
    def __init__(self, watcher: Received, heads: torch.Size, device: torch.device) -> None:
        self._watcher = watcher
        real = watcher.valid.to(device).float()
        self._share = real / real.sum(-1, keepdim=True).clamp(min=1)  # B T
        self._sum = real.new_zeros(*heads, real.shape[1])  # B K G T

    def begin(self, span: slice, seen: int) -> None:  # noqa: ARG002
        self._span = span

    def take(self, documents: slice, heads: slice, weights: torch.Tensor, scores: torch.Tensor) -> None:  # noqa: ARG002
        share = self._share[documents, None, None, None, self._span]
        self._sum[documents, heads, :, : weights.shape[-1]] += (share @ weights)[..., 0, :]

    def close(self, attended: torch.Tensor, causal: bool) -> torch.Tensor:  # noqa: ARG002
        self._watcher.layers.append(self._sum.flatten(1, 2).to(self._watcher.valid.device))
        return attended
