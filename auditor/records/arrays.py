"""Values of records as Arrow arrays, column by column, by their annotations; which kinds there are: `schema`."""

import re
import types
from collections.abc import Callable, Mapping
from dataclasses import fields, is_dataclass
from functools import cache, partial
from itertools import pairwise
from typing import Any, Union, get_args, get_origin, get_type_hints

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from auditor.records import columns

Reader = Callable[[], pa.Array]
"""Reads a column when it is called."""
Shared = dict[Any, Any]
"""A cache value → value: equal labels, tokens, spans and maps of different rows are one object in memory. They are
read-only, as records are."""

_SCALARS: dict[Any, Any] = {
    str: pa.string(),
    int: pa.int64(),
    float: pa.float64(),
    bool: pa.bool_(),
    bytes: pa.binary(),
}
_NONE: Mapping[str, list[Any]] = types.MappingProxyType({})
_SURROGATE = re.compile("[\ud800-\udfff]")


def arrow_type(annotation: Any) -> pa.DataType:
    """The type of a column whose values have this annotation.

    Raises:
        TypeError: there is none; `schema` says which annotations a record can have.
    """
    kind = bare(annotation)
    if kind in _SCALARS:
        return _SCALARS[kind]
    if _item(kind) is not None:
        return pa.list_(arrow_type(_item(kind)))
    if is_dataclass(kind) and isinstance(kind, type) and fields(kind):
        return pa.struct([pa.field(name, arrow_type(hint)) for name, hint in hints_of(kind).items()])
    if kind == dict[str, str]:
        return pa.map_(pa.string(), pa.string())
    raise TypeError(f"a record cannot have a field of type {annotation}: see auditor.records.schema")


def encode(annotation: Any, values: list[Any]) -> pa.Array:
    """The Arrow array of one column; lists are flattened first, so that a million floats are one call into Arrow."""
    kind = bare(annotation)
    if kind in _SCALARS:
        return _encode_scalars(kind, values)
    if is_dataclass(kind):
        is_null = pa.array([value is None for value in values], pa.bool_())
        children = [
            encode(hint, [None if value is None else getattr(value, name) for value in values])
            for name, hint in hints_of(kind).items()
        ]
        return pa.StructArray.from_arrays(children, fields=list(arrow_type(kind)), mask=is_null)
    offsets, flat = _flatten(values)
    if kind == dict[str, str]:
        keys, items = (_encode_scalars(str, [pair[side] for pair in flat]) for side in (0, 1))
        return pa.MapArray.from_arrays(offsets, keys, items)
    return pa.ListArray.from_arrays(offsets, encode(_item(kind), flat))


def decode(annotation: Any, array: pa.Array, shared: Shared) -> list[Any]:
    """The values of one column, one per row."""
    kind = bare(annotation)
    if kind is str and not array.null_count:
        return _texts(array)
    if kind in (str, bytes) or (kind in _SCALARS and array.null_count):
        return list(array.to_pylist())
    if kind in _SCALARS:
        return list(_numbers(array).tolist())
    present = _numbers(array.is_valid()).tolist()
    if is_dataclass(kind):
        there = {one.name for one in array.type}
        children = {name: partial(array.field, name) for name in hints_of(kind) if name in there}
        if _is_small(kind) and len(children) == len(hints_of(kind)):
            return _decode_small(kind, children, present, shared)
        return decode_records(kind, children, present, shared)
    starts = _numbers(array.offsets).tolist()
    ranges = list(zip(starts[:-1], starts[1:], present, strict=True))
    if kind == dict[str, str]:
        pairs = list(zip(array.keys.to_pylist(), array.items.to_pylist(), strict=True))
        return [_map(tuple(pairs[start:stop]), shared) if valid else None for start, stop, valid in ranges]
    items = decode(_item(kind), array.values, shared)
    if _item(kind) is not str:
        return [tuple(items[start:stop]) if valid else None for start, stop, valid in ranges]
    strings = shared_values(items, shared)
    return shared_values([tuple(strings[start:stop]) if valid else None for start, stop, valid in ranges], shared)


def decode_records(
    cls: Any,
    readers: Mapping[str, Reader],
    present: list[bool],
    shared: Shared,
    decoded: Mapping[str, list[Any]] = _NONE,
) -> list[Any]:
    """One `cls` per row, None for a row that is not present; what is large waits until somebody asks for it."""
    hints = hints_of(cls)
    if not any(map(_is_large, hints.values())):
        values = {**decoded, **{name: decode(hints[name], read(), shared) for name, read in readers.items()}}
        return list(columns.records(cls, values, present))
    waiting = {name: partial(_column, hints[name], read, shared) for name, read in readers.items()}
    given = {**columns.defaults(cls, [*readers, *decoded]), **decoded}
    return list(columns.views(cls, columns.Columns(given, waiting), present))


def _column(kind: Any, read: Reader, shared: Shared) -> columns.Column:
    return _floats(read()) if _item(kind) is float else decode(kind, read(), shared)


