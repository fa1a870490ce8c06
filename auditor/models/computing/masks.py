"""transformers' attention masks, without asking the device whether one is needed.

`sdpa_mask` looks whether any token is padding, and for decoders whether positions begin anew inside a row; both wait
for the device to know. Here a mask of two dimensions is only handed over where there is padding. Where there is none,
`nothing` is: a mask of four dimensions, which transformers hands through to the attention function as it is, and the
attention functions of this package take for none.
"""

from typing import Any

import torch
from transformers.masking_utils import sdpa_mask


def padding_mask(*args: Any, attention_mask: torch.Tensor | None = None, **settings: Any) -> torch.Tensor | None:
    """See `transformers.masking_utils.sdpa_mask`."""
    if attention_mask is not None:
        settings |= {"allow_is_causal_skip": False, "allow_is_bidirectional_skip": False}
    return sdpa_mask(*args, attention_mask=attention_mask, **settings)  # type: ignore[no-any-return]


def nothing(device: torch.device) -> torch.Tensor:
    """A mask (1, 1, 1, 1) that hides nothing and stands for none."""
    return torch.ones(1, 1, 1, 1, dtype=torch.bool, device=device)


def needed(mask: torch.Tensor | None) -> torch.Tensor | None:
    """The mask; None where it is `nothing`."""
    return None if mask is not None and mask.shape == (1, 1, 1, 1) else mask
