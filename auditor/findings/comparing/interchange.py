"""`comparison.json`: written the same way every time, and its JSON Schema."""

import json
from typing import Any

from pydantic import ValidationError

from auditor.errors import StoreError
from auditor.findings.comparing.types import FORMAT, RunComparison


def write(comparison: RunComparison) -> bytes:
    """UTF-8 JSON in the order of the model, with a trailing newline; equal comparisons give equal bytes."""
    text = json.dumps(comparison.model_dump(mode="json"), indent=1, ensure_ascii=False, allow_nan=False)
    return f"{text}\n".encode()


def read(content: bytes) -> RunComparison:
    """The comparison that `write` wrote.

    Raises:
        StoreError: It is not JSON, of another format, or not as the schema says.
    """
    try:
        return RunComparison.model_validate_json(content)
    except ValidationError as error:
        fault = error.errors()[0]
        where = ".".join(map(str, fault["loc"]))
        raise StoreError(f"comparison.json: {where}: {fault['msg'].lower()}; expected {FORMAT}") from None


def schema() -> dict[str, Any]:
    """The JSON Schema of `comparison.json` (draft 2020-12)."""
    described = RunComparison.model_json_schema(mode="serialization")
    required = ["format", *described.pop("required")]
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        **described,
        "required": list(dict.fromkeys(required)),
        "title": FORMAT,
    }
