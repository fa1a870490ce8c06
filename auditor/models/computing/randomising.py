"""A model whose weights are drawn anew, part by part from the output down: cascading randomisation.

    head          what lies outside of the base model, and what the base model has behind its last layer
    layers        the layers in up to four groups of about the same number, the highest first; where an encoder and a
                  decoder follow each other, the decoder is the higher; a model without a list of layers is one layer
    embeddings    what comes before the first layer, and every table of embeddings outside of the layers

A weight tensor W becomes m + s Z with Z standard normal, m and s the mean and the standard deviation of its own
entries: what was learnt is gone, while the scale of every tensor, and with it that of the states, stays. (What
transformers' `_init_weights` would draw has another scale, which may leave a model that answers the same to
everything; and it draws from the generator of the whole process.) Z depends on the seed and the name of the tensor
alone, not on the device: it is drawn on the host.

Edge cases: a tensor of one entry, or of equal ones, has s = 0 and stays as it is. Tied weights are one tensor, and
belong to the part that comes last, the embeddings. Buffers stay. The weights of before are kept on their device: twice
the memory while this runs. Quantised or offloaded weights cannot be exchanged.

Source: Adebayo et al. 2018, "Sanity checks for saliency maps", section 3.1.
"""

import hashlib
from collections.abc import Iterator, Sequence
from contextlib import contextmanager

import numpy as np
import torch
from torch import nn

from auditor.models.computing.patching import Patch, Values
from auditor.models.inputs import FixedWeightsError
from auditor.records.sanity import MOST_PARTS, Part

GROUPS = MOST_PARTS - 2
"""Groups of layers, beside head and embeddings."""

Named = list[tuple[str, nn.Parameter]]


@contextmanager
def randomised(model: nn.Module, body: nn.Module, seed: int) -> Iterator[Iterator[Part]]:
    """Weights drawn anew while the block runs; see `capabilities.Randomises`.

    Args:
        model: The whole model.
        body: The part of it that gives states.
        seed: Of the draws.

    Raises:
        FixedWeightsError: Some weights are no numbers in memory that could be exchanged.
    """
    cascade = parts_of(model, body)
    with Patch() as patch:
        yield _drawn(patch, cascade, seed)


def _drawn(patch: Patch, cascade: Sequence[tuple[Part, Named]], seed: int) -> Iterator[Part]:
    for part, parameters in cascade:
        for name, parameter in parameters:
            patch.add(Values(parameter, draw(parameter, name, seed)))
        yield part


def draw(weights: torch.Tensor, name: str, seed: int) -> torch.Tensor:
    """Normal numbers with the mean and the standard deviation of some weights, on their device."""
    digest = hashlib.sha256(f"{seed}\0{name}".encode()).digest()
    generator = torch.Generator().manual_seed(int.from_bytes(digest[:7], "little"))
    normal = torch.randn(weights.shape, generator=generator)
    spread, mean = torch.std_mean(weights.detach().float(), correction=0)
    return (mean + spread * normal.to(weights.device)).to(weights.dtype)


def parts_of(model: nn.Module, body: nn.Module) -> list[tuple[Part, Named]]:
    """The parts in the order in which they are drawn, with names and weights; none is empty.

    Raises:
        FixedWeightsError: Some weights are no numbers in memory that could be exchanged.
    """
    named = list(model.named_parameters())
    if any(parameter.is_meta or not parameter.is_floating_point() for _, parameter in named):
        raise FixedWeightsError("some weights are quantised or not in memory, and cannot be drawn anew")
    ranks, n_layers = ranks_of(body)
    by_rank: dict[int, Named] = {}
    for name, parameter in named:
        by_rank.setdefault(ranks.get(id(parameter), n_layers), []).append((name, parameter))
    groups = np.array_split(np.arange(n_layers)[::-1], min(GROUPS, n_layers))
    steps = [(Part("head"), [n_layers])]
    steps += [(Part("layers", int(group[-1]) + 1, int(group[0]) + 1), group.tolist()) for group in groups]
    steps.append((Part("embeddings"), [-1]))
    cascade = [(part, [one for rank in ranks_of for one in by_rank.get(rank, [])]) for part, ranks_of in steps]
    return [(part, parameters) for part, parameters in cascade if parameters]


def ranks_of(body: nn.Module) -> tuple[dict[int, int], int]:
    """Id of each weight of the body → its layer from 0, −1 before the first, their number behind the last; and it."""
    layers = layers_of(body)
    layer_of = {id(parameter): i for i, one in enumerate(layers) for parameter in one.parameters()}
    tables = {id(p) for m in body.modules() if isinstance(m, nn.Embedding) for p in m.parameters(recurse=False)}
    ranks: dict[int, int] = {}
    seen = -1
    for parameter in body.parameters():
        layer = layer_of.get(id(parameter))
        seen = seen if layer is None else max(seen, layer)
        if layer is None and id(parameter) in tables:
            ranks[id(parameter)] = -1
        elif layer is None and layers:
            ranks[id(parameter)] = len(layers) if seen == len(layers) - 1 else seen
        else:
            ranks[id(parameter)] = layer or 0
    return ranks, max(1, len(layers))


def layers_of(body: nn.Module) -> list[nn.Module]:
    """The layers with weights, in the order in which they are registered: those of the outermost lists."""
    lists: dict[str, nn.ModuleList] = {}
    for name, module in body.named_modules():
        if isinstance(module, nn.ModuleList) and not any(name.startswith(f"{outer}.") for outer in lists):
            lists[name] = module
    return [layer for stack in lists.values() for layer in stack if any(True for _ in layer.parameters())]
