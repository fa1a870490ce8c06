"""Invented runs, built by hand: findings and evidence as the probes would leave them, without a model."""

import math
import random
import re
import unicodedata

import invented_texts as texts

from auditor.findings.evidence import Evidence
from auditor.findings.types import (
    AttentionFindings,
    CalibrationBin,
    Check,
    ClassScores,
    Coverage,
    DocumentRow,
    Example,
    ExplanationFindings,
    Findings,
    GlobalWord,
    HeadClass,
    Number,
    PerplexityFindings,
    Pointer,
    PredictionFindings,
    SliceRow,
    Verdict,
)
from auditor.records.types import (
    AttentionStatistics,
    Document,
    Explanation,
    Failure,
    Perplexity,
    Prediction,
    Segment,
    Span,
    Target,
)

LABELS = ("negative", "neutral", "positive")
STATISTICS = (
    *("entropy", "distance", "self_share", "previous_share", "next_share"),
    *("first_share", "first4_share", "special_share", "punctuation_share"),
)


def number(name, title, value, low, high, n=60, unit="share", protocol="Share of documents, Wilson interval."):
    return Number(name=name, title=title, value=value, low=low, high=high, n=n, unit=unit, protocol=protocol)


def spans_of(text, pieces=None):
    """Spans of the words of a text, or of given pieces in order."""
    if pieces is None:
        return [Span(m.start(), m.end()) for m in re.finditer(r"\w+", text)]
    spans, start = [], 0
    for piece in pieces:
        spans.append(Span(start, start + len(piece)))
        start += len(piece)
    return [s for s in spans if unicodedata.category(text[s.start]) != "Po"]


def documents():
    """Sixty documents in three scripts; the two last are blank and overlong."""
    rng = random.Random(7)
    made = []
    pool = [("en", label, text, None) for label, text in texts.ENGLISH]
    pool += [("zh", label, "".join(words), words) for label, words in texts.CHINESE]
    pool += [("ar", label, text, None) for label, text in texts.ARABIC]
    pool += [("en", label, text, None) for label, text in texts.EMOJI]
    words = {}
    for i in range(58):
        language, label, text, pieces = pool[i % len(pool)]
        if i >= len(pool):
            text, pieces = text + (" " if language != "zh" else "") + rng.choice(["Again.", "Well.", "So."]), None
        document_id = f"{language}-{i:04d}" if i != 14 else "reviews/2026/a-very-long-identifier-that-someone-made-from-a-path-and-a-hash-9f8e7d6c5b4a"
        length = "short" if len(text) < 70 else "long"
        made.append(Document(document_id, text, labels=(label,), metadata={"language": language, "length": length}))
        if pieces:
            words[document_id] = pieces
    made.append(Document("blank-0058", "   ", labels=("neutral",), metadata={"language": "en", "length": "short"}))
    made.append(Document("long-0059", texts.SPEECH * 12, labels=("neutral",), metadata={"language": "en", "length": "long"}))
    return made, words


def prediction(document, rng):
    right = rng.random() < 0.86
    top = 0.5 + 0.49 * rng.random()
    chosen = document.labels[0] if right else rng.choice([x for x in LABELS if x not in document.labels])
    rest = rng.random() * (1 - top)
    others = iter((rest, 1 - top - rest))
    probabilities = tuple(top if label == chosen else next(others) for label in LABELS)
    entropy = -sum(p * math.log(p) for p in probabilities if p > 0)
    return Prediction(
        document.id,
        LABELS,
        tuple(math.log(max(p, 1e-9)) for p in probabilities),
        probabilities,
        (chosen,),
        entropy,
        n_tokens=len(document.text) // 4 + 2,
        truncated=len(document.text) > 2000,
    )


def explanation(document, pieces, rng, label="positive", unit="probability"):
    spans = spans_of(document.text, pieces)
    by_word = {}
    for span in spans:
        by_word.setdefault(document.text[span.start : span.stop], []).append(span)
    segments = tuple(Segment(word, tuple(where)) for word, where in by_word.items())
    strong = {"not": -0.31, "bad": 0.22, "moving": 0.48, "genuinely": 0.24, "drags": -0.27, "不": 0.58, "好看": -0.33, "رائعا": 0.36}
    weights = tuple(strong.get(s.text, rng.gauss(0, 0.05)) for s in segments)
    exact = len(segments) <= 8
    errors = tuple(0.0 if exact else 0.02 + 0.03 * rng.random() for _ in segments)
    selected = tuple(rng.random() > 0.1 or s.text in strong for s in segments)
    target = Target(label, weights, errors, selected, 0.4, 0.55 + 0.4 * rng.random(), 0.8, 0.82)
    n = 2 ** len(segments) if exact else 1000
    return Explanation(document.id, "words", segments, (target,), n, min(n, 987), exact, 25.0, unit)


