"""`comparison.json`: written the same way every time, and its JSON Schema."""

import json
from typing import Any

from auditor.findings.comparing.types import FORMAT, RunComparison


def write(comparison: RunComparison) -> bytes:
    """UTF-8 JSON in the order of the model, with a trailing newline; equal comparisons give equal bytes."""
    text = json.dumps(comparison.model_dump(mode="json"), indent=1, ensure_ascii=False, allow_nan=False)
    return f"{text}\n".encode()


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
