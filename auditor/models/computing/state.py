"""What a model remembers from one text to the next, and how it is made to forget it.

A forward pass should leave a model as it was. Some do not: the factors of a rotary embedding grow with the longest text
so far (dynamic NTK), block-sparse attention is switched off for good by a short text (BigBird), caches fill. What a
model answers then depends on what it was asked before.

A snapshot is taken when the model has just been loaded. Whatever differs from it after the texts of the proof have been
read (attributes, submodules and buffers, by identity and by value) is put back before every forward pass from then on;
for most models that is nothing.
"""

from collections.abc import Collection
from dataclasses import dataclass, field
from typing import Any

import torch
from torch import nn

_CONTAINERS = ("_modules", "_buffers")
_LARGEST = 2**22
"""Buffers with more elements are compared by identity only."""


@dataclass
class _Kept:
    """The attributes and buffers of one module, kept to be restored."""

    module: nn.Module
    attributes: dict[str, Any] = field(init=False)
    parts: dict[str, dict[str, Any]] = field(init=False)
    values: dict[str, torch.Tensor] = field(init=False)

    def __post_init__(self) -> None:
        self.attributes = dict(vars(self.module))
        self.parts = {name: dict(self.attributes[name]) for name in _CONTAINERS}
        buffers = self.parts["_buffers"].items()
        self.values = {name: b.clone() for name, b in buffers if b is not None and _is_compared(b)}

    @property
    def has_changed(self) -> bool:
        now = vars(self.module)
        if now.keys() != self.attributes.keys() or any(now[name] is not one for name, one in self.attributes.items()):
            return True
        return any(_differs(now[name], parts) for name, parts in self.parts.items()) or any(
            not torch.equal(self.parts["_buffers"][name], value) for name, value in self.values.items()
        )

    def restore(self) -> None:
        """Attributes are given back as they were, containers and buffers in place."""
        now = vars(self.module)
        for name in now.keys() - self.attributes.keys():
            del now[name]
        now.update(self.attributes)
        for name, parts in self.parts.items():
            now[name].clear()
            now[name].update(parts)
        for name, value in self.values.items():
            self.parts["_buffers"][name].copy_(value)


def _is_compared(buffer: torch.Tensor) -> bool:
    return buffer.numel() <= _LARGEST and not buffer.is_meta


def _differs(now: dict[str, Any], before: dict[str, Any]) -> bool:
    return now.keys() != before.keys() or any(now[name] is not one for name, one in before.items())


class Snapshot:
    """The state of a model before it has read anything.

    Args:
        model: As it was loaded.
        classes: Names of the classes of the modules to look after; all if None.
    """

    def __init__(self, model: nn.Module, classes: Collection[str] | None = None) -> None:
        self._kept = [
            _Kept(module) for module in model.modules() if classes is None or type(module).__name__ in classes
        ]

    def restore(self) -> None:
        """Restores the state of before the model has read anything."""
        for one in self._kept:
            one.restore()

    def changed(self) -> set[str]:
        """The classes of the modules that are no longer what they were."""
        return {type(one.module).__name__ for one in self._kept if one.has_changed}
