"""Every key of a configuration, its type and its default.

The docstring under a field is its description in the JSON Schema.
"""

import codecs
import os
import re
from collections.abc import Iterator, Mapping
from difflib import get_close_matches
from encodings.aliases import aliases
from pathlib import Path
from typing import Annotated, Any, Literal, Self

from pydantic import AfterValidator, BeforeValidator, Field, GetJsonSchemaHandler, PrivateAttr, model_validator
from pydantic.json_schema import JsonSchemaValue
from pydantic_core import core_schema

from auditor import hub, tasks
from auditor.config.base import Count, Name, Table
from auditor.config.report import ReportConfig
from auditor.errors import ConfigError

_DEVICE = re.compile(r"auto|cpu|mps|(cuda|xpu)(:\d+)?")


def _known_device(name: str) -> str:
    if not _DEVICE.fullmatch(name):
        raise ValueError("expected auto, cpu, mps, cuda or one of several, such as cuda:1")
    return name


def _known_encoding(name: str) -> str:
    if not _is_encoding(name):
        known = sorted(alias for alias, codec in aliases.items() if _is_encoding(codec))
        near = get_close_matches(name.lower().replace("-", "_"), known, 1)
        hint = f"; did you mean {codecs.lookup(near[0]).name}?" if near else ""
        raise ValueError(f"expected an encoding that Python knows, such as utf-8, gb18030 or cp1252{hint}")
    return name


def _is_encoding(name: str) -> bool:
    try:
        "".encode(name)  # unlike a look-up, refuses codecs that are no encodings of text, such as rot13
    except (LookupError, ValueError):
        return False
    return True


class _TaskName:
    """The name of a task that somebody has registered; a JSON Schema lists them."""

    def __get_pydantic_json_schema__(
        self, schema: core_schema.CoreSchema, handler: GetJsonSchemaHandler
    ) -> JsonSchemaValue:
        return {**handler(schema), "enum": list(tasks.tasks())}


def _known_task(name: str) -> str:
    try:
        return tasks.task(name).name
    except ConfigError as fault:
        raise ValueError(str(fault)) from None


Device = Annotated[str, AfterValidator(_known_device)]


def _listed(names: Any) -> Any:  # any value that TOML or YAML can give
    listed = [names] if isinstance(names, str) else names
    if not (isinstance(listed, list) and all(isinstance(name, str) for name in listed)):
        raise ValueError("expected a label of the model, or a list of them")
    return listed


TaskName = Annotated[Name, AfterValidator(_known_task), _TaskName()]
LabelNames = Annotated[list[str], BeforeValidator(_listed, json_schema_input_type=str | list[str])]


class CorpusConfig(Table):
    """The documents: the keyword arguments of `corpus.load`."""

    path: Name
    """A file, or a folder of the package datasets, relative to this one; or hf://datasets/OWNER/NAME[@REVISION]."""
    format: Literal["jsonl", "json", "csv", "tsv", "parquet", "arrow", "txt"] | None = None
    """By default what the suffix stands for."""
    encoding: Annotated[str, AfterValidator(_known_encoding)] | None = None
    """Of a text file, as Python names it, such as "gb18030"; by default recognised, and a guess is noted."""
    delimiter: Literal["comma", "semicolon", "tab", "pipe", "none", ",", ";", "\t", "\\t", "|"] | None = None
    """What separates the columns of CSV and TSV; "none" where there is one; by default told from the first rows."""
    split: Name | None = None
    """Of a dataset in splits, such as "test"."""
    text: Name = "text"
    """The column of the document's text."""
    pair: Name | None = None
    """The column of the second sentence, where the task compares two."""
    label: str | None = None
    """The column of the reference labels; by default "label" if there is one; "" for none."""
    label_separator: Name | None = None
    """What stands between several labels in one cell, such as ";"."""
    labels: dict[str, LabelNames] | None = None
    """What is written in that column → the label of the model that it means; several in a list, [] for none."""
    id: str | None = None
    """The column of the ids; by default "id" if there is one, else file and line; "" for none."""
    metadata: list[str] | None = None
    """The columns to slice by; by default every other column with 2 to 12 distinct values."""
    limit: Count | None = None
    """At most this many documents: a seeded sample, stratified by label."""


