"""Plans for tests: one small plan, of which a test names what matters to it."""

from dataclasses import replace

from auditor.records.dialect import Dialect
from auditor.records.plan import (
    Plan,
    PlannedCorpus,
    PlannedLook,
    PlannedModel,
    PlannedProbe,
    PlannedReport,
    Prompt,
    ShardRange,
)

HASH = "0" * 64
MODEL = PlannedModel(
    name="models/tiny",
    revision=None,
    model_class="BertForSequenceClassification",
    n_parameters=1_000,
    labels=("no", "yes"),
    weights_sha256=HASH,
    tokenizer_sha256=HASH,
    code_sha256=None,
    files={"config.json": HASH},
)
PLAN = Plan(
    title="audit",
    task="text-classification",
    seed=0,
    device="cpu",
    dtype="float32",
    multi_label=False,
    model=MODEL,
    references={},
    prompt=Prompt(template=None, candidates=(), chat=False),
    corpus=PlannedCorpus(
        path="corpus.jsonl",
        sha256=HASH,
        n_documents=2,
        n_documents_in_file=2,
        columns=("id", "text"),
        dialect=Dialect("jsonl", encoding="utf-8"),
    ),
    probes={},
    left_out={},
    waivers=(),
    checks={},
    report=PlannedReport(
        language="en", reviewers=(), organisation=None, classification=None, sections=None, statements={}
    ),
    look=PlannedLook(logo=None, templates={}, fonts={}),
    shards=(),
    notes=(),
    versions={"auditor": "0"},
    configuration={"seed": 0},
    command="auditor run",
)


def planned(n_shards: int = 1, records: dict[str, str] | None = None, **fields: object) -> Plan:
    """The small plan with other fields.

    Args:
        n_shards: Of one document each.
        records: Probe → what its rows are.
        fields: Of `Plan`.
    """
    probes = {
        name: PlannedProbe(record=record, parameters={}, n_documents=n_shards, model=None)
        for name, record in (records or {}).items()
    }
    shards = tuple(ShardRange(i, i + 1) for i in range(n_shards))
    return replace(PLAN, **{"probes": probes, "shards": shards, **fields})
