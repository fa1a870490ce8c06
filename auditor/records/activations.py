"""What was found inside a model while it read one document (probe `activations`)."""

from dataclasses import dataclass
from typing import Final

KEPT: Final = 4
"""Dimensions of each layer that are kept, those with the greatest activations."""
ACTIVE_ABOVE: Final = 0.01
"""|output of the activation function| beyond which a hidden unit is active at a token."""


@dataclass(frozen=True, slots=True)
class Activations:
    """The hidden states of one document, and which hidden units of the feed-forward layers were active, reduced.

    Layer 0 is what enters the first layer of the model, layer l what leaves its l-th, before a norm that follows the
    last. K is `KEPT`, or the width of a narrower model.
    """

    document_id: str
    n_tokens: int
    """T, special tokens included."""
    truncated: bool
    n_layers: int
    """L."""
    width: int
    """D, dimensions of a hidden state."""
    norms: tuple[float, ...]
    """L + 1 entries: ‖x_t‖₂, the (lower) median over the tokens."""
    ratios: tuple[float, ...]
    """(L + 1) · K entries, layer by layer, greatest first: max_t |x_td| / √(Σ_d x_td² / D)."""
    dimensions: tuple[int, ...]
    """(L + 1) · K entries: which dimension d that is, from 0."""
    n_units: int = 0
    """F, hidden units of a feed-forward layer; 0 where they could not be seen."""
    active: bytes = b""
    """L · ⌈F / 8⌉ bytes: for each layer a bit for each unit, the first the highest of the first byte; 1 where the unit
    was active at any token."""
    activation: str = ""
    """Class of the activation function."""
    unseen_units: str = ""
    """Why the units could not be seen; empty where they were."""
