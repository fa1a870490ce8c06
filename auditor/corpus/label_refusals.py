"""Errors about labels that would have to be guessed, each with a `[corpus.labels]` table to complete.

The message is one line: what was found, whether corpus or model is to blame, what to do. The table follows as a note of
the error (`BaseException.add_note`), for it is meant to be copied: TOML, with a line for each value that occurs. Values
come from the corpus and are not trusted: characters that could steer a terminal are escaped in it.
"""

import difflib
import json
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import NoReturn

from auditor.corpus.cleaning import plain
from auditor.corpus.faults import quote
from auditor.corpus.label_cells import Cell, bit, distinct, number
from auditor.corpus.vocabulary import Labels, Vocabulary
from auditor.errors import ConfigError

_SEPARATORS = (";", "|", ",", "/", "、", "，", "&", "\t", " ")
_NOTHING = {"nan", "null", "none", "n/a", "na", "<na>", "nat", "nil"}
_MOST_QUOTED = 5
_MOST_LINES = 200
_LONGEST = 200
_ALIKE = 0.8
"""How alike a value and a label must be for a slip of the pen: the label is then proposed."""
_TO_FILL = '""'
"""Stands for no label, so that a table that was not completed is refused."""
_HOW = (
    "complete this table in the configuration; without a file, save it as labels.toml and give it before the options: "
    "auditor check labels.toml --model …"
)


@dataclass(frozen=True)
class Column:
    """The column of labels of one file, and the vocabulary its values are looked up in."""

    path: Path
    name: str
    cells: Counter[Cell]
    """Every entry that is neither absent nor in `mapped_entries` → the number of documents that have it."""
    mapped_entries: Mapping[str, Labels]
    """Whole entries that `[corpus.labels]` names → their labels."""
    vocabulary: Vocabulary

    def error(self, message: str, note: str = "") -> ConfigError:
        """The error to raise: a message of one line, and as its note a text to copy."""
        error = ConfigError(f"{plain(str(self.path))}, column {quote(self.name)}: {message}")
        if note:
            error.add_note(note)
        return error


def refuse_several(column: Column, labels: Mapping[Cell, Labels | None]) -> None:
    """Refuse entries with several labels, for a model that gives one.

    Raises:
        ConfigError: an entry has several; names the first.
    """
    for cell, names in labels.items():
        if names and len(names) > 1:
            raise column.error(
                f"{quote(cell.text)} holds {len(names)} labels, but the model gives one; "
                "set multi_label = true in [model] if it gives several"
            )


def refuse_lists(column: Column, cells: Sequence[Cell], lists: str) -> NoReturn:
    """Raise the error for lists of 0 and 1 that may be vectors.

    Args:
        column: The column they stand in.
        cells: The lists.
        lists: "either" (ids or vectors) or "of another length", from `label_numbers.judge_lists`.

    Raises:
        ConfigError: always.
    """
    labels, shown = column.vocabulary.labels, quote(cells[0].text)
    if lists == "of another length":
        mismatch = f"{shown} looks like a vector of {len(cells[0].parts)} labels, but the model has {len(labels)}"
        raise column.error(f"{mismatch}; {_HOW}", _table(column, distinct(cells), lambda *_: _TO_FILL))
    raise column.error(
        f"lists such as {shown} may be label ids, or vectors with an entry for each label; take the # from the lines "
        "of this table that are right, in the configuration or in a file labels.toml given before the options",
        "\n".join(["[corpus.labels]", *_both_readings(labels, cells)]),
    )


def _both_readings(labels: Labels, cells: Sequence[Cell]) -> Iterator[str]:
    yield "# if they are vectors:"
    for cell in cells[:_MOST_LINES]:
        names = [label for label, part in zip(labels, cell.parts, strict=True) if bit(part)]
        yield f"# {_string(cell.text)} = {_string(names[0]) if len(names) == 1 else _strings(names)}"
    yield "# if they are label ids:"
    yield from (f"# {_string(str(i))} = {_string(label)}" for i, label in enumerate(labels))


def refuse_values(column: Column, values: Sequence[str], why_no_ids: str) -> NoReturn:
    """Raise the error for values that are no labels of the model.

    Args:
        column: The column they stand in.
        values: Every value that is neither a label, a label id nor in `[corpus.labels]`.
        why_no_ids: Why the numbers among them are not taken for label ids; "" leaves the reason out.

    Raises:
        ConfigError: always.
    """
    separator = _separator(column, values)
    if separator:
        raise column.error(_divided(column, values, separator))
    if len(values) > _MOST_LINES:
        few = _few(values)
        raise column.error(
            f"holds {len(values):,} different values that are no labels of the model, such as {few}; if they are no "
            "labels at all, name another column with --label-column or corpus.label, or none with an empty name"
        )
    if listed := next((value for value in values if value[0] == "[" and value[-1] == "]"), None):
        raise column.error(
            f"{quote(listed)} looks like a list written as text; save the corpus as .jsonl or .parquet, where a list "
            f"is one, or {_HOW}",
            _table(column, values, _proposal),
        )
    raise column.error(f"{_blame(column, values, why_no_ids)}; {_HOW}", _table(column, values, _proposal))


