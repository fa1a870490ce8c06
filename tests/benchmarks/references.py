r"""The truth that an estimate of LIME's coefficients is held against, and how far the `lime` package is from it.

    truth      the weighted regression over the whole distribution of masks, without penalty: all 2^S masks with their
               probabilities up to 12 segments, else 100,000 masks drawn as the package draws them
    error      max_j |β_j − truth_j| / max_j |truth_j|

The package's own error at N samples is that of its estimator on N masks: redrawn from the enumeration, or one block of
N of the 100,000 after the other. Such a block has part in the truth it is held against, which makes lime look better
than it is by a factor of √(1 − N/100,000), 2.5 % at N = 5,000. The answers come from the stock model, not from ours.
"""

import hashlib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from transformers import AutoModelForSequenceClassification

from auditor.corpus.segments import perturb, segment
from auditor.probes.lime.surrogate import enumerate_masks, fit, kernel, sample_masks
from auditor.records.types import Document
from tests.benchmarks import materials

ENUMERATED_UP_TO, N_DRAWN, BLOCKS = 12, 100_000, 20
WIDTH = 25.0
TOKENS_PER_BATCH = 2048


@dataclass(frozen=True)
class Reference:
    """Masks of one document and what the model says to them."""

    masks: np.ndarray
    """(N, S) bool."""
    values: np.ndarray
    """(N,) probability of the label predicted for the whole document."""
    shares: np.ndarray | None
    """(N,) probability of each mask where all are enumerated."""

    @property
    def truth(self) -> np.ndarray:
        proximity = kernel(self.masks, WIDTH) * (1.0 if self.shares is None else self.shares)
        return fit(self.masks, self.values, proximity, exact=True).weights

    def error(self, coefficients: np.ndarray) -> float:
        return float(np.abs(coefficients - self.truth).max() / np.abs(self.truth).max())

    def errors_of_lime(self, n_samples: int) -> list[float]:
        """Of the package's estimator, again and again."""
        return [
            self.error(fit(masks, values, kernel(masks, WIDTH)).weights) for masks, values in self._draws(n_samples)
        ]

    def _draws(self, n_samples: int) -> Iterator[tuple[np.ndarray, np.ndarray]]:
        if self.shares is None:
            blocks = range(0, N_DRAWN, n_samples)
            yield from ((self.masks[i : i + n_samples], self.values[i : i + n_samples]) for i in blocks)
            return
        place = np.empty(len(self.masks), dtype=int)
        place[_codes(self.masks)] = np.arange(len(self.masks))
        for number in range(BLOCKS):
            masks = sample_masks(self.masks.shape[1], n_samples, np.random.RandomState(number))
            yield masks, self.values[place[_codes(masks)]]


def reference(document: Document, place: Path, cache: Path) -> Reference:
    """Computes it, or reads what an earlier run computed for the same text and weights."""
    _, segments = segment(document, "lime")
    n_segments = len(segments)
    if n_segments <= ENUMERATED_UP_TO:
        masks, shares = enumerate_masks(n_segments, 10**9)
    else:
        masks, shares = sample_masks(n_segments, N_DRAWN, np.random.RandomState(0)), None
    weights = (place / "model.safetensors").read_bytes()
    file = cache / f"{hashlib.sha256(weights + document.text.encode()).hexdigest()[:16]}-{len(masks)}.npy"
    if not file.exists():
        np.save(file, _answers([text for text, _ in perturb(document, segments, masks)], place))
    return Reference(masks, np.load(file), shares)


def _answers(texts: list[str], place: Path) -> np.ndarray:
    """Probability of the label of the first text, by the stock model, in batches of equal length."""
    tokenizer, model = materials.word_pieces(), materials.plain(place, AutoModelForSequenceClassification)
    distinct = list(dict.fromkeys(texts))
    ids = tokenizer(distinct)["input_ids"]
    found = np.empty((len(distinct), model.config.num_labels))
    for batch in _equal_lengths(ids):
        found[batch] = _probabilities(model, [ids[i] for i in batch])
    column = found[:, int(found[0].argmax())]
    answer = dict(zip(distinct, column.tolist(), strict=True))
    return np.array([answer[text] for text in texts])


def _equal_lengths(ids: list[list[int]]) -> Iterator[list[int]]:
    groups: dict[int, list[int]] = {}
    for i, own in enumerate(ids):
        groups.setdefault(len(own), []).append(i)
    for length, group in groups.items():
        size = max(1, TOKENS_PER_BATCH // length)
        yield from (group[i : i + size] for i in range(0, len(group), size))


def _probabilities(model: Any, ids: list[list[int]]) -> np.ndarray:
    with torch.inference_mode():
        return model(input_ids=torch.tensor(ids)).logits.double().softmax(-1).numpy()


def _codes(masks: np.ndarray) -> np.ndarray:
    """Each mask as a number."""
    return masks @ (1 << np.arange(masks.shape[1]))
