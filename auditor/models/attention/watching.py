"""Who looks on while a model attends: what each is shown of every layer, block of query rows by block.

A watcher is asked for one of its `Layer`s whenever a layer of the model attends. To that are shown the blocks of query
rows in order, and of each block, document by document and head by head, the weights of all keys that its rows see; a
T × T matrix is never whole. At the end the layer hands on what was attended to, perhaps another.
"""

from typing import Protocol

import torch


class Layer:
    """Looks on and keeps nothing; others keep what they need."""

    def begin(self, span: slice, seen: int) -> None:
        """A block begins: the query rows of `span`, which see the first `seen` keys."""

    def take(self, documents: slice, heads: slice, weights: torch.Tensor, scores: torch.Tensor) -> None:
        """Some documents and key heads of the block.

        Args:
            documents: Which.
            heads: Which key heads.
            weights: (b, k, G, c, S), rows sum to 1.
            scores: (b, k, G, c, S) less the largest of each row; may be used up.
        """

    def end(self) -> None:
        """The block is complete."""

    def close(self, attended: torch.Tensor, causal: bool) -> torch.Tensor:  # noqa: ARG002
        """The layer is complete.

        Args:
            attended: (B, T, H, D) what each query of each head took from the values.
            causal: Whether no query sees the keys behind it.

        Returns:
            (B, T, H, D) what the model goes on with.
        """
        return attended


class Watcher(Protocol):
    """Looks on in one forward pass after the other."""

    def layer(self, heads: torch.Size, device: torch.device) -> Layer:
        """Of the next layer, with (B, K, G) documents, key heads and queries for each of these, on this device."""
        ...