class ModelConfig(Table):
    """The model: the keyword arguments of `models.load`."""

    name: Name
    """A folder, relative to this file, or the id of a model on the hub."""
    task: TaskName | None = None
    """By default what the checkpoint says."""
    revision: Name | None = None
    """Branch, tag or commit on the hub; a folder has none."""
    device: Device = "auto"
    """By default cuda if there is one, else mps, else cpu."""
    dtype: Literal["auto", "float32", "bfloat16", "float16"] = "auto"
    """By default float32 on a CPU and the checkpoint's own on a GPU; half precision runs under autocast."""
    device_map: Literal["auto"] | None = None
    """"auto" spreads a model that does not fit over all devices and the CPU's memory; needs the package accelerate."""
    compile: bool = False
    """Compile the model with torch.compile: slow to start, faster on a GPU for long audits."""
    trust_remote_code: bool = False
    """Run Python that comes with the model; from the hub only of a commit, given as revision. The plan has its hash."""
    batch_tokens: Count | None = None
    """Tokens per batch; by default what the device holds."""
    max_length: Count | None = None
    """Tokens after which a document is cut; by default what the model can take."""
    multi_label: bool | None = None
    """Whether a document may have several labels; by default what the checkpoint says."""
    prompt: str | None = None
    """Of a language model: the template around a document, which stands at {text}."""
    chat: bool = False
    """Of a chat model: put the prompt into the tokenizer's chat template, as a user's message."""
    candidates: list[Name] | None = None
    """Of a language model: the continuations to choose between."""
    max_new_tokens: Count = 20
    """Of a language model without candidates: how long its own continuation may be."""
    lock: Name | None = None
    """A file of `auditor lock`, relative to this file: a model that is not made of the files there is refused."""

    @model_validator(mode="after")
    def _agree(self) -> Self:
        faults = [message for is_wrong, message in self._disagreements() if is_wrong]
        if faults:
            raise ValueError("\n".join(faults))
        return self

    def _disagreements(self) -> Iterator[tuple[bool, str]]:
        choices = None if self.candidates is None else [candidate.strip() for candidate in self.candidates]
        spread = self.device_map is not None and self.device != "auto"
        yield spread, 'device_map = "auto" chooses the devices itself: leave out device'
        yield self.prompt is not None and "{text}" not in self.prompt, "prompt must contain {text}"
        yield choices is not None and len(choices) < 2, "candidates must be at least two"
        yield (
            choices is not None and len(set(choices)) < len(choices),
            "candidates must differ, not only in blanks",
        )
        yield choices is not None and "" in choices, "candidates must not be blank"
        for key in self.task_settings if self.task else ():
            able = tasks.with_setting(key)
            yield self.task not in able, f"{key} is for {' and '.join(able)} only"

    @property
    def task_settings(self) -> tuple[str, ...]:
        """The keys that are given of those which only some tasks have."""
        fields = type(self).model_fields
        return tuple(key for key in tasks.SETTINGS if getattr(self, key) != fields[key].default)


class CheckConfig(Table):
    """What is demanded of one number, fixed before the run: one of the two sides, or the baseline, or both."""

    at_least: float | None = None
    at_most: float | None = None
    not_worse_than_baseline_by: Annotated[float, Field(ge=0)] | None = None
    """By how much it may be worse than that of the baseline, over the whole interval of the difference."""
    required: bool = True
    """Whether the verdict depends on it."""

    @model_validator(mode="after")
    def _one_bound(self) -> Self:
        if self.at_least is not None and self.at_most is not None:
            raise ValueError("expected only one of at_least and at_most")
        if self.at_least is None and self.at_most is None and self.not_worse_than_baseline_by is None:
            raise ValueError("expected at_least, at_most or not_worse_than_baseline_by")
        return self


class RunConfig(Table):
    """Where the evidence goes and when to give up."""

    output: Name = "reports"
    """A folder, relative to the current directory."""
    shard_size: Count = 25
    """Documents whose evidence is written at once."""
    executor: Name = "serial"
    """What runs the shards: "serial" here, one after the other; "local" in processes of this machine; "ray" on many."""
    workers: Count | None = None
    """Of "local" and "ray"; by default one for each CUDA device, else one for each processor, four at most."""
    shard_timeout: Annotated[float, Field(gt=0, allow_inf_nan=False)] = 3600.0
    """Seconds for what one probe does in one shard; a worker of "local" or "ray" that takes longer is replaced."""
    cache: bool = True
    """Use again what runs under `output` measured of the same model and document in the same way, and keep the rest."""
    cache_size: Count = 2000
    """Megabytes that they may take; those that no run used for longest go first."""
    max_failures: Annotated[float, Field(ge=0, le=1)] = 0.05
    """Share of a probe's documents that may fail; the run stops at the first beyond it. 0.05 of ten documents is none.

    Documents that hold nothing for a probe to measure are no failures.
    """


