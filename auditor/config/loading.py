"""Loads a configuration: a file, the environment and flags become one validated `Config`."""

import copy
import difflib
import json
import os
import tomllib
from collections.abc import Iterator, Mapping
from pathlib import Path
from types import UnionType
from typing import Annotated, Any, Literal, Union, get_args, get_origin

import yaml
from pydantic import BaseModel, ValidationError

from auditor import hub
from auditor.config.faults import fault_lines
from auditor.config.tables import CheckConfig, Config
from auditor.errors import ConfigError

_PREFIX = "AUDITOR_"
_SYNTAX = {".toml": "TOML", ".yaml": "YAML", ".yml": "YAML"}


def load(path: Path | None, overrides: Mapping[str, object], *, environment: Mapping[str, str] | None = None) -> Config:
    """Read, merge and check a configuration.

    Args:
        path: A TOML or YAML file; None where there is none.
        overrides: Values by dotted key, from flags. A string is read as TOML ("200", "true", '["a", "b"]') where the
            key takes something else than a string; None stands for a flag that was not given.
        environment: `AUDITOR_SEED`, `AUDITOR_MODEL__DEVICE` and so on; variables whose first part is no key are
            ignored, unless it resembles one. None takes the environment of the process.

    Raises:
        ConfigError: all errors of the file, the environment and the flags, one line each.
    """
    tables = {} if path is None else read_tables(path)
    names_probes = bool(tables.get("probes"))
    origins: dict[str, str] = {}
    for variable, key, text in _variables(os.environ if environment is None else environment):
        origins[key] = f"environment variable {variable}"
        _set(tables, key, text)
    for key, value in overrides.items():
        if value is not None:
            origins[key] = "command line"
            _set(tables, key, value)
    if faults := [f"{origins.get(key, path)}: {key}: expected text in UTF-8" for key in _not_unicode(tables)]:
        raise ConfigError("\n".join(faults))
    if isinstance(tables.get("checks"), dict):
        tables["checks"] = dict(_named_checks(tables["checks"]))
    for required in ("corpus", "model"):
        tables.setdefault(required, {})
    try:
        config = Config.model_validate(tables)
    except ValidationError as error:
        raise ConfigError("\n".join(fault_lines(error, path, origins))) from None
    tuned = not names_probes and all(key.count(".") > 1 for key in origins if key.split(".")[0] == "probes")
    config = config.with_origin(path, frozenset(origins), tunes_probes=tuned)
    if faults := list(_revision_faults(config)):
        raise ConfigError("\n".join(f"{config.origin}: {fault}" for fault in faults))
    return config


def _not_unicode(value: object, key: str = "") -> Iterator[str]:
    """Dotted keys of texts that no file can hold: bytes of the command line, or of YAML, that are not UTF-8."""
    if isinstance(value, dict):
        for name, inner in value.items():
            yield from _not_unicode(str(name), key)
            yield from _not_unicode(inner, f"{key}.{name}".lstrip("."))
    elif isinstance(value, list):
        for inner in value:
            yield from _not_unicode(inner, key)
    elif isinstance(value, str) and value.encode(errors="replace").decode() != value:
        yield key


def _revision_faults(config: Config) -> Iterator[str]:
    """Errors in `model.revision`, which depend on whether the model is a folder or on the hub."""
    model, source = config.model, config.source("model.name")
    if isinstance(source, str):
        if model.trust_remote_code and not hub.is_commit(model.revision):
            yield "model: trust_remote_code needs a revision of 40 hexadecimal digits"
    elif model.revision is not None:
        _, commit = hub.snapshot_of(source) or ("", None)
        if commit is None:
            yield f"model.revision: {model.name} is a folder, which has no revisions: leave revision out"
        elif commit != model.revision:
            yield f"model.revision: {model.name} holds {commit}, not {model.revision}: leave revision out"


def _variables(environment: Mapping[str, str]) -> Iterator[tuple[str, str, str]]:
    """Name, dotted key and value of every variable that sets a key, sorted by name.

    Raises:
        ConfigError: a variable nearly names a key.
    """
    for variable, text in sorted(environment.items()):
        key = variable.removeprefix(_PREFIX).lower().replace("__", ".")
        first = key.split(".")[0]
        if not variable.startswith(_PREFIX):
            continue
        if first in Config.model_fields:
            yield variable, key, text
        elif near := difflib.get_close_matches(first, Config.model_fields, n=1, cutoff=0.8):
            raise ConfigError(
                f"environment variable {variable}: no such key; did you mean "
                f"{variable.replace(first.upper(), near[0].upper(), 1)}?"
            )


