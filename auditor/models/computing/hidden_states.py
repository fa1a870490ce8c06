r"""What is inside a model while it reads: hidden states and hidden units, reduced on the device as they come by.

With x_t ∈ ℝᴰ the hidden state of token t behind a layer (layer 0: what enters the first one), t over the T tokens of a
text, special tokens included, padding and neighbours excluded,

    norm       the median over t of ‖x_t‖₂; for an even T the lower of the two in the middle
    ratio_d    max_t |x_td| / rms(x_t),  rms(x) = √(Σ_d x_d² / D)           for the `KEPT` dimensions d where it is
                                                                            greatest; 1 ≤ max_d ratio_d ≤ √D
    active_f   whether |a_tf| > `ACTIVE_ABOVE` for any t, a_t ∈ ℝᶠ what the activation function of the feed-forward
               layer gives; of gated layers (SwiGLU, GeGLU) that is the gate, before it is multiplied

The median, since one token with a massive activation (often the first) would make of the mean a measure of how short
the text is. Nothing with a token dimension leaves a layer, and what leaves it is a few numbers and a bit for each unit.

Edge cases: a state of zeros has the ratio 0. NaN or infinity in any state makes a ratio NaN. A single token is a text
like any other.

Layers are the modules of a model's list of as many modules as its configuration names layers; that they are those
whose states the model itself gives out (`output_hidden_states`) is proven, see `auditor.models.computing.observing`.
The activation function of a layer is its only module without parts and weights whose class is named like one (GELU,
ReLU, SiLU, …); it must be called once, with a row for every token. A layer that calls a function instead, or sends
tokens to experts, shows no units.

Agrees with `output_hidden_states` of transformers (5.23) on each text alone for BERT, GPT-2 and Llama; the last entry
of theirs is behind the final norm, where there is one.
"""

import re
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from functools import partial

import torch
from torch import nn
from torch.nn.functional import pad
from transformers import PreTrainedConfig

from auditor.models.computing.architecture import layers
from auditor.models.inputs import UnseenActivationsError
from auditor.records.activations import ACTIVE_ABOVE, KEPT

_ACTIVATION = re.compile(r"gelu|relu|silu|swish|mish|activation", re.IGNORECASE)
_ROUTED = re.compile(r"moe|expert|router", re.IGNORECASE)
"""Names of modules that send tokens to experts."""


@dataclass(frozen=True, slots=True)
class Places:
    """Where hooks are set, layer by layer."""

    layers: tuple[nn.Module, ...]
    activations: tuple[nn.Module, ...]
    """Of each layer; empty where they are not known."""
    unseen: str = ""
    """Why they are not; empty where they are."""


def places(body: nn.Module, config: PreTrainedConfig) -> Places:
    """The layers of a model, and their activation functions as they are now.

    Raises:
        UnseenActivationsError: There is no such list of layers.
    """
    if config.is_encoder_decoder:
        raise UnseenActivationsError("the model has an encoder and a decoder: two stacks of layers, not one")
    stack = layers(body, config.get_text_config().num_hidden_layers)
    if not stack:
        raise UnseenActivationsError("the model has no list of its layers in which each could be told apart")
    activations = [[m for m in layer.modules() if _is_activation(m)] for layer in stack]
    reason = _unseen(stack, activations)
    return Places(tuple(stack), () if reason else tuple(one[0] for one in activations), reason)


def _unseen(stack: Sequence[nn.Module], activations: Sequence[Sequence[nn.Module]]) -> str:
    """Why hidden units cannot be seen, as far as that is known before anything is read."""
    if any(_ROUTED.search(type(module).__name__) for layer in stack for module in layer.modules()):
        return "tokens are sent to experts, each of which has hidden units of its own"
    if any(not one for one in activations):
        return "the activation function is called in a way that does not show it"
    return "a layer has several activation functions" if any(len(one) > 1 for one in activations) else ""


def _is_activation(module: nn.Module) -> bool:
    bare = not any(True for _ in module.children()) and not any(True for _ in module.parameters())
    return bare and bool(_ACTIVATION.search(type(module).__name__))


