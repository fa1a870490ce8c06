"""The surest wrong answers in the part of the corpus that is answered worst.

It is the part with the lowest accuracy, among those that are judged, where its interval lies wholly below that of the
part with the highest.
"""

from collections.abc import Sequence

from auditor.findings.analyses.answers import pair
from auditor.findings.analyses.chosen_answers import choose_errors
from auditor.findings.analyses.prediction import ACCURACY
from auditor.findings.contract.evidence import Evidence
from auditor.findings.contract.numbers import lies_below
from auditor.findings.contract.summary import Setting
from auditor.findings.contract.types import Choice, Number, SliceRow
from auditor.findings.slicing.slices import base_name, is_compared

RULE = "slice"
MOST_ERRORS = 2


def worst_slice(slices: Sequence[SliceRow]) -> tuple[SliceRow, Number] | None:
    """The part with the lowest accuracy, where it is clearly lower than the highest."""
    judged = [
        (row, number)
        for row in slices
        for number in row.numbers
        if base_name(number) == ACCURACY.name and is_compared(row, number)
    ]
    if not judged:
        return None
    ranked = sorted(judged, key=lambda pair: pair[1].value or 0.0)
    return ranked[0] if lies_below(ranked[0][1], ranked[-1][1]) else None


def choose_in_worst_slice(slices: Sequence[SliceRow], evidence: Evidence, setting: Setting) -> Choice:
    """The wrong answers of that part with the highest probability."""
    worst = worst_slice(slices)
    if worst is None:
        return choose_errors(RULE, (), MOST_ERRORS)
    column, value = worst[0].column, worst[0].value
    answers = pair(evidence, setting.multi_label, setting.labelled)
    inside = (answer for answer in answers if answer.document.metadata.get(column) == value)
    return choose_errors(RULE, inside, MOST_ERRORS)
