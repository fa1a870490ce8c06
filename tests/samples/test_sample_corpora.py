"""The committed corpora are what their columns say, and the audits over them are configured rightly."""

import re
from collections import Counter

import pytest

from auditor import config, corpus
from make_corpora import EXCERPT_WORDS, PASSAGE_WORDS, band
from tests.samples.stored import SAMPLES, rows


def test_there_are_200_reviews_with_about_as_many_of_either_label() -> None:
    reviews = rows("reviews.jsonl")
    assert len({review["id"] for review in reviews}) == 200
    assert {tuple(review) for review in reviews} == {("id", "text", "label", "length", "disagreement")}
    assert 95 <= Counter(review["label"] for review in reviews)["positive"] <= 105


def test_every_band_has_enough_reviews_for_a_slice() -> None:
    reviews = rows("reviews.jsonl")
    for column, bands in (("length", ("short", "medium", "long")), ("disagreement", ("low", "medium", "high"))):
        counts = Counter(review[column] for review in reviews)
        assert set(counts) == set(bands)
        assert min(counts.values()) >= 40


def test_the_length_band_is_that_of_the_text() -> None:
    for review in rows("reviews.jsonl"):
        assert review["length"] == band(len(review["text"].split()), 13, 21, ("short", "medium", "long"))


def test_speeches_are_24_passages_and_4_excerpts_half_of_either_century() -> None:
    speeches = rows("speeches.jsonl")
    assert len({speech["id"] for speech in speeches}) == 28
    assert Counter((s["kind"], s["century"]) for s in speeches) == {
        ("passage", "nineteenth"): 12,
        ("passage", "twentieth"): 12,
        ("excerpt", "nineteenth"): 2,
        ("excerpt", "twentieth"): 2,
    }


def test_the_century_is_that_of_the_year_and_a_passage_names_no_year() -> None:
    for speech in rows("speeches.jsonl"):
        assert speech["century"] == {"18": "nineteenth", "19": "twentieth"}[speech["year"][:2]]
        if speech["kind"] == "passage":
            assert len(speech["text"].split()) in PASSAGE_WORDS
            assert not re.search(r"\b1[5-9]\d\d\b", speech["text"])
        else:
            assert EXCERPT_WORDS <= len(speech["text"].split()) < EXCERPT_WORDS + 150


@pytest.mark.parametrize("name", ["reviews.jsonl", "speeches.jsonl", "comments_zh.jsonl"])
def test_texts_carry_no_traces_of_their_encoding(name: str) -> None:
    for row in rows(name):
        assert not re.search(r"&\w+;|''|  |Ã|â€|\ufffd|[\x00-\x1f]", row["text"]), row["id"]
        assert row["text"] == row["text"].strip()


@pytest.mark.parametrize(("name", "n"), [("sentiment.toml", 200), ("smollm2.toml", 28), ("sentiment_zh.toml", 120)])
def test_each_audit_reads_its_corpus_and_names_models_beside_it(name: str, n: int) -> None:
    audit = config.load(SAMPLES / name, {})
    settings = audit.corpus.model_dump(exclude={"path"})
    documents = corpus.load(SAMPLES / audit.corpus.path, **settings, seed=audit.seed).documents
    assert len(documents) == n
    assert all(document.labels for document in documents)
    assert audit.model.name.startswith("models/")
    assert audit.checks
