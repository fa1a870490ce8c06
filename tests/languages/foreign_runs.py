"""Audits whose every outside text is Cyrillic, so that a Latin word on a page can only be the report's own."""

import dataclasses
from collections.abc import Mapping

from auditor.findings import Bound, Context, Evidence, Presentation
from auditor.languages import speaking
from auditor.records.types import Document, Failure, PseudoPerplexity
from auditor.running import context
from tests.findings import worked_example
from tests.records.planned import PLAN, planned

_OURS = {"segmenter", "unit", "stopped", "method", "variant", "field", "kind", "prefix"}
"""Fields that the report puts into its own words, or prints as the settings they are."""
_CYRILLIC = {ord("a") + i: chr(ord("а") + i) for i in range(26)} | {ord("A") + i: chr(ord("А") + i) for i in range(26)}
HASH = "0123456789" * 6 + "0123"
SETTINGS = {
    "lime": {"n_samples": "1000", "kernel_width": "25.0", "segmenter": "auto"},
    "attention": {"limit": "40"},
    "perplexity": {"model": "тест-модель", "stride": "64"},
    "toxicity": {"threshold": "0.5"},
}
LIBRARIES = {"auditor": "0.1.0", "Python": "3.11.7", "torch": "2.13.0"}


def foreign(value):
    """The same with every Latin letter of an outside text replaced by a Cyrillic one."""
    if isinstance(value, str):
        return value.translate(_CYRILLIC)
    if isinstance(value, tuple):
        return tuple(map(foreign, value))
    if isinstance(value, Mapping):
        return {foreign(key): foreign(item) for key, item in value.items()}
    if dataclasses.is_dataclass(value):
        names = [field.name for field in dataclasses.fields(value) if field.name not in _OURS]
        return dataclasses.replace(value, **{name: foreign(getattr(value, name)) for name in names})
    return value


def _plan(task, *, multi_label):
    model = dataclasses.replace(PLAN.model, name="тест", model_class="Сеть", n_parameters=12345, labels=("да", "нет"))
    return planned(task=task, model=model, multi_label=multi_label)


def _context(task, checks=(), language="zh", **changes):
    with speaking(language):
        facts = context._model_facts(_plan(task, multi_label=changes.get("multi_label", False)))
        corpus = dict.fromkeys(context._corpus_facts(PLAN.corpus), "123")
    return Context(
        title="Проверка",
        task=task,
        run_id="1234-5",
        plan_id=HASH,
        created="2026-11-22T08:05:00Z",
        model=facts,
        corpus=corpus,
        provenance={"Run": "1234-5", "Plan, SHA-256": HASH, "Command": "тест", "Seed": "7", "Shards": "1", **LIBRARIES},
        parameters=SETTINGS,
        checks=dict(checks),
        asked={"prediction": 40, "lime": 30, "attention": 40, "perplexity": 40},
        presentation=Presentation(language=language),
        **changes,
    )


def classifier(language="zh"):
    """All probes, every result of a check, failures, truncation, slices, a third party's probe."""
    plain = worked_example.evidence()
    broken = Failure("d01", "blank", "нет")
    evidence = _foreign_evidence(plain)
    evidence = worked_example.with_rows(
        evidence,
        attention={**evidence.of("attention"), foreign("d01"): foreign(broken)},
        toxicity={d.id: {"document_id": d.id, "грубость": 0.5} for d in evidence.documents},
    )
    checks = {
        "accuracy": Bound(at_least=0.5),
        "macro_f1": Bound(at_least=0.85),
        "calibration_error": Bound(at_most=0.01, required=False),
        "lime.fidelity": Bound(at_least=0.99),
        "attention.sink_share": Bound(at_most=0.9),
        "perplexity.corpus": Bound(at_most=100),
        "coverage.failed_share": Bound(at_most=0.0001, required=False),
        foreign("accuracy{length=short}").replace("аццурацы", "accuracy"): Bound(at_least=0.8),
        "нет": Bound(at_least=0.8),
    }
    return evidence, _context("text-classification", checks, language, references={"perplexity": "тест-модель"})


def language_model():
    """Free continuations, the model's own perplexity, causal attention, no labels, no checks."""
    return _foreign_evidence(worked_example.continuation_evidence()), _context("text-generation", kind="generator")


def multi_label():
    """Several labels for a document."""
    return _foreign_evidence(worked_example.multi_label_evidence()), _context("text-classification", multi_label=True)


def masked_model():
    """A masked language model: pseudo-perplexity and attention."""
    plain = worked_example.evidence()
    scores = {
        d.id: PseudoPerplexity(
            document_id=d.id,
            model="tiny-mlm",
            tokens=worked_example.WORDS,
            spans=worked_example.spans_of(worked_example.WORDS),
            words=tuple(range(len(worked_example.WORDS))),
            logprobs=(-1.5 - i / 100,) * len(worked_example.WORDS),
            variant="within-word",
            context_length=64,
        )
        for i, d in enumerate(plain.documents)
    }
    documents = tuple(dataclasses.replace(d, labels=()) for d in plain.documents)
    evidence = Evidence(documents, {"attention": plain.of("attention"), "pseudo_perplexity": scores})
    return _foreign_evidence(evidence), _context("fill-mask", {"pseudo_perplexity.corpus": Bound(at_most=100)})


def nothing_measured():
    """Every document failed."""
    documents = (Document("1", " "), Document("2", " "))
    failures = {d.id: Failure(d.id, "blank", "нет") for d in documents}
    return Evidence(documents, {"prediction": failures, "lime": failures}), _context(
        "text-classification", {"accuracy": Bound(at_least=0.5)}
    )


def _foreign_evidence(evidence):
    return Evidence(foreign(evidence.documents), {probe: foreign(rows) for probe, rows in evidence.rows.items()})


RUNS = {run.__name__: run for run in (classifier, language_model, multi_label, masked_model, nothing_measured)}