def schema() -> dict[str, Any]:
    """The JSON Schema of a configuration file."""
    return {"$schema": "https://json-schema.org/draft/2020-12/schema", **Config.model_json_schema()}


def read_tables(path: Path) -> dict[str, Any]:
    """The tables of a file, before validation.

    Raises:
        ConfigError: the file cannot be read or parsed.
    """
    syntax = _SYNTAX.get(path.suffix.lower())
    if syntax is None:
        raise ConfigError(f"{path}: expected a file ending in .toml, .yaml or .yml")
    try:
        text = path.read_text(encoding="utf-8-sig")
    except FileNotFoundError:
        raise ConfigError(f"{path}: no such file; `auditor init` writes one to start from") from None
    except UnicodeDecodeError as error:
        raise ConfigError(f"{path}: not UTF-8 (byte {error.start + 1}); convert the file to UTF-8") from None
    except (OSError, ValueError) as error:
        raise ConfigError(f"{path}: cannot be read: {getattr(error, 'strerror', None) or error}") from None
    tables = _parse(path, syntax, text)
    if not isinstance(tables, dict):
        raise ConfigError(f"{path}: expected tables such as corpus and model, found a {type(tables).__name__}")
    return tables


def _parse(path: Path, syntax: str, text: str) -> object:
    try:
        tables = tomllib.loads(text) if syntax == "TOML" else yaml.safe_load(text) or {}
        json.dumps(tables, default=str, skipkeys=True)  # fails on a YAML alias that holds itself
        return tables
    except tomllib.TOMLDecodeError as error:
        raise ConfigError(f"{path}: not TOML: {error}") from None
    except yaml.MarkedYAMLError as error:
        line = f" (at line {error.problem_mark.line + 1})" if error.problem_mark else ""
        raise ConfigError(f"{path}: not YAML: {error.problem}{line}") from None
    except (yaml.YAMLError, ValueError, RecursionError) as error:
        raise ConfigError(f"{path}: not {syntax}: {str(error).splitlines()[0]}") from None


def _set(tables: dict[str, Any], key: str, value: object) -> None:
    """Set the value of a dotted key; names of checks and keys of `[corpus.labels]` may contain dots."""
    parts = key.split(".")
    if parts[:2] == ["corpus", "labels"] and len(parts) > 2:
        parts = ["corpus", "labels", ".".join(parts[2:])]
    if parts[0] == "checks" and len(parts) > 2:
        parts = ["checks", ".".join(parts[1:-1]), parts[-1]]
    table: Any = tables
    for part in parts[:-1]:
        table = table.setdefault(part, {})
        if not isinstance(table, dict):
            return  # validation will report that this is no table
    table[parts[-1]] = copy.deepcopy(_typed(parts, value))


def _typed(parts: list[str], value: object) -> object:
    """The value of a flag or variable in the type of its key: strings are read as TOML where it takes no string."""
    if isinstance(value, Path):
        return str(value)
    if isinstance(value, tuple):
        return list(value)
    return value if not isinstance(value, str) or _takes_text(_annotation(parts)) else _toml_value(value)


def _toml_value(text: str) -> object:
    """A text read as a TOML value ("200" is a number), or the text itself where it is none ("cpu")."""
    try:
        values = tomllib.loads(f"value = {text}")
    except (tomllib.TOMLDecodeError, RecursionError):
        return text
    value = values["value"]
    return value if len(values) == 1 and isinstance(value, (bool, int, float, str, list, dict)) else text


def _annotation(parts: list[str]) -> Any:  # a type, as annotations are
    """The type of a key of `Config`; None for a key that it does not know."""
    table: Any = Config
    for part in parts:
        if not (isinstance(table, type) and issubclass(table, BaseModel) and part in table.model_fields):
            return None
        table = table.model_fields[part].annotation
    return table


def _takes_text(annotation: Any) -> bool:
    origin = get_origin(annotation)
    if origin in (Union, UnionType, Annotated):
        return any(_takes_text(option) for option in get_args(annotation))
    return annotation is str or origin is Literal


def _named_checks(tables: Mapping[str, Any], prefix: str = "") -> Iterator[tuple[str, Any]]:
    """Full name → check: an unquoted `lime.fidelity = { … }` is a table in a table to TOML."""
    for name, value in tables.items():
        inner = value.values() if isinstance(value, dict) and not value.keys() & CheckConfig.model_fields.keys() else ()
        if inner and all(isinstance(check, dict) for check in inner):
            yield from _named_checks(value, f"{prefix}{name}.")
        else:
            yield f"{prefix}{name}", value
