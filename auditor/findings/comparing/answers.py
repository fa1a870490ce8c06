"""Which documents are answered otherwise than before.

An answer is the set of predicted labels, or a continuation. Broken: right before and wrong now; mended: the reverse;
other: another wrong answer, or no reference to tell.
"""

from collections.abc import Mapping

from auditor.findings.analyses.answers import Answer, pair
from auditor.findings.comparing.nights import Night
from auditor.findings.comparing.types import Flip, Flips, Side

LISTED = 100
_ORDER = ("broken", "mended", "other")


def flips(before: Night, after: Night, ids: Mapping[str, str]) -> Flips | None:
    """The documents that are answered otherwise; None where a run has no answers.

    Args:
        before: The earlier run.
        after: The later one.
        ids: Id in the later run → id in the earlier one, of the documents that both have.
    """
    earlier, later = _answers(before), _answers(after)
    both = [(earlier[ids[name]], later[name]) for name in ids if name in later and ids[name] in earlier]
    if not both:
        return None
    changed = [_flip(one, other) for one, other in both if answered(one) != answered(other)]
    changed.sort(key=lambda flip: (_ORDER.index(flip.effect), -(flip.after.probability or 0.0)))
    return Flips(
        n_compared=len(both),
        n_flipped=len(changed),
        n_broken=sum(flip.effect == "broken" for flip in changed),
        n_mended=sum(flip.effect == "mended" for flip in changed),
        documents=tuple(changed[:LISTED]),
    )


def _answers(night: Night) -> dict[str, Answer]:
    setting = night.setting
    return {one.document.id: one for one in pair(night.evidence, setting.multi_label, setting.labelled)}


def answered(answer: Answer) -> frozenset[str]:
    """What was answered: labels, or the continuation."""
    prediction = answer.prediction
    return frozenset([prediction.continuation or ""] if not prediction.labels else prediction.predicted)


def _flip(before: Answer, after: Answer) -> Flip:
    broken, mended = before.correct and after.wrong, before.wrong and after.correct
    return Flip(
        document_id=after.document.id,
        reference=after.reference or (),
        before=_side(before),
        after=_side(after),
        effect="broken" if broken else "mended" if mended else "other",
    )


def _side(answer: Answer) -> Side:
    return Side(answer=tuple(sorted(answered(answer))), probability=answer.probability)
