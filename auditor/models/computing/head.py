r"""Log-probabilities of some tokens under a language model's head, without the logits of all.

    ln p(v | h) = w_v·h + b_v − ln Σ_u exp(w_u·h + b_u)

The sum runs over blocks of the vocabulary: each block's logits (R × BLOCK) are reduced to their logarithmic sum before
the next are computed, so that the logits (R × V) never exist and the weights are read once for all R states. What is
wanted of a state is taken from these same logits, so that in half precision both are rounded alike: ln p is never above
0, and is what the model's own logits give.
"""

import copy
from collections.abc import Callable
from typing import Any

import torch
from torch.nn.functional import linear
from transformers import PreTrainedModel
from transformers.modeling_outputs import BaseModelOutput

BLOCK = 2048
"""Tokens of the vocabulary at a time: the logits of 2,048 states are 16 MB of float32."""


def log_probabilities(head: torch.nn.Linear, states: torch.Tensor, tokens: torch.Tensor) -> torch.Tensor:
    """Natural log-probabilities of tokens.

    Args:
        head: From states to logits, (V, D) and perhaps a bias (V,); perhaps on another device than the states.
        states: (R, D).
        tokens: (R, slots) which log-probabilities are wanted of each state.

    Returns:
        (R, slots) float32, or float64 where the weights are; on the device of the states.
    """
    device, states, tokens = states.device, states.to(head.weight.device), tokens.to(head.weight.device)
    weights = torch.split(head.weight, BLOCK)
    biases = [None] * len(weights) if head.bias is None else torch.split(head.bias, BLOCK)
    logits_of_tokens, sums = _float(states.new_empty(tokens.shape)), []
    for first, weight, bias in zip(range(0, len(head.weight), BLOCK), weights, biases, strict=True):
        logits = _float(linear(states, weight, bias))  # R BLOCK
        in_block = logits.gather(-1, (tokens - first).clamp(0, len(weight) - 1))
        logits_of_tokens = torch.where((tokens >= first) & (tokens < first + len(weight)), in_block, logits_of_tokens)
        sums.append(logits.logsumexp(dim=-1))
    return (logits_of_tokens - torch.stack(sums, dim=-1).logsumexp(dim=-1, keepdim=True)).to(device)


def of_logits(logits: torch.Tensor, tokens: torch.Tensor) -> torch.Tensor:
    """Natural log-probabilities (R, slots) of tokens (R, slots), from logits (R, V)."""
    logits = _float(logits)
    return logits.gather(-1, tokens) - logits.logsumexp(dim=-1, keepdim=True)


def head_of(model: PreTrainedModel) -> Callable[[torch.Tensor], torch.Tensor] | None:
    """What a model makes of last hidden states (R, D): logits (R, V), by its own `forward` without its base model.

    The model stays as it is: the base model is taken out of a copy that shares its weights.

    Returns:
        None where the model is its own base model.
    """
    if model.base_model is model:
        return None
    base = copy.copy(model.base_model)
    base.forward = _given
    rest = copy.copy(model)
    rest._modules = {**model._modules, model.base_model_prefix: base}

    def head(states: torch.Tensor) -> torch.Tensor:
        return rest(inputs_embeds=states[None]).logits[0]  # type: ignore[no-any-return]

    return head


def _given(*_: Any, inputs_embeds: torch.Tensor, **__: Any) -> BaseModelOutput:
    """A base model's `forward` that returns the last hidden states it is given."""
    return BaseModelOutput(last_hidden_state=inputs_embeds)


def _float(values: torch.Tensor) -> torch.Tensor:
    return values if values.dtype == torch.float64 else values.float()
