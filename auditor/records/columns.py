"""Records that are views of the columns they were read from: what nobody asks for is never decoded.

A tuple takes 40 bytes and 32 per float, a column 8 per float: for a hundred thousand documents with ten such tuples
each, a gigabyte against a tenth of it. And who compares two runs looks at a few of the columns. A record made here is
an instance of its class and equal to the one that was written. A column is decoded when one of its rows is first asked
for, and kept; tuples of floats are built at every access, and not kept.
"""

import functools
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import MISSING, dataclass, fields
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray


class Column(Protocol):
    """The values of a field, by row."""

    def __getitem__(self, row: int, /) -> Any: ...


@dataclass(frozen=True, slots=True)
class Floats:
    """A column of n lists: the n + 1 offsets at which they begin and the last one ends, and their joined numbers."""

    offsets: NDArray[np.int32]
    numbers: NDArray[np.float64]

    def __getitem__(self, row: int) -> tuple[float, ...]:
        return tuple(self.numbers[self.offsets[row] : self.offsets[row + 1]].tolist())


@dataclass(frozen=True, slots=True)
class Constant:
    """A column with one value, that of a field which an older file lacks."""

    value: Any

    def __getitem__(self, row: int) -> Any:
        return self.value


class Columns(dict[str, Column]):
    """Field → its column, decoded when it is first asked for."""

    def __init__(self, decoded: Mapping[str, Column], waiting: Mapping[str, Callable[[], Column]]) -> None:
        super().__init__(decoded)
        self._waiting = dict(waiting)

    def __missing__(self, name: str) -> Column:
        column = self[name] = self._waiting.pop(name)()
        return column


def views(cls: Any, columns: Columns, present: Sequence[bool]) -> Iterator[Any]:
    """One record per row, None for a row that is not present.

    Args:
        cls: A frozen dataclass.
        columns: Of all fields that have no default.
        present: For every row, whether it is a record.
    """
    view, new, fix = _view(cls), object.__new__, object.__setattr__
    for row, is_record in enumerate(present):
        if is_record:
            record = new(view)
            fix(record, "_columns", columns)
            fix(record, "_row", row)
            yield record
        else:
            yield None


def records(cls: Any, values: Mapping[str, Sequence[Any]], present: Sequence[bool]) -> Iterator[Any]:
    """As `views`, of columns that are decoded and records that hold their values themselves."""
    if all(present) and [*values] == [one.name for one in fields(cls)]:
        yield from map(cls, *values.values())
        return
    for row, is_record in zip(zip(*values.values(), strict=True), present, strict=True):
        yield cls(**dict(zip(values, row, strict=True))) if is_record else None


def defaults(cls: Any, given: Sequence[str]) -> dict[str, Column]:
    """Columns of the fields that an older file lacks; `schema` has checked that they have defaults."""
    return {
        one.name: Constant(one.default if one.default_factory is MISSING else one.default_factory())
        for one in fields(cls)
        if one.name not in given
    }


@functools.cache
def _view(cls: type[Any]) -> type[Any]:
    """A subclass of `cls` that has the fields of row `_row` of `_columns`."""
    names = [field.name for field in fields(cls)]

    def __eq__(self: Any, other: object) -> bool:  # noqa: N807
        return isinstance(other, cls) and all(getattr(self, name) == getattr(other, name) for name in names)

    def __new__(_: type[Any], *values: Any, **named: Any) -> Any:  # noqa: N807 - such as dataclasses.replace asks for
        return cls(*values, **named)

    of_these = {
        "__new__": __new__,
        "__slots__": ("_columns", "_row"),
        "__eq__": __eq__,
        "__hash__": cls.__hash__,
        "__module__": cls.__module__,
    }
    read = {name: property(_reader(name)) for name in names}
    return type(cls.__name__, (cls,), {**read, **of_these, "__qualname__": cls.__qualname__})


def _reader(name: str) -> Callable[[Any], Any]:
    def read(record: Any) -> Any:
        return record._columns[name][record._row]

    return read