class Config(Table):
    """A whole audit."""

    title: str = ""
    """By default "Audit of" and the model's name."""
    seed: Annotated[int, Field(ge=0, lt=2**32)] = 0
    corpus: CorpusConfig
    model: ModelConfig
    probes: dict[Name, dict[str, Any]] = Field(default_factory=dict)
    """Parameters by probe; by default every probe that the task supports, with default parameters."""
    checks: dict[Name, CheckConfig] = Field(default_factory=dict)
    """Bounds by the name of the number, such as "accuracy" or "lime.fidelity"."""
    waivers: Name | None = None
    """A file of waivers: failures that somebody answers for until a day."""
    report: ReportConfig = ReportConfig()
    run: RunConfig = RunConfig()

    _file: Path | None = PrivateAttr(default=None)
    _typed: frozenset[str] = PrivateAttr(default_factory=frozenset)
    _tunes_probes: bool = PrivateAttr(default=False)

    @model_validator(mode="before")
    @classmethod
    def _name_the_audit(cls, tables: Any) -> Any:  # any value that TOML or YAML can give
        if not isinstance(tables, Mapping) or tables.get("title"):
            return tables
        model = tables.get("model")
        name = model.get("name") if isinstance(model, Mapping) else getattr(model, "name", None)
        if not isinstance(name, str):
            return tables
        return {**tables, "title": f"Audit of {_last_of(name)}"}

    def with_origin(self, file: Path | None, typed: frozenset[str], *, tunes_probes: bool = False) -> Self:
        """A copy that knows where its values come from, by which paths are resolved.

        Args:
            file: The file it was read from; None for flags alone.
            typed: Dotted keys whose values are from flags or the environment: paths relative to the current directory.
            tunes_probes: Whether all of [probes] is single parameters among `typed`, which select no probe.
        """
        copy = self.model_copy()
        copy._file, copy._typed, copy._tunes_probes = file, typed, tunes_probes
        return copy

    @property
    def chooses_probes(self) -> bool:
        """Whether [probes] selects the probes that run; else all that the task supports run."""
        return bool(self.probes) and not self._tunes_probes

    @property
    def origin(self) -> str:
        """The path of the file, or "command line", for messages."""
        return "command line" if self._file is None else str(self._file)

    @property
    def base(self) -> Path:
        """The folder of the file, relative to the current directory; the current directory where there is no file."""
        return Path() if self._file is None else self._file.parent

    def locate(self, key: str) -> Path:
        """The path under a dotted key, such as "corpus.path", relative to the current directory.

        Raises:
            KeyError: there is no string under that key.
        """
        return _path(self._value(key), self._base_of(key))

    def source(self, key: str) -> Path | str:
        """The model under a dotted key, such as "model.name": the path of a folder, or an id on the hub.

        Raises:
            KeyError: there is no string under that key.
        """
        return resolve_model(self._value(key), self._base_of(key))

    def resolved(self) -> dict[str, Any]:
        """Every key with its value, defaults included, JSON-ready; paths as they were given."""
        return self.model_dump(mode="json")

    def _base_of(self, key: str) -> Path:
        return Path() if key in self._typed or key == "run.output" else self.base

    def _value(self, key: str) -> str:
        value: Any = self.model_dump()
        for part in key.split("."):
            value = value.get(part) if isinstance(value, dict) else None
        if not isinstance(value, str):
            raise KeyError(key)
        return value


def resolve_model(name: str, base: Path) -> Path | str:
    """The folder of a model, where its name is a path or a folder under `base`; else the name, as an id on the hub.

    A name that begins with `/`, `~` or `.` is a path, whether it exists or not.
    """
    if _is_path(name):
        return _path(name, base)
    path = base / name
    return path if os.path.isdir(path) else name  # noqa: PTH112 - unlike is_dir, False for a name too long


def _path(path: str, base: Path) -> Path:
    """The path, relative to a base unless it is absolute, with `~` expanded.

    Raises:
        ConfigError: there is no such home folder.
    """
    try:
        return base / Path(path).expanduser()
    except RuntimeError:
        raise ConfigError(f"{path}: there is no such home folder; write the path in full") from None


def _last_of(name: str) -> str:
    """The name of a model in a title: its id, or the name of its folder."""
    snapshot = hub.snapshot_of(Path(name))
    return snapshot[0] if snapshot else Path(name).name if _is_path(name) else name


def _is_path(name: str) -> bool:
    return name.startswith(("/", "~", ".")) or Path(name).is_absolute()
