"""Whether a model's attention can be watched, found out before its weights are read.

The model is built from its configuration on PyTorch's meta device, where tensors have a shape and no content, and reads
a few tokens there while `auditor.models.attention.routing` counts the layers that come by: a second at most, and next
to no memory, whatever the size of the model.
"""

import copy

import torch
import transformers

from auditor.errors import ModelError
from auditor.models.attention.routing import IMPLEMENTATION, REMEDY, Collector, collecting
from auditor.models.checkpoints.checkpoint import Checkpoint
from auditor.models.checkpoints.loading import auto_class
from auditor.models.computing.architecture import attending
from auditor.models.computing.stock import body_of

N_TOKENS = 4


def hides_attention(checkpoint: Checkpoint) -> str | None:
    """Why attention cannot be collected from this architecture; None where it can, or where only a run will tell."""
    transformers.logging.set_verbosity_error()
    config = copy.deepcopy(checkpoint.config)
    ones = torch.ones(1, N_TOKENS, device="meta")
    collector = Collector(ones, ones, ones)
    try:
        with torch.device("meta"), torch.inference_mode():
            model = (
                auto_class(checkpoint.task).from_config(config, trust_remote_code=checkpoint.trust_remote_code).eval()
            )
            with collecting(model, collector):
                if model.config._attn_implementation != IMPLEMENTATION:
                    return f"{checkpoint.model_class} computes attention in a way of its own: {REMEDY}"
                body_of(model)(input_ids=ones.long())
        _, layers = attending(model, model.config.get_text_config().num_hidden_layers)
        collector.result(len(layers), checkpoint.name)
    except ModelError as error:
        return str(error)
    except Exception:  # whatever a model may raise on a device without contents
        return None
    return None
