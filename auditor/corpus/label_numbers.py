"""Decides whether numbers are the model's label ids, and whether lists of numbers are multi-hot vectors.

Numbers are label ids only where the whole column agrees: every number lies in 0 to K−1; 0 occurs (else they may count
from 1); at least two differ (a constant column carries no meaning); no label is written as a name; no list repeats a
number; and `[corpus.labels]` maps none of them to another label.

Lists are vectors, with one entry for each of K labels, where every list has K entries and each is 0 or 1:

    K = 3    [0, 0, 1]  [0, 1, 1]     vectors: a list of ids repeats none
    K = 2    [0, 1]  [1, 0]           ambiguous, and refused; but vectors where a list repeats an entry ([1, 1]), or
                                      where the model gives one label, for two ids would be two labels
    K = 3    [0, 1]  [2]              ids: lengths differ

Dimension letter: K labels.
"""

from collections.abc import Collection, Iterable, Mapping, Sequence
from typing import Literal

from auditor.corpus.label_cells import Cell, bit, distinct, number
from auditor.corpus.vocabulary import Labels, Vocabulary

Lists = Literal["values", "vectors", "either", "of another length"]


def judge_lists(cells: Collection[Cell], vocabulary: Vocabulary) -> Lists:
    """Whether the entries of a column are lists of labels or ids, vectors, either, or vectors for another K."""
    if not (vocabulary.has_ids and _are_bits(cells)):
        return "values"
    (n,) = {len(cell.parts) for cell in cells}
    k, repeats = len(vocabulary.labels), any(len(set(_bits(cell))) < len(_bits(cell)) for cell in cells)
    named = all(vocabulary.is_name(value) for cell in cells for value in cell.values)
    no_ids = not named and any(number(value) not in range(k) for value in distinct(cells))  # 1 of one label, or true
    if n == k:
        return "vectors" if repeats or no_ids or not (vocabulary.several or named) else "either"
    return "values" if n == 1 or (named and not repeats) else "of another length"


def labels_of_vector(cell: Cell, vocabulary: Vocabulary) -> Labels | None:
    """The labels whose entry in a vector of K is 1; None where an entry is missing."""
    bits = [bit(part) for part in cell.parts]
    if None in bits:
        return None
    return tuple(label for label, b in zip(vocabulary.labels, bits, strict=True) if b)


def why_no_ids(
    values: Sequence[str], cells: Iterable[Cell], vocabulary: Vocabulary, mapped: Mapping[str, Labels], *, named: bool
) -> str:
    """Why the values of a column are not taken for the model's label ids; empty where they are.

    Args:
        values: The distinct numbers of the column that neither `[corpus.labels]` nor a label's name explains.
        cells: The entries of the column, to see whether a list repeats a number.
        vocabulary: The labels of the model.
        mapped: The values of the column that `[corpus.labels]` explains → their labels.
        named: Whether other values in the column are names of labels.
    """
    k = len(vocabulary.labels)
    mapped_ids = {number(value): labels for value, labels in mapped.items() if labels and number(value) is not None}
    ids = {number(value) for value in values} | mapped_ids.keys()
    if not vocabulary.has_ids:
        return "candidates have no ids"
    if k == 1:
        return "the model has one label, and a number may be its id or say no and yes"
    if any(map(vocabulary.is_name, values)):
        return "some are names of the model's labels and others are not"
    if not all(i is not None and 0 <= i < k for i in ids):
        return f"the model's label ids are 0 to {k - 1}"
    if named:
        return "other labels are names"
    if any(labels != (vocabulary.labels[i],) for i, labels in mapped_ids.items() if i is not None):
        return "[corpus.labels] gives one of them another meaning"
    if 0 not in ids:
        return "0 never occurs, so the corpus may count from 1"
    if len(ids) == 1:
        return "it is always the same number, which says nothing about what it counts"
    if any(len(cell.values) < len([part for part in cell.parts if part]) for cell in cells if cell.is_list):
        return "a list repeats one, as a list of ids does not"
    return ""


def _are_bits(cells: Collection[Cell]) -> bool:
    """Whether every entry is a list, all of one length, of 0, 1 and gaps."""
    if not cells or len({len(cell.parts) for cell in cells}) > 1:
        return False
    return any(cell.values for cell in cells) and all(
        cell.is_list and all(bit(value) is not None for value in cell.values) for cell in cells
    )


def _bits(cell: Cell) -> list[int]:
    return [b for part in cell.parts if part and (b := bit(part)) is not None]
