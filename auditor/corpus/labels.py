"""Entries of the column of labels become labels of the model; what would have to be guessed is refused.

An entry is looked up in this order: `[corpus.labels]`, vectors, names (see `vocabulary`), the model's label ids
(`label_numbers`). Whatever was not simply a name is recorded in a `Reading`, which the report prints.

A document whose entry is missing (null, NaN, an empty cell) has no reference (None) and enters no score. In a model
that gives several labels, an empty list and a vector of zeros are references to no label, and are scored; in a model
that gives one, they count as missing.
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
    """How the entries of a corpus were read as labels; mappings are written value → label, in order of occurrence."""

    ids: Mapping[str, str] = field(default_factory=dict)
    """Numbers that were read as the model's label ids."""
    vectors: Labels = ()
    """The labels that the entries of every vector stand for; empty where there are no vectors."""
    names: Mapping[str, str] = field(default_factory=dict)
    """Numbers that were read as names of labels although these labels have other ids."""
    respelt: Mapping[str, str] = field(default_factory=dict)
    """Names whose spelling differs from the model's."""
    n_respelt: int = 0
    """The number of occurrences of `respelt` in the corpus."""
    mapped: Mapping[str, Labels] = field(default_factory=dict)
    """Values and entries that `[corpus.labels]` maps."""
    unused: Labels = ()
    """Keys of `[corpus.labels]` that never occur."""


def written(cell: Cell, separator: str | None) -> Labels | None:
    """The labels of an entry as written, for models without labels of their own; None where it is missing."""
    return None if cell.is_absent else _split(cell, separator).values


def match(
    path: Path, column: str, cells: Counter[Cell], vocabulary: Vocabulary, separator: str | None = None
) -> tuple[dict[Cell, Labels | None], Reading]:
    """The labels of every entry, None where it is missing, and how they were read.

    Args:
        path: The file, for messages.
        column: The name of the column, for messages.
        cells: Every entry → the number of documents that have it.
        vocabulary: The labels of the model, and `[corpus.labels]`.
        separator: The characters between several labels in one entry.

    Raises:
        ConfigError: a value is no label of the model and must not be guessed; says what to write instead.
    """
    mapped_entries = {cell: vocabulary.table[key] for cell in cells if (key := vocabulary.key(cell.text)) is not None}
    split = {
        cell: _split(cell, None if vocabulary.is_name(cell.text) else separator)
        for cell in cells
        if cell not in mapped_entries and not cell.is_absent
    }
    counts: Counter[Cell] = Counter()
    for cell, parts in split.items():
        counts[parts] += cells[cell]
    entries = Column(path, column, counts, {cell.text: labels for cell, labels in mapped_entries.items()}, vocabulary)
    labels_of, reading = _read(entries, list(counts))
    labels = {cell: labels_of[parts] for cell, parts in split.items()} | mapped_entries
    if not vocabulary.several:
        refusals.refuse_several(entries, labels)
    mapped = {**entries.mapped_entries, **reading.mapped}
    used = {vocabulary.key(text) for text in mapped}
    reading = replace(reading, mapped=mapped, unused=tuple(key for key in vocabulary.table if key not in used))
    return {cell: _reference(labels.get(cell), vocabulary) for cell in cells}, reading


def _reference(labels: Labels | None, vocabulary: Vocabulary) -> Labels | None:
    """The labels, but None for no label where the model always gives one."""
    return labels if labels or vocabulary.several else None


def _split(cell: Cell, separator: str | None) -> Cell:
    """The entry with its text split into a list, by the separator or as JSON, where it holds several values."""
    if cell.is_list or cell.is_absent:
        return cell
    parts = [part.strip() for part in cell.text.split(separator)] if separator else [cell.text]
    return Cell(tuple(parts), is_list=True) if len(parts) > 1 else cell_from_text(cell.text)


def _read(column: Column, cells: list[Cell]) -> tuple[dict[Cell, Labels | None], Reading]:
    """The labels of every entry: all entries as vectors, or each of their values by itself."""
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
    """The labels of every distinct value: by `[corpus.labels]`, by name, or as a label id."""
    vocabulary = column.vocabulary
    values = [value for value in distinct(cells) if value not in mapped]
    names = {value: label for value in values if (label := vocabulary.name(value)) is not None}
    unknown = [value for value in values if value not in names]
    if any(number(value) is not None for value in unknown):  # some numbers are names and some are not: none is
        unknown += [value for value in names if number(value) is not None]
        names = {value: label for value, label in names.items() if value not in unknown}
    ids = _ids(column, cells, unknown, mapped, names) if unknown else {}
    labels = {value: (label,) for value, label in {**names, **ids}.items()} | mapped
    return labels, _with_names(Reading(ids=ids, mapped=mapped), column, names)


def _ids(
    column: Column, cells: list[Cell], values: list[str], mapped: Mapping[str, Labels], names: Mapping[str, str]
) -> dict[str, str]:
    """Value → the label whose id it is, lowest id first.

    Raises:
        ConfigError: a value is no number, or the numbers are not the model's label ids.
    """
    numbers = [value for value in values if number(value) is not None]
    why = (
        why_no_ids(numbers, cells, column.vocabulary, {**column.mapped_entries, **mapped}, named=bool(names))
        if numbers
        else ""
    )
    if why or len(numbers) < len(values):
        refusals.refuse_values(column, values, why)
    return {value: column.vocabulary.labels[number(value) or 0] for value in sorted(numbers, key=float)}


def _with_names(reading: Reading, column: Column, names: Mapping[str, str]) -> Reading:
    """The reading with the names that the report must mention: respelt ones, and numbers that are no ids."""
    labels = column.vocabulary.labels
    respelt = {value: label for value, label in names.items() if value != label}
    counted = sum(n * sum(value in respelt for value in cell.values) for cell, n in column.cells.items())
    numbers = {value: label for value, label in names.items() if number(value) not in (None, labels.index(label))}
    return replace(reading, respelt=respelt, n_respelt=counted, names=numbers)


def _union(sets: Iterable[Labels]) -> Labels:
    return tuple(dict.fromkeys(label for labels in sets for label in labels))
