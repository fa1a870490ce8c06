"""Answers to texts of made-up words that are a known function of the words."""

import random
from math import exp

from auditor.findings import Evidence
from auditor.records.explanations import BagOfWords
from auditor.records.types import Document, Prediction

LABELS = ("negative", "positive")
WORDS = tuple(f"word{i:02}" for i in range(40))
PLANTED = {"word00": 3.0, "word01": -2.0, "word02": 1.5, "word03": -1.0}
"""Word → weight in the log-odds of the second label."""


def drawn_bags(n, seed=0, words=WORDS):
    """Six words for each of n documents, drawn with equal chances."""
    rng = random.Random(seed)
    return [tuple(rng.sample(words, 6)) for _ in range(n)]


def linear(bag, planted=PLANTED):
    """The log-odds of the second label."""
    return sum(planted.get(word, 0.0) for word in bag) + 0.25


def answer(name, logits, labels=LABELS, multi_label=False):
    """What a model with these logits answers."""
    largest = max(logits)
    p = [1 / (1 + exp(-z)) for z in logits] if multi_label else [exp(z - largest) for z in logits]
    p = p if multi_label else [x / sum(p) for x in p]
    chosen = [label for label, z in zip(labels, logits, strict=True) if z >= 0]
    predicted = chosen if multi_label else [labels[logits.index(largest)]]
    return Prediction(name, labels, tuple(logits), tuple(p), tuple(predicted), 0.5, 8, False)


def evidence_of(bags, logits, labels=LABELS, multi_label=False):
    """The evidence of documents with these words and these logits."""
    names = [f"d{i:04}" for i in range(len(bags))]
    documents = tuple(Document(name, " ".join(bag)) for name, bag in zip(names, bags, strict=True))
    words = {name: BagOfWords(name, "words", bag) for name, bag in zip(names, bags, strict=True)}
    answers = {name: answer(name, z, labels, multi_label) for name, z in zip(names, logits, strict=True)}
    return Evidence(documents, {"prediction": answers, "global_surrogate": words})
