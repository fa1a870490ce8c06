"""What a model is made of, as far as it decides how it may be asked: layers, windows, mixers of tokens, positions."""

import re
from collections.abc import Iterator

import torch
from torch.nn.modules.conv import _ConvNd
from transformers import PretrainedConfig

_WINDOWS = ("sliding_window", "local_attention", "attention_chunk_size", "attention_window")
"""Names under which configurations say that a layer sees only so many tokens around each."""
_PLAIN_LAYERS = {"attention", "full_attention", "sliding_attention", "chunked_attention"}
_MIXERS = re.compile("mamba|recurren|deltanet|lightning|linear_?att|shortconv|rwkv|retention|fourier", re.IGNORECASE)
"""Names of modules that hand states from token to token in another way than by attention."""
_ATTENTION = re.compile("attention", re.IGNORECASE)


def windows(config: PretrainedConfig) -> Iterator[int]:
    """Tokens that layers with a limited view see."""
    stated = (getattr(config, name, None) for name in _WINDOWS)
    return (n for n in stated if isinstance(n, int) and n > 0)


def mixes_otherwise(body: torch.nn.Module, config: PretrainedConfig) -> bool:
    """Whether tokens see each other through anything but plain attention: convolution, recurrence, linear attention.

    Packed texts would then leak into each other, at the borders only, which rounding in half precision can hide.
    """
    if not _PLAIN_LAYERS.issuperset(getattr(config, "layer_types", None) or ()):
        return True
    return any(
        isinstance(module, _ConvNd | torch.nn.RNNBase) or _MIXERS.search(type(module).__name__)
        for module in body.modules()
    )


def layers(body: torch.nn.Module, n_layers: int) -> list[torch.nn.Module] | None:
    """The stack of that many layers; None where there is no such list, as where all layers are one."""
    stacks = (m for m in body.modules() if isinstance(m, torch.nn.ModuleList))
    return next((list(stack) for stack in stacks if len(stack) == n_layers), None)


def attending(body: torch.nn.Module, n_layers: int) -> tuple[dict[int, str], tuple[int, ...]]:
    """Which layers attend.

    Returns:
        The layers that do not (number from 0, class of what mixes tokens there), and those that do.
    """
    stack = layers(body, n_layers)
    if stack is None:
        return {}, tuple(range(n_layers))
    others = {i: _mixer(layer) for i, layer in enumerate(stack) if not _attends(layer)}
    return others, tuple(i for i in range(n_layers) if i not in others)


def _attends(layer: torch.nn.Module) -> bool:
    names = [type(module).__name__ for module in layer.modules()]
    mixers = [name for name in names if _MIXERS.search(name)]
    return not mixers or any(_ATTENTION.search(name) and not _MIXERS.search(name) for name in names)


def _mixer(layer: torch.nn.Module) -> str:
    names = [type(module).__name__ for module in layer.modules()][1:]
    return next(name for name in names if _MIXERS.search(name)) if names else type(layer).__name__


def first_position(body: torch.nn.Module) -> int:
    """Number of the first position: RoBERTa-like models begin behind their padding index."""
    for module in body.modules():
        if hasattr(module, "create_position_ids_from_input_ids"):
            return int(module.padding_idx) + 1  # type: ignore[arg-type]
    return 0
