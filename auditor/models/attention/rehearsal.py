"""Whether a model's attention can be watched, found out before its weights are read.

The model stands on PyTorch's meta device, where tensors have a shape and no content, and reads a few tokens there while
`auditor.models.attention.routing` counts the layers that come by: a second at most, and next to no memory, whatever the
size of the model.
"""

import torch
from transformers import PreTrainedModel

from auditor.models.attention.routing import IMPLEMENTATION, Collector, collecting
from auditor.models.computing.architecture import attending
from auditor.models.computing.stock import body_of
from auditor.models.inputs import UnseenAttentionError

N_TOKENS = 4


def rehearse(model: PreTrainedModel, name: str) -> None:
    """Lets a model on the meta device read a few tokens with its attention collected.

    Args:
        model: In eval mode.
        name: Of the model, for the message.

    Raises:
        UnseenAttentionError: Its attention cannot be collected.
        Exception: Whatever a model may raise on a device without contents.
    """
    ones = torch.ones(1, N_TOKENS, device="meta")
    collector = Collector(ones, ones, ones)
    with torch.device("meta"), torch.inference_mode(), collecting(model, collector):
        if model.config._attn_implementation != IMPLEMENTATION:
            raise UnseenAttentionError(f"{type(model).__name__} computes attention in a way of its own")
        body_of(model)(input_ids=ones.long())
    _, layers = attending(model, model.config.get_text_config().num_hidden_layers)
    collector.result(len(layers), name)
