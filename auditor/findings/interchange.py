"""`findings.json`: written the same way every time, read back only in a format that is understood."""

import json
from typing import Any

from pydantic import ConfigDict, ValidationError

from auditor.errors import StoreError
from auditor.findings.finding import Finding
from auditor.findings.registry import quantities, summaries, summary_of
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
        content = json.loads(data)
    except ValueError as error:
        raise StoreError(
            f"findings.json: expected JSON, found something else ({error}); render the run again"
        ) from None
    version = content.get("format") if isinstance(content, dict) else None
    if version != FORMAT:
        raise StoreError(f"findings.json: expected format {FORMAT}, found {version or 'none'}; render the run again")
    try:
        return Findings.model_validate({**content, **_analyses(content)})
    except ValidationError as error:
        raise _fault(error) from None


class Unknown(Finding):
    """What the summary of a probe came to that is not installed here."""

    model_config = ConfigDict(extra="allow")


def _analyses(content: dict[str, Any]) -> dict[str, Any]:
    """What every probe came to, as the findings of its summary; nothing where the file has no table of them."""
    analyses = content.get("analyses")
    if not isinstance(analyses, dict):
        return {}
    return {"analyses": {probe: _analysis(probe, of_one) for probe, of_one in analyses.items()}}


def _analysis(probe: str, content: object) -> Finding:
    summary = summary_of(probe)
    model = summary.findings if summary else Unknown
    try:
        return model.model_validate(content)
    except ValidationError as error:
        raise _fault(error, "analyses", probe) from None


def _fault(error: ValidationError, *parents: str) -> StoreError:
    """The first fault, with the path of its key."""
    fault = error.errors()[0]
    path = ".".join(map(str, (*parents, *fault["loc"])))
    return StoreError(f"findings.json: {path}: {fault['msg'].lower()}; render the run again")


def schema() -> dict[str, Any]:
    """The JSON Schema of `findings.json` (draft 2020-12), with the analyses and numbers of all installed summaries."""
    described = Findings.model_json_schema(mode="serialization")
    definitions, properties = described["$defs"], {}
    for probe, summary in summaries().items():
        model = summary.findings.model_json_schema(mode="serialization")
        definitions |= model.pop("$defs", {})
        definitions[summary.findings.__name__] = model
        properties[probe] = {"$ref": f"#/$defs/{summary.findings.__name__}"}
    described["properties"]["analyses"] |= {"properties": properties, "additionalProperties": {"type": "object"}}
    definitions["Number"]["properties"]["name"]["examples"] = list(quantities())
    described["required"] = ["format", *described["required"]]
    return {"$schema": "https://json-schema.org/draft/2020-12/schema", **described, "title": FORMAT}
