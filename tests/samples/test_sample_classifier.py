"""The committed classifier: it loads offline, it is as good as its card says, and it never saw the sample reviews."""

from typing import Any

import pytest
import torch

import pinned
from sentences import digest
from tests.samples.stored import SAMPLES, Classifier, digests, record, rows
from train_sentiment import MOST_BYTES
from training import Share

FOLDER = SAMPLES / "models" / "sentiment"
REVIEWS = rows("reviews.jsonl")


@pytest.fixture(scope="module")
def classifier() -> Classifier:
    return Classifier(FOLDER)


@pytest.fixture(scope="module", name="record")
def _record() -> dict[str, Any]:
    return record(FOLDER)


def test_the_folder_has_at_most_25_megabytes() -> None:
    assert sum(path.stat().st_size for path in FOLDER.iterdir()) <= MOST_BYTES


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
    assert classifier.hits(REVIEWS) >= 0.78 * len(REVIEWS)


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
