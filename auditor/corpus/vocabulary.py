"""The labels of a model, and the look-up of a written value among them.

The first of these rules that fits exactly one label decides:

    1. the value itself                          positive
    2. without the blanks around it              " positive", "positive "
    3. whatever its case                         Positive, POSITIVE
    4. the same whole number                     "1.0" where the model's label is called "1"
    5. LABEL_i, the model's label id i           unless the model calls another of its labels so

A value that fits two labels in one step fits none: where a model knows both "Positive" and "positive", only these
two spellings are told apart, and "POSITIVE" is unknown. Bare numbers are no part of this: see `label_numbers`.
"""

import re
import unicodedata
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import Final

from auditor.corpus.cleaning import plain
from auditor.corpus.faults import quote, suggestion
from auditor.corpus.label_cells import number
from auditor.errors import ConfigError

Labels = tuple[str, ...]
_NUMBERED = re.compile(r"LABEL_(0|[1-9][0-9]{0,8})", re.IGNORECASE)
_MOST_LISTED = 10


def _trimmed(text: str) -> str:
    return unicodedata.normalize("NFC", plain(text)).strip()


def _caseless(text: str) -> str:
    return _trimmed(text).casefold()


def _numeric(text: str) -> str:
    value = number(text)
    return _caseless(text) if value is None else str(value)


_FORMS: Final[tuple[Callable[[str], str], ...]] = (plain, _trimmed, _caseless, _numeric)


class Spellings:
    """An index of names that tolerates other spellings: see the rules 1 to 4 above."""

    def __init__(self, names: Iterable[str]) -> None:
        self._steps: list[dict[str, list[str]]] = [defaultdict(list) for _ in _FORMS]
        for name in names:
            for form, step in zip(_FORMS, self._steps, strict=True):
                step[form(name)].append(name)

    def find(self, text: str) -> str | None:
        """The one name that a text spells; None where it spells none or several."""
        for form, step in zip(_FORMS, self._steps, strict=True):
            names = step.get(form(text), ())
            if names:
                return names[0] if len(names) == 1 else None
        return None


@dataclass(frozen=True)
class Vocabulary:
    """The labels of a model."""

    labels: Labels
    """In the order of the model's label ids."""
    several: bool = False
    """Whether a document may have several."""
    has_ids: bool = True
    """Whether the labels have ids; the candidates of a language model have none."""
    table: Mapping[str, Labels] = field(default_factory=dict)
    """`[corpus.labels]`: written value → labels of the model, spelt as the model does."""

    @cached_property
    def _names(self) -> Spellings:
        return Spellings(self.labels)

    @cached_property
    def _keys(self) -> Spellings:
        return Spellings(self.table)

    @property
    def is_unnamed(self) -> bool:
        """Whether the model only counts its labels (LABEL_0, LABEL_1, …)."""
        return self.has_ids and all(label == f"LABEL_{i}" for i, label in enumerate(self.labels))

    def key(self, text: str) -> str | None:
        """The key of `table` that a written value spells; None if there is none."""
        return self._keys.find(text)

    def name(self, text: str) -> str | None:
        """The label that a written value spells, by the rules 1 to 5; None if there is none."""
        return self._names.find(text) or self._numbered(text)

    def is_name(self, text: str) -> bool:
        """Whether a written value spells a label by the rules 1 to 4."""
        return self._names.find(text) is not None

    def shares(self, text: str) -> bool:
        """Whether several labels of the model share this name, so that it means none of them."""
        return sum(_caseless(label).startswith(f"{_caseless(text)} (id ") for label in self.labels) > 1

    def listed(self) -> str:
        """The first ten labels in quotation marks, for a message: `"negative", "positive" and 3 more`."""
        more = f" and {len(self.labels) - _MOST_LISTED} more" if len(self.labels) > _MOST_LISTED else ""
        return ", ".join(map(quote, self.labels[:_MOST_LISTED])) + more

    def _numbered(self, text: str) -> str | None:
        match = _NUMBERED.fullmatch(text.strip())
        if not match or not self.has_ids or int(match[1]) >= len(self.labels):
            return None
        called = ((i, _NUMBERED.fullmatch(label)) for i, label in enumerate(self.labels))
        return self.labels[int(match[1])] if all(int(m[1]) == i for i, m in called if m) else None

    def with_table(self, table: Mapping[str, Iterable[str]]) -> "Vocabulary":
        """A copy with a table, whose values are replaced by the labels they spell.

        Raises:
            ConfigError: a value of the table is no label: all of them at once.
        """
        if faults := list(self.faults(table)):
            raise ConfigError("\n".join(faults))
        known = {key: tuple(filter(None, map(self.name, names))) for key, names in table.items()}
        return Vocabulary(self.labels, self.several, self.has_ids, known)

    def faults(self, table: Mapping[str, Iterable[str]]) -> Iterator[str]:
        """One message for every wrong value of a table: the key, what was expected and what was found."""
        for key, names in table.items():
            names = tuple(names)
            for name in names:
                if self.name(name) is None:
                    near = suggestion(name, self.labels) or f"; it knows {self.listed()}"
                    yield f"corpus.labels.{quote(key)}: expected a label of the model, found {quote(name)}{near}"
            if len(names) > 1 and not self.several:
                yield f"corpus.labels.{quote(key)}: expected one label, for the model gives one; found {len(names)}"
