"""What the tests of the committed samples read: corpora, models, and the records beside them."""

import json
from pathlib import Path
from typing import Any

import torch
from transformers import AutoModelForSequenceClassification, AutoTokenizer

from sentences import DIGEST_DIGITS

SAMPLES = Path(__file__).parents[2] / "samples"


def rows(name: str) -> list[dict[str, str]]:
    """The documents of a corpus."""
    return [json.loads(line) for line in (SAMPLES / "corpora" / name).read_text("utf-8").splitlines()]


def record(folder: Path) -> dict[str, Any]:
    """What the training script wrote beside the model."""
    return json.loads((folder / "training.json").read_text("utf-8"))


def digests(joined: str) -> set[str]:
    """The digests of a record, apart."""
    return {joined[i : i + DIGEST_DIGITS] for i in range(0, len(joined), DIGEST_DIGITS)}


class Classifier:
    """A stored model in float32."""

    def __init__(self, folder: Path) -> None:
        self.tokenizer = AutoTokenizer.from_pretrained(folder)
        self.model = AutoModelForSequenceClassification.from_pretrained(folder, dtype=torch.float32).eval()

    def logits(self, texts: list[str]) -> torch.Tensor:
        with torch.inference_mode():
            return self.model(**self.tokenizer(texts, padding=True, return_tensors="pt")).logits

    def labels(self, texts: list[str]) -> list[str]:
        return [self.model.config.id2label[i] for i in self.logits(texts).argmax(1).tolist()]

    def hits(self, documents: list[dict[str, str]]) -> int:
        """How many documents are labelled rightly."""
        by_length = sorted(documents, key=lambda document: len(document["text"]))
        batches = [by_length[i : i + 25] for i in range(0, len(by_length), 25)]
        found = [label for batch in batches for label in self.labels([document["text"] for document in batch])]
        return sum(label == document["label"] for label, document in zip(found, by_length, strict=True))
