"""Records whose tuples of floats stay in NumPy columns, and are built when they are read, to save memory.

A tuple takes 40 bytes and 32 per float, a column 8 per float: for a hundred thousand documents with ten such tuples
each, a gigabyte against a tenth of it. A record made here is an instance of its class and equal to the one that was
written; its tuples are built at every access, and not kept.
"""

import functools
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import MISSING, Field, fields
from typing import Any

import numpy as np
from numpy.typing import NDArray

Floats = tuple[NDArray[np.int32], NDArray[np.float64]]
"""A column of n lists: the n + 1 offsets at which they begin and the last one ends, and their concatenated numbers."""


def records(
    cls: Any, values: Mapping[str, Sequence[Any]], floats: Mapping[str, Floats], present: Sequence[bool]
) -> Iterator[Any]:
    """One record per row, None for a row that is not present.

    Args:
        cls: A frozen dataclass with slots.
        values: Field → its value in every row.
        floats: Field → its column, for the fields that stay in columns.
        present: For every row, whether it is a record.
    """
    if not floats and all(present) and [*values] == [field.name for field in fields(cls)]:
        yield from map(cls, *values.values())
        return
    rows = (dict(zip(values, row, strict=True)) for row in zip(*values.values(), strict=True))
    if not floats:
        yield from (cls(**row) if is_record else None for row, is_record in zip(rows, present, strict=True))
        return
    lazy_cls, known = _lazy(cls), {*values, *floats}
    missing = [field for field in fields(cls) if field.name not in known]
    for index, (row, is_record) in enumerate(zip(rows, present, strict=True)):
        yield _record(lazy_cls, row | _defaults(missing), floats, index) if is_record else None


def _record(lazy_cls: Any, values: Mapping[str, Any], floats: Mapping[str, Floats], row: int) -> Any:
    record = object.__new__(lazy_cls)
    for name, value in (*values.items(), ("_floats", floats), ("_row", row)):
        object.__setattr__(record, name, value)
    return record


def _defaults(missing: Sequence[Field[Any]]) -> dict[str, Any]:
    """The default values of fields that an older file lacks; `schema` has checked that they have defaults."""
    return {f.name: f.default if f.default_factory is MISSING else f.default_factory() for f in missing}


@functools.cache
def _lazy(cls: type[Any]) -> type[Any]:
    """A subclass of `cls` that builds the fields in `_floats` from row `_row` of their columns."""
    names = [field.name for field in fields(cls)]

    def __getattr__(self: Any, name: str) -> tuple[float, ...]:  # noqa: N807
        if name in ("_floats", "_row") or name not in self._floats:
            raise AttributeError(name)
        offsets, numbers = self._floats[name]
        return tuple(numbers[offsets[self._row] : offsets[self._row + 1]].tolist())

    def __eq__(self: Any, other: object) -> bool:  # noqa: N807
        return isinstance(other, cls) and all(getattr(self, name) == getattr(other, name) for name in names)

    body = {"__slots__": ("_floats", "_row"), "__getattr__": __getattr__, "__eq__": __eq__, "__hash__": cls.__hash__}
    return type(cls.__name__, (cls,), {**body, "__module__": cls.__module__, "__qualname__": cls.__qualname__})
