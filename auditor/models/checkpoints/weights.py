"""Which files of a checkpoint hold its weights, as transformers has it: safetensors, and nothing that can run code."""

import json
from collections.abc import Sequence
from pathlib import Path

from auditor.errors import ModelError, first_line

WEIGHTS = "model.safetensors"
INDEX = "model.safetensors.index.json"
"""Which file holds which weight, where there are several."""
LFS_POINTER = b"version https://git-lfs"
PICKLES = ("pytorch_model*.bin", "*.pt", "*.pth", "*.ckpt", "*.pkl")


def weight_names(name: str, folder: Path) -> list[str]:
    """The files with the weights: one, or those that the index names, which counts where there is no such file.

    Raises:
        ModelError: The index cannot be understood.
    """
    if (folder / WEIGHTS).is_file() or not (folder / INDEX).is_file():
        return [WEIGHTS]
    try:
        return sorted(set(json.loads((folder / INDEX).read_bytes())["weight_map"].values()))
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise ModelError(f"{name}: {INDEX} cannot be understood: {first_line(error)}; fetch it again") from error


def require_weights(name: str, folder: Path) -> None:
    """Refuses a folder without all of its weights, or with pickles in their place.

    Raises:
        ModelError: A file is missing, cannot be read, or is a pointer of Git LFS.
    """
    files = weight_names(name, folder)
    missing = [file for file in files if not (folder / file).is_file()]
    if not missing:
        _require_content(name, [folder / file for file in files])
        return
    pickles = sorted(file.name for pattern in PICKLES for file in folder.glob(pattern))
    others = sorted(file.name for file in folder.glob("*.safetensors"))
    instead = f"found only {', '.join(pickles[:3])} (pickle files can run code)" if pickles else "found no weights"
    if others:
        instead = f"found {', '.join(others[:3])} but not {', '.join(missing[:3])}"
    raise ModelError(f"{name}: expected weights as {WEIGHTS}, {instead}; save the model again with save_pretrained")


def _require_content(name: str, files: Sequence[Path]) -> None:
    for file in files:
        try:
            with file.open("rb") as stream:
                beginning = stream.read(len(LFS_POINTER))
        except OSError as error:
            raise ModelError(f"{name}: {file.name} cannot be read: {error.strerror or error}") from error
        if beginning == LFS_POINTER:
            raise ModelError(
                f"{name}: {file.name} is not the weights but a pointer to them of Git LFS; run git lfs pull"
            )
