"""`auditor init`: the files that an audit begins with."""

import os
import shlex
from pathlib import Path
from typing import Annotated

import typer

from auditor.errors import EXIT_FINE, ConfigError
from auditor.terminal.options import AsJson
from auditor.terminal.printing import print_lines, to_json

File = Annotated[Path, typer.Argument(metavar="FILE", help="What to write.")]
Model = Annotated[str | None, typer.Option(help="A model's folder, or its id on the hub.")]
Data = Annotated[str | None, typer.Option(help="The documents.")]


def init(path: File = Path("audit.toml"), model: Model = None, data: Data = None, as_json: AsJson = False) -> int:
    """Write a commented configuration to start from."""
    from auditor.config import starter
    from auditor.records import disk

    if path.suffix.lower() != ".toml":
        raise ConfigError(f"{path}: what is written is TOML; give a name that ends in .toml")
    require_new(path)
    disk.write(path, starter(_seen_from(path, model), _seen_from(path, data)).encode())
    if as_json:
        print_lines(to_json({"written": [str(path)]}))
    else:
        print_lines(f"{path}: written; edit it, then `auditor check {shlex.quote(str(path))}`")
    return EXIT_FINE


def require_new(path: Path) -> None:
    """Refuses to write what is there.

    Raises:
        ConfigError: The file exists.
    """
    if path.exists():
        raise ConfigError(f"{path}: exists already and is left as it is; give another name")


def _seen_from(path: Path, value: str | None) -> str | None:
    """A file or folder that is here, as the configuration at `path` must name it; anything else as it stands."""
    return os.path.relpath(value, path.parent) if value and Path(value).exists() else value
