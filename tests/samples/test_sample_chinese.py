"""The Chinese sample: its comments are what their columns say, its model is what its card says and never saw them."""

import re
from collections import Counter
from typing import Any

import numpy as np
import pytest
import torch

import pinned
from auditor import models
from auditor.corpus.segments import perturb, segment
from auditor.records.types import Document
from auditor.report.branding import fonts
from chinese_reviews import digest, pairs
from sentences import near_repeats
from tests.samples.stored import SAMPLES, Classifier, digests, record, rows
from train_sentiment_zh import LEAST_ACCURACY, MOST_BYTES
from training import Share

FOLDER = SAMPLES / "models" / "sentiment_zh"
COMMENTS = rows("comments_zh.jsonl")
TEXTS = [comment["text"] for comment in COMMENTS]


@pytest.fixture(scope="module")
def classifier() -> Classifier:
    return Classifier(FOLDER)


@pytest.fixture(scope="module", name="record")
def _record() -> dict[str, Any]:
    return record(FOLDER)


def test_there_are_120_comments_half_of_either_label() -> None:
    assert len({comment["id"] for comment in COMMENTS}) == len(set(map(digest, TEXTS))) == 120
    assert {tuple(comment) for comment in COMMENTS} == {("id", "text", "label", "类别", "篇幅", "写法")}
    assert Counter(comment["label"] for comment in COMMENTS) == {"正面": 60, "负面": 60}


def test_every_topic_has_24_comments_half_of_either_label() -> None:
    counts = Counter((comment["类别"], comment["label"]) for comment in COMMENTS)
    topics = ("酒店", "书籍", "手机", "餐饮", "电影")
    assert counts == {(topic, label): 12 for topic in topics for label in ("正面", "负面")}


@pytest.mark.parametrize(
    ("column", "values"), [("篇幅", {"短", "中", "长"}), ("写法", {"直述", "否定", "转折", "反讽"})]
)
def test_every_slice_has_comments_of_both_labels(column: str, values: set[str]) -> None:
    counts = Counter((comment[column], comment["label"]) for comment in COMMENTS)
    assert set(counts) == {(value, label) for value in values for label in ("正面", "负面")}
    assert min(counts.values()) >= 5


def test_the_length_band_is_that_of_the_text() -> None:
    for comment in COMMENTS:
        n = len(comment["text"])
        assert comment["篇幅"] == ("短" if n <= 20 else "中" if n <= 45 else "长"), comment["id"]
    assert min(map(len, TEXTS)) >= 8
    assert max(map(len, TEXTS)) > 100


def test_the_comments_mix_scripts_as_people_do() -> None:
    patterns = (r"[A-Za-z]{2}", r"\d", r"[\U0001f300-\U0001faff]", r"[，。！？：；]", r"“.+?”")
    for pattern, at_least in zip(patterns, (5, 12, 8, 80, 8), strict=True):
        assert sum(bool(re.search(pattern, text)) for text in TEXTS) >= at_least, pattern


def test_no_comment_nearly_repeats_another() -> None:
    for i, text in enumerate(TEXTS):
        assert not near_repeats([text], TEXTS[:i] + TEXTS[i + 1 :], pairs)


def test_every_character_can_be_printed() -> None:
    everything = "".join(value for comment in COMMENTS for row in comment.items() for value in row)
    assert fonts.missing(everything) == ()


def test_the_folder_is_small() -> None:
    assert sum(path.stat().st_size for path in FOLDER.iterdir()) <= MOST_BYTES


def test_obvious_comments_are_classified_rightly(classifier: Classifier) -> None:
    assert classifier.labels(["房间很干净，服务很好，下次还来。", "这本书非常好看，强烈推荐！"]) == ["正面"] * 2
    assert classifier.labels(["房间很脏，服务太差，再也不来了。", "内容无聊，浪费钱，非常失望。"]) == ["负面"] * 2


def test_the_comments_are_classified_as_well_as_the_record_says(classifier: Classifier, record: dict[str, Any]) -> None:
    said = record["sample"]["accuracy"]
    assert said["n"] == len(COMMENTS)
    assert abs(classifier.hits(COMMENTS) - said["value"] * said["n"]) < 2.5


def test_logits_are_float32_and_finite_even_where_a_text_is_cut(classifier: Classifier) -> None:
    texts = ["好", "好" * 400]
    encoded = classifier.tokenizer(texts, padding=True, truncation=True, return_tensors="pt")
    assert encoded["input_ids"].shape == (2, 256)
    logits = classifier.model(**encoded).logits
    assert logits.dtype == torch.float32
    assert torch.isfinite(logits).all()


def test_padding_changes_no_answer(classifier: Classifier) -> None:
    together = classifier.logits([TEXTS[0], max(TEXTS, key=len)])
    torch.testing.assert_close(together[:1], classifier.logits(TEXTS[:1]), atol=1e-5, rtol=0)


def test_tokens_are_single_characters_and_few_are_unknown(classifier: Classifier) -> None:
    tokens = [token for text in TEXTS for token in classifier.tokenizer.tokenize(text)]
    assert {len(token.removeprefix("##")) for token in tokens if token != "[UNK]"} == {1}
    assert tokens.count("[UNK]") < 0.01 * len(tokens)
    assert classifier.tokenizer.tokenize("Wi-Fi 28楼") == ["w", "##i", "-", "f", "##i", "2", "##8", "楼"]


def test_the_token_ids_of_perturbed_comments_are_assembled_and_are_the_tokenizers_own() -> None:
    model = models.load(models.find(str(FOLDER), FOLDER), device="cpu")
    for comment in COMMENTS[::6]:
        document = Document(comment["id"], comment["text"])
        name, segments = segment(document)
        keep = np.random.default_rng(0).random((30, len(segments))) < 0.6
        found = model.assemble(document, segments, keep)
        assert name == "words"
        assert found is not None, comment["id"]
        assert list(found) == list(model.encode(perturb(document, segments, keep)))


def test_no_comment_was_trained_on_or_held_out(record: dict[str, Any]) -> None:
    train, held_out = (digests(record[part]["digests"]) for part in ("train", "held_out"))
    assert (len(train), len(held_out)) == (record["train"]["n"], record["held_out"]["n"])
    assert not train & held_out
    assert not {digest(text) for text in TEXTS} & (train | held_out)


def test_the_record_names_the_pinned_package(record: dict[str, Any]) -> None:
    package = pinned.CHINESE_REVIEWS
    assert record["sources"] == {package.spec: package.sha256}


def test_the_card_says_what_the_record_says(record: dict[str, Any]) -> None:
    card = (FOLDER / "README.md").read_text("utf-8")
    for result in [*record["results"].values(), *record["sample"].values()]:
        assert str(Share(round(result["value"] * result["n"]), result["n"])) in card
    assert f"{record['train']['n']:,} reviews were trained on" in card
    assert record["results"]["accuracy"]["value"] >= LEAST_ACCURACY
    assert record["results"]["accuracy"]["n"] == 1500


def test_the_card_says_what_may_not_be_done_with_the_source() -> None:
    card = " ".join((FOLDER / "README.md").read_text("utf-8").split())
    assert "Their origin is not documented" in card
    assert "no review is in this repository" in card
