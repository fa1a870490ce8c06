"""Is the model worse for some part of the corpus? The numbers that are compared, and how often chance would alarm.

Parts are listed whatever their size; a number of a part is compared with the whole corpus where the part has at least
30 documents and the number rests on at least 30. It stands apart where its 95 % interval does not hold the value of
the whole corpus. A part is a share of that whole, so the two differ less by chance than its interval says: with n of N
documents the standard error of the difference is √(1 − n/N) of the part's own. At 5 % for each comparison, so many
times 0.05 false alarms are the most to be expected; nothing is corrected for.

The calibration error is not compared: it is the larger the fewer documents it is taken on, so a part stands above the
whole by its size alone (15 % false alarms, all of them upward). A check can bound it for a part, as any other number.
"""

import re
from collections.abc import Iterable, Sequence

from auditor.findings.contract.registry import quantities
from auditor.findings.contract.types import Number, SliceRow
from auditor.findings.slicing.parts import Part

LEAST_JUDGED = 30
FALSE_ALARMS = 0.05
"""Share of comparisons that stand apart by chance, at most."""
_OF_SLICE = re.compile(r"([^[{]*(?:\[.*?\])?)\{.*\}", re.DOTALL)
"""Labels, columns and values are data: they can hold brackets and braces of their own."""
MOST_LABELS = 4
"""With more labels, a number of each label is not compared label by label."""


def slice_corpus(parts: Iterable[Part]) -> tuple[SliceRow, ...]:
    """One row per part, with the numbers it is compared by."""
    return tuple(
        SliceRow(
            column=part.column,
            value=part.value,
            n=part.n,
            numbers=_compared(part.numbers),
            judged=part.n >= LEAST_JUDGED,
        )
        for part in parts
    )


def base_name(number: Number) -> str:
    """`accuracy{length=short}` → `accuracy`, `recall[{x}]{length=short}` → `recall[{x}]`."""
    match = _OF_SLICE.fullmatch(number.name)
    return match[1] if match else number.name


def is_compared(row: SliceRow, number: Number) -> bool:
    """Whether part and number are large enough for a judgement."""
    return row.judged and number.is_measured and number.n >= LEAST_JUDGED


def stands_apart(number: Number, whole: Number | None) -> bool:
    """Whether the interval of a part does not hold the value of the whole corpus."""
    value = whole.compared.value if whole else None
    low, high = number.compared.low, number.compared.high
    if value is None or low is None or high is None:
        return False
    return not low <= value <= high


def count_comparisons(rows: Sequence[SliceRow]) -> int:
    """How many numbers were compared."""
    return sum(is_compared(row, number) for row in rows for number in row.numbers)


def _compared(numbers: Sequence[Number]) -> tuple[Number, ...]:
    """In the order in which the summaries declare their quantities; a family of few labels label by label."""
    by_quantity: dict[str, list[Number]] = {}
    for number in numbers:
        by_quantity.setdefault(base_name(number).partition("[")[0], []).append(number)
    compared = [by_quantity.get(name, []) for name, quantity in quantities().items() if quantity.compared]
    return tuple(number for family in compared if len(family) <= MOST_LABELS for number in family)
