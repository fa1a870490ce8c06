r"""Log-probabilities of some tokens under a language model's head, without the logits of all.

    ln p(v | h) = w_v·h + b_v − ln Σ_u exp(w_u·h + b_u)

The sum runs over blocks of the vocabulary: each block's logits (R × BLOCK) are reduced to their logarithmic sum before
the next are computed, so that the logits (R × V) never exist and the weights are read once for all R states.
"""

import torch
from torch.nn.functional import linear

BLOCK = 2048
"""Tokens of the vocabulary at a time: the logits of 2,048 states are 16 MB of float32."""


def log_probabilities(head: torch.nn.Linear, states: torch.Tensor, tokens: torch.Tensor) -> torch.Tensor:
    """Natural log-probabilities of tokens.

    Args:
        head: From states to logits, (V, D) and perhaps a bias (V,).
        states: (R, D).
        tokens: (R, slots) which log-probabilities are wanted of each state.

    Returns:
        (R, slots) float32, or float64 where the weights are.
    """
    weights = torch.split(head.weight, BLOCK)
    biases = [None] * len(weights) if head.bias is None else torch.split(head.bias, BLOCK)
    sums = [
        _float(linear(states, weight, bias)).logsumexp(dim=-1) for weight, bias in zip(weights, biases, strict=True)
    ]
    logits = torch.einsum("rd,rsd->rs", _float(states), _float(head.weight[tokens]))
    if head.bias is not None:
        logits = logits + head.bias[tokens]
    return logits - torch.stack(sums, dim=-1).logsumexp(dim=-1, keepdim=True)


def of_logits(logits: torch.Tensor, tokens: torch.Tensor) -> torch.Tensor:
    """The same from logits (R, V) that are there already."""
    logits = _float(logits)
    return logits.gather(-1, tokens) - logits.logsumexp(dim=-1, keepdim=True)


def _float(values: torch.Tensor) -> torch.Tensor:
    return values if values.dtype == torch.float64 else values.float()
