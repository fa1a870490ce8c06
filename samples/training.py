"""Trains, stores and evaluates the sample classifiers.

train         AdamW on all weights, linear warm-up and decay, label smoothing, batches of similar length
save          stores weights in half precision
evaluate      loads the stored weights and computes in float32
write_record  stores digests of the texts, so that a test can show that no sample document was trained on
"""

import hashlib
import json
import math
import random
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

import torch
import transformers
from torch import Tensor, nn
from transformers import AutoModelForSequenceClassification, AutoTokenizer

import pinned
from sentences import DIGEST_DIGITS, Split


class Labelled(Protocol):
    """A text and its label."""

    @property
    def text(self) -> str:
        """The input of the model."""

    @property
    def label(self) -> str:
        """Its reference label."""


@dataclass(frozen=True)
class Recipe:
    """The settings of a training."""

    labels: tuple[str, ...]
    seed: int
    epochs: int
    learning_rate: float
    max_length: int
    masked: float = 0.0
    """The share of tokens that are replaced by the mask in training, drawn for every batch."""
    batch: int = 32
    warm_up: float = 0.1
    """The share of the steps in which the learning rate rises."""
    smoothing: float = 0.1
    """Label smoothing, for raters disagree: of two labels the reference has a target of 0.95, the other of 0.05."""


@dataclass(frozen=True)
class Share:
    """A proportion with its Wilson interval at 95 %."""

    hits: int
    n: int

    @property
    def value(self) -> float:
        """The proportion, hits / n."""
        return self.hits / self.n

    @property
    def interval(self) -> tuple[float, float]:
        """Lower and upper end, by Wilson 1927: (p + z²/2n ± z √(p(1−p)/n + z²/4n²)) / (1 + z²/n)."""
        z = 1.959963984540054
        middle = self.value + z * z / (2 * self.n)
        half = z * math.sqrt(self.value * (1 - self.value) / self.n + z * z / (4 * self.n**2))
        scale = 1 + z * z / self.n
        return (middle - half) / scale, (middle + half) / scale

    def __str__(self) -> str:
        low, high = self.interval
        return f"{self.value:.3f} (95 % interval {low:.3f} to {high:.3f}, n = {self.n})"

    def as_json(self) -> dict[str, float]:
        """Value, interval and n, rounded for the record beside the model."""
        low, high = self.interval
        return {"value": round(self.value, 4), "low": round(low, 4), "high": round(high, 4), "n": self.n}


Results = Mapping[str, Share]


def train(model: Any, tokenizer: Any, texts: Sequence[Labelled], recipe: Recipe) -> None:
    """Train all weights of a model, in place."""
    n_steps = recipe.epochs * math.ceil(len(texts) / recipe.batch)
    optimizer = torch.optim.AdamW(_groups(model), lr=recipe.learning_rate)
    schedule = transformers.get_linear_schedule_with_warmup(optimizer, int(recipe.warm_up * n_steps), n_steps)
    random_order = random.Random(recipe.seed)
    model.train()
    for epoch in range(recipe.epochs):
        losses = []
        for batch in _batches(texts, recipe.batch, random_order):
            loss = _loss(model, tokenizer, batch, recipe)
            optimizer.zero_grad()
            loss.backward()  # type: ignore[no-untyped-call]
            nn.utils.clip_grad_norm_(model.parameters(), 1.0)
            optimizer.step()
            schedule.step()
            losses.append(loss.item())
        print(f"epoch {epoch + 1} of {recipe.epochs}: mean loss {sum(losses) / len(losses):.4f}", flush=True)


def _groups(model: Any) -> list[dict[str, Any]]:
    matrices = [p for p in model.parameters() if p.ndim > 1]
    vectors = [p for p in model.parameters() if p.ndim <= 1]
    return [{"params": matrices, "weight_decay": 0.01}, {"params": vectors, "weight_decay": 0.0}]


def _batches(texts: Sequence[Labelled], size: int, order: random.Random) -> Iterator[Sequence[Labelled]]:
    """Batches of all texts: shuffled, sorted by length within every 50 batches, and the batches shuffled again."""
    shuffled = order.sample(texts, len(texts))
    batches = []
    for start in range(0, len(shuffled), 50 * size):
        stretch = sorted(shuffled[start : start + 50 * size], key=lambda labelled: len(labelled.text))
        batches += [stretch[i : i + size] for i in range(0, len(stretch), size)]
    order.shuffle(batches)
    yield from batches