def _blame(column: Column, values: Sequence[str], why_no_ids: str) -> str:
    vocabulary, few = column.vocabulary, _few(values)
    if why_no_ids and all(number(value) is not None for value in values):
        numbers = f"number {few} is" if len(values) == 1 else f"numbers {few} are"
        return f"the {numbers} not taken for label ids: {why_no_ids}; the model knows {vocabulary.listed()}"
    if shared := [value for value in values if vocabulary.shares(value)]:
        return f"the model calls several of its labels {quote(shared[0].strip())}: it knows {vocabulary.listed()}"
    if vocabulary.is_unnamed:
        return (
            f"the model does not name its labels (it knows {vocabulary.listed()}), so nobody can tell which are {few}"
        )
    return f"the model does not know {few}; it knows {vocabulary.listed()}"


def _few(values: Sequence[str]) -> str:
    more = f" and {len(values) - _MOST_QUOTED} more" if len(values) > _MOST_QUOTED else ""
    return ", ".join(map(quote, values[:_MOST_QUOTED])) + more


def _separator(column: Column, values: Sequence[str]) -> str | None:
    """The separator that splits every unknown value into labels that the model knows; None if there is none."""
    return next((mark for mark in _SEPARATORS if _divides(mark, values, column.vocabulary)), None)


def _divides(mark: str, values: Sequence[str], vocabulary: Vocabulary) -> bool:
    parts = [part for value in values for part in value.split(mark)]
    return len(parts) > len(values) and all(part.strip() and _is_known(part.strip(), vocabulary) for part in parts)


def _is_known(text: str, vocabulary: Vocabulary) -> bool:
    is_id = vocabulary.several and number(text) in range(len(vocabulary.labels))
    return is_id or vocabulary.name(text) is not None or vocabulary.key(text) is not None


def _divided(column: Column, values: Sequence[str], mark: str) -> str:
    several = quote(next(value for value in values if mark in value))
    if not column.vocabulary.several:
        return (
            f"{several} holds several labels, but the model gives one; "
            "set multi_label = true in [model] if it gives several"
        )
    shown = json.dumps(mark, ensure_ascii=False)
    return (
        f"{several} holds several labels; set label_separator = {shown} in [corpus], or give --label-separator {shown}"
    )


def _table(column: Column, values: Iterable[str], proposal: Callable[[str, Vocabulary], str]) -> str:
    """`[corpus.labels]` with a line for each value, in their order as numbers or texts."""
    counts = _counts(column.cells)
    short = sorted((value for value in values if len(value) <= _LONGEST), key=lambda value: (number(value) or 0, value))
    lines = [
        f"{_string(value)} = {proposal(value, column.vocabulary)}  # {_documents(counts[value])}" for value in short
    ]
    known = ", ".join(map(_string, column.vocabulary.labels[:_MOST_LINES]))
    return "\n".join(["[corpus.labels]", f"# labels of the model: {known}; [] for no label", *lines])


def _documents(n: int) -> str:
    return f"{n:,} document{'s' * (n != 1)}"


def _counts(cells: Mapping[Cell, int]) -> Counter[str]:
    counts: Counter[str] = Counter()
    for cell, n in cells.items():
        for value in cell.values:
            counts[value] += n
    return counts


def _proposal(value: str, vocabulary: Vocabulary) -> str:
    """The nearest label, [] for what says that there is none, or an empty string, which is to be completed."""
    text = value.strip().casefold()
    if text in _NOTHING:
        return "[]"
    near = [label for label in vocabulary.labels if label.casefold().startswith(text) and label.casefold() != text]
    if len(near) != 1:
        near = (
            difflib.get_close_matches(value, vocabulary.labels, 1, _ALIKE) if not any(map(str.isdigit, value)) else []
        )
    return _string(near[0]) if near else _TO_FILL


def _strings(names: Iterable[str]) -> str:
    return f"[{', '.join(map(_string, names))}]"


def _string(text: str) -> str:
    """A basic string of TOML, without a character that could be misread or steer a terminal."""
    escaped = plain(text).replace("\\", "\\\\").replace('"', '\\"')
    return f'"{"".join(character if character.isprintable() else _escape(character) for character in escaped)}"'


def _escape(character: str) -> str:
    code = ord(character)
    return f"\\u{code:04x}" if code < 0x10000 else f"\\U{code:08x}"
