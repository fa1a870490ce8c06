"""What does each word add to the answer, as far as its slope says it? Input × gradient (Shrikumar et al. 2016).

Of each part of a document, with its embedding e_t and the gradient g_t = ∂f/∂e_t at the document,

    φ_t = g_t · e_t

positive where the part supports the label: what the answer would lose on the way to a vector of zeros, were it a
straight line. For a linear f it is that exactly. Where the answer is sure the slope and all φ vanish though every word
counts, which is what integrated gradients were made for; and a model whose first step is to normalise each embedding
(BLOOM) does not react to their lengths, so that g_t · e_t is 0 but for the norm's ε.

Source: Shrikumar, Greenside, Shcherbina & Kundaje, "Not just a black box", 2016, section 2. Agrees with captum's
`InputXGradient` of the embeddings, summed over their channels.
"""

from collections.abc import Sequence
from typing import Any, ClassVar

from pydantic.dataclasses import dataclass

from auditor.models import Differentiates
from auditor.probes.attribution import Asked, Attribution
from auditor.probes.contract import STRICT
from auditor.probes.gradients.attribution import GradientProbe, at_documents


@dataclass(frozen=True, config=STRICT)
class InputXGradientProbe(GradientProbe):
    """Explains each prediction by gradient · embedding of each segment; see `GradientProbe` for the parameters."""

    name: ClassVar[str] = "input_x_gradient"

    def attribute(self, model: Differentiates[Any], asked: Sequence[Asked]) -> list[tuple[Attribution, ...]]:
        """g_t · e_t of every part."""
        return at_documents(model, asked, "inputs")
