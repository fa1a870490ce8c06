"""The modules of a model that hold weights, from the whole to the parts of a layer; equal neighbours stand together.

A module is named by its path. Neighbours in a list whose class, parameters and parts are equal are one row, `0–11`, and
parts are listed of the first. Modules without weights, and what lies deeper than `DEPTH` steps (a list is no step), are
left out.
"""

from collections.abc import Iterator
from itertools import groupby

from torch import nn

from auditor.records.structure import Module

DEPTH = 4
MOST = 80
"""Modules that are listed at most."""


def module_tree(model: nn.Module) -> tuple[Module, ...]:
    """The rows, each module before its parts."""
    rows = [Module("", type(model).__name__, 1, _size(model)), *_parts(model, "", 1)]
    return tuple(rows[:MOST])


def _parts(module: nn.Module, path: str, depth: int) -> Iterator[Module]:
    for name, part in module.named_children():
        below = f"{path}.{name}" if path else name
        if isinstance(part, nn.ModuleList):
            yield from _listed(part, below, depth)
        elif _size(part):
            yield Module(below, type(part).__name__, 1, _size(part))
            if depth < DEPTH:
                yield from _parts(part, below, depth + 1)


def _listed(modules: nn.ModuleList, path: str, depth: int) -> Iterator[Module]:
    """Each run of equal neighbours, and the parts of its first."""
    for _, run in groupby(enumerate(modules), key=lambda one: _signature(one[1])):
        at, equal = zip(*run, strict=True)
        name = f"{path}.{at[0]}" if len(at) == 1 else f"{path}.{at[0]}–{at[-1]}"
        if _size(equal[0]):
            yield Module(name, type(equal[0]).__name__, len(at), _size(equal[0]))
            if depth < DEPTH:
                yield from _parts(equal[0], name, depth + 1)


def _signature(module: nn.Module) -> tuple[object, ...]:
    return (
        type(module),
        tuple(type(part) for part in module.modules()),
        tuple((name, parameter.shape) for name, parameter in module.named_parameters()),
    )


def _size(module: nn.Module) -> int:
    return sum(parameter.numel() for parameter in module.parameters())
