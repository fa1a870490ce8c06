"""From what was checked to the plan: everything that decides the evidence, before anything is measured."""

import platform
from collections.abc import Iterable
from importlib.metadata import PackageNotFoundError, version
from typing import TYPE_CHECKING

from pydantic import TypeAdapter

import auditor
from auditor.config import Config
from auditor.probes.contract import Requires
from auditor.records.kinds import record_name
from auditor.records.plan import (
    Bound,
    Plan,
    PlannedCorpus,
    PlannedModel,
    PlannedProbe,
    PlannedReport,
    PlannedReviewer,
    PlannedWaiver,
    Prompt,
    ShardRange,
)
from auditor.running.labelling import is_multi_label
from auditor.running.preflight import Preflight

if TYPE_CHECKING:
    from auditor.models import Checkpoint
    from auditor.probes.contract import AnyProbe

LIBRARIES = ("torch", "transformers", "tokenizers", "safetensors", "numpy", "scipy", "pyarrow", "jieba")


def plan(preflight: Preflight, command: str) -> Plan:
    """What will be done; equal plans are the same work.

    Args:
        preflight: What was checked.
        command: The command line, for provenance.
    """
    config, checkpoint = preflight.config, preflight.checkpoint
    return Plan(
        title=config.title,
        task=checkpoint.task,
        seed=config.seed,
        device=preflight.device,
        dtype=preflight.dtype,
        multi_label=is_multi_label(config, checkpoint),
        model=_model(checkpoint),
        references={name: _model(reference) for name, reference in preflight.references.items()},
        prompt=Prompt(config.model.prompt, tuple(config.model.candidates or ()), config.model.chat),
        corpus=_corpus(preflight),
        probes={probe.name: _probe(probe, preflight.asked[probe.name]) for probe in preflight.probes},
        left_out=dict(preflight.left_out),
        checks={name: Bound(**bound.model_dump()) for name, bound in config.checks.items()},
        waivers=tuple(
            PlannedWaiver(one.finding, one.owner, one.expires.isoformat(), one.reason) for one in preflight.waivers
        ),
        report=plan_report(config),
        look=preflight.appearance.planned(),
        shards=tuple(ShardRange(shard.start, shard.stop) for shard in preflight.shards),
        notes=preflight.notes,
        versions=_versions(preflight.probes),
        configuration={key: table for key, table in config.resolved().items() if key != "run"},
        command=command,
        self_checks=preflight.self_checks,
    )


def plan_report(config: Config) -> PlannedReport:
    """The settings of the report: language, sections, reviewers, statements."""
    report = config.report
    statements: dict[str, str | None] = report.statements.model_dump()
    return PlannedReport(
        language=report.language,
        reviewers=tuple(PlannedReviewer(person.name, person.role) for person in report.reviewers),
        organisation=report.organisation,
        classification=report.classification,
        sections=None if report.sections is None else tuple(report.sections),
        statements={key: text.strip() for key, text in statements.items() if text and text.strip()},
    )


def _model(checkpoint: "Checkpoint") -> PlannedModel:
    return PlannedModel(
        name=checkpoint.name,
        revision=checkpoint.revision,
        model_class=checkpoint.model_class,
        n_parameters=checkpoint.n_parameters,
        labels=checkpoint.labels,
        weights_sha256=checkpoint.weights_sha256,
        tokenizer_sha256=checkpoint.tokenizer_sha256,
        code_sha256=checkpoint.code_sha256,
        files=checkpoint.hashes,
    )


def _corpus(preflight: Preflight) -> PlannedCorpus:
    return PlannedCorpus(
        path=preflight.config.corpus.path,
        sha256=preflight.corpus.sha256,
        n_documents=len(preflight.documents),
        n_documents_in_file=preflight.corpus.n_documents,
        columns=tuple(preflight.corpus.columns),
        dialect=preflight.corpus.dialect,
    )


def _probe(probe: "AnyProbe", n_documents: int) -> PlannedProbe:
    parameters = TypeAdapter(type(probe)).dump_python(probe, mode="json")
    return PlannedProbe(record_name(probe.record), parameters, n_documents, probe.model)


def _versions(probes: Iterable["AnyProbe"]) -> dict[str, str]:
    """Of what computes: this package, Python, the libraries of all probes and those that some require."""
    versions = {"auditor": auditor.__version__, "Python": platform.python_version()}
    required = [package for probe in probes if isinstance(probe, Requires) for package in probe.requires]
    for library in dict.fromkeys([*LIBRARIES, *required]):
        try:
            versions[library] = version(library)
        except PackageNotFoundError:
            continue
    return versions
