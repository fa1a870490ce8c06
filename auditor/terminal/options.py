"""The options that make a configuration, said once for every command that takes one."""

import functools
import inspect
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from auditor.errors import ConfigError

if TYPE_CHECKING:
    from auditor.config import Config


Templates = Annotated[Path | None, typer.Option(help="A folder of your own templates and user.css.")]
Fonts = Annotated[Path | None, typer.Option(help="A folder of additional fonts: .ttf, .otf or .woff2.")]


def configured(command: Callable[..., int]) -> Callable[..., int]:
    """The command with the options of `read_options` instead of its parameter `config`."""

    @functools.wraps(command)
    def wrapped(**options: Any) -> int:
        others = {name: options.pop(name) for name in list(options) if name not in made_from}
        return command(config=read_options(**options), **others)

    made_from = inspect.signature(read_options).parameters
    others = [parameter for name, parameter in inspect.signature(command).parameters.items() if name != "config"]
    by_name = [parameter.replace(kind=parameter.KEYWORD_ONLY) for parameter in (*made_from.values(), *others)]
    wrapped.__signature__ = inspect.Signature(by_name)  # type: ignore[attr-defined]
    wrapped.__annotations__ = {parameter.name: parameter.annotation for parameter in by_name}
    return wrapped


def read_options(
    file: Annotated[Path | None, typer.Argument(metavar="FILE", help="The audit, as TOML or YAML.")] = None,
    config: Annotated[Path | None, typer.Option("--config", "-c", help="The same as FILE.")] = None,
    model: Annotated[str | None, typer.Option(help="A model's folder, or its id on the hub.")] = None,
    data: Annotated[
        str | None, typer.Option(help="Documents: .jsonl .json .csv .tsv .parquet .arrow .txt, also .gz .zst .zip")
    ] = None,
    task: Annotated[str | None, typer.Option(help="By its Hugging Face name; else what the checkpoint says.")] = None,
    text_column: Annotated[str | None, typer.Option(help="Column of the text, where it is not text.")] = None,
    label_column: Annotated[str | None, typer.Option(help="Column of the label, where it is not label.")] = None,
    label_separator: Annotated[str | None, typer.Option(help="What stands between labels in one cell.")] = None,
    delimiter: Annotated[str | None, typer.Option(help="Of CSV: comma, semicolon, tab, pipe or none.")] = None,
    encoding: Annotated[str | None, typer.Option(help="Of text files: utf-8, gb18030, cp1252 …")] = None,
    split: Annotated[str | None, typer.Option(help="Of a dataset in splits.")] = None,
    pair_column: Annotated[str | None, typer.Option(help="Column of a second sentence.")] = None,
    revision: Annotated[str | None, typer.Option(help="Branch, tag or commit on the hub.")] = None,
    device: Annotated[str | None, typer.Option(help="auto, cpu, mps, cuda or cuda:1.")] = None,
    dtype: Annotated[str | None, typer.Option(help="auto, float32, bfloat16 or float16.")] = None,
    batch_tokens: Annotated[int | None, typer.Option(help="Tokens per batch.")] = None,
    limit: Annotated[int | None, typer.Option(help="Documents to draw from the corpus.")] = None,
    seed: Annotated[int | None, typer.Option(help="Of everything that is drawn.")] = None,
    output: Annotated[Path | None, typer.Option(help="The folder of all audits.  [default: reports]")] = None,
    templates: Templates = None,
    fonts: Fonts = None,
    trust_remote_code: Annotated[
        bool, typer.Option("--trust-remote-code", help="Run code that comes with the model.")
    ] = False,
    set_: Annotated[
        list[str] | None, typer.Option("--set", metavar="KEY=VALUE", help="Any key: probes.lime.n_samples=200")
    ] = None,
) -> "Config":
    """The configuration that the options of `run` and `check` describe.

    Raises:
        ConfigError: every fault of it, one line each.
    """
    from auditor.config import load

    _require_one_source(file, config, by_options=bool(model and data))
    flags = {
        "model.name": model,
        "corpus.path": data,
        "model.task": task,
        "corpus.text": text_column,
        "corpus.label": label_column,
        "corpus.label_separator": label_separator,
        "corpus.delimiter": delimiter,
        "corpus.encoding": encoding,
        "corpus.split": split,
        "corpus.pair": pair_column,
        "model.revision": revision,
        "model.device": device,
        "model.dtype": dtype,
        "model.batch_tokens": batch_tokens,
        "corpus.limit": limit,
        "seed": seed,
        "run.output": output,
        "report.templates": templates,
        "report.fonts": fonts,
        "model.trust_remote_code": trust_remote_code or None,
    }
    return load(file or config, {**dict(map(_pair, set_ or ())), **{k: v for k, v in flags.items() if v is not None}})


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
