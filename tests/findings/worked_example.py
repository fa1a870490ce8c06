"""A small audit built by hand, whose every number can be worked out on paper.

Forty documents, the first twenty negative, the others positive; `length` alternates short and long.

    d00, d01           negative, predicted positive with 0.95     the confident errors
    d20 … d23          positive, predicted negative with 0.65
    the other 34       right, with 0.85

LIME was asked about d00 … d29; d29 failed. Attention and perplexity measured all.
"""

from dataclasses import replace
from math import log

from auditor.findings import Bound, Context, Evidence
from auditor.findings.analyses.answers import is_labelled
from auditor.findings.contract.summary import Setting
from auditor.records.explanations import Explanation, Neighbourhood, Segment, Surrogate, Target
from auditor.records.types import AttentionStatistics, Document, Failure, Perplexity, Prediction, Span

LABELS = ("negative", "positive")
WORDS = ("The", "film", "was", "not", "very", "good")
TEXT = " ".join(WORDS)
N = 40


def spans_of(words, text=TEXT):
    found, at = [], 0
    for word in words:
        start = text.index(word, at)
        at = start + len(word)
        found.append(Span(start, at))
    return tuple(found)


def document(i):
    metadata = {"length": "short" if i % 2 == 0 else "long", "language": "en", "line": str(i)}
    return Document(id=f"d{i:02}", text=TEXT, labels=(LABELS[i >= N // 2],), metadata=metadata)


def prediction(i):
    wrong = i in (0, 1, 20, 21, 22, 23)
    top = 0.95 if i in (0, 1) else 0.65 if wrong else 0.85
    positive = (i >= N // 2) != wrong
    p = (1 - top, top) if positive else (top, 1 - top)
    entropy = -sum(x * log(x) for x in p)
    return Prediction(
        document_id=f"d{i:02}",
        labels=LABELS,
        logits=tuple(log(x) for x in p),
        probabilities=p,
        predicted=(LABELS[positive],),
        entropy=entropy,
        n_tokens=8,
        truncated=i == 5,
    )


def explanation(i, weights=(0.0, 0.02, 0.0, 0.3, 0.05, -0.4), fidelity=0.9, error=0.01):
    target = Target(
        label=prediction(i).predicted[0],
        weights=tuple(w * (1 + i / 1000) for w in weights),
        standard_errors=(error,) * len(weights),
        selected=(True,) * len(weights),
        model_prediction=0.85,
        surrogate=Surrogate(0.5, 0.3 if i in (3, 4) else fidelity + i / 1000, 0.8),
    )
    segments = tuple(Segment(word, (span,)) for word, span in zip(WORDS, spans_of(WORDS), strict=True))
    return Explanation(
        document_id=f"d{i:02}",
        method="lime",
        unit="probability",
        segmenter="words",
        segments=segments,
        targets=(target,),
        neighbourhood=Neighbourhood(n_samples=1000, n_evaluations=64, exact=False, kernel_width=25.0),
    )


def attention(i, causal=False):
    wobble = (i - N / 2) / 1000
    return AttentionStatistics(
        document_id=f"d{i:02}",
        n_layers=2,
        n_heads=2,
        n_tokens=8,
        causal=causal,
        truncated=False,
        entropy=(1.0, 0.5 + wobble, 4.0, 1.5),
        uniform_entropy=log(8),
        distance=(1.0, 3.0, 2.0, 2.5),
        self_share=(0.1, 0.1, 0.125, 0.2),
        previous_share=(0.7 + wobble, 0.05, 0.125, 0.2),
        next_share=(0.05, 0.05, 0.125, 0.52 + 10 * wobble),
        first_share=(0.1, 0.8 + wobble, 0.125, 0.2),
        first4_share=(0.3, 0.85, 0.5, 0.5),
        special_share=(0.1, 0.8, 0.25, 0.3),
        punctuation_share=(0.0, 0.0, 0.0, 0.0),
        received=(0.4, 0.05, 0.1, 0.06, 0.15, 0.11, 0.12, 0.01),
        tokens=("[CLS]", *WORDS, "[SEP]"),
        spans=(Span(0, 0), *spans_of(WORDS), Span(0, 0)),
    )


def perplexity(i):
    return Perplexity(
        document_id=f"d{i:02}",
        model="tiny-lm",
        tokens=WORDS,
        spans=spans_of(WORDS),
        logprobs=(-(1 + i / N),) * len(WORDS),
        n_bytes=len(TEXT),
        n_words=len(WORDS),
        context_length=64,
        stride=64,
        prefix="<s>",
    )


def evidence():
    ids = [f"d{i:02}" for i in range(N)]
    explanations = {ids[i]: explanation(i) for i in range(29)}
    rows = {
        "prediction": {ids[i]: prediction(i) for i in range(N)},
        "lime": explanations | {"d29": Failure("d29", "ValueError", "no segment")},
        "attention": {ids[i]: attention(i) for i in range(N)},
        "perplexity": {ids[i]: perplexity(i) for i in range(N)},
    }
    return Evidence(tuple(document(i) for i in range(N)), rows)


def with_rows(evidence, **rows):
    """The same documents, with other rows of the named probes."""
    return replace(evidence, rows={**evidence.rows, **rows})


def of_records(probe, records):
    """Evidence of one probe: its records, and the documents that they are of, in the same order."""
    documents = tuple(document(int(record.document_id[1:])) for record in records)
    return Evidence(documents, {probe: {record.document_id: record for record in records}})


def concluded(summary, evidence, **setting):
    """What a summary comes to: its findings, and its numbers by name."""
    conclusion = summary.summarise(evidence, Setting(labelled=is_labelled(evidence), **setting))
    return conclusion.findings, {number.name: number for number in conclusion.numbers}


def context(**changes):
    asked = {"prediction": 40, "lime": 30, "attention": 40, "perplexity": 40}
    plain = Context(
        title="Worked example",
        task="text-classification",
        run_id="run-1",
        plan_id="0" * 64,
        created="2026-01-01T00:00:00Z",
        model={"name": "tiny"},
        corpus={"path": "corpus.jsonl"},
        provenance={"seed": "0"},
        parameters={"lime": {"n_samples": "1000"}},
        checks={"accuracy": Bound(at_least=0.7)},
        asked=asked,
        references={"perplexity": "tiny-lm"},
    )
    return replace(plain, **changes)


TOPICS = ("sport", "politics", "science")


def multi_label_evidence():
    """Ten documents: 6 exactly right (one of them with no label at all), 4 with one wrong decision on `science`."""
    documents, predictions = [], {}
    for i in range(10):
        reference = () if i == 0 else ("sport",) if i < 6 else ("politics", "science")
        p = (0.1, 0.2, 0.3) if i == 0 else (0.9, 0.2, 0.1) if i < 6 else (0.1, 0.7, 0.4)
        predicted = tuple(topic for topic, x in zip(TOPICS, p, strict=True) if x >= 0.5)
        documents.append(Document(id=f"m{i}", text="text", labels=reference))
        predictions[f"m{i}"] = Prediction(f"m{i}", TOPICS, p, p, predicted, 0.4, 3, False)
    return Evidence(tuple(documents), {"prediction": predictions})


def continuation_evidence(n=12):
    """Free continuations of a causal model, without references."""
    documents = tuple(Document(id=f"g{i}", text=TEXT) for i in range(n))
    predictions = {
        d.id: Prediction(d.id, (), (), (), (), 0.0, 6, False, continuation=" indeed", mean_logprob=-1.0 - i / 10)
        for i, d in enumerate(documents)
    }
    heads = {d.id: replace(attention(i, causal=True), document_id=d.id) for i, d in enumerate(documents)}
    scores = {d.id: replace(perplexity(i), document_id=d.id) for i, d in enumerate(documents)}
    return Evidence(documents, {"prediction": predictions, "attention": heads, "perplexity": scores})
