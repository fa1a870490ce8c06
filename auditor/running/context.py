"""A run read back: its facts, and what its plan knows about them, for those who draw conclusions."""

from collections.abc import Mapping
from typing import Any, TypeVar

from auditor.findings import Bound, Context, Evidence
from auditor.languages import N_, say, speaking
from auditor.languages.numbers import count
from auditor.records.run import DOCUMENTS, Run
from auditor.records.types import (
    AttentionStatistics,
    Document,
    Explanation,
    Perplexity,
    Prediction,
    PseudoPerplexity,
    Unmeasured,
)
from auditor.report import PLAIN, Look
from auditor.running import appearance

_CORPUS_FACTS = {
    "path": N_("File"),
    "sha256": N_("File, SHA-256"),
    "documents": N_("Documents"),
    "documents_in_file": N_("Documents in the file"),
    "columns": N_("Columns"),
}
_DIALECT_FACTS = {
    "format": N_("Format"),
    "compression": N_("Archive"),
    "encoding": N_("Encoding"),
    "delimiter": N_("Delimiter"),
}
KNOWN = ("prediction", "lime", "attention", "perplexity", "pseudo_perplexity")
R = TypeVar("R", Prediction, Explanation, AttentionStatistics, Perplexity, PseudoPerplexity)


def read_evidence(place: Run) -> Evidence:
    """The facts of a run, by document."""
    shared: dict[Any, Any] = {}

    def rows(probe: str, record: type[R]) -> dict[str, R | Unmeasured]:
        return {row.document_id: row for row in place.read(probe, record, shared)}

    return Evidence(
        documents=tuple(row for row in place.read(DOCUMENTS, Document, shared) if isinstance(row, Document)),
        predictions=rows("prediction", Prediction),
        explanations=rows("lime", Explanation),
        attention=rows("attention", AttentionStatistics),
        perplexity=rows("perplexity", Perplexity),
        pseudo_perplexity=rows("pseudo_perplexity", PseudoPerplexity),
        others={
            probe: {_document_of(row): row for row in place.read_facts(probe)}
            for probe in place.plan["probes"]
            if probe not in KNOWN
        },
    )


def _document_of(row: Mapping[str, Any] | Unmeasured) -> str:
    return row.document_id if isinstance(row, Unmeasured) else str(row["document_id"])


def context(place: Run, look: Look = PLAIN) -> Context:
    """What the plan knows about the run and the evidence does not, its values in the language of the report."""
    with speaking(appearance.presentation(place.plan).language):
        return _context(place, look)


def _context(place: Run, look: Look) -> Context:
    own = place.plan
    checks = {name: Bound(**bound) for name, bound in own["config"].get("checks", {}).items()}
    return Context(
        title=own["title"],
        task=own["task"],
        run_id=place.run_id,
        plan_id=place.plan_id,
        created=place.created,
        model=_model_facts(own),
        corpus=_corpus_facts(own["corpus"]),
        provenance=_provenance(place, look),
        parameters={
            name: {key: _plain(value) for key, value in table.items()} for name, table in own["probes"].items()
        },
        checks=checks,
        asked=own["asked"],
        notes=tuple(own["notes"]),
        seed=own["seed"],
        multi_label=own["multi_label"],
        presentation=appearance.presentation(own),
        left_out=own.get("left_out", {}),
        references={
            name: own["references"][table["model"]]["name"]
            for name, table in own["probes"].items()
            if table.get("model")
        },
        computing=own.get("computing", {}),
    )


def _corpus_facts(corpus: Mapping[str, Any]) -> dict[str, str]:
    facts = {name: _plain(corpus[key]) for key, name in _CORPUS_FACTS.items() if key in corpus}
    dialect = corpus.get("dialect", {})
    return facts | {name: dialect[key] for key, name in _DIALECT_FACTS.items() if dialect.get(key)}


def _model_facts(own: Any) -> dict[str, str]:
    model = own["model"]
    settings = own["config"].get("model", {})
    facts = {
        N_("Name"): model["name"],
        N_("Task"): own["task"],
        N_("Class"): model["class"],
        N_("Revision"): model["revision"] or say("local folder"),
        N_("Parameters"): count(model["parameters"]),
        N_("Device"): own["device"],
        N_("Data type"): own["dtype"],
        N_("Statistics"): say("softmax and statistics in float32 or better"),
        N_("Weights, SHA-256"): model["weights_sha256"],
        N_("Tokenizer, SHA-256"): model["tokenizer_sha256"],
    }
    if model.get("code_sha256"):
        facts[N_("Code, SHA-256")] = model["code_sha256"]
    if own["task"] == "text-classification":
        several = own["multi_label"]
        facts[N_("Labels")] = ", ".join(model["labels"])
        facts[N_("Answer")] = say("any number of labels, a sigmoid each") if several else say("one label, softmax")
    elif own["task"] == "text-generation":
        candidates = ", ".join(map(repr, settings.get("candidates") or ()))
        facts[N_("Prompt")] = settings.get("prompt") or "{text}"
        if settings.get("chat"):
            facts[N_("Chat template")] = say("around every prompt; perplexity and attention read the text alone")
        facts[N_("Candidates")] = candidates or say("none: free continuation")
    if own["references"]:
        facts[N_("Reference models")] = say("; ").join(
            say(
                "{name}: {kind}, weights SHA-256 {hash}",
                name=_cited(one),
                kind=one["class"],
                hash=one["weights_sha256"],
            )
            for one in own["references"].values()
        )
    return facts


def _cited(model: Mapping[str, Any]) -> str:
    """A model with its revision, where it has one."""
    return f"{model['name']}@{model['revision']}" if model["revision"] else str(model["name"])


def _provenance(place: Run, look: Look) -> dict[str, str]:
    own = place.plan
    shaped_by = {N_("Own templates and fonts, SHA-256"): appearance.noted(look)} if look.hashes else {}
    return {
        N_("Run"): place.run_id,
        N_("Plan, SHA-256"): place.plan_id,
        N_("Created"): place.created,
        N_("Command"): own["command"],
        N_("Seed"): str(own["seed"]),
        N_("Shards"): str(len(own["shards"])),
        **shaped_by,
        **own["versions"],
    }


def _plain(value: Any) -> str:
    if isinstance(value, list | tuple):
        return ", ".join(_plain(item) for item in value)
    return say("default") if value is None else str(value)
