"""The options that make a configuration, said once for every command that takes one."""

import functools
import inspect
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Final

import typer

from auditor.errors import ConfigError

if TYPE_CHECKING:
    from auditor.config import Config


def _option(kind: Any, help_: str, *flags: str) -> Any:
    return Annotated[kind | None, typer.Option(*flags, help=help_)]


RunName = Annotated[str, typer.Argument(metavar="RUN", help="A run's folder, its id, the beginning of it, or latest.")]
Root = Annotated[Path, typer.Option("--root", help="The folder of all audits.")]
NoPdf = Annotated[bool, typer.Option("--no-pdf", help="Write report.html only; a report.pdf of before is removed.")]
AsJson = Annotated[bool, typer.Option("--json", help="Print one JSON object.")]
Templates = Annotated[Path | None, typer.Option(help="A folder of your own templates and user.css.")]
Fonts = Annotated[Path | None, typer.Option(help="A folder of additional fonts: .ttf, .otf or .woff2.")]
OPTIONS: Final[Mapping[str, tuple[str, Any]]] = {
    "model": ("model.name", _option(str, "A model's folder, or its id on the hub.")),
    "data": ("corpus.path", _option(str, "Documents: .jsonl .json .csv .tsv .parquet .arrow .txt, also .gz .zst .zip")),
    "task": ("model.task", _option(str, "By its Hugging Face name; else what the checkpoint says.")),
    "text_column": ("corpus.text", _option(str, "Column of the text, where it is not text.")),
    "label_column": ("corpus.label", _option(str, "Column of the label, where it is not label.")),
    "label_separator": ("corpus.label_separator", _option(str, "What stands between labels in one cell.")),
    "delimiter": ("corpus.delimiter", _option(str, "Of CSV: comma, semicolon, tab, pipe or none.")),
    "encoding": ("corpus.encoding", _option(str, "Of text files: utf-8, gb18030, cp1252 …")),
    "split": ("corpus.split", _option(str, "Of a dataset in splits.")),
    "pair_column": ("corpus.pair", _option(str, "Column of a second sentence.")),
    "revision": ("model.revision", _option(str, "Branch, tag or commit on the hub.")),
    "device": ("model.device", _option(str, "auto, cpu, mps, cuda or cuda:1.")),
    "dtype": ("model.dtype", _option(str, "auto, float32, bfloat16 or float16.")),
    "batch_tokens": ("model.batch_tokens", _option(int, "Tokens per batch.")),
    "limit": ("corpus.limit", _option(int, "Documents to draw from the corpus.")),
    "seed": ("seed", _option(int, "Of everything that is drawn.")),
    "output": ("run.output", _option(Path, "The folder of all audits.  [default: reports]")),
    "executor": ("run.executor", _option(str, "What runs the shards: serial, local or ray.")),
    "workers": ("run.workers", _option(int, "Processes of local and ray; else one for each device.")),
    "cache": ("run.cache", _option(bool, "Use rows of runs before.  [default: cache]", "--cache/--no-cache")),
    "lock": ("model.lock", _option(Path, "Refuse models that are not made of the files of this lock.")),
    "templates": ("report.templates", Templates),
    "fonts": ("report.fonts", Fonts),
    "trust_remote_code": (
        "model.trust_remote_code",
        _option(bool, "Run code that comes with the model.", "--trust-remote-code"),
    ),
}
"""Options for one key of a configuration each: the key, and how the option is typed and explained. Without defaults."""


def configured(command: Callable[..., int]) -> Callable[..., int]:
    """The command with `OPTIONS`, and those of `read_options`, instead of its parameter `config`."""
    file, config, others, _ = inspect.signature(read_options).parameters.values()
    keys = [inspect.Parameter(name, file.kind, default=None, annotation=kind) for name, (_, kind) in OPTIONS.items()]
    made_from = {parameter.name: parameter for parameter in (file, config, *keys, others)}

    @functools.wraps(command)
    def wrapped(**options: Any) -> int:
        rest = {name: options.pop(name) for name in list(options) if name not in made_from}
        return command(config=read_options(**options), **rest)

    rest = [parameter for name, parameter in inspect.signature(command).parameters.items() if name != "config"]
    by_name = [parameter.replace(kind=parameter.KEYWORD_ONLY) for parameter in (*made_from.values(), *rest)]
    wrapped.__signature__ = inspect.Signature(by_name)  # type: ignore[attr-defined]
    wrapped.__annotations__ = {parameter.name: parameter.annotation for parameter in by_name}
    return wrapped


def read_options(
    file: Annotated[Path | None, typer.Argument(metavar="FILE", help="The audit, as TOML or YAML.")] = None,
    config: Annotated[Path | None, typer.Option("--config", "-c", help="The same as FILE.")] = None,
    set_: Annotated[
        list[str] | None, typer.Option("--set", metavar="KEY=VALUE", help="Any key: probes.lime.n_samples=200")
    ] = None,
    **options: Any,
) -> "Config":
    """The configuration that the options of `run` and `check` describe.

    Args:
        file: The audit.
        config: The same.
        set_: KEY=VALUE, for any key.
        options: By the names of `OPTIONS`; None where not given.

    Raises:
        ConfigError: every fault of it, one line each.
    """
    from auditor.config import load

    _require_one_source(file, config, by_options=bool(options.get("model") and options.get("data")))
    flags = {OPTIONS[name][0]: value for name, value in options.items() if value is not None}
    return load(file or config, {**dict(map(_pair, set_ or ())), **flags})


def _require_one_source(file: Path | None, config: Path | None, *, by_options: bool) -> None:
    if file and config:
        raise ConfigError(f"expected one configuration, found two: {file} and --config {config}")
    if not (file or config or by_options):
        raise ConfigError("expected a configuration file, or --model MODEL and --data FILE; `auditor init` writes one")


def _pair(text: str) -> tuple[str, str]:
    key, equals, value = text.partition("=")
    if not (key.strip() and equals):
        raise ConfigError(f"--set {text}: expected KEY=VALUE, such as probes.lime.n_samples=200")
    return key.strip(), value.strip()
