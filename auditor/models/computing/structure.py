r"""What a loaded model is made of: parameters by block, data types, shared and quantised weights, weight statistics.

With w the n finite weights of a block, matrices, biases and norms alike,

    mean        Σw / n
    deviation   √(Σw² / n − mean²)
    greatest    max |w|

and how many are exactly 0, and how many no finite numbers. Each tensor is gone through once, in pieces, in float64 (on
MPS, which has none, in float32), on its device; one that holds NaN or infinity a second time, without these. Nothing
waits for the device before the last tensor. The numbers are kept with six digits, since sums depend in the last ones on
how many threads add them.

    embeddings  what comes before the first layer, and every table of embeddings outside of the layers
    layer l     the modules of the lists of layers; those of a decoder behind those of its encoder
    head        what lies behind the last layer, and outside of the base model
    body        all of a base model without as many layers in lists as its configuration says

Edge cases: tied weights are one tensor, and belong to the embeddings. Quantised modules (integer weights, or a tensor
class of their own) are counted and not summarised; what they keep in buffers is no parameter of theirs, but counts as
memory. Weights on the meta device (`device_map`) are offloaded: counted, not summarised.

Agrees with `torch.std_mean` and `sum(p.numel() for p in model.parameters())`.
"""

import math
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import torch
from torch import nn
from transformers import PreTrainedModel

from auditor.models.computing.module_tree import module_tree
from auditor.models.computing.randomising import layers_of, ranks_of
from auditor.models.computing.stock import body_of
from auditor.records.structure import Block, Structure

PIECE = 2**18
"""Weights that are gone through at once: two megabytes of float64, which stay in a processor's cache."""
DIGITS = 6


@dataclass(frozen=True, slots=True)
class _Weights:
    """One tensor, and where it belongs."""

    parameter: nn.Parameter
    rank: int
    """−1 for the embeddings, the number of layers for the head, else the layer from 0."""

    @property
    def is_summarised(self) -> bool:
        return not self.parameter.is_meta and not _is_quantised(self.parameter)


def describe(model: PreTrainedModel, name: str) -> Structure:
    """What the model of that name is made of; see the module."""
    body = body_of(model)
    ranks, n_layers = _ranks(model, body)
    weights = [_Weights(parameter, ranks.get(id(parameter), max(1, n_layers))) for parameter in model.parameters()]
    modules = [module for module in model.modules() if _quantised_tensors(module)]
    dtypes = Counter[str]()
    for one in weights:
        dtypes[str(one.parameter.dtype).removeprefix("torch.")] += one.parameter.numel()
    buffers = [tensor for module in modules for tensor in module.buffers(recurse=False)]
    return Structure(
        model=name,
        n_parameters=sum(one.parameter.numel() for one in weights),
        n_bytes=sum(t.numel() * t.element_size() for t in (*(one.parameter for one in weights), *buffers)),
        dtypes=dict(sorted(dtypes.items())),
        tied=tuple(_tied(model)),
        quantised=dict(sorted(Counter(type(module).__name__ for module in modules).items())),
        n_offloaded=sum(one.parameter.numel() for one in weights if one.parameter.is_meta),
        blocks=tuple(_blocks(weights, n_layers)),
        modules=module_tree(model),
    )


def _ranks(model: PreTrainedModel, body: nn.Module) -> tuple[Mapping[int, int], int]:
    """Id of each weight → where it belongs, and the number of layers; of 0 layers the rank 0 is the body."""
    config = model.config.get_text_config()
    stated = getattr(config, "num_hidden_layers", 0)
    if layers_of(body) and (len(layers_of(body)) == stated or config.is_encoder_decoder):
        return ranks_of(body)
    tables = {id(p) for m in body.modules() if isinstance(m, nn.Embedding) for p in m.parameters(recurse=False)}
    return {id(p): -1 if id(p) in tables else 0 for p in body.parameters()}, 0


