"""Code that comes with a checkpoint: it must lie beside the weights, where a revision or a hash covers it."""

import json
from pathlib import Path

from auditor.errors import ModelError


def require_shipped_code(name: str, folder: Path) -> None:
    """Refuses code that transformers would fetch from another repository, in whatever state it is there.

    Raises:
        ModelError: If `auto_map` names such code.
    """
    for file in ("config.json", "tokenizer_config.json"):
        for reference in _code_references(folder / file):
            if "--" in reference:
                raise ModelError(
                    f"{name}: auto_map in {file} names code of another repository ({reference}), which neither "
                    "revision nor hash would cover: put its .py files into a folder with the model, and take "
                    f"{reference.split('--')[0]}-- out of auto_map"
                )


def _code_references(file: Path) -> list[str]:
    try:
        references = json.loads(file.read_bytes()).get("auto_map", {}).values()
    except (OSError, ValueError, AttributeError):
        return []
    lists = [value if isinstance(value, list) else [value] for value in references]
    return [one for values in lists for one in values if isinstance(one, str)]
