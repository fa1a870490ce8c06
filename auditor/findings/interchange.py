"""`findings.json`: written the same way every time, read back only in a format that is understood."""

import json
from collections.abc import Mapping
from typing import Any

from pydantic import ConfigDict, ValidationError
from pydantic.json_schema import models_json_schema

from auditor.errors import StoreError
from auditor.findings.contract.finding import Finding
from auditor.findings.contract.registry import quantities, summaries, summary_of
from auditor.findings.contract.types import FORMAT, Findings


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
    models = {probe: summary.findings for probe, summary in summaries().items()}
    wanted: dict[type[Finding], None] = dict.fromkeys((Findings, *models.values()))
    references, described = models_json_schema([(model, "serialization") for model in wanted])
    definitions = described["$defs"]
    whole = definitions.pop(_defined_as(references[Findings, "serialization"]))
    properties = {probe: references[model, "serialization"] for probe, model in models.items()}
    whole["properties"]["analyses"] |= {"properties": properties, "additionalProperties": {"type": "object"}}
    number = definitions[_defined_as(whole["properties"]["numbers"]["items"])]
    number["properties"]["name"]["examples"] = list(quantities())
    whole["required"] = ["format", *whole["required"]]
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "$defs": definitions,
        **whole,
        "title": FORMAT,
    }


def _defined_as(reference: Mapping[str, str]) -> str:
    """`{"$ref": "#/$defs/Number"}` → `Number`."""
    return reference["$ref"].rpartition("/")[2]
