"""What was found of single attention heads in one document (probe `head_ablation`)."""

from dataclasses import dataclass
from typing import Final

COMPARED: Final = ("occlusion", "saliency")
"""Explainers that the attention of heads is held against, where they run."""


@dataclass(frozen=True, slots=True)
class HeadAgreement:
    """Whether the attention that the parts of a document receive goes with what an explainer gives them."""

    probe: str
    """The explainer."""
    tau: tuple[float | None, ...]
    """L·H entries, layer by layer: Kendall's τ-b over segments between the attention of that head that a segment
    receives and the size of its weight toward the first target; None where either is the same for all segments."""


@dataclass(frozen=True, slots=True)
class HeadAblation:
    """What one document's answer loses when each attention head is switched off."""

    document_id: str
    label: str
    """The label whose answer it is: the most probable."""
    unit: str
    """`probability`, or `log-probability` for a free continuation."""
    n_layers: int
    """L: layers that attend."""
    n_heads: int
    """H, of each."""
    answer: float
    """f of the model as it is."""
    effects: tuple[float, ...]
    """L·H entries, layer by layer: f − f without that head; positive where it supports the answer."""
    agreements: tuple[HeadAgreement, ...] = ()
    """One for each explainer it is held against that explained enough segments of the document."""
