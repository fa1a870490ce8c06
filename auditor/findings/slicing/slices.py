"""Is the model worse for some part of the corpus? The parts, and the numbers that are compared.

Parts are listed whatever their size; a number of a part is compared with the whole corpus where the part has at least
30 documents and the number rests on at least 30. How, and how they are corrected for being many, see
`auditor.findings.slicing.comparisons`.

The calibration error is not compared: it is the larger the fewer documents it is taken on, so a part stands above the
whole by its size alone. A check can bound it for a part, as any other number.
"""

import re
from collections.abc import Iterable, Iterator, Sequence

from auditor.findings.contract.registry import quantities
from auditor.findings.contract.types import Number, SliceRow
from auditor.findings.slicing.comparisons import compare
from auditor.findings.slicing.parts import Part

LEAST_JUDGED = 30
_OF_SLICE = re.compile(r"([^[{]*(?:\[.*?\])?)\{.*\}", re.DOTALL)
"""Labels, columns and values are data: they can hold brackets and braces of their own."""
MOST_LABELS = 4
"""With more labels, a number of each label is not compared label by label."""


def slice_corpus(parts: Iterable[Part], whole: Iterable[Number]) -> tuple[SliceRow, ...]:
    """One row per part, with the numbers it is compared by and their comparisons with those of the whole."""
    rows = [
        SliceRow(
            column=part.column,
            value=part.value,
            n=part.n,
            numbers=_compared(part.numbers),
            judged=part.n >= LEAST_JUDGED,
        )
        for part in parts
    ]
    return tuple(compare_rows(rows, whole))


def compare_rows(rows: Sequence[SliceRow], whole: Iterable[Number]) -> Iterator[SliceRow]:
    """The rows with the comparisons of all numbers that are large enough."""
    by_name = {number.name: number for number in whole}
    judged = [number for row in rows for number in row.numbers if is_compared(row, number)]
    made = compare((number, by_name[base_name(number)]) for number in judged if base_name(number) in by_name)
    for row in rows:
        of_row = tuple(made[number.name] for number in row.numbers if number.name in made)
        yield row.model_copy(update={"comparisons": of_row})


def base_name(number: Number) -> str:
    """`accuracy{length=short}` → `accuracy`, `recall[{x}]{length=short}` → `recall[{x}]`."""
    match = _OF_SLICE.fullmatch(number.name)
    return match[1] if match else number.name


def is_compared(row: SliceRow, number: Number) -> bool:
    """Whether part and number are large enough for a judgement."""
    return row.judged and number.is_measured and number.n >= LEAST_JUDGED


def count_comparisons(rows: Sequence[SliceRow]) -> int:
    """How many numbers were compared."""
    return sum(len(row.comparisons) for row in rows)


def _compared(numbers: Sequence[Number]) -> tuple[Number, ...]:
    """In the order in which the summaries declare their quantities; a family of few labels label by label."""
    by_quantity: dict[str, list[Number]] = {}
    for number in numbers:
        by_quantity.setdefault(base_name(number).partition("[")[0], []).append(number)
    compared = [by_quantity.get(name, []) for name, quantity in quantities().items() if quantity.compared]
    return tuple(number for family in compared if len(family) <= MOST_LABELS for number in family)