class Observer:
    """Gathers what comes by in one forward pass of a batch."""

    def __init__(self, valid: torch.Tensor, n_layers: int, *, sees_units: bool) -> None:
        """Says what is read.

        Args:
            valid: (B, T) bool, False for padding. What is gathered ends on its device.
            n_layers: L.
            sees_units: Whether hidden units are looked at.
        """
        self.valid = valid
        self.width = self.n_units = 0
        self._states: list[list[tuple[torch.Tensor, ...]]] = [[] for _ in range(n_layers + 1)]
        self._units: list[list[torch.Tensor]] = [[] for _ in range(n_layers)] if sees_units else []

    def see(self, layer: int, states: object) -> None:
        """Takes the states (B, T, D) behind a layer."""
        if not isinstance(states, torch.Tensor) or states.shape[:2] != self.valid.shape or states.dim() != 3:
            raise UnseenActivationsError(f"what comes by at layer {layer} is not one hidden state for each token")
        self.width = states.shape[-1]
        columns = reduced(states, self.valid.to(states.device, non_blocking=True))
        self._states[layer].append(tuple(one.to(self.valid.device) for one in columns))

    def see_units(self, layer: int, values: torch.Tensor) -> None:
        """Takes what the activation function of a layer gives, (B, T, F) or (B · T, F)."""
        if values.dim() == 2 and len(values) == self.valid.numel():
            values = torch.unflatten(values, 0, tuple(self.valid.shape))
        if values.dim() != 3 or values.shape[:2] != self.valid.shape:
            raise UnseenUnitsError("the activation function is not given every token")
        self.n_units = values.shape[-1]
        active = ever_active(values, self.valid.to(values.device, non_blocking=True))
        self._units[layer].append(active.to(self.valid.device))

    @property
    def columns(self) -> list[torch.Tensor]:
        """Norms (B, L + 1), ratios and dimensions (B, L + 1, K), units (B, L, ⌈F / 8⌉).

        Raises:
            UnseenActivationsError: Some layer did not come by, or more than once.
            UnseenUnitsError: So it is with the activation functions, or layers have different numbers of units.
        """
        if any(len(of_layer) != 1 for of_layer in self._states):
            raise UnseenActivationsError("not every layer is gone through once")
        if any(len(of_layer) != 1 for of_layer in self._units):
            raise UnseenUnitsError("the activation function is not called once in every layer")
        norms, ratios, dimensions = (
            torch.stack(column, dim=1) for column in zip(*(one for (one,) in self._states), strict=True)
        )
        units = [one for (one,) in self._units]
        if len({one.shape for one in units}) > 1:
            raise UnseenUnitsError("layers have different numbers of hidden units")
        seen = torch.stack(units, dim=1) if units else norms.new_zeros(len(norms), 0, 0, dtype=torch.uint8)
        return [norms, ratios, dimensions, seen]


class UnseenUnitsError(Exception):
    """The hidden units of a model cannot be seen, whatever else can; says why."""


@contextmanager
def observed(where: Places, observer: Observer) -> Iterator[None]:
    """Shows what comes by at these places to an observer while the block runs."""
    with ExitStack() as stack:
        first = where.layers[0]
        stack.enter_context(first.register_forward_pre_hook(partial(_entering, observer), with_kwargs=True))
        for i, layer in enumerate(where.layers, 1):
            stack.enter_context(layer.register_forward_hook(_leaving(observer, i)))
        for i, activation in enumerate(where.activations):
            stack.enter_context(activation.register_forward_hook(_activated(observer, i)))
        yield


def reduced(states: torch.Tensor, valid: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
    """Norm (B,), ratios and dimensions (B, K) of the states (B, T, D) of a layer."""
    x = states.float()
    norms = torch.linalg.vector_norm(x, dim=-1)  # B T
    middle = (valid.sum(-1, keepdim=True) - 1) // 2
    typical = norms.masked_fill(~valid, torch.inf).sort(-1).values.gather(-1, middle)[:, 0]
    scale = (norms / x.shape[-1] ** 0.5).clamp(min=torch.finfo(torch.float32).tiny)
    ratios = x.abs().div_(scale[..., None]).masked_fill_(~valid[..., None], 0.0).amax(1)  # B D
    top = ratios.topk(min(KEPT, ratios.shape[-1]), dim=-1)
    return typical, top.values, top.indices


def ever_active(values: torch.Tensor, valid: torch.Tensor) -> torch.Tensor:
    """(B, ⌈F / 8⌉) uint8 of (B, T, F): a bit for each unit, as `numpy.packbits` has them; 1 where it was active."""
    active = values.abs().masked_fill_(~valid[..., None], 0.0).amax(1) > ACTIVE_ABOVE  # B F
    by_byte = torch.unflatten(pad(active, (0, -active.shape[-1] % 8)), -1, (-1, 8)).to(torch.uint8)
    places_of_bits = torch.arange(7, -1, -1, device=values.device, dtype=torch.uint8)
    packed: torch.Tensor = (by_byte << places_of_bits).sum(-1, dtype=torch.uint8)
    return packed


def _entering(observer: Observer, _: nn.Module, given: Sequence[object], named: dict[str, object]) -> None:
    observer.see(0, given[0] if given else named.get("hidden_states"))


def _leaving(observer: Observer, number: int) -> Callable[..., None]:
    def hook(_: nn.Module, __: object, output: object) -> None:
        observer.see(number, output[0] if isinstance(output, tuple | list) else output)

    return hook


def _activated(observer: Observer, number: int) -> Callable[..., None]:
    def hook(_: nn.Module, __: object, output: torch.Tensor) -> None:
        observer.see_units(number, output)

    return hook
