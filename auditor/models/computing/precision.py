"""In which numbers a model computes: products in those of its weights, the rest as exactly as the device allows.

Weights of half precision are loaded as such, which takes half the memory and no casts, and run under PyTorch's autocast
of that dtype. On a GPU norms, softmax and sums are then float32, and so is what norms hand on; on a CPU they round once
at their end anyway. Float32 runs as it is. Statistics of attention are kept out of autocast, which would round them.
"""

from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext

import torch

HALF = {torch.bfloat16, torch.float16}


@contextmanager
def computing(device: torch.device, dtype: torch.dtype, *, gradients: bool = False) -> Iterator[None]:
    """Forward passes of a model whose weights have this dtype: autocast in half precision, gradients on request."""
    autocast = dtype in HALF and torch.amp.is_autocast_available(device.type)
    with (
        torch.inference_mode(not gradients),
        torch.set_grad_enabled(gradients),
        torch.autocast(device.type, dtype) if autocast else nullcontext(),
    ):
        yield


def unrounded(device: torch.device) -> AbstractContextManager[object]:
    """Products inside are computed in the dtype of their factors, whatever runs around them."""
    if torch.amp.is_autocast_available(device.type):
        return torch.autocast(device.type, enabled=False)
    return nullcontext()
