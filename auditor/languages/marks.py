"""Marks that formatted numbers end in while somebody asks which value each was formatted from.

A mark is two characters for private use and tells the place of the value in a list. Text is marked within a `with`
block of `marking` only, where nobody reads it but who takes the marks off again.
"""

import contextlib
import re
from collections.abc import Iterator
from contextvars import ContextVar

_HIGH, _LOW, _BASE = 0xF0000, 0x100000, 0xFFF0
MARK = re.compile(f"([{chr(_HIGH)}-{chr(_HIGH + _BASE - 1)}])([{chr(_LOW)}-{chr(_LOW + _BASE - 1)}])")
"""Its groups are given to `index_of`."""

_values: ContextVar[list[float] | None] = ContextVar("marked values", default=None)


@contextlib.contextmanager
def marking() -> Iterator[list[float]]:
    """Within a `with` block, for this thread or task, numbers are marked; gives the list of their values."""
    values: list[float] = []
    token = _values.set(values)
    try:
        yield values
    finally:
        _values.reset(token)


def is_marking() -> bool:
    """Whether numbers are marked."""
    return _values.get() is not None


def marked(text: str, value: float) -> str:
    """A formatted number, with a mark where numbers are marked."""
    values = _values.get()
    if values is None:
        return text
    values.append(value)
    high, low = divmod(len(values) - 1, _BASE)
    return f"{text}{chr(_HIGH + high)}{chr(_LOW + low)}" if high < _BASE else text


def index_of(mark: re.Match[str]) -> int:
    """Of the value of a mark in the list."""
    return (ord(mark[1]) - _HIGH) * _BASE + ord(mark[2]) - _LOW


def unmarked(text: str) -> str:
    """A text without marks."""
    return MARK.sub("", text)
