"""Audits of given documents: real reading and real conclusions, and between them answers that no model gave."""

import json
import random
import re
from dataclasses import replace

from invented_findings import with_analysis

from auditor.corpus.loading import load
from auditor.corpus.segments import segment
from auditor.findings import Bound, Context, Evidence, summarise
from auditor.findings.contract.types import Example
from auditor.records.explanations import Explanation, Neighbourhood, Surrogate, Target
from auditor.records.types import AttentionStatistics, Failure, Perplexity, Prediction, Span

HEADS = 4


def write_corpus(path, rows):
    """Rows as JSON Lines; lone surrogates are escaped, as a program that writes carelessly does."""
    path.write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="ascii")
    return path


def audit_of(path, *, labels=(), continuations=(), turn=None, **context):
    """Findings and evidence of a corpus on disk: `labels` are predicted in turn, or else `continuations` written."""
    documents, rng = load(path).documents, random.Random(11)
    texts = [d for d in documents if not d.is_blank]
    labels = (*labels, *sorted({label for d in documents for label in d.labels} - set(labels))) if labels else ()
    if labels:
        predictions = {d.id: _answer(d, labels, i, rng) for i, d in enumerate(texts)}
    else:
        predictions = {d.id: _continued(d, continuations[i % len(continuations)]) for i, d in enumerate(texts)}
    blank = {d.id: Failure(d.id, "blank", "the text is empty or white space") for d in documents if d.is_blank}
    explained = {d.id: e for d in texts if (e := _explained(d, predictions[d.id], rng))}
    evidence = Evidence(
        documents,
        {
            "prediction": predictions | blank,
            "lime": explained | blank,
            "attention": {d.id: _attended(d, rng) for d in texts} | blank,
            "perplexity": {d.id: _scored(d, rng) for d in texts} | blank,
        },
    )
    findings = summarise(evidence, _context(len(documents), labels, **context))
    return _showing_all(findings, list(explained), [d.id for d in texts], turn), evidence


def _context(n, labels, **given):
    plain = Context(
        title="Texts",
        task="text-classification" if labels else "text-generation",
        run_id="2026-11-21-001",
        plan_id="6baea86f3a51ced7" * 4,
        created="2026-11-21T22:00:00Z",
        model={"name": "nobody"},
        corpus={"path": "corpus.jsonl"},
        provenance={"seed": "0"},
        parameters={"lime": {"n_samples": "1000"}},
        checks={"accuracy": Bound(at_least=0.5)} if labels else {},
        asked=dict.fromkeys(("prediction", "lime", "attention", "perplexity"), n),
        references={"perplexity": "reader"},
    )
    return replace(plain, **given)


def _showing_all(findings, explained, texts, turn):
    """All documents in the gallery and on cards, whatever the rule would have chosen; cards by thirds if by turns."""
    some, others = (slice(None),) * 2 if turn is None else (slice(turn, None, 3), slice((turn + 1) % 3, None, 3))
    first, scored, rows = (
        tuple(Example(document_id=i, rule="all are shown") for i in ids)
        for ids in (explained[some], texts[others], texts)
    )
    findings = with_analysis(findings, "lime", examples=first)
    findings = with_analysis(findings, "perplexity", most_surprising=scored)
    return with_analysis(findings, "prediction", least_certain=rows)


def _answer(document, labels, place, rng):
    rest = 0.4 / max(1, len(labels) - 1)
    given = tuple(0.6 if i == place % len(labels) else rest for i in range(len(labels)))
    logits = tuple(3.0 * p for p in given)
    return Prediction(document.id, labels, logits, given, (labels[place % len(labels)],), rng.random(), 9, False)


def _continued(document, text):
    return Prediction(document.id, (), (), (), (), 0.0, 9, False, continuation=text, mean_logprob=-1.2)


def _explained(document, prediction, rng):
    name, segments = segment(document)
    if not segments:
        return None
    weights = tuple(rng.gauss(0, 0.2) for _ in segments)
    label = prediction.predicted[0] if prediction.predicted else "continuation"
    fidelity = 0.5 + 0.4 * rng.random()
    target = Target(label, weights, (0.02,) * len(weights), (True,) * len(weights), 0.7, Surrogate(0.4, fidelity, 0.7))
    return Explanation(
        document.id, "lime", "probability", name, segments, (target,), Neighbourhood(1000, 900, False, 25.0)
    )


def _pieces(document):
    spans = [Span(*match.span()) for match in re.finditer(r"\s*\S{1,6}", document.text)]
    return tuple(document.text[s.start : s.stop] for s in spans), tuple(spans)


def _scored(document, rng):
    tokens, spans = _pieces(document)
    logprobs = tuple(-rng.expovariate(0.2) for _ in tokens)
    n_words = len(document.text.split())
    return Perplexity(document.id, "reader", tokens, spans, logprobs, document.n_bytes, n_words, 1024, 512, "<s>")


def _attended(document, rng):
    tokens, spans = _pieces(document)
    shares = {
        name: tuple(rng.random() for _ in range(HEADS))
        for name in AttentionStatistics.__dataclass_fields__
        if name.endswith("_share") or name in ("entropy", "distance")
    }
    received = tuple(1 / len(tokens) for _ in tokens)
    return AttentionStatistics(
        document.id, 2, HEADS // 2, len(tokens), False, False, uniform_entropy=2.0, received=received,
        tokens=tokens, spans=spans, **shares,
    )  # fmt: skip
