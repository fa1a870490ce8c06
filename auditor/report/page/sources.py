"""Where a value stands in what is attached to a PDF or in the evidence: file and JSON pointer, `findings.json#/n`.

Of several places that is chosen which is nearest to the place of another number. Whole numbers, short decimals and
small fractions stand in many places by chance: theirs is known only beside another.
"""

import dataclasses
import math
from collections.abc import Iterator, Mapping, Set
from fractions import Fraction
from typing import Any, Literal

Form = Literal["itself", "percent", "exponential", "complement", "percent of complement", "negative"]
Path = tuple[str, ...]
"""File, then the steps of the pointer."""
Attached = Mapping[str, Any]
"""File name → JSON of what is attached; `evidence/<probe>` → document → row, where the evidence is at hand."""
_MOST_EXPONENT = 300.0
_SMALL = 1000
"""Denominator of the fractions that stand in many places by chance."""
_FROM, _UP = 3, 2
"""Steps that a place has in common with one that is beside it: so many from the file on, and all but so many."""


class Locations:
    """Where some values stand."""

    def __init__(self, attached: Attached, wanted: Set[float]) -> None:
        telling = {value for value in wanted if _is_telling(value)}
        self._telling: dict[float, list[tuple[Path, Form]]] = {value: [] for value in telling}
        self._others: dict[tuple[float, Path], tuple[Path, Form]] = {}
        for name, content in attached.items():
            for path, number in _numbers(content, (name,)):
                for form, value in forms(number):
                    if value in telling:
                        self._telling[value].append((path, form))
                    elif value in wanted:
                        self._others.setdefault((value, path[: max(_FROM, len(path) - _UP)]), (path, form))

    def nearest(self, value: float, before: Path) -> tuple[Path, Form] | None:
        """The location of a value nearest to another, best in what is attached; None where it may be chance."""
        if told := self._telling.get(value):
            return max(told, key=lambda one: (not is_evidence(one[0][0]), one[1] == "itself", _shared(one[0], before)))
        beside = (self._others.get((value, before[:n])) for n in range(len(before), _FROM - 1, -1))
        return next(filter(None, beside), None)


def pointer(path: Path) -> str:
    """File and JSON pointer (RFC 6901)."""
    name, *steps = path
    return f"{name}#" + "".join("/" + step.replace("~", "~0").replace("/", "~1") for step in steps)


def path_of(source: str) -> Path:
    """The path of what `pointer` gave."""
    name, _, steps = source.partition("#")
    return (name, *(step.replace("~1", "/").replace("~0", "~") for step in steps.split("/")[1:]))


def at(attached: Attached, source: str) -> int | float | None:
    """The number at a source; None where there is none."""
    name, *steps = path_of(source)
    node = attached.get(name)
    for step in steps:
        node = dict(_parts(node)).get(step)
    return node if _is_number(node) else None


def forms(number: int | float) -> Iterator[tuple[Form, float]]:
    """A number as it may be printed."""
    yield "itself", number
    if isinstance(number, int):
        return
    yield "percent", 100 * number
    yield "complement", 1 - number
    yield "percent of complement", 100 * (1 - number)
    yield "negative", -number
    if abs(number) < _MOST_EXPONENT:
        yield "exponential", math.exp(number)


def is_evidence(source: str) -> bool:
    """Whether it lies in the evidence."""
    return source.startswith("evidence/")


def _numbers(node: Any, path: Path) -> Iterator[tuple[Path, int | float]]:  # any value of JSON, or a row
    if _is_number(node):
        yield path, node
    elif not isinstance(node, str):
        for step, one in _parts(node):
            yield from _numbers(one, (*path, step))


def _parts(node: Any) -> Iterator[tuple[str, Any]]:  # any value of JSON, or a row
    """What a node is made of, by the steps of a pointer."""
    if isinstance(node, list | tuple):
        yield from ((str(i), one) for i, one in enumerate(node))
    elif isinstance(node, Mapping):
        yield from node.items()
    elif dataclasses.is_dataclass(node):
        yield from ((field.name, getattr(node, field.name)) for field in dataclasses.fields(node))


def _is_number(node: object) -> bool:
    return isinstance(node, int | float) and not isinstance(node, bool)


def _is_telling(value: float) -> bool:
    """Whether a value hardly stands in two places by chance."""
    return not math.isclose(float(Fraction(value).limit_denominator(_SMALL)), value, rel_tol=1e-12)


def _shared(one: Path, other: Path) -> int:
    """Steps that two paths have in common, from the first."""
    return next((i for i, (a, b) in enumerate(zip(one, other, strict=False)) if a != b), min(len(one), len(other)))
