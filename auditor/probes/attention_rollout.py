"""Which words reach the place where the answer is read, if attention is followed? Rollout (Abnar & Zuidema 2020).

Of each part of a document

    φ_t = (q R_L)_t    R_l = ½ (A_l + I) R_{l−1},  R_0 = I,  A_l the attention of layer l, the mean over its heads

with q at the place where the answer is read: the first token ([CLS]) or the last, whichever the model's head reads,
the mean of all for a head that reads their mean, the last token of a language model's prompt; the details are in
`auditor.models.attention.flow`. φ is unsigned and sums to 1; a word of several tokens has the sum of theirs, and what
special tokens and punctuation get is the remainder. It does not depend on the label: all labels have the same weights.

Not an explanation by itself: attention says what is looked at, not what is made of it (Jain & Wallace 2019). Whether it
names what the model acts on is measured by the probe `faithfulness`.

Edge cases: a model of which some layers mix tokens otherwise (hybrids), or which does not show its attention: not
measurable, with the reason. A document of more than `flow.MOST_TOKENS` tokens: not measurable.

Source: Abnar & Zuidema, "Quantifying attention flow in transformers", 2020, section 3, equation 1.
"""

from collections.abc import Sequence
from typing import Any, ClassVar

from pydantic.dataclasses import dataclass

from auditor.models import ShowsAttention
from auditor.probes.attribution import Asked, Attribution, AttributionProbe
from auditor.probes.contract import STRICT


@dataclass(frozen=True, config=STRICT)
class AttentionRolloutProbe(AttributionProbe[ShowsAttention[Any]]):
    """Weighs each segment by the attention that reaches the answer; see `AttributionProbe` for the parameters."""

    name: ClassVar[str] = "attention_rollout"
    needs: ClassVar[type] = ShowsAttention

    def attribute(self, model: ShowsAttention[Any], asked: Sequence[Asked]) -> list[tuple[Attribution, ...]]:
        """(q R_L)_t of every part, the same for each label."""
        return of_answers(model, asked, rolls_out=True)


def of_answers(model: ShowsAttention[Any], asked: Sequence[Asked], *, rolls_out: bool) -> list[tuple[Attribution, ...]]:
    """What the place of the answer gets of every part, for each label of each document."""
    attended = model.attention_of_answers([one.document for one in asked], rolls_out=rolls_out)
    return [
        (Attribution(of_one.values, of_one.parts),) * len(one.labels)
        for one, of_one in zip(asked, attended, strict=True)
    ]
