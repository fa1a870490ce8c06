"""Which words does the place where the answer is read attend to? The mean over layers and heads.

Of each part of a document

    φ_t = (1/L) Σ_l (q A_l)_t        A_l the attention of layer l, the mean over its heads

with q as for `auditor.probes.attention_rollout`. In upper layers a token stands for whatever it has gathered before,
which rollout takes into account and this does not: the simplest of what is printed as an explanation by attention, and
here to be held against the others. Unsigned, sums to 1, does not depend on the label; not an explanation by itself.

Edge cases: as for rollout, but that a document may have any number of tokens.
"""

from collections.abc import Sequence
from typing import Any, ClassVar

from pydantic.dataclasses import dataclass

from auditor.models import ShowsAttention
from auditor.probes.attention_rollout import of_answers
from auditor.probes.attribution import Asked, Attribution, AttributionProbe
from auditor.probes.contract import STRICT


@dataclass(frozen=True, config=STRICT)
class MeanAttentionProbe(AttributionProbe[ShowsAttention[Any]]):
    """Weighs each segment by the mean attention of the place of the answer; see `AttributionProbe` for parameters."""

    name: ClassVar[str] = "mean_attention"
    needs: ClassVar[type] = ShowsAttention

    def attribute(self, model: ShowsAttention[Any], asked: Sequence[Asked]) -> list[tuple[Attribution, ...]]:
        """(1/L) Σ_l (q A_l)_t of every part, the same for each label."""
        return of_answers(model, asked, rolls_out=False)