def _loss(model: Any, tokenizer: Any, batch: Sequence[Labelled], recipe: Recipe) -> Tensor:
    encoded = _encoded(tokenizer, batch, recipe)
    if recipe.masked:
        ids = encoded["input_ids"]
        special = torch.isin(ids, torch.tensor(tokenizer.all_special_ids))
        masked = (torch.rand(ids.shape) < recipe.masked) & ~special
        encoded["input_ids"] = ids.masked_fill(masked, tokenizer.mask_token_id)
    target = torch.tensor([recipe.labels.index(labelled.label) for labelled in batch])
    return nn.functional.cross_entropy(model(**encoded).logits, target, label_smoothing=recipe.smoothing)


def _encoded(tokenizer: Any, batch: Sequence[Labelled], recipe: Recipe) -> Any:
    texts = [labelled.text for labelled in batch]
    return tokenizer(texts, padding=True, truncation=True, max_length=recipe.max_length, return_tensors="pt")


def save(model: Any, tokenizer: Any, folder: Path) -> None:
    """Write weights in half precision, configuration and tokenizer."""
    folder.mkdir(parents=True, exist_ok=True)
    model.config.name_or_path = ""
    model.half().save_pretrained(folder)
    tokenizer.save_pretrained(folder)


def are_correct(folder: Path, texts: Sequence[Labelled], recipe: Recipe) -> list[bool]:
    """For every text, whether the stored model, in float32, gives its label."""
    tokenizer = AutoTokenizer.from_pretrained(folder)
    model = AutoModelForSequenceClassification.from_pretrained(folder, dtype=torch.float32).eval()
    with torch.inference_mode():
        chunks = [texts[i : i + recipe.batch] for i in range(0, len(texts), recipe.batch)]
        logits = torch.cat([model(**_encoded(tokenizer, chunk, recipe)).logits for chunk in chunks])  # (N, K)
    return [recipe.labels[i] == text.label for i, text in zip(logits.argmax(1).tolist(), texts, strict=True)]


def evaluate(folder: Path, texts: Sequence[Labelled], recipe: Recipe) -> dict[str, Share]:
    """Accuracy, and recall by label, of the stored model; prints them."""
    right = are_correct(folder, texts, recipe)
    results = {"accuracy": share(right)}
    for label in recipe.labels:
        results[f"recall[{label}]"] = share([r for r, text in zip(right, texts, strict=True) if text.label == label])
    for name, result in results.items():
        print(f"{name}: {result}", flush=True)
    return results


def share(right: Sequence[bool]) -> Share:
    """The share of True."""
    return Share(sum(right), len(right))


def write_record(
    folder: Path,
    recipe: Recipe,
    sources: Sequence[pinned.Package],
    data: Split[Any],
    digest: Callable[[str], str],
    extra: Mapping[str, object],
) -> None:
    """Write training.json: settings, sources, versions, digests of the texts, and `extra`."""
    record = {
        "seed": recipe.seed,
        "sources": {package.spec: package.sha256 for package in sources},
        "versions": {"torch": torch.__version__.split("+")[0], "transformers": transformers.__version__},
        "dropped": data.dropped,
        **extra,
        "digest": f"first {DIGEST_DIGITS} hexadecimal digits of the SHA-1 of the normalised text, sorted and joined",
        "train": {"n": len(data.train), "digests": _digests(data.train, digest)},
        "held_out": {"n": len(data.held_out), "digests": _digests(data.held_out, digest)},
    }
    (folder / "training.json").write_text(json.dumps(record, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")


def _digests(texts: Sequence[Labelled], digest: Callable[[str], str]) -> str:
    return "".join(sorted(digest(labelled.text) for labelled in texts))


def card_values(folder: Path, data: Split[Any]) -> dict[str, object]:
    """The values of placeholders in every model card: weights, data and versions."""
    weights = (folder / "model.safetensors").read_bytes()
    return {
        "n_train": f"{len(data.train):,}",
        "n_held_out": f"{len(data.held_out):,}",
        **{f"n_{reason}": f"{n:,}" for reason, n in data.dropped.items()},
        "sha256": hashlib.sha256(weights).hexdigest(),
        "size": f"{len(weights) / 1e6:.1f} MB",
        "versions": f"torch {torch.__version__.split('+')[0]}, transformers {transformers.__version__}",
    }


def require(folder: Path, results: Results, *, accuracy: float, n_bytes: int) -> None:
    """Check size and accuracy of a model.

    Raises:
        SystemExit: it is larger than n_bytes, or less accurate.
    """
    size = sum(path.stat().st_size for path in folder.iterdir())
    print(f"{folder}: {size / 1e6:.1f} MB", flush=True)
    if size > n_bytes or results["accuracy"].value < accuracy:
        sys.exit(f"not good enough: expected at most {n_bytes} bytes and an accuracy of at least {accuracy}")
