"""The committed classifier: it loads offline, it is as good as its card says, and it never saw the sample reviews."""

import json
from pathlib import Path
from typing import Any

import pytest
import torch
from transformers import AutoModelForSequenceClassification, AutoTokenizer

import pinned
from sentences import DIGEST_DIGITS, digest
from train_sentiment import BYTES_ALLOWED, Share

SAMPLES = Path(__file__).parents[2] / "samples"
FOLDER = SAMPLES / "models" / "sentiment"
REVIEWS = [json.loads(line) for line in (SAMPLES / "corpora" / "reviews.jsonl").read_text("utf-8").splitlines()]


class Classifier:
    """The stored model in float32."""

    def __init__(self) -> None:
        self.tokenizer = AutoTokenizer.from_pretrained(FOLDER)
        self.model = AutoModelForSequenceClassification.from_pretrained(FOLDER, dtype=torch.float32).eval()

    def logits(self, texts: list[str]) -> torch.Tensor:
        with torch.inference_mode():
            return self.model(**self.tokenizer(texts, padding=True, return_tensors="pt")).logits

    def labels(self, texts: list[str]) -> list[str]:
        return [self.model.config.id2label[i] for i in self.logits(texts).argmax(1).tolist()]


@pytest.fixture(scope="module")
def classifier() -> Classifier:
    return Classifier()


@pytest.fixture(scope="module")
def record() -> dict[str, Any]:
    return json.loads((FOLDER / "training.json").read_text("utf-8"))


def digests(joined: str) -> set[str]:
    return {joined[i : i + DIGEST_DIGITS] for i in range(0, len(joined), DIGEST_DIGITS)}


def test_the_folder_has_at_most_25_megabytes() -> None:
    assert sum(path.stat().st_size for path in FOLDER.iterdir()) <= BYTES_ALLOWED


def test_obvious_sentences_are_classified_rightly(classifier: Classifier) -> None:
    praise = [
        "A wonderful, moving film.",
        "I loved every minute.",
        "Brilliant acting and a superb script.",
        "Great fun!",
    ]
    blame = ["A boring, stupid mess.", "I hated it.", "Terrible acting and a lazy script.", "A complete waste of time."]
    assert classifier.labels(praise) == ["positive"] * 4
    assert classifier.labels(blame) == ["negative"] * 4


def test_four_fifths_of_the_sample_reviews_are_classified_rightly(classifier: Classifier) -> None:
    by_length = sorted(REVIEWS, key=lambda review: len(review["text"]))
    batches = [by_length[i : i + 25] for i in range(0, len(by_length), 25)]
    found = [label for batch in batches for label in classifier.labels([review["text"] for review in batch])]
    right = [a == review["label"] for a, review in zip(found, by_length, strict=True)]
    assert sum(right) >= 0.78 * len(REVIEWS)


def test_logits_are_float32_and_finite_although_the_weights_are_stored_in_half_precision(
    classifier: Classifier,
) -> None:
    logits = classifier.logits(["A film.", "word " * 400])
    assert classifier.model.config.num_hidden_layers == 4
    assert logits.dtype == torch.float32
    assert torch.isfinite(logits).all()


def test_padding_changes_no_answer(classifier: Classifier) -> None:
    short, long = "Often hilarious.", REVIEWS[0]["text"] * 3
    torch.testing.assert_close(classifier.logits([short, long])[:1], classifier.logits([short]), atol=1e-5, rtol=0)


def test_every_latin_text_can_be_spelt_with_the_smaller_vocabulary(classifier: Classifier) -> None:
    tokens = classifier.tokenizer.tokenize("Zyzzyva's naïve façade, £3.50 & 100% “quoted” — cryptocurrency…! ß ø")
    assert "[UNK]" not in tokens
    assert len(classifier.tokenizer) == classifier.model.config.vocab_size >= 12_000


def test_no_sample_review_was_trained_on(record: dict[str, Any]) -> None:
    train, held_out = (digests(record[part]["digests"]) for part in ("train", "held_out"))
    reviews = {digest(review["text"]) for review in REVIEWS}
    assert (len(train), len(held_out)) == (record["train"]["n"], record["held_out"]["n"])
    assert reviews <= held_out
    assert not train & held_out


def test_the_record_names_the_pinned_packages(record: dict[str, Any]) -> None:
    assert record["sources"] == {package.spec: package.sha256 for package in (pinned.ENCODER, pinned.RATINGS)}


def test_the_card_says_what_the_record_says(record: dict[str, Any]) -> None:
    card = (FOLDER / "README.md").read_text("utf-8")
    for result in record["results"].values():
        assert str(Share(round(result["value"] * result["n"]), result["n"])) in card
    assert f"{record['train']['n']:,} sentences were trained on" in card
    assert record["results"]["accuracy"]["value"] >= 0.82
    assert record["results"]["accuracy"]["n"] == 1000
