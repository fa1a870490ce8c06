"""The JSON files of a run: each says its format, and values of dataclasses are read by the types of their fields.

    str, int, bool, Literal    as they are
    float                      a number; finite
    X | None                   null where it is None
    tuple[X, ...]              array
    Mapping[str, X]            object
    a dataclass                object that has exactly its fields
    object                     any of these; arrays become tuples

A value of another type, a field that is missing and one that is unknown are a `ValueError` that begins with the key.
"""

import functools
import json
import math
import re
import types
from collections.abc import Callable, Mapping
from dataclasses import fields, is_dataclass
from datetime import datetime
from pathlib import Path
from typing import Any, Literal, TypeVar, Union, get_args, get_origin, get_type_hints

from auditor.errors import StoreError
from auditor.records import disk

T = TypeVar("T")

_NAMES = {str: "text", bool: "true or false", int: "a whole number", float: "a finite number"}
_SHOWN = 60
"""Characters of a value in a message."""
_PLAIN = re.compile(rf"[\w./\[\]-]{{1,{_SHOWN}}}")


def read_json(path: Path, understood: str) -> dict[str, Any]:
    """A JSON object of the format `understood`.

    Raises:
        StoreError: it is not one.
        FileNotFoundError: it is not there.
    """
    return parse_json(disk.read(path), path, understood)


def parse_json(data: bytes, path: Path, understood: str) -> dict[str, Any]:
    """As `read_json`, of the content of a file.

    Raises:
        StoreError: it is not a JSON object of that format; names `path`.
    """
    try:
        content = json.loads(data)
    except (ValueError, RecursionError) as error:
        raise StoreError(f"{path}: is not JSON ({error})") from error
    actual = content.get("format") if isinstance(content, dict) else None
    if actual != understood:
        raise StoreError(
            f"{path}: has the format {_shown(actual)}; this version of auditor understands {understood!r}; open the "
            "run with the version that wrote it, or audit anew"
        )
    return dict(content)


def to_json(content: Mapping[str, Any]) -> bytes:
    """Equal content gives equal bytes; ASCII, so that lone surrogates in paths survive.

    Raises:
        ValueError: there is NaN or an infinity in it, which JSON does not have.
    """
    return (json.dumps(content, indent=1, sort_keys=True, allow_nan=False) + "\n").encode("ascii")


def is_moment(value: object) -> bool:
    """Whether a value is a moment with its offset to UTC (ISO 8601)."""
    try:
        return isinstance(value, str) and datetime.fromisoformat(value).utcoffset() is not None
    except ValueError:
        return False


def encode(value: object) -> Any:
    """What stands in JSON for a value of the types above; dataclasses become objects, tuples arrays."""
    if is_dataclass(value) and not isinstance(value, type):
        return {one.name: encode(getattr(value, one.name)) for one in fields(value)}
    if isinstance(value, Mapping):
        return {key: encode(item) for key, item in value.items()}
    return [encode(item) for item in value] if isinstance(value, tuple | list) else value


def decode(kind: type[T], value: object, key: str = "") -> T:
    """The value that `encode` was given; `decode(object, …)` brings a free value into its one form.

    Args:
        kind: One of the types above.
        value: As `json.loads` gives it.
        key: Dotted, for messages.

    Raises:
        ValueError: it is not of that type.
    """
    return _decoded(kind, value, key)  # type: ignore[no-any-return]


def _decoded(kind: Any, value: Any, key: str) -> Any:
    origin, arguments = get_origin(kind), get_args(kind)
    if origin in (Union, types.UnionType):
        (other,) = (one for one in arguments if one is not types.NoneType)
        return None if value is None else _decoded(other, value, key)
    if origin is tuple:
        return tuple(_decoded(arguments[0], item, f"{key}[{i}]") for i, item in enumerate(_required(list, value, key)))
    if origin is Mapping:
        table = _required(dict, value, key)
        return {_text(name, key): _decoded(arguments[1], item, _under(key, name)) for name, item in table.items()}
    if origin is Literal:
        return _chosen(arguments, value, key)
    decoder: Callable[[Any, Any, str], Any] = _record if is_dataclass(kind) else _free if kind is object else _scalar
    return decoder(kind, value, key)


def _record(kind: Any, value: Any, key: str) -> Any:
    table, hints = _required(dict, value, key), _hints(kind)
    for name in (*hints, *table):
        if name not in table:
            raise ValueError(f"{_under(key, name)}: is missing")
        if name not in hints:
            raise ValueError(f"{_under(key, name)}: is unknown; expected {', '.join(hints)}")
    values = {name: _decoded(hint, table[name], _under(key, name)) for name, hint in hints.items()}
    try:
        return kind(**values)
    except ValueError as error:  # fields of the right types that do not go together
        raise ValueError(f"{key}: {error}" if key else str(error)) from error


def _free(_: Any, value: Any, key: str) -> Any:
    if isinstance(value, dict | Mapping):
        return {_text(name, key): _free(_, item, _under(key, name)) for name, item in value.items()}
    if isinstance(value, list | tuple):
        return tuple(_free(_, item, f"{key}[{i}]") for i, item in enumerate(value))
    kind = next((kind for kind in _NAMES if isinstance(value, kind)), type(value))
    return value if value is None else _scalar(kind, value, key)


def _scalar(kind: Any, value: Any, key: str) -> Any:
    if kind is float and type(value) is not bool and isinstance(value, int | float):
        number = _number(value)
        if math.isfinite(number):
            return number
    elif kind is str and isinstance(value, str):
        return str.__str__(value)  # of an enumeration its text
    elif type(value) is kind and kind in (int, bool):
        return value
    raise ValueError(f"{key}: expected {_NAMES.get(kind, 'a value of JSON')}, found {_shown(value)}")


def _number(value: float) -> float:
    """The number as a float: 0.0 for −0.0, infinity where it is too large."""
    try:
        return float(value) + 0.0
    except OverflowError:
        return math.inf


def _chosen(known: tuple[Any, ...], value: Any, key: str) -> Any:
    if isinstance(value, str) and value in known:
        return value
    raise ValueError(f"{key}: expected one of {', '.join(map(repr, known))}, found {_shown(value)}")


def _required(kind: type, value: Any, key: str) -> Any:
    if isinstance(value, kind):
        return value
    expected = "a list" if kind is list else "a table"
    raise ValueError(f"{key or 'the file'}: expected {expected}, found {_shown(value)}")


def _text(name: Any, key: str) -> str:
    if isinstance(name, str):
        return name
    raise ValueError(f"{key}: expected text as the key of a table, found {_shown(name)}")


@functools.cache
def _hints(kind: Any) -> dict[str, Any]:
    hints = get_type_hints(kind)
    return {field.name: hints[field.name] for field in fields(kind)}


def _under(key: str, name: object) -> str:
    plain = str(name) if _PLAIN.fullmatch(str(name)) else _shown(name)
    return f"{key}.{plain}" if key else plain


def _shown(value: object) -> str:
    shown = ascii(value)
    return shown if len(shown) <= _SHOWN else f"{shown[:_SHOWN]} …"
