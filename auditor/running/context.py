"""A run read back: its facts, and what its plan knows about them, for those who draw conclusions."""

from collections.abc import Collection, Mapping
from datetime import datetime
from typing import Any

from auditor import tasks
from auditor.findings import Context, Evidence, summary_of
from auditor.findings.contract.quantity import ModelKind
from auditor.languages import N_, say, speaking
from auditor.languages.numbers import count, day
from auditor.records import baselines, reused
from auditor.records.plan import Plan, PlannedCorpus, PlannedModel
from auditor.records.run import DOCUMENTS, Run
from auditor.records.types import Document, Unmeasured
from auditor.report import PLAIN, Look
from auditor.running import appearance

_KINDS: Mapping[str, ModelKind] = {"checkpoint": "classifier", "candidates": "generator", "none": "masked"}
"""What the labels of a task are → the kind of its models."""


def read_evidence(run: Run) -> Evidence:
    """The rows of a run, by probe and document."""
    shared: dict[Any, Any] = {}
    documents = tuple(row for row in run.read(DOCUMENTS, Document, shared) if isinstance(row, Document))
    return Evidence(documents, {probe: _rows(run, probe, shared) for probe in run.plan.probes})


def _rows(run: Run, probe: str, shared: dict[Any, Any]) -> dict[str, Any]:
    """Document id → row of one probe: a record where a summary says of which class, else its fields."""
    summary = summary_of(probe)
    if summary is None:
        return {_document_of(row): row for row in run.read_facts(probe)}
    return {row.document_id: row for row in run.read(probe, summary.record, shared)}


def _document_of(row: Mapping[str, Any] | Unmeasured) -> str:
    return row.document_id if isinstance(row, Unmeasured) else str(row["document_id"])


def context(run: Run, look: Look = PLAIN) -> Context:
    """Model, corpus, settings and provenance from the plan of a run, in the language of the report."""
    with speaking(run.plan.report.language):
        return _context(run, look)


def _context(run: Run, look: Look) -> Context:
    plan = run.plan
    return Context(
        title=plan.title,
        task=plan.task,
        run_id=plan.run_id,
        plan_id=plan.id,
        created=plan.created,
        model=_model_facts(plan),
        corpus=_corpus_facts(plan.corpus),
        provenance=_provenance(run, look),
        parameters={
            name: {key: _plain(value) for key, value in probe.parameters.items()} for name, probe in plan.probes.items()
        },
        checks=plan.checks,
        waivers=plan.waivers,
        asked={name: probe.n_documents for name, probe in plan.probes.items()},
        notes=plan.notes,
        seed=plan.seed,
        multi_label=plan.multi_label,
        kind=_KINDS[tasks.described(plan.task).labels],
        presentation=appearance.presentation(plan),
        left_out=plan.left_out,
        references={name: plan.references[probe.model].name for name, probe in plan.probes.items() if probe.model},
        computing=plan.computing,
        structures=run.structures(),
        self_checks=plan.self_checks,
    )


def _corpus_facts(corpus: PlannedCorpus) -> dict[str, str]:
    dialect = corpus.dialect
    guessed = {
        N_("Format"): dialect.format,
        N_("Archive"): dialect.compression,
        N_("Encoding"): dialect.encoding,
        N_("Delimiter"): dialect.delimiter,
    }
    return {
        N_("File"): corpus.path,
        N_("File, SHA-256"): corpus.sha256,
        N_("Documents"): str(corpus.n_documents),
        N_("Documents in the file"): str(corpus.n_documents_in_file),
        N_("Columns"): ", ".join(corpus.columns),
        **{name: value for name, value in guessed.items() if value},
    }


def _model_facts(plan: Plan) -> dict[str, str]:
    model = plan.model
    code = {N_("Code, SHA-256"): model.code_sha256} if model.code_sha256 else {}
    return {
        N_("Name"): model.name,
        N_("Task"): plan.task,
        N_("Class"): model.model_class,
        N_("Revision"): model.revision or say("local folder"),
        N_("Parameters"): count(model.n_parameters),
        N_("Device"): plan.device,
        N_("Data type"): plan.dtype,
        N_("Statistics"): say("softmax and statistics in float32 or better"),
        N_("Weights, SHA-256"): model.weights_sha256,
        N_("Tokenizer, SHA-256"): model.tokenizer_sha256,
        **code,
        **_answer_facts(plan),
        **_reference_facts(plan.references.values()),
    }


def _answer_facts(plan: Plan) -> dict[str, str]:
    """What the model chooses among, or how it is prompted."""
    task = tasks.described(plan.task)
    facts: dict[str, str] = {}
    if task.labels == "checkpoint":
        several = say("any number of labels, a sigmoid each") if plan.multi_label else say("one label, softmax")
        facts |= {N_("Labels"): ", ".join(plan.model.labels), N_("Answer"): several}
    if "prompt" in task.settings:
        facts[N_("Prompt")] = plan.prompt.template or "{text}"
    if plan.prompt.chat:
        facts[N_("Chat template")] = say("around every prompt; perplexity and attention read the text alone")
    if task.labels == "candidates":
        candidates = ", ".join(map(repr, plan.prompt.candidates))
        facts[N_("Candidates")] = candidates or say("none: free continuation")
    return facts


def _reference_facts(references: Collection[PlannedModel]) -> dict[str, str]:
    models = [
        say("{name}: {kind}, weights SHA-256 {hash}", name=_cited(one), kind=one.model_class, hash=one.weights_sha256)
        for one in references
    ]
    return {N_("Reference models"): say("; ").join(models)} if models else {}


def _cited(model: PlannedModel) -> str:
    """A model with its revision, where it has one."""
    return f"{model.name}@{model.revision}" if model.revision else model.name


def _reused(rows: reused.Rows) -> str:
    n = rows.computed + rows.reused
    if not rows.reused:
        return say("none of {n} rows", n=count(n))
    since = day(datetime.fromisoformat(rows.since or ""))
    return say("{reused} of {n} rows, measured since {day}", reused=count(rows.reused), n=count(n), day=since)


def _baseline(run: Run) -> dict[str, str]:
    """The run that this one is compared with; nothing of a run that did not ask."""
    if not baselines.is_settled(run):
        return {}
    return {N_("Baseline"): baselines.settled(run) or say("none: no run was chosen, and none before it had passed")}


def _provenance(run: Run, look: Look) -> dict[str, str]:
    plan, rows = run.plan, reused.total(reused.read(run.path))
    shaped_by = {N_("Own templates and fonts, SHA-256"): appearance.noted(look)} if look.hashes else {}
    return {
        N_("Run"): plan.run_id,
        N_("Plan, SHA-256"): plan.id,
        N_("Created"): plan.created,
        N_("Command"): plan.command,
        N_("Seed"): str(plan.seed),
        N_("Shards"): str(len(plan.shards)),
        **({N_("Reused"): _reused(rows)} if rows != reused.Rows() else {}),
        **_baseline(run),
        **shaped_by,
        **plan.versions,
    }


def _plain(value: object) -> str:
    if isinstance(value, list | tuple):
        return ", ".join(_plain(item) for item in value)
    return say("default") if value is None else str(value)
