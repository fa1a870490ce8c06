"""The words of documents and a model's answers to them, as the arrays that a surrogate over words is fitted to.

Dimension letters: n documents, W words, K labels.
"""

import hashlib
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np

from auditor.findings.contract.summary import Setting
from auditor.findings.statistics import sparse_regression
from auditor.findings.statistics.resampling import Floats
from auditor.records.explanations import BagOfWords
from auditor.records.types import Prediction

LEAST_WITH_WORD = 3
MOST_WORDS = 1000
MOST_LABELS = 6


@dataclass(frozen=True)
class WordsAndAnswers:
    """The words of n documents, and the answers to them."""

    bags: Sequence[BagOfWords]
    predictions: Sequence[Prediction]
    setting: Setting

    @cached_property
    def words(self) -> Mapping[str, int]:
        """Word → documents that have it, of the words that the surrogate may use; in the order of its columns."""
        counts = Counter(word for bag in self.bags for word in bag.words)
        recurring = sorted((-n, word) for word, n in counts.items() if n >= LEAST_WITH_WORD)
        return {word: -n for n, word in recurring[:MOST_WORDS]}

    @cached_property
    def features(self) -> sparse_regression.Features:
        """(n, W)."""
        column = {word: i for i, word in enumerate(self.words)}
        return sparse_regression.features(
            [sorted(column[word] for word in bag.words if word in column) for bag in self.bags], len(column)
        )

    @property
    def all_labels(self) -> tuple[str, ...]:
        """Of the model."""
        return self.predictions[0].labels

    @property
    def either(self) -> bool:
        """Whether the model gives one of two labels."""
        return len(self.all_labels) == 2 and not self.setting.multi_label

    @cached_property
    def labels(self) -> tuple[str, ...]:
        """The K labels that have a surrogate, in the model's order."""
        if self.either:
            return self.all_labels[1:]
        counts = Counter(label for prediction in self.predictions for label in prediction.predicted)
        most = sorted(self.all_labels, key=lambda label: -counts[label])[:MOST_LABELS]
        return tuple(label for label in self.all_labels if label in most)

    @cached_property
    def log_odds(self) -> Floats:
        """(n, K)."""
        logits = np.array([prediction.logits for prediction in self.predictions])
        columns = [self.all_labels.index(label) for label in self.labels]
        if not self.setting.multi_label:
            logits = np.stack([logits[:, k] - _log_sum(np.delete(logits, k, axis=1)) for k in columns], axis=1)
            return np.asarray(logits)
        return np.asarray(logits[:, columns])

    @cached_property
    def gives(self) -> np.ndarray:
        """(n, K) bool: to which documents the model gives each label."""
        return np.array([[label in prediction.predicted for label in self.labels] for prediction in self.predictions])

    @cached_property
    def folds(self) -> np.ndarray:
        """(n,) int: by the hash of seed and id."""
        keys = [
            hashlib.sha256(f"{self.setting.seed}\0{bag.document_id}".encode("utf-8", "replace")) for bag in self.bags
        ]
        order = sorted(range(len(keys)), key=lambda i: keys[i].digest())
        folds = np.empty(len(keys), dtype=int)
        folds[order] = np.arange(len(keys)) % sparse_regression.FOLDS
        return folds


def _log_sum(logits: Floats) -> Floats:
    """The logarithm of Σ exp over the last axis; −∞ of no label at all."""
    largest = logits.max(axis=1, initial=-np.inf)
    shifted = np.exp(logits - np.where(np.isfinite(largest), largest, 0.0)[:, None]).sum(axis=1)
    with np.errstate(divide="ignore"):
        return np.asarray(np.where(np.isfinite(largest), largest, 0.0) + np.log(shifted))
