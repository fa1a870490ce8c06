"""The one way in which a loaded model is changed, and changed back.

A change knows how to make itself and answers with the change that undoes it. A patch makes changes and undoes them all,
the last one first, whatever happened in between; for a while it can be lifted, so that the model is what it was before.
"""

from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from typing import NamedTuple, Protocol

import torch
from torch import nn
from transformers import PreTrainedModel


class Change(Protocol):
    """Something that can be done to a model and undone."""

    def make(self) -> "Change":
        """Makes the change; returns the change that undoes it."""
        ...


class _Absent:
    """Stands for an attribute that is not there."""


ABSENT = _Absent()


class Exchange(NamedTuple):
    """A part or an attribute of a module, and what is to stand there instead: `ABSENT` takes the attribute away."""

    module: nn.Module
    name: str
    value: object

    def make(self) -> "Exchange":
        """Exchanges it; what the module has of its class alone (`forward`) is hidden, and comes back."""
        parts = self.module._modules
        before = parts[self.name] if self.name in parts else vars(self.module).get(self.name, ABSENT)
        if self.value is ABSENT:
            delattr(self.module, self.name)
        else:
            setattr(self.module, self.name, self.value)
        return Exchange(self.module, self.name, before)


class Values(NamedTuple):
    """A tensor of a model, and the numbers that are to stand in it."""

    tensor: torch.Tensor
    values: torch.Tensor

    def make(self) -> "Values":
        """Writes them over those that are there, which are kept; whatever shares the tensor's memory sees them."""
        before = self.tensor.detach().clone()
        self.tensor.detach().copy_(self.values)
        return Values(self.tensor, before)


class Attention(NamedTuple):
    """The function, as registered with transformers' `AttentionInterface`, that computes a model's attention.

    A model whose class does not let it be exchanged keeps its own, without an error.
    """

    model: PreTrainedModel
    implementation: str

    def make(self) -> "Attention":
        """Routes the attention through that function, unless it is already."""
        before = str(self.model.config._attn_implementation)
        if before != self.implementation:
            self.model.set_attn_implementation(self.implementation)
        return Attention(self.model, before)


class Patch:
    """Changes of a model that are undone together, at the end of the block or by `undo`."""

    def __init__(self) -> None:
        self._undoing: list[Change] = []

    def add(self, *changes: Change) -> None:
        """Makes changes, in order; what an exception leaves out has not been made."""
        for change in changes:
            self._undoing.append(change.make())

    def undo(self) -> None:
        """Undoes all changes, the last one first, and every one of them even if one cannot be undone."""
        undoing, self._undoing = self._undoing, []
        _make_backwards(undoing, [])

    @contextmanager
    def lifted(self) -> Iterator[None]:
        """Inside, the model is without the changes; what else was done to the same parts comes back with them."""
        undoing, again = self._undoing, list[Change]()
        self._undoing = []
        try:
            _make_backwards(undoing, again)
            yield
        finally:
            _make_backwards(again, self._undoing)

    def __enter__(self) -> "Patch":
        return self

    def __exit__(self, *_: object) -> None:
        self.undo()


@contextmanager
def patched(*changes: Change) -> Iterator[None]:
    """These changes while the block runs."""
    with Patch() as patch:
        patch.add(*changes)
        yield


def _make_backwards(changes: Sequence[Change], inverses: list[Change]) -> None:
    """Makes changes from the last to the first; gathers what undoes them."""
    with ExitStack() as stack:
        for change in changes:
            stack.callback(_make, change, inverses)


def _make(change: Change, inverses: list[Change]) -> None:
    inverses.append(change.make())
