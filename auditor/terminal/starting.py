"""`auditor init`: the files that an audit begins with, and those that repeat it every night."""

import os
import shlex
from pathlib import Path
from typing import Annotated

import typer

from auditor.errors import EXIT_FINE, ConfigError
from auditor.terminal import scheduling
from auditor.terminal.options import AsJson
from auditor.terminal.printing import print_lines, to_json

File = Annotated[Path, typer.Argument(metavar="FILE", help="What to write; what a schedule repeats.")]
Model = Annotated[str | None, typer.Option(help="A model's folder, or its id on the hub.")]
Data = Annotated[str | None, typer.Option(help="The documents.")]
ByWhat = Annotated[
    scheduling.Schedule | None, typer.Option("--schedule", help="Print the files that repeat FILE every night.")
]
Docker = Annotated[bool, typer.Option("--docker", help="Print a Dockerfile and a compose file that run FILE.")]
At = Annotated[str, typer.Option("--at", metavar="TIME", help="When the night begins.")]
Zone = Annotated[str, typer.Option("--timezone", metavar="NAME", help="Of --at: UTC, Europe/Berlin.")]
Out = Annotated[Path | None, typer.Option("--out", metavar="DIR", help="Write these files there instead.")]


def init(
    path: File = Path("audit.toml"),
    model: Model = None,
    data: Data = None,
    schedule: ByWhat = None,
    docker: Docker = False,
    at: At = "02:30",
    zone: Zone = "UTC",
    out: Out = None,
    as_json: AsJson = False,
) -> int:
    """Write a commented configuration to start from. Or print files that repeat an audit every night."""
    if schedule is None and not docker:
        if out is not None:
            raise ConfigError(f"--out {out}: is for the files of --schedule or --docker; name the configuration itself")
        return _start(path, model, data, as_json)
    if model is not None or data is not None:
        raise ConfigError(f"--model and --data are for a new configuration; what is repeated is {path}, as it is")
    night = scheduling.night(path, at, zone, out or Path())
    files = scheduling.container(night) if docker else {}
    if schedule:
        files |= scheduling.schedule(schedule, night)
    return _hand_out(files, out, as_json)


def _start(path: Path, model: str | None, data: str | None, as_json: bool) -> int:
    from auditor.config import starter
    from auditor.records import disk

    if path.suffix.lower() != ".toml":
        raise ConfigError(f"{path}: what is written is TOML; give a name that ends in .toml")
    _require_new(path)
    disk.write(path, starter(_seen_from(path, model), _seen_from(path, data)).encode())
    if as_json:
        print_lines(to_json({"written": [str(path)]}))
    else:
        print_lines(f"{path}: written; edit it, then `auditor check {shlex.quote(str(path))}`")
    return EXIT_FINE


def _hand_out(files: dict[str, str], out: Path | None, as_json: bool) -> int:
    """Prints the files one after the other, each with its name in its first line, or writes them."""
    from auditor.records import disk

    if out is None:
        print_lines(to_json({"files": files}) if as_json else (text.rstrip("\n") for text in files.values()))
        return EXIT_FINE
    written = [out / name for name in files]
    for path in written:
        _require_new(path)
    for path, text in zip(written, files.values(), strict=True):
        disk.write(path, text.encode())
    print_lines(to_json({"written": list(map(str, written))}) if as_json else (f"{path}: written" for path in written))
    return EXIT_FINE


def _require_new(path: Path) -> None:
    """Refuses to write what is there.

    Raises:
        ConfigError: The file exists.
    """
    if path.exists():
        raise ConfigError(f"{path}: exists already and is left as it is; give another name")


def _seen_from(path: Path, value: str | None) -> str | None:
    """A file or folder that is here, as the configuration at `path` must name it; anything else as it stands."""
    return os.path.relpath(value, path.parent) if value and Path(value).exists() else value
