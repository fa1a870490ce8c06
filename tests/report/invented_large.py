"""A run of many short documents: labels by turns, every third answer wrong, one document in fifty that failed."""

from invented_classifier import classifier

from auditor.findings import Context, Evidence, summarise
from auditor.records.types import Document, Failure, Prediction

LABELS = ("negative", "positive")
HOSTILE = '</script><script>alert("x")</script><!--\u2028&\u202ecba'


def of_many(n, *, language="en", hostile=False):
    """Findings and evidence of `n` documents."""
    documents = tuple(_document(i, hostile) for i in range(n))
    evidence = Evidence(documents, {"prediction": {d.id: _answer(d, i) for i, d in enumerate(documents)}})
    base, _ = classifier()
    context = Context(
        title="Many",
        task="text-classification",
        run_id="2026-11-21-050",
        plan_id=base.plan_id,
        created=base.created,
        model={"Name": "tiny"},
        corpus={},
        provenance={},
        parameters={},
        checks={},
        asked={"prediction": n},
        presentation=base.presentation.model_copy(update={"language": language}),
    )
    return summarise(evidence, context), evidence


def _document(i, hostile):
    name = f"doc-{i}{HOSTILE}" if hostile else f"doc-{i}"
    source = f"{HOSTILE}{i % 3}" if hostile else "abc"[i % 3]
    return Document(name, f"Text {i}.", labels=(LABELS[i % 2],), metadata={"source": source, "half": str(i % 2)})


def _answer(document, i):
    if i % 50 == 49:
        return Failure(document.id, "blank", "the text is empty or white space")
    right = LABELS.index(document.labels[0])
    chosen = 1 - right if i % 3 == 0 else right
    top = 0.5 + (i * 37 % 1000) / 2001
    p = (top, 1 - top) if chosen == 0 else (1 - top, top)
    return Prediction(document.id, LABELS, p, p, (LABELS[chosen],), 0.1 + top / 2, 5 + i % 7, False)
