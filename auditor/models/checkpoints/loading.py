"""Loads a checkpoint onto a device, or says in one line why it cannot be."""

import copy
import os
from importlib.util import find_spec
from threading import Lock
from typing import Any

import torch
import transformers
from safetensors import SafetensorError
from transformers import (
    AutoTokenizer,
    PreTrainedConfig,
    PreTrainedModel,
    PreTrainedTokenizerBase,
)

from auditor import tasks
from auditor.errors import ModelError, one_line
from auditor.models.checkpoints.checkpoint import Checkpoint

_BUILDING = Lock()
"""transformers builds a model under PyTorch's default dtype and patched initialisers, which all threads share."""


def auto_class(task: str) -> Any:
    """The class of transformers that loads the models of a task.

    Raises:
        ModelError: This release of transformers has none of that name.
    """
    name = tasks.task(task).auto_class
    try:
        return getattr(transformers, name)
    except AttributeError as error:
        raise ModelError(f"task {task}: transformers {transformers.__version__} has no {name}") from error


def device_for(name: str) -> torch.device:
    """The device of that name; for `auto` CUDA if there is one, else MPS, else the CPU.

    Raises:
        ModelError: If it is not on this machine.
    """
    if name == "auto":
        if torch.cuda.is_available():
            return torch.device("cuda")
        return torch.device("mps" if torch.backends.mps.is_available() else "cpu")
    try:
        device = torch.device(name)
        torch.empty(0, device=device)
    except (RuntimeError, AssertionError, NotImplementedError) as error:
        raise ModelError(f"device {name!r}: not on this machine; use auto or cpu") from error
    return device


def visible_devices(name: str) -> tuple[str, ...]:
    """The devices that `cuda` may mean, as CUDA_VISIBLE_DEVICES names them; none for a device that is named in full."""
    if name != "cuda":
        return ()
    given = [one.strip() for one in os.environ.get("CUDA_VISIBLE_DEVICES", "").split(",") if one.strip()]
    n = torch.cuda.device_count()
    return tuple(given or map(str, range(n)))[:n]


def dtype_for(name: str, checkpoint: Checkpoint, device: torch.device) -> torch.dtype:
    """The dtype of the weights; for `auto` float32 on a CPU and the checkpoint's own elsewhere."""
    if name != "auto":
        return getattr(torch, name)  # type: ignore[no-any-return]
    stated = checkpoint.config.dtype or torch.float32
    return torch.float32 if device.type == "cpu" else getattr(torch, stated) if isinstance(stated, str) else stated


def load_model(
    checkpoint: Checkpoint, device: torch.device, dtype: torch.dtype, device_map: str | None = None
) -> PreTrainedModel:
    """The model in eval mode on its device, or spread over several with a `device_map`.

    Raises:
        ModelError: If the weights are damaged, do not fit the configuration, or lack the task's head.
    """
    if device_map is not None and find_spec("accelerate") is None:
        raise ModelError(f'device_map = "{device_map}" needs the package accelerate: pip install accelerate')
    _quieten_transformers()
    name = checkpoint.name
    try:
        with _BUILDING:
            model, info = auto_class(checkpoint.task).from_pretrained(
                checkpoint.folder,
                dtype=dtype,
                device_map=device_map,
                attn_implementation="sdpa" if _has_sdpa(checkpoint) else None,
                trust_remote_code=checkpoint.trust_remote_code,
                use_safetensors=True,
                output_loading_info=True,
            )
    except SafetensorError as error:
        raise ModelError(f"{name}: the safetensors file is damaged ({error}); fetch it again") from error
    except Exception as error:  # whatever the code of a model raises while it is built
        raise ModelError(f"{name}: cannot be loaded for {checkpoint.task}: {one_line(error)}") from error
    missing = sorted(info["missing_keys"])
    if missing or info["mismatched_keys"]:
        wrong = missing or sorted(str(key) for key in info["mismatched_keys"])
        raise ModelError(
            f"{name}: the checkpoint lacks trained weights for {checkpoint.task}: {', '.join(wrong[:3])}"
            f"{' …' if len(wrong) > 3 else ''}; it would answer at random"
        )
    loaded: PreTrainedModel = (model if device_map else model.to(device)).eval()
    return loaded


