"""The head of a model card of the Hugging Face hub: YAML with a `model-index` of what the audit measured.

Listed are the key numbers of page one and those with a check, as they are printed, with n and interval among the
arguments of the metric. The corpus is named as the configuration names it; an address `hf://datasets/OWNER/NAME` by
owner and name. Texts and paths of this machine are not in it.
"""

from pathlib import PurePosixPath
from typing import TYPE_CHECKING, Any

from auditor.findings.contract.types import Number
from auditor.running.exporters.contract import Finished

if TYPE_CHECKING:
    from huggingface_hub import EvalResult

_HUB = "hf://datasets/"


def card(finished: Finished) -> str:
    """The head, between lines of `---`."""
    from huggingface_hub import ModelCardData

    plan = finished.run.plan
    data = ModelCardData(
        model_name=PurePosixPath(plan.model.name.replace("\\", "/")).name,
        pipeline_tag=plan.task,
        library_name="transformers",
        eval_results=[_result(finished, number) for number in listed(finished)],
    )
    return f"---\n{data.to_yaml()}\n---\n"


def listed(finished: Finished) -> list[Number]:
    """Key numbers and those with a check, as far as they have a value; each once."""
    results = finished.findings
    judged = (check.number for check in results.checks if check.number)
    by_name = {number.name: number for number in (*results.key_numbers, *judged)}
    return [number for number in by_name.values() if number.value is not None]


def _result(finished: Finished, number: Number) -> "EvalResult":
    from huggingface_hub import EvalResult

    corpus = finished.run.plan.corpus
    dataset = corpus.path.removeprefix(_HUB) if corpus.path.startswith(_HUB) else PurePosixPath(corpus.path).name
    facts: dict[str, Any] = {"n": number.n, "unit": number.unit, "protocol": number.protocol}
    if number.low is not None and number.high is not None:
        facts |= {"confidence_level": 0.95, "confidence_interval": [number.low, number.high]}
    kind, _, of = number.name.replace("{", "[").partition("[")
    return EvalResult(
        task_type=finished.run.plan.task,
        dataset_type=dataset,
        dataset_name=dataset,
        dataset_args={"sha256": corpus.sha256, "n_documents": corpus.n_documents},
        metric_type=kind,
        metric_config=of.rstrip("]}") or None,
        metric_name=number.title,
        metric_value=number.value,
        metric_args={**facts, "auditor_run": finished.findings.run_id},
    )
