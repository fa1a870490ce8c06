"""Records that leave their numbers in the columns they came from, until somebody asks.

A tuple of floats is 40 bytes and 32 for each number; a column has 8 for each. Of a hundred thousand documents with ten
such tuples each that is the difference between a gigabyte and a tenth of it. A record that was read is one of its class
and equal to what was written; what it lacks is made when it is asked for, and not kept.
"""

import functools
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import MISSING, Field, fields
from typing import Any

import numpy as np
from numpy.typing import NDArray

Floats = tuple[NDArray[np.int32], NDArray[np.float64]]
"""A column of lists: where each begins, and one more for the end of the last; all numbers one behind the other."""


def records(
    cls: Any, values: Mapping[str, Sequence[Any]], floats: Mapping[str, Floats], present: Sequence[bool]
) -> Iterator[Any]:
    """One record per row that is present, else None.

    Args:
        cls: A frozen dataclass with slots.
        values: Field → its value in every row.
        floats: The fields that stay in their columns.
        present: Whether a row is a record.
    """
    rows = (dict(zip(values, row, strict=True)) for row in zip(*values.values(), strict=True))
    if not floats:
        yield from (cls(**row) if there else None for row, there in zip(rows, present, strict=True))
        return
    kind, known = _kept(cls), {*values, *floats}
    missing = [field for field in fields(cls) if field.name not in known]
    for place, (row, there) in enumerate(zip(rows, present, strict=True)):
        yield _record(kind, row | _filled(missing), floats, place) if there else None


def _record(kind: Any, values: Mapping[str, Any], floats: Mapping[str, Floats], row: int) -> Any:
    made = object.__new__(kind)
    for name, value in (*values.items(), ("_floats", floats), ("_row", row)):
        object.__setattr__(made, name, value)
    return made


def _filled(missing: Sequence[Field[Any]]) -> dict[str, Any]:
    """Fields that a file of before does not have; the reader made sure that they have defaults."""
    return {f.name: f.default if f.default_factory is MISSING else f.default_factory() for f in missing}


@functools.cache
def _kept(cls: type[Any]) -> type[Any]:
    """The class of such records: `cls` with an answer for the fields that are not set."""
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
