"""Words the errors of a configuration, one line each: file or flag, dotted key, what was expected, what was found."""

import difflib
import json
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from pydantic import BaseModel, ValidationError
from pydantic_core import ErrorDetails

from auditor.config.report import ReviewerConfig
from auditor.config.tables import CheckConfig, Config

_LONGEST = 60
_EXPECTED = {
    "string_type": "expected a string",
    "string_too_short": "expected a string that is not empty",
    "string_too_long": "expected at most {max_length} characters",
    "invalid_key": "expected a key that is a string",
    "int_type": "expected a whole number",
    "float_type": "expected a number",
    "bool_type": "expected true or false",
    "list_type": 'expected a list such as ["a", "b"]',
    "dict_type": "expected a table",
    "model_type": "expected a table",
    "greater_than_equal": "expected at least {ge}",
    "less_than_equal": "expected at most {le}",
    "less_than": "expected less than {lt}",
    "finite_number": "expected a finite number",
    "literal_error": "expected {expected}",
}
_FLAGS = {"corpus.path": "--data", "model.name": "--model"}


def fault_lines(error: ValidationError, path: Path | None, origins: Mapping[str, str]) -> list[str]:
    """One line per error, without repetition, in the order of the tables.

    Args:
        error: The errors from pydantic.
        path: The configuration file; None where there is none.
        origins: Dotted key → "command line" or the environment variable, for values that are not from the file.
    """
    lines: dict[str, None] = {}
    for fault in error.errors(include_url=False):
        parts = [str(part) for part in fault["loc"] if part != "[key]"]
        origin = _origin(".".join(parts), path, origins)
        for message in _messages(fault, parts):
            lines[f"{origin}: {message}"] = None
    return list(lines)


def _origin(key: str, path: Path | None, origins: Mapping[str, str]) -> str:
    """Where the value under a dotted key was given: a variable, the command line or the file."""
    for prefix, origin in origins.items():
        if key == prefix or key.startswith(f"{prefix}."):
            return origin
    return "command line" if path is None else str(path)


def _messages(fault: ErrorDetails, parts: list[str]) -> Iterator[str]:
    key = ".".join(parts)
    if fault["type"] == "extra_forbidden":
        yield f"{key}: unknown key{_near_key(parts)}"
    elif fault["loc"][-1] == "[key]" and fault["type"] == "string_type":
        yield f"{key}: expected a key that is a string{_input(fault['input'])}; put it into quotation marks"
    elif fault["type"] == "missing":
        yield f"{key}: missing; give it in the file" + (f" or with {_FLAGS[key]}" if key in _FLAGS else "")
    elif fault["type"] == "value_error":
        for message in str(fault["ctx"]["error"]).splitlines():
            yield f"{key}: {message}{_input(fault['input'])}"
    elif fault["type"] == "model_type" and parts[:2] == ["report", "reviewers"]:
        yield f"{key}: expected a name or {{ name = …, role = … }}{_input(fault['input'])}"
    elif parts[0] == "checks" and fault["type"] == "model_type":
        bounds = "{ at_least = … }, { at_most = … } or { not_worse_than_baseline_by = … }"
        yield f"{key}: expected {bounds}{_input(fault['input'])}"
    else:
        text = _EXPECTED.get(fault["type"], "").format(**fault.get("ctx", {}))
        yield f"{key}: {text or fault['msg'].replace('Input should be', 'expected')}{_input(fault['input'])}"


def _input(value: Any) -> str:  # any value that TOML or YAML can give
    """`, found 3`: the value that was given, as JSON; nothing for a table."""
    if isinstance(value, dict):
        return ""
    text = json.dumps(value, ensure_ascii=False, default=str)
    return f", found {text if len(text) <= _LONGEST else text[:_LONGEST] + '…'}"


def _near_key(parts: list[str]) -> str:
    """`; did you mean model.device?`: a key of similar spelling, in the same table or else in another."""
    table, name = ".".join(parts[:-1]), parts[-1]
    keys = [key.rpartition(".") for key in _known_keys(parts, f"{table}.")]
    siblings = [leaf for folder, _, leaf in keys if folder == table]
    near = [f"{table}.{leaf}".lstrip(".") for leaf in difflib.get_close_matches(name, siblings, n=1)]
    elsewhere = difflib.get_close_matches(name, [leaf for _, _, leaf in keys], n=1, cutoff=0.8)
    near += [f"{folder}.{leaf}" for folder, _, leaf in keys if leaf in elsewhere]
    return f"; did you mean {near[0]}?" if near else f"; known here: {', '.join(siblings)}"


def _known_keys(parts: list[str], prefix: str) -> Iterator[str]:
    """The dotted keys among which a misspelt one is looked up; within a check or a reviewer only those of its table."""
    if parts[0] == "checks":
        return _keys(CheckConfig, prefix)
    return _keys(ReviewerConfig, prefix) if parts[:2] == ["report", "reviewers"] else _keys(Config)


def _keys(model: type[BaseModel], prefix: str = "") -> Iterator[str]:
    for name, field in model.model_fields.items():
        yield f"{prefix}{name}"
        if isinstance(field.annotation, type) and issubclass(field.annotation, BaseModel):
            yield from _keys(field.annotation, f"{prefix}{name}.")
