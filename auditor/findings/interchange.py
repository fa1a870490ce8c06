"""`findings.json`: written the same way every time, read back only in a format that is understood."""

import json
from typing import Any

from pydantic import ValidationError

from auditor.errors import StoreError
from auditor.findings.types import FORMAT, Findings


def write(findings: Findings) -> bytes:
    """UTF-8 JSON in the order of the model, with a trailing newline; equal findings give equal bytes."""
    text = json.dumps(findings.model_dump(mode="json"), indent=1, ensure_ascii=False, allow_nan=False)
    return f"{text}\n".encode()


def read(data: bytes | str) -> Findings:
    """The findings that `write` wrote.

    Raises:
        StoreError: not JSON, another format, or not as the schema says.
    """
    try:
        found = json.loads(data)
    except ValueError as error:
        raise StoreError(
            f"findings.json: expected JSON, found something else ({error}); render the run again"
        ) from None
    version = found.get("format") if isinstance(found, dict) else None
    if version != FORMAT:
        raise StoreError(f"findings.json: expected format {FORMAT}, found {version or 'none'}; render the run again")
    try:
        return Findings.model_validate(found)
    except ValidationError as error:
        fault = error.errors()[0]
        place = ".".join(map(str, fault["loc"]))
        raise StoreError(f"findings.json: {place}: {fault['msg'].lower()}; render the run again") from None


def schema() -> dict[str, Any]:
    """The JSON Schema of `findings.json` (draft 2020-12)."""
    described = Findings.model_json_schema(mode="serialization")
    described["required"] = ["format", *described["required"]]
    return {"$schema": "https://json-schema.org/draft/2020-12/schema", **described, "title": FORMAT}
