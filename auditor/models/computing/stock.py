"""The model as transformers built it, asked about one text at a time: the truth that faster ways are held against."""

import inspect
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

import torch
from torch import nn
from transformers import PreTrainedModel

from auditor.models.computing.patching import Exchange, Patch, patched
from auditor.models.inputs import Encoded


@dataclass
class Stock:
    """A model with the changes made for speed, which can be undone.

    Attributes:
        model: The whole model.
        body: The part that gives last hidden states; the model itself where there is none.
        changes: What makes it faster; lifted where the model is to be what transformers built.
    """

    model: PreTrainedModel
    body: nn.Module = field(init=False)
    changes: Patch = field(init=False, default_factory=Patch)

    def __post_init__(self) -> None:
        self.body = body_of(self.model)

    @contextmanager
    def as_built(self) -> Iterator[None]:
        """While the block runs, the model is as transformers built it."""
        with self.changes.lifted(), self.uncompiled():
            yield

    @contextmanager
    def uncompiled(self) -> Iterator[None]:
        """While the block runs, nothing is compiled."""
        compiled = (part for part in (self.model, self.body) if part._compiled_call_impl is not None)
        with patched(*(Exchange(part, "_compiled_call_impl", None) for part in compiled)):
            yield

    def arguments(self, text: Encoded, device: torch.device) -> dict[str, torch.Tensor]:
        """What the tokenizer would hand to the model for one text."""
        ids = torch.tensor([text.ids], device=device)
        arguments = {"input_ids": ids, "attention_mask": torch.ones_like(ids)}
        if text.type_ids:
            arguments["token_type_ids"] = torch.tensor([text.type_ids], device=device)
        return {name: value for name, value in arguments.items() if takes(self.model, name)}

    def ask(self, arguments: Mapping[str, Any]) -> tuple[torch.Tensor | None, torch.Tensor]:
        """One forward pass: the body's last hidden states (T, D), where there is one, and the logits of the text.

        The body is the part that ends last of those that are models themselves: some classes go past their base model.
        """
        seen: list[tuple[nn.Module, Any]] = []

        def note(part: nn.Module, _: object, output: object) -> None:
            seen.append((part, output))

        parts = [part for part in self.model.modules() if isinstance(part, PreTrainedModel) and part is not self.model]
        hooks = [part.register_forward_hook(note) for part in parts]
        try:
            logits = self.model(**arguments).logits[0]
        finally:
            for hook in hooks:
                hook.remove()
        self.body, output = seen[-1] if seen else (self.body, None)
        states = getattr(output, "last_hidden_state", None)
        return (None if states is None else states[0]), logits


def takes(module: nn.Module, argument: str) -> bool:
    """Whether a module's forward has an argument of this name, or takes any."""
    parameters = inspect.signature(module.forward).parameters
    return argument in parameters or any(p.kind is p.VAR_KEYWORD for p in parameters.values())


def body_of(model: PreTrainedModel) -> nn.Module:
    """The base model; where a class names one that it does not have, the first part that is a model itself."""
    parts = (part for part in model.children() if isinstance(part, PreTrainedModel))
    body: nn.Module = model.base_model if model.base_model is not model else next(parts, model)
    return body
