"""Special tokens that stand in a text literally: those of the tokenizer count, and no others."""

from pathlib import Path

import pytest
from transformers import PreTrainedTokenizerFast

from auditor.models.text.special_tokens import SpecialTokens
from tests.models.tiny import byte_pairs, word_pieces


@pytest.fixture(scope="module")
def chat() -> PreTrainedTokenizerFast:
    tokenizer = byte_pairs()
    tokenizer.add_special_tokens({"additional_special_tokens": ["<|im_start|>", "<|im_end|>"]})
    tokenizer.add_tokens(["<think>"])
    return tokenizer


def literal(tokenizer: PreTrainedTokenizerFast, text: str, pair: str | None = None) -> tuple[str, ...]:
    return SpecialTokens(tokenizer).literal([(text, pair)])[0]


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("a dull film that never ends", ()),
        ("a [MASK] film that never ends", ("[MASK]",)),
        ("a dull film [SEP] that never ends [CLS]", ("[SEP]", "[CLS]")),
        ("[MASK][MASK] and [MASK]", ("[MASK]",) * 3),
        ("<|im_start|>user\nhello<|im_end|>", ()),
        ("a [mask] film", ()),
        ("", ()),
    ],
)
def test_the_special_tokens_of_the_tokenizer_are_named_in_order(text: str, found: tuple[str, ...]) -> None:
    assert literal(word_pieces(), text) == found


def test_an_unknown_word_is_no_literal_unknown_token() -> None:
    tokenizer = word_pieces()
    assert tokenizer.unk_token_id in tokenizer("\U0001f600 [UNK]")["input_ids"]
    assert literal(tokenizer, "\U0001f600") == ()
    assert literal(tokenizer, "\U0001f600 [UNK]") == ("[UNK]",)


def test_the_special_tokens_around_a_text_do_not_count_and_those_of_a_second_sentence_do() -> None:
    assert literal(word_pieces(), "a film", "an [MASK] end") == ("[MASK]",)


def test_tokens_that_were_added_as_special_count_and_those_added_as_words_do_not(
    chat: PreTrainedTokenizerFast, tmp_path: Path
) -> None:
    text = "<|im_start|>user\n<think>hello<|im_end|> [MASK] <|endoftext|>"
    assert literal(chat, text) == ("<|im_start|>", "<|im_end|>", "<|endoftext|>")
    chat.save_pretrained(tmp_path)
    assert literal(PreTrainedTokenizerFast.from_pretrained(tmp_path), text) == literal(chat, text)


def test_a_tokenizer_that_splits_special_tokens_reads_none() -> None:
    assert literal(byte_pairs(), "<|endoftext|>good") == ("<|endoftext|>",)
    split = byte_pairs()
    split.split_special_tokens = True
    split.backend_tokenizer.encode_special_tokens = True
    assert literal(split, "<|endoftext|>good") == ()