def _decode_small(cls: Any, readers: Mapping[str, Reader], present: list[bool], shared: Shared) -> list[Any]:
    """One `cls` per row, equal ones the same object: only distinct rows are decoded, and most of them are there."""
    group, arrays = np.array(present, dtype=np.int64), {name: read() for name, read in readers.items()}
    for array in arrays.values():
        encoded = array.dictionary_encode()
        codes = np.where(_numbers(array.is_valid()), _numbers(encoded.indices), len(encoded.dictionary))
        group = np.unique(group * (len(encoded.dictionary) + 1) + codes, return_inverse=True)[1]
    _, first, which = np.unique(group, return_index=True, return_inverse=True)
    hints, made = hints_of(cls), []
    chosen = pa.Array.from_buffers(pa.int64(), len(first), [None, pa.py_buffer(first)])
    rows = zip(*(decode(hints[name], array.take(chosen), shared) for name, array in arrays.items()), strict=True)
    for row, at in zip(rows, first.tolist(), strict=True):
        record = shared.get((cls, row)) if present[at] else None
        if record is None and present[at]:
            record = shared[cls, row] = cls(*row)
        made.append(record)
    return [made[i] for i in which.tolist()]


def shared_values(values: list[Any], shared: Shared) -> list[Any]:
    """The values, each as the equal object that the cache has; new ones are added to it."""
    return [shared.setdefault(value, value) for value in values]


def hints_of(cls: Any) -> dict[str, Any]:
    """Field → its type, with names in annotations resolved."""
    return _hints_of(cls)


@cache
def _hints_of(cls: type[Any]) -> dict[str, Any]:
    hints = get_type_hints(cls)
    return {field.name: hints[field.name] for field in fields(cls)}


def _encode_scalars(kind: type, values: list[Any]) -> pa.Array:
    try:
        return pa.array(values, _SCALARS[kind])
    except UnicodeEncodeError:
        return pa.array([value and _SURROGATE.sub("\ufffd", value) for value in values], _SCALARS[kind])


def _flatten(values: list[Any]) -> tuple[pa.Array, list[Any]]:
    """Offsets (null where the value is None) and the concatenated items of tuples or of dicts."""
    offsets: list[int | None] = []
    flat: list[Any] = []
    for value in values:
        offsets.append(None if value is None else len(flat))
        flat.extend(value.items() if isinstance(value, dict) else value or ())
    return pa.array([*offsets, len(flat)], pa.int32()), flat


def _is_small(kind: Any) -> bool:
    """Whether a dataclass has only integers and strings, as a span has, so that many of its instances are equal."""
    return all(hint in (int, str) for hint in hints_of(kind).values())


def _is_large(kind: Any) -> bool:
    """Whether a field has numbers in lists, or records other than small ones, which most rows share."""
    item = _item(bare(kind))
    of_records = bare(kind) if item is None else item
    return item in (int, float, bool, bytes) or (is_dataclass(of_records) and not _is_small(of_records))


def _map(pairs: tuple[tuple[str, str], ...], shared: Shared) -> dict[str, str]:
    """The dictionary of these pairs, from the cache."""
    key = (dict, pairs)  # an empty map is no empty tuple
    if key not in shared:
        shared[key] = dict(pairs)
    return shared[key]  # type: ignore[no-any-return]


def _floats(array: pa.ListArray) -> columns.Floats:
    return columns.Floats(_numbers(array.offsets), _numbers(array.values))


def _texts(array: pa.StringArray) -> list[str]:
    """The strings of an array without nulls, from its bytes: many times as fast as one by one."""
    ends = np.frombuffer(array.buffers()[1] or b"", np.int32)[array.offset : array.offset + len(array) + 1].tolist()
    data = bytes(array.buffers()[2] or b"") if ends else b""
    return [data[start:stop].decode() for start, stop in pairwise(ends)]


def _numbers(array: pa.Array) -> NDArray[Any]:
    """The numbers of an array without nulls; unlike `to_numpy`, which imports pandas where it is installed."""
    if pa.types.is_boolean(array.type):
        return _numbers(array.cast(pa.uint8())).astype(bool)
    content = array.buffers()[1]
    numbers = np.frombuffer(b"" if content is None else content, np.dtype(str(array.type)))
    return numbers[array.offset : array.offset + len(array)]


def bare(annotation: Any) -> Any:
    """X for `X | None`; any other annotation unchanged."""
    if get_origin(annotation) not in (Union, types.UnionType):
        return annotation
    kinds = [kind for kind in get_args(annotation) if kind is not types.NoneType]
    return kinds[0] if len(kinds) == 1 else annotation


def _item(kind: Any) -> Any:
    """X for `tuple[X, ...]`; None for any other type."""
    arguments = get_args(kind)
    return arguments[0] if get_origin(kind) is tuple and arguments[1:] == (Ellipsis,) else None