def statistics(n_layers, n_heads, causal):
    """L × H means by statistic, with a few heads that follow a pattern."""
    rng = random.Random(11)
    grids = {name: [[rng.random() * 0.3 for _ in range(n_heads)] for _ in range(n_layers)] for name in STATISTICS}
    grids["entropy"] = [[0.6 + 2.6 * rng.random() for _ in range(n_heads)] for _ in range(n_layers)]
    grids["distance"] = [[1 + 9 * rng.random() for _ in range(n_heads)] for _ in range(n_layers)]
    for name in ("previous_share", "first_share", "special_share"):
        for _ in range(max(2, n_layers * n_heads // 20)):
            grids[name][rng.randrange(n_layers)][rng.randrange(n_heads)] = 0.62 + 0.36 * rng.random()
    if causal:
        grids["next_share"] = [[0.0] * n_heads for _ in range(n_layers)]
        grids["special_share"] = [[0.0] * n_heads for _ in range(n_layers)]
    return {name: tuple(tuple(row) for row in rows) for name, rows in grids.items()}


def attention_findings(n_layers=4, n_heads=12, causal=False, agreement=True):
    grids = statistics(n_layers, n_heads, causal)

    def heads(name, threshold):
        return tuple(
            (i, j, value) for i, row in enumerate(grids[name]) for j, value in enumerate(row) if value > threshold
        )

    classes = (
        HeadClass(name="previous", rule="more than half of the mass on the previous token", heads=heads("previous_share", 0.5)),
        HeadClass(name="next", rule="more than half of the mass on the next token", heads=heads("next_share", 0.5)),
        HeadClass(name="broad", rule="entropy above 3.8 nats", heads=heads("entropy", 3.8)),
        HeadClass(name="special", rule="more than 60% of the mass on special tokens", heads=heads("special_share", 0.6)),
        HeadClass(name="sink", rule="more than half of the mass on the first token", heads=heads("first_share", 0.5)),
    )
    tau = number("attention.agreement", "Agreement with LIME, Kendall’s τ", 0.18, 0.11, 0.25, 56, "correlation", "Mean over documents of Kendall’s τ between received attention and absolute LIME weight; bootstrap interval.")
    return AttentionFindings(
        n_documents=58, n_layers=n_layers, n_heads=n_heads, causal=causal, statistics=grids,
        half_widths=dict.fromkeys(STATISTICS, 0.04), uniform_entropy=3.4, classes=classes,
        agreement=tau if agreement else None,
    )  # fmt: skip


def perplexity(document, rng, model="smollm2-135m"):
    tokens = re.findall(r"\s*\S{1,6}", document.text)
    spans, start = [], 0
    for token in tokens:
        spans.append(Span(start, start + len(token)))
        start += len(token)
    logprobs = tuple(-rng.expovariate(0.35) for _ in tokens)
    n_bytes, n_words = len(document.text.encode()), len(document.text.split())
    return Perplexity(document.id, model, tuple(tokens), tuple(spans), logprobs, n_bytes, n_words, 1024, 512, "<|endoftext|>")


def value_of(record):
    return math.exp(record.nll / len(record.logprobs))


def perplexity_findings(made, records, is_reference=True):
    by_slice = {}
    for document in made:
        record = records.get(document.id)
        for column, value in document.metadata.items():
            if isinstance(record, Perplexity):
                by_slice.setdefault(column, {}).setdefault(value, []).append(value_of(record))
    measured = sorted((r for r in records.values() if isinstance(r, Perplexity)), key=value_of)
    ppl = {"unit": "perplexity", "n": len(measured)}
    return PerplexityFindings(
        model="smollm2-135m", is_reference=is_reference, method="windows", context_length=1024, stride=512,
        prefix="<|endoftext|>", n_documents=len(measured), n_tokens=1893, n_bytes=9212,
        corpus=number("perplexity.corpus", "Perplexity, corpus", 17.9, 16.2, 19.8, protocol="exp of the mean negative log-likelihood over all tokens; bootstrap over documents.", **ppl),
        mean_document=number("perplexity.mean", "Perplexity, mean of documents", 24.6, 20.1, 30.9, protocol="Mean over documents; bootstrap.", **ppl),
        median_document=number("perplexity.median", "Perplexity, median", 18.4, 16.9, 20.2, protocol="Median over documents; order statistics.", **ppl),
        bits_per_byte=number("perplexity.bits_per_byte", "Bits per byte", 1.213, 1.17, 1.262, 58, "bits", "Bits of all tokens over UTF-8 bytes; bootstrap."),
        word=number("perplexity.word", "Perplexity per word", 412.0, 340.0, 505.0, protocol="exp of the mean negative log-likelihood per word.", **ppl),
        most_surprising=tuple(Example(document_id=r.document_id, rule="highest perplexity") for r in measured[-3:]),
        by_slice={c: {v: tuple(sorted(x)) for v, x in values.items()} for c, values in by_slice.items()},
    )  # fmt: skip


def explanation_findings(examples, unit="probability"):
    words = [("not", "positive", 9, -0.28, -0.36, -0.2), ("moving", "positive", 6, 0.41, 0.3, 0.52), ("dull", "negative", 5, 0.33, 0.21, 0.45), ("不", "negative", 4, 0.52, 0.4, 0.64), ("رائعا", "positive", 4, 0.3, 0.12, 0.48), ("the", "positive", 31, 0.004, -0.01, 0.018)]
    return ExplanationFindings(
        n_documents=58, n_exact=4, n_samples=1000, kernel_width=25.0, segmenters={"words": 58}, unit=unit,
        fidelity=number("lime.fidelity", "Explanation fidelity R²", 0.74, 0.71, 0.77, 58, "correlation", "Mean over documents of the surrogate’s weighted R²; bootstrap interval."),
        low_fidelity_share=number("lime.low_fidelity_share", "Explanations with R² below 0.5", 0.069, 0.027, 0.164, 58),
        clear_share=number("lime.clear_share", "Documents with a clear weight", 0.897, 0.792, 0.952, 58),
        global_words=tuple(
            GlobalWord(text=t, label=label, n_documents=n, share_supporting=0.8 if m > 0.1 else 0.3,
                       mean_weight=number(f"w[{t}]", t, m, lo, hi, n, "probability", "Mean weight; bootstrap."))
            for t, label, n, m, lo, hi in words
        ),
        examples=tuple(Example(document_id=i, rule=rule) for i, rule in examples),
    )  # fmt: skip
