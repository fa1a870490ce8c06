"""The head of a model card of the Hugging Face hub: YAML with a `model-index` of what the audit measured.

Listed are the key numbers of page one and those with a check, as they are printed, with n and interval among the
arguments of the metric; a change since the baseline says nothing of the model alone, and is not. The corpus is named by
the last part of its path; a dataset of the hub by its name, revision, subset and split. Texts and folders of this
machine are not in it.
"""

import re
from collections.abc import Mapping
from pathlib import PurePath, PurePosixPath, PureWindowsPath
from typing import TYPE_CHECKING, Any

from auditor.corpus.readers.hub import address_of
from auditor.findings.contract.types import Number
from auditor.records.plan import Plan
from auditor.running.exporters.contract import Finished

if TYPE_CHECKING:
    from huggingface_hub import EvalResult

_OF = re.compile(r"(?P<kind>[^\[{]+)(?:\[(?P<label>.*?)\])?(?:\{(?P<slice>.*)\})?", re.DOTALL)
"""The name of a number: kind, label, slice."""


def card(finished: Finished) -> str:
    """The head, between lines of `---`."""
    from huggingface_hub import ModelCardData

    plan = finished.run.plan
    data = ModelCardData(
        model_name=_last(plan.model.name),
        pipeline_tag=plan.task,
        library_name="transformers",
        eval_results=[_result(finished, number) for number in listed(finished)],
    )
    return f"---\n{data.to_yaml()}\n---\n"


def listed(finished: Finished) -> list[Number]:
    """Key numbers and those with a check, as far as they have a value; each once."""
    results = finished.findings
    judged = (check.number for check in results.checks if check.number and not check.baseline)
    by_name = {number.name: number for number in (*results.key_numbers, *judged)}
    return [number for number in by_name.values() if number.value is not None]


def _result(finished: Finished, number: Number) -> "EvalResult":
    from huggingface_hub import EvalResult

    facts: dict[str, Any] = {"n": number.n, "unit": number.unit, "protocol": number.protocol}
    if number.low is not None and number.high is not None:
        facts |= {"confidence_level": 0.95, "confidence_interval": [number.low, number.high]}
    parts = _OF.fullmatch(number.name)
    kind, label, part = parts.group("kind", "label", "slice") if parts else (number.name, None, None)
    return EvalResult(
        task_type=finished.run.plan.task,
        **_dataset(finished.run.plan),
        metric_type=kind,
        metric_config=", ".join(filter(None, (label, part))) or None,
        metric_name=number.title,
        metric_value=number.value,
        metric_args={**facts, "auditor_run": finished.findings.run_id},
    )


def _dataset(plan: Plan) -> dict[str, Any]:
    """The arguments about the dataset."""
    corpus, table = plan.corpus, plan.configuration.get("corpus")
    split = table.get("split") if isinstance(table, Mapping) else None
    parts = address_of(corpus.path) or {"name": _last(corpus.path), "revision": None, "subset": None}
    return {
        "dataset_type": parts["name"],
        "dataset_name": parts["name"],
        "dataset_revision": parts["revision"],
        "dataset_config": parts["subset"],
        "dataset_split": split,
        "dataset_args": {"sha256": corpus.sha256, "n_documents": corpus.n_documents},
    }


def _last(path: str) -> str:
    """The last part of a path of any system, or of an id on the hub."""
    kind: type[PurePath] = PureWindowsPath if "\\" in path else PurePosixPath
    return kind(path).name