def _blocks(weights: Sequence[_Weights], n_layers: int) -> Iterator[Block]:
    """In the order of their ranks; none is empty."""
    sums = iter(_sums([one.parameter for one in weights if one.is_summarised]))
    by_rank: dict[int, list[tuple[int, np.ndarray | None]]] = {}
    for one in weights:
        by_rank.setdefault(one.rank, []).append((one.parameter.numel(), next(sums) if one.is_summarised else None))
    for rank in sorted(by_rank):
        yield _block(rank, n_layers, by_rank[rank])


def _block(rank: int, n_layers: int, tensors: Sequence[tuple[int, np.ndarray | None]]) -> Block:
    known = [sums for _, sums in tensors if sums is not None]
    total, squares, _, zeros, bad, summarised = np.sum([np.zeros(6), *known], axis=0)
    n = int(summarised - bad)
    mean = total / n if n else None
    name = "embeddings" if rank < 0 else "head" if rank == max(1, n_layers) else "layer" if n_layers else "body"
    return Block(
        name=name,
        layer=rank + 1 if name == "layer" else None,
        n_parameters=sum(size for size, _ in tensors),
        n_summarised=int(summarised),
        mean=_rounded(mean),
        deviation=None if mean is None else _rounded(math.sqrt(max(0.0, squares / n - mean**2))),
        greatest=_rounded(max(sums[2] for sums in known)) if n else None,
        n_zeros=int(zeros),
        n_not_finite=int(bad),
    )


def _sums(tensors: Sequence[torch.Tensor]) -> list[np.ndarray]:
    """Of each tensor: sum, sum of squares and greatest of the finite weights, zeros, weights that are not finite, n."""
    on_device = [_gone_through(tensor.detach().flatten(), finite=False) for tensor in tensors]
    on_host = [np.append(one.cpu().double().numpy(), t.numel()) for one, t in zip(on_device, tensors, strict=True)]
    for i, one in enumerate(on_host):
        if not np.isfinite(one).all():
            again = _gone_through(tensors[i].detach().flatten(), finite=True)
            on_host[i] = np.append(again.cpu().double().numpy(), tensors[i].numel())
    return on_host


def _gone_through(weights: torch.Tensor, *, finite: bool) -> torch.Tensor:
    """(5,) on the device; `finite`: what is not finite is counted and left out."""
    dtype = torch.float32 if weights.device.type == "mps" else torch.float64
    pieces = []
    for piece in _pieces(weights):
        x = piece.to(dtype)
        bad, zeros = x.new_zeros(()), (x == 0).sum()
        if finite:
            is_finite = x.isfinite()
            x, bad = x.where(is_finite, torch.zeros_like(x)), (~is_finite).sum()
        pieces.append(torch.stack([x.sum(), x.dot(x), x.abs().amax(), zeros.to(dtype), bad.to(dtype)]))
    if not pieces:
        return weights.new_zeros(5, dtype=dtype)
    all_pieces = torch.stack(pieces)
    summed, greatest = all_pieces.sum(0), all_pieces[:, 2].amax()
    return torch.cat([summed[:2], greatest[None], summed[3:]])


def _pieces(weights: torch.Tensor) -> Iterator[torch.Tensor]:
    return (weights[start : start + PIECE] for start in range(0, len(weights), PIECE))


def _tied(model: nn.Module) -> Iterator[tuple[str, ...]]:
    names: dict[int, list[str]] = {}
    for name, parameter in model.named_parameters(remove_duplicate=False):
        names.setdefault(id(parameter), []).append(name)
    return (tuple(several) for several in names.values() if len(several) > 1)


def _is_quantised(parameter: torch.Tensor) -> bool:
    """Whether a tensor holds no plain floating-point numbers."""
    return not parameter.is_floating_point() or type(parameter.data) not in (torch.Tensor, nn.Parameter)


def _quantised_tensors(module: nn.Module) -> list[torch.Tensor]:
    """Of a module itself: weights that are no plain numbers, and buffers of integers that are called weights."""
    weights = [parameter for parameter in module.parameters(recurse=False) if _is_quantised(parameter)]
    packed = [b for n, b in module.named_buffers(recurse=False) if "weight" in n and not b.is_floating_point()]
    return [*weights, *packed]


def _rounded(value: float | None) -> float | None:
    return None if value is None else float(f"{value:.{DIGITS}g}")
