"""How steep is the answer in each word? Saliency (Simonyan, Vedaldi & Zisserman 2013).

Of each part of a document, with its embedding e_t and the gradient g_t = ∂f/∂e_t at the document,

    φ_t = ‖g_t‖₂

f is the probability of a label (log-probability for a free continuation). Unsigned: a large value says that the answer
reacts to a small change of the word, not in which direction, and says nothing of the word's absence. A word of several
tokens has the sum of theirs. Its unit is that of the answer by a step of length one in the space of the embeddings, so
that values compare within a model only.

Several norms are in use. Simonyan et al. take the largest |g| over the channels of a pixel; for text the Euclidean norm
is usual (Li, Chen, Hovy & Jurafsky 2016 average |g|; Atanasova et al. 2020 compare the two). Agrees with the norm of
captum's `Saliency(abs=False)` of the embeddings.
"""

from collections.abc import Sequence
from typing import Any, ClassVar

from pydantic.dataclasses import dataclass

from auditor.models import Differentiates
from auditor.probes.attribution import Asked, Attribution
from auditor.probes.contract import STRICT
from auditor.probes.gradients.attribution import GradientProbe, at_documents


@dataclass(frozen=True, config=STRICT)
class SaliencyProbe(GradientProbe):
    """Explains each prediction by the norm of the gradient in each segment; see `GradientProbe` for the parameters."""

    name: ClassVar[str] = "saliency"

    def attribute(self, model: Differentiates[Any], asked: Sequence[Asked]) -> list[tuple[Attribution, ...]]:
        """‖g_t‖₂ of every part."""
        return at_documents(model, asked, "norms")
