"""A transformers model answers.

Importing this asks PyTorch for huge pages, which it heeds if no tensor was made in the process before: on Linux large
results on a CPU then come in one piece, where the heap would be left in pieces. Of oneDNN it asks for a small cache of
primitives, one for each operation and shape: packed batches hardly ever have a shape again, but every layer of one has.
Its 1,024 by default are kept between the results of thousands of batches, and leave the heap in pieces too.
"""

import os

import torch
from transformers import PreTrainedModel

from auditor.errors import AuditorError, ModelError
from auditor.models.adapters import AS_IT_IS, Adapter, Loaded, Settings, adapter_of, offers
from auditor.models.attention.rehearsal import rehearse
from auditor.models.capabilities import (
    Answers,
    Attends,
    Classifies,
    Differentiates,
    FillsMasks,
    Inputs,
    Observes,
    Randomises,
    Scores,
    ShowsAttention,
)
from auditor.models.checkpoints.checkpoint import Checkpoint, find
from auditor.models.checkpoints.loading import (
    device_for,
    dtype_for,
    load_model,
    load_tokenizer,
    max_length_of,
    open_tokenizer,
    outline,
    visible_devices,
)
from auditor.models.computing.batching import Batcher
from auditor.models.computing.device_loss import require_device
from auditor.models.computing.structure import describe
from auditor.models.inputs import Identity, Question, Tokens, Window
from auditor.models.text.chat import chat_template
from auditor.models.text.classification import TextClassification
from auditor.models.text.fill_mask import FillMask
from auditor.models.text.generation import TextGeneration

os.environ.setdefault("THP_MEM_ALLOC_ENABLE", "1")
os.environ.setdefault("ONEDNN_PRIMITIVE_CACHE_CAPACITY", "64")

CPU_TOKENS = 2_048
DEVICE_TOKENS = 16_384

__all__ = [
    "Adapter",
    "Answers",
    "Attends",
    "Checkpoint",
    "Classifies",
    "Differentiates",
    "FillMask",
    "FillsMasks",
    "Identity",
    "Inputs",
    "Observes",
    "Question",
    "Randomises",
    "Scores",
    "Settings",
    "ShowsAttention",
    "TextClassification",
    "TextGeneration",
    "Tokens",
    "Window",
    "check_chat",
    "device_class",
    "device_for",
    "dtype_for",
    "find",
    "hides_attention",
    "load",
    "offers",
    "require_device",
    "visible_devices",
]


def check_chat(checkpoint: Checkpoint) -> None:
    """Tries the chat template of a checkpoint, without loading a weight.

    Raises:
        ModelError: If there is none, or it cannot be applied.
    """
    chat_template(checkpoint.name, open_tokenizer(checkpoint))


def device_class(name: str) -> str:
    """What kind of device it is, whichever of several: `cpu`, `mps`, or CUDA with the name of the card."""
    return _device_name(torch.device(name))


def hides_attention(checkpoint: Checkpoint) -> str | None:
    """Why attention cannot be collected from this architecture; None where it can, or where only a run will tell."""
    try:
        rehearse(outline(checkpoint), checkpoint.name)
    except ModelError as error:
        return str(error)
    except AuditorError:  # no fault of the model: an adapter that is not installed
        raise
    except Exception:  # whatever a model may raise on a device without contents
        return None
    return None


def load(
    checkpoint: Checkpoint,
    settings: Settings = AS_IT_IS,
    *,
    device: str = "auto",
    dtype: str = "auto",
    batch_tokens: int | None = None,
    device_map: str | None = None,
    max_length: int | None = None,
    multi_label: bool | None = None,
) -> Adapter:
    """Loads a checkpoint and adapts it to its task.

    Args:
        checkpoint: From `find`.
        settings: How it is asked.
        device: `auto`, `cpu`, `cuda`, `cuda:1`, `mps`.
        dtype: `auto`, `float32`, `bfloat16`, `float16`.
        batch_tokens: Tokens per batch, padding included; 2,048 on a CPU and 16,384 elsewhere if None.
        device_map: `auto` spreads a model that fits no device over all of them and the CPU's memory.
        max_length: Fewer tokens than the model could see.
        multi_label: Whether a text may have several labels; the checkpoint's own statement if None.

    Raises:
        ModelError: If it cannot be loaded, or the settings do not fit it.
    """
    target = device_for(device)
    model = load_model(checkpoint, target, dtype_for(dtype, checkpoint, target), device_map)
    tokenizer = load_tokenizer(checkpoint, model)
    sees = max_length_of(model, tokenizer)
    if max_length is not None and max_length > sees:
        raise ModelError(f"{checkpoint.name}: max_length = {max_length}, but the model sees at most {sees} tokens")
    several = checkpoint.multi_label if multi_label is None else multi_label
    identity = _identity(checkpoint, model, target, max_length or sees, multi_label=several)
    batcher = Batcher(batch_tokens or (CPU_TOKENS if target.type == "cpu" else DEVICE_TOKENS))
    return adapter_of(checkpoint.task).adapt(Loaded(model, tokenizer, identity, batcher), settings)


def _identity(
    checkpoint: Checkpoint, model: PreTrainedModel, device: torch.device, max_length: int, *, multi_label: bool
) -> Identity:
    return Identity(
        name=checkpoint.name,
        task=checkpoint.task,
        model_class=checkpoint.model_class,
        labels=checkpoint.labels,
        multi_label=multi_label,
        n_parameters=sum(p.numel() for p in model.parameters()),
        max_length=max_length,
        device=_device_name(device),
        dtype=str(model.dtype).removeprefix("torch."),
        structure=describe(model, checkpoint.name),
        hashes={"weights": checkpoint.weights_sha256, "tokenizer": checkpoint.tokenizer_sha256},
    )


def _device_name(device: torch.device) -> str:
    return f"cuda ({torch.cuda.get_device_name(device)})" if device.type == "cuda" else device.type