def outline(checkpoint: Checkpoint) -> PreTrainedModel:
    """The model in eval mode on PyTorch's meta device, where tensors have a shape and no content: no weight is read.

    Raises:
        Exception: Whatever the code of a model raises there.
    """
    _quieten_transformers()
    config = copy.deepcopy(checkpoint.config)
    with _BUILDING, torch.device("meta"), torch.inference_mode():
        model: PreTrainedModel = auto_class(checkpoint.task).from_config(
            config, trust_remote_code=checkpoint.trust_remote_code
        )
    return model.eval()


def _quieten_transformers() -> None:
    transformers.logging.set_verbosity_error()
    transformers.logging.disable_progress_bar()


def _has_sdpa(checkpoint: Checkpoint) -> bool:
    try:
        model_class = auto_class(checkpoint.task)._model_mapping[type(checkpoint.config)]
    except KeyError:
        return False
    return bool(getattr(model_class, "_supports_sdpa", False))


def load_tokenizer(checkpoint: Checkpoint, model: PreTrainedModel) -> PreTrainedTokenizerBase:
    """The checkpoint's fast tokenizer.

    Raises:
        ModelError: If there is none, it is not a fast one, or it has more tokens than the model.
    """
    tokenizer = open_tokenizer(checkpoint)
    n_embeddings = model.get_input_embeddings().weight.shape[0]
    if len(tokenizer) > n_embeddings:
        raise ModelError(
            f"{checkpoint.name}: the tokenizer has {len(tokenizer)} tokens but the model only {n_embeddings}: "
            "they do not belong together"
        )
    return tokenizer


def open_tokenizer(checkpoint: Checkpoint) -> PreTrainedTokenizerBase:
    """The checkpoint's fast tokenizer, without a model to compare it with.

    Raises:
        ModelError: If there is none, or it is not a fast one.
    """
    name = checkpoint.name
    try:
        tokenizer = AutoTokenizer.from_pretrained(checkpoint.folder, trust_remote_code=checkpoint.trust_remote_code)
    except Exception as error:  # whatever the code of a tokenizer raises
        raise ModelError(f"{name}: the tokenizer cannot be loaded: {one_line(error)}") from error
    if not tokenizer.is_fast:
        raise ModelError(f"{name}: needs a fast tokenizer (tokenizer.json) to know which characters a token stands for")
    return tokenizer


LIMITS = ("max_position_embeddings", "n_positions", "max_seq_len", "seq_length")
"""Names under which configurations say how many tokens their models see; the first that says it counts."""
UNLIMITED = 10**9
"""Tokenizers that know no limit say a number beyond this, and XLNet's configuration says -1."""


def max_length_of(model: PreTrainedModel, tokenizer: PreTrainedTokenizerBase) -> int:
    """Tokens the model can see at once, special tokens included; 1,024 where neither file says it.

    The smaller of the tokenizer's and the configuration's limits; RoBERTa-like models number positions from their
    padding index on, so that many fewer fit.
    """
    config = model.config.get_text_config()
    limits = [n for n in (tokenizer.model_max_length, _stated(config)) if n is not None and 0 < n < UNLIMITED]
    for module in model.modules():
        positions = getattr(module, "position_embeddings", None)
        if isinstance(positions, torch.nn.Embedding) and positions.padding_idx is not None:
            limits.append(positions.num_embeddings - positions.padding_idx - 1)
    return int(min(limits)) if limits else 1024


def _stated(config: PreTrainedConfig) -> int | None:
    stated = (getattr(config, name, None) for name in LIMITS)
    limit = next((n for n in stated if isinstance(n, int) and 0 < n < UNLIMITED), None)
    rope = getattr(config, "rope_parameters", None) or {}
    if limit is not None and rope.get("rope_type") == "dynamic":
        return int(limit * rope.get("factor", 1.0))  # these factors are made for texts beyond the stated positions
    return limit
