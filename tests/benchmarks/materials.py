"""What is measured on: models of known size with random, seeded weights, the sample classifier, and real texts."""

import json
import re
from collections.abc import Callable, Iterable
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import torch
from transformers import (
    AutoModelForCausalLM,
    AutoModelForMaskedLM,
    AutoModelForSequenceClassification,
    AutoTokenizer,
    BertConfig,
    GPT2Config,
    PreTrainedConfig,
    PreTrainedTokenizerFast,
    pipeline,
)

from auditor import models
from auditor.records.types import Document
from tests.models.tiny import byte_pairs

SAMPLES = Path(__file__).parents[2] / "samples"
SENTIMENT = SAMPLES / "models" / "sentiment"
MINILM = {"hidden_size": 384, "num_hidden_layers": 6, "num_attention_heads": 12, "intermediate_size": 1536}
DISTILGPT2 = {"n_embd": 768, "n_layer": 6, "n_head": 12}
ENDS = {"bos_token_id": 0, "eos_token_id": 0}
MASKED_VOCABULARY, CAUSAL_VOCABULARY = 30_522, 50_257


def classifier(folder: Path, **changes: int) -> Path:
    """MiniLM-L6-H384 with a head of two classes, whose answers vary from text to text."""
    config = BertConfig(**{**MINILM, **changes}, vocab_size=len(word_pieces()), initializer_range=0.08)
    return _saved(folder, "classifier", AutoModelForSequenceClassification, config, word_pieces(), _spread_out)


def masked(folder: Path) -> Path:
    """The same body with a masked-language-model head over 30,522 tokens."""
    config = BertConfig(**MINILM, vocab_size=MASKED_VOCABULARY, initializer_range=0.05)
    return _saved(folder, "masked", AutoModelForMaskedLM, config, word_pieces())


def causal(folder: Path, n_positions: int = 1024, vocabulary: int = CAUSAL_VOCABULARY) -> Path:
    """GPT-2 of distilgpt2's size."""
    config = GPT2Config(**DISTILGPT2, **ENDS, n_positions=n_positions, vocab_size=vocabulary)
    return _saved(folder, "causal", AutoModelForCausalLM, config, byte_pairs())


def _saved(
    folder: Path,
    name: str,
    maker: Any,
    config: PreTrainedConfig,
    tokenizer: PreTrainedTokenizerFast,
    adjust: Callable[[Any, PreTrainedTokenizerFast], None] | None = None,
) -> Path:
    size = getattr(config, "max_position_embeddings", 0)
    place = folder / f"{name}-{config.hidden_size}x{config.num_hidden_layers}-{size}-{config.vocab_size}"
    if not (place / "config.json").exists():
        torch.manual_seed(0)
        model = maker.from_config(config).eval()
        if adjust:
            adjust(model, tokenizer)
        tokenizer.model_max_length = size
        tokenizer.save_pretrained(place)
        model.save_pretrained(place)
    return place


def _spread_out(model: Any, tokenizer: PreTrainedTokenizerFast) -> None:
    """Random logits are much the same for all texts: moves their mean to 0."""
    with torch.inference_mode():
        batch = tokenizer([document.text for document in reviews()[:16]], padding=True, return_tensors="pt")
        mean = model(**batch).logits.mean(0)
    with torch.no_grad():
        model.classifier.bias -= mean


def word_pieces() -> PreTrainedTokenizerFast:
    """The WordPiece tokenizer of the sample classifier."""
    return AutoTokenizer.from_pretrained(SENTIMENT)


@cache
def reviews() -> tuple[Document, ...]:
    """The sample corpus of film reviews."""
    return tuple(_documents("reviews.jsonl", label="label"))


@cache
def speeches() -> str:
    """The sample corpus of speeches, as one text."""
    return "\n\n".join(document.text for document in _documents("speeches.jsonl"))


def _documents(file: str, label: str | None = None) -> Iterable[Document]:
    for line in (SAMPLES / "corpora" / file).read_text(encoding="utf-8").splitlines():
        row = json.loads(line)
        yield Document(row["id"], row["text"], labels=(row[label],) if label else ())


def of_words(n_words: int, n_documents: int = 1, *, at_least: int | None = None) -> list[Document]:
    """Reviews with that many different words as the `lime` package splits them, or a few less, the longest first."""
    least = n_words if at_least is None else at_least
    sizes = [(len(set(re.findall(r"\w+", document.text))), document) for document in reviews()]
    found = sorted((pair for pair in sizes if least <= pair[0] <= n_words), key=lambda pair: -pair[0])
    if len(found) < n_documents:
        raise ValueError(f"the corpus has {len(found)} reviews of {n_words} words, not {n_documents}")
    return [document for _, document in found[:n_documents]]


def of_tokens(tokenizer: PreTrainedTokenizerFast, n_tokens: int, start: int = 0) -> str:
    """A stretch of the speeches that is exactly that many tokens, without special tokens."""
    text = speeches()[start:]
    text *= 1 + 8 * n_tokens // len(text)
    offsets = tokenizer(text, return_offsets_mapping=True, add_special_tokens=False, verbose=False)["offset_mapping"]
    for _, stop in offsets[n_tokens - 8 : n_tokens + 8]:
        if len(tokenizer(text[:stop], add_special_tokens=False, verbose=False)["input_ids"]) == n_tokens:
            return text[:stop]
    raise ValueError(f"no stretch of exactly {n_tokens} tokens begins at character {start}")


def ours(place: Path, task: str) -> Any:
    """A model as the audit loads it."""
    torch.set_num_threads(1)
    return models.load(models.find(place.name, place, task=task), device="cpu", dtype="float32")


def plain(place: Path, maker: Any, attention: str = "sdpa") -> Any:
    """A model as a notebook loads it."""
    torch.set_num_threads(1)
    return maker.from_pretrained(place, dtype=torch.float32, attn_implementation=attention).eval()


def answering(place: Path, batch_size: int = 32) -> Callable[[list[str]], np.ndarray]:
    """A Hugging Face pipeline as `lime` wants it: texts to probabilities (B, K)."""
    torch.set_num_threads(1)
    model = plain(place, AutoModelForSequenceClassification)
    pipe = pipeline("text-classification", model=model, tokenizer=AutoTokenizer.from_pretrained(place), device="cpu")
    labels = list(model.config.id2label.values())

    def answer(texts: list[str]) -> np.ndarray:
        found = pipe(list(texts), batch_size=batch_size, top_k=None)
        rows = [{entry["label"]: entry["score"] for entry in row} for row in found]
        return np.array([[row[label] for label in labels] for row in rows])

    return answer
