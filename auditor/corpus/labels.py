"""The labels of a corpus become labels of the model; what cannot be understood without guessing is refused.

In this order: what `[corpus.labels]` says, vectors, names (see `vocabulary`), the model's label ids (`label_numbers`).
Everything that was not simply a name is remembered in a `Reading`, for the reader of the report.

A document of which nothing is said (null, NaN, an empty cell) has no reference (None) and is in no score. Where a
document may have several labels, an empty list and a vector of zeros say that it has none of them: a reference like any
other. Where it has one, they say nothing.
"""

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path

from auditor.corpus import label_refusals as refusals
from auditor.corpus.label_cells import Cell, cell_from_text, distinct, number
from auditor.corpus.label_numbers import judge_lists, labels_of_vector, why_no_ids
from auditor.corpus.label_refusals import Column
from auditor.corpus.vocabulary import Labels, Vocabulary


@dataclass(frozen=True, slots=True)
class Reading:
    """How the labels of a corpus were understood. Written value → label, in the order in which they occur."""

    ids: Mapping[str, str] = field(default_factory=dict)
    """Numbers taken for the model's label ids."""
    vectors: Labels = ()
    """The labels that the entries of every vector stand for; empty where there are no vectors."""
    names: Mapping[str, str] = field(default_factory=dict)
    """Numbers that are names of labels, where they are not the ids of these labels."""
    respelt: Mapping[str, str] = field(default_factory=dict)
    """Names spelt otherwise than the model's."""
    n_respelt: int = 0
    """How often they occur."""
    mapped: Mapping[str, Labels] = field(default_factory=dict)
    """What `[corpus.labels]` says."""
    unused: Labels = ()
    """Its keys that never occur."""


def written(cell: Cell, separator: str | None) -> Labels | None:
    """The labels of an entry as they are written, for models that choose among none."""
    return None if cell.is_absent else _opened(cell, separator).values


def match(
    path: Path, column: str, cells: Counter[Cell], vocabulary: Vocabulary, separator: str | None = None
) -> tuple[dict[Cell, Labels | None], Reading]:
    """The labels of every entry, None where it says nothing.

    Args:
        path: The file, for messages.
        column: The name of the column, for messages.
        cells: Every entry and in how many documents it stands.
        vocabulary: The labels of the model, and `[corpus.labels]`.
        separator: What stands between several labels in one entry.

    Raises:
        ConfigError: a value is no label of the model and must not be guessed; says what to write instead.
    """
    whole = {cell: vocabulary.table[key] for cell in cells if (key := vocabulary.key(cell.text)) is not None}
    opened = {
        cell: _opened(cell, None if vocabulary.is_name(cell.text) else separator)
        for cell in cells
        if cell not in whole and not cell.is_absent
    }
    counts: Counter[Cell] = Counter()
    for cell, one in opened.items():
        counts[one] += cells[cell]
    about = Column(path, column, counts, {cell.text: labels for cell, labels in whole.items()}, vocabulary)
    read, reading = _read(about, list(counts))
    found = {cell: read[one] for cell, one in opened.items()} | whole
    if not vocabulary.several:
        refusals.refuse_several(about, found)
    mapped = {**about.whole, **reading.mapped}
    used = {vocabulary.key(text) for text in mapped}
    reading = replace(reading, mapped=mapped, unused=tuple(key for key in vocabulary.table if key not in used))
    return {cell: _reference(found.get(cell), vocabulary) for cell in cells}, reading


def _reference(labels: Labels | None, vocabulary: Vocabulary) -> Labels | None:
    return labels if labels or vocabulary.several else None


def _opened(cell: Cell, separator: str | None) -> Cell:
    """The entry as a list where its text is one: in JSON, or by its separator."""
    if cell.is_list or cell.is_absent:
        return cell
    parts = [part.strip() for part in cell.text.split(separator)] if separator else [cell.text]
    return Cell(tuple(parts), is_list=True) if len(parts) > 1 else cell_from_text(cell.text)


def _read(column: Column, cells: list[Cell]) -> tuple[dict[Cell, Labels | None], Reading]:
    """Vectors, or values one by one."""
    vocabulary = column.vocabulary
    mapped = {value: vocabulary.table[key] for value in distinct(cells) if (key := vocabulary.key(value)) is not None}
    lists = "values" if mapped else judge_lists(cells, vocabulary)
    if lists == "vectors":
        return {cell: labels_of_vector(cell, vocabulary) for cell in cells}, Reading(vectors=vocabulary.labels)
    if lists != "values":
        refusals.refuse_lists(column, cells, lists)
    labels, reading = _read_values(column, cells, mapped)
    return {cell: _union(labels[value] for value in cell.values) for cell in cells}, reading


def _read_values(column: Column, cells: list[Cell], mapped: dict[str, Labels]) -> tuple[dict[str, Labels], Reading]:
    """Every distinct value: by the table, by name, or as a label id."""
    vocabulary = column.vocabulary
    values = [value for value in distinct(cells) if value not in mapped]
    names = {value: label for value in values if (label := vocabulary.name(value)) is not None}
    unknown = [value for value in values if value not in names]
    if any(number(value) is not None for value in unknown):  # some numbers are names and some are not: none is
        unknown += [value for value in names if number(value) is not None]
        names = {value: label for value, label in names.items() if value not in unknown}
    ids = _ids(column, cells, unknown, mapped, names) if unknown else {}
    labels = {value: (label,) for value, label in {**names, **ids}.items()} | mapped
    return labels, _remembered(column, names, Reading(ids=ids, mapped=mapped))


def _ids(
    column: Column, cells: list[Cell], values: list[str], mapped: Mapping[str, Labels], names: Mapping[str, str]
) -> dict[str, str]:
    """The labels whose ids the values are, lowest first; refuses them where they are none."""
    numbers = [value for value in values if number(value) is not None]
    why = (
        why_no_ids(numbers, cells, column.vocabulary, {**column.whole, **mapped}, named=bool(names)) if numbers else ""
    )
    if why or len(numbers) < len(values):
        refusals.refuse_values(column, values, why)
    return {value: column.vocabulary.labels[number(value) or 0] for value in sorted(numbers, key=float)}


def _remembered(column: Column, names: Mapping[str, str], reading: Reading) -> Reading:
    """With what there is to say about names: numbers that are some, and those spelt otherwise."""
    labels = column.vocabulary.labels
    respelt = {value: label for value, label in names.items() if value != label}
    counted = sum(n * sum(value in respelt for value in cell.values) for cell, n in column.cells.items())
    numbers = {value: label for value, label in names.items() if number(value) not in (None, labels.index(label))}
    return replace(reading, respelt=respelt, n_respelt=counted, names=numbers)


def _union(sets: Iterable[Labels]) -> Labels:
    return tuple(dict.fromkeys(label for labels in sets for label in labels))
