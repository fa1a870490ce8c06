"""A run of the audit as a run of MLflow, in an experiment that is called like the audit.

metrics      every number of the whole corpus and of its slices: `accuracy`, `accuracy.low`, `accuracy.high` (95 %
             interval), `accuracy.n`; MLflow has no brackets in names: `recall[positive]` is `recall positive`,
             `accuracy{length=short}` is `accuracy length:short`, the change since the baseline that a check is about
             `accuracy_baseline`. A perplexity is its logarithm, in nats
parameters   those of the probes
tags         verdict, checks, hashes of plan, model and corpus
artifacts    the report, findings.json, plan.json, manifest.json

A run that was exported before is not exported again; one that broke off is, as another. A folder is a file store of
MLflow, which keeps that form but does not develop it; MLflow must be told so by a variable of the environment. Nothing
is sent to the makers of MLflow.
"""

import os
import re
from collections.abc import Iterable, Iterator, Sequence
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

from auditor.errors import DiskError, StoreError
from auditor.findings.contract.types import Number
from auditor.running.exporters.contract import Exported, Finished, require

if TYPE_CHECKING:
    from mlflow.tracking import MlflowClient

_ADDRESS = re.compile(r"[a-z][a-z+-]*:.*")
_RUN = "auditor.run_id"
"""The tag that names the run, set when all is there."""
_LONGEST, _LONGEST_NAME, _AT_ONCE = 6000, 200, 100
"""Characters of a parameter and of a name, entries of a batch that MLflow takes."""
_ARTIFACTS = ("report.html", "report.pdf", "findings.json", "plan.json", "manifest.json")


def export(finished: Finished, where: str) -> Exported:
    """Writes the run into a folder, or to a tracking server by its address.

    Raises:
        InstallationError: MLflow is not here.
        StoreError: It refuses.
        DiskError: The folder cannot be written.
    """
    require("mlflow", "mlflow")
    uri = where if _ADDRESS.fullmatch(where) else Path(where).absolute().as_uri()
    os.environ.setdefault("MLFLOW_DISABLE_TELEMETRY", "true")
    if uri.startswith("file:"):
        os.environ.setdefault("MLFLOW_ALLOW_FILE_STORE", "true")
    from mlflow.exceptions import MlflowException
    from mlflow.tracking import MlflowClient

    try:
        return _export(finished, MlflowClient(tracking_uri=uri), uri)
    except MlflowException as error:
        raise StoreError(f"--to mlflow: {where}: {' '.join(str(error).split())}") from error
    except OSError as error:
        raise DiskError(f"--to mlflow: {where}: cannot be written: {error.strerror or error}") from error


def _export(finished: Finished, client: "MlflowClient", uri: str) -> Exported:
    results = finished.findings
    experiment = client.get_experiment_by_name(results.title)
    number = experiment.experiment_id if experiment else client.create_experiment(results.title)
    known = client.search_runs([number], f"tags.`{_RUN}` = '{results.run_id}'")
    facts = {"experiment_id": number, "is_new": not known}
    if known:
        return Exported((uri,), {**facts, "mlflow_run_id": known[0].info.run_id})
    run_id = client.create_run(number, _milliseconds(results.created), run_name=results.run_id).info.run_id
    _log(finished, client, run_id)
    client.set_tag(run_id, _RUN, results.run_id)
    client.set_terminated(run_id)
    return Exported((uri,), {**facts, "mlflow_run_id": run_id})


def _log(finished: Finished, client: "MlflowClient", run_id: str) -> None:
    from mlflow.entities import Metric, Param, RunTag

    moment = _milliseconds(finished.findings.created)
    numbers = (*finished.findings.numbers, *finished.findings.differences)
    for some in _batches([Metric(name, value, moment, 0) for name, value in _metrics(numbers)]):
        client.log_batch(run_id, metrics=some)
    for some in _batches([Param(name, text) for name, text in _parameters(finished).items()]):
        client.log_batch(run_id, params=some)
    for some in _batches([RunTag(name, str(value)) for name, value in _tags(finished).items()]):
        client.log_batch(run_id, tags=some)
    for name in _ARTIFACTS:
        if (finished.run.path / name).is_file():
            client.log_artifact(run_id, str(finished.run.path / name))


def _metrics(numbers: Iterable[Number]) -> Iterator[tuple[str, float]]:
    names: set[str] = set()
    for number in numbers:
        kept, name = number.compared, _name(number.name)
        while name in names:  # two labels that differ only in what MLflow does not take
            name += "_"
        names.add(name)
        measured = {name: kept.value, f"{name}.low": kept.low, f"{name}.high": kept.high}
        yield from ((key, value) for key, value in measured.items() if value is not None)
        yield f"{name}.n", float(number.n)


def _parameters(finished: Finished) -> dict[str, str]:
    parameters = finished.findings.parameters
    return {
        _name(f"{probe}.{name}"): text[:_LONGEST]
        for probe, of_one in parameters.items()
        for name, text in of_one.items()
    }


def _tags(finished: Finished) -> dict[str, Any]:
    results, plan = finished.findings, finished.run.plan
    facts = {"plan_id": plan.id, "verdict": results.verdict.result, "headline": results.verdict.headline}
    hashes = {
        "model": plan.model.name,
        "weights_sha256": plan.model.weights_sha256,
        "corpus_sha256": plan.corpus.sha256,
    }
    checks = {f"check.{check.name}": check.result for check in results.checks}
    return {f"auditor.{_name(key)}": value for key, value in {**facts, **hashes, **checks}.items() if value}


def _name(text: str) -> str:
    """A name as MLflow takes it and a file system too: letters and digits of any language, _ . - : and blanks."""
    plain = re.sub(r"[\[{,]", " ", re.sub(r"[\]}]", "", text)).replace("=", ":")
    return re.sub(r"[^\w.\-: ]", "_", plain)[:_LONGEST_NAME]


def _batches(entries: Sequence[Any]) -> Iterator[list[Any]]:
    for start in range(0, len(entries), _AT_ONCE):
        yield list(entries[start : start + _AT_ONCE])


def _milliseconds(created: str) -> int:
    return round(datetime.fromisoformat(created).timestamp() * 1000)
