"""Invented documents and records, built by hand as the probes would leave them."""

import math
import random
import re
import unicodedata
from dataclasses import replace

import invented_texts as texts

from auditor.records.explanations import Explanation, Neighbourhood, Segment, Surrogate, Target
from auditor.records.types import Document, Perplexity, Prediction, Span

LABELS = ("negative", "neutral", "positive")


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
    """Sixty documents in three scripts; the last three are without a word, blank and overlong."""
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
        document_id = (
            f"{language}-{i:04d}"
            if i != 14
            else "reviews/2026/a-very-long-identifier-that-someone-made-from-a-path-and-a-hash-9f8e7d6c5b4a"
        )
        length = "short" if len(text) < 70 else "long"
        made.append(Document(document_id, text, labels=(label,), metadata={"language": language, "length": length}))
        if pieces:
            words[document_id] = pieces
    made[57] = replace(made[57], text="?! …")
    made.append(Document("blank-0058", "   ", labels=("neutral",), metadata={"language": "en", "length": "short"}))
    made.append(
        Document("long-0059", texts.SPEECH * 12, labels=("neutral",), metadata={"language": "en", "length": "long"})
    )
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
    strong = {
        "not": -0.31,
        "bad": 0.22,
        "moving": 0.48,
        "genuinely": 0.24,
        "drags": -0.27,
        "不": 0.58,
        "好看": -0.33,
        "رائعا": 0.36,
    }
    weights = tuple(strong.get(s.text, rng.gauss(0, 0.05)) for s in segments)
    exact = len(segments) <= 8
    errors = tuple(0.0 if exact else 0.02 + 0.03 * rng.random() for _ in segments)
    selected = tuple(rng.random() > 0.1 or s.text in strong for s in segments)
    target = Target(label, weights, errors, selected, 0.82, Surrogate(0.4, 0.55 + 0.4 * rng.random(), 0.8))
    n = 2 ** len(segments) if exact else 1000
    around = Neighbourhood(n, min(n, 987), exact, 25.0)
    return Explanation(document.id, "lime", unit, "words", segments, (target,), around)


def perplexity(document, rng, model="smollm2-135m"):
    tokens = re.findall(r"\s*\S{1,6}", document.text)
    spans, start = [], 0
    for token in tokens:
        spans.append(Span(start, start + len(token)))
        start += len(token)
    logprobs = tuple(-rng.expovariate(0.35) for _ in tokens)
    n_bytes, n_words = len(document.text.encode()), len(document.text.split())
    return Perplexity(
        document.id, model, tuple(tokens), tuple(spans), logprobs, n_bytes, n_words, 1024, 512, "<|endoftext|>"
    )


def value_of(record):
    return math.exp(record.nll / len(record.logprobs))
