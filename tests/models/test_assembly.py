"""Assembled token ids are the tokenizer's own, or there are none."""

from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tokenizers import Tokenizer, models, normalizers, pre_tokenizers, trainers
from transformers import PreTrainedTokenizerBase, PreTrainedTokenizerFast

from auditor.corpus.segments import perturb, segment
from auditor.models.inputs import Encoded, Sequences, Tokens
from auditor.models.text.assembly import Assembler, Occurrence
from auditor.records.types import Document, Span
from tests.models.tiny import TEXTS, byte_pairs, word_pieces

MORE = [
    "It's a well-made, don't-miss film (2021) — 10/10; cost $3.50!  Really?\n\nYes: naïve café, me@x.org :-)",
    "这部电影真的 very 好。Really 好看！",
    "one two\tthree  four\n\n\nfive_six seven-eight 3rd 4 5",
    "İstanbul’da ağır bir film; Straße, ΑΘΗΝΑ μου. 東京の夏はとても暑い。ภาษาไทย",
    "x中y 中x y中z",
    "good good good, good",
    "see [SEP] or <s> and <|endoftext|> there",
    "e\u0301te\u0301 fou\u0301",
]


def digits_and_bytes() -> PreTrainedTokenizerFast:
    """A SmolLM-like tokenizer: digits one by one, then GPT-2's bytes."""
    own = byte_pairs()
    own.backend_tokenizer.pre_tokenizer = pre_tokenizers.Sequence(
        [pre_tokenizers.Digits(individual_digits=True), pre_tokenizers.ByteLevel(add_prefix_space=False)]
    )
    return own


def unigram() -> PreTrainedTokenizerFast:
    own = Tokenizer(models.Unigram())
    own.normalizer, own.pre_tokenizer = normalizers.NFKC(), pre_tokenizers.Metaspace()
    own.train_from_iterator(
        TEXTS + MORE, trainers.UnigramTrainer(vocab_size=300, unk_token="<unk>", special_tokens=["<unk>"])
    )
    return PreTrainedTokenizerFast(tokenizer_object=own, unk_token="<unk>")


def without_pre_tokenizer() -> PreTrainedTokenizerFast:
    own = Tokenizer(models.BPE(unk_token="<unk>"))
    own.normalizer = normalizers.Sequence([normalizers.Prepend("▁"), normalizers.Replace(" ", "▁")])
    own.train_from_iterator(TEXTS + MORE, trainers.BpeTrainer(vocab_size=300, special_tokens=["<unk>"]))
    return PreTrainedTokenizerFast(tokenizer_object=own, unk_token="<unk>")


def assembled(
    tokenizer: PreTrainedTokenizerBase, document: Document, keep_of: int, segmenter: str = "words", seed: int = 0
):
    """The assembled texts and those that the tokenizer gives, or None and those."""
    _, segments = segment(document, segmenter)
    keep = np.random.default_rng(seed).random((keep_of, len(segments))) < 0.6
    batch = tokenizer(document.text, document.pair, return_offsets_mapping=True, return_special_tokens_mask=True)
    own = batch.encodings[0]
    typed = "token_type_ids" in tokenizer.model_input_names
    tokens = Tokens(
        Encoded(tuple(own.ids), tuple(own.type_ids) if typed else ()),
        tuple(own.tokens),
        tuple(
            Span(a, b, "pair" if s == 1 else "text") for (a, b), s in zip(own.offsets, own.sequence_ids, strict=True)
        ),
        tuple(map(bool, own.special_tokens_mask)),
    )
    places = [Occurrence(s.start, s.stop, i, s.field == "pair") for i, one in enumerate(segments) for s in one.spans]
    found = Assembler(tokenizer).assemble((document.text, document.pair), tokens, places, keep)
    texts = perturb(document, segments, keep)
    pairs = [pair for _, pair in texts] if document.pair is not None else None
    wanted = tokenizer([text for text, _ in texts], pairs)
    types = wanted["token_type_ids"] if typed else [()] * keep_of
    return found, [Encoded(tuple(a), tuple(b)) for a, b in zip(wanted["input_ids"], types, strict=True)]


@pytest.mark.parametrize("segmenter", ["words", "lime", "characters", "sentences"])
@pytest.mark.parametrize("make", [word_pieces, byte_pairs, digits_and_bytes, unigram, without_pre_tokenizer])
@pytest.mark.parametrize("text", TEXTS + MORE, ids=range(len(TEXTS + MORE)))
def test_what_is_assembled_is_what_the_tokenizer_gives(make, text: str, segmenter: str) -> None:
    found, wanted = assembled(make(), Document("d", text), 60, segmenter)
    assert found is None or list(found) == wanted


@pytest.mark.parametrize("make", [word_pieces, byte_pairs, digits_and_bytes])
def test_plain_texts_are_assembled(make) -> None:
    for text in TEXTS[:3] + MORE[:1]:
        assert assembled(make(), Document("d", text), 20)[0] is not None


@pytest.mark.parametrize("make", [unigram, without_pre_tokenizer])
def test_other_tokenizers_are_asked(make) -> None:
    assert assembled(make(), Document("d", TEXTS[0]), 20)[0] is None


@pytest.mark.parametrize("text", MORE[3:5] + MORE[6:7])
def test_texts_in_which_words_touch_or_special_tokens_stand_are_left_to_the_tokenizer(text: str) -> None:
    assert assembled(word_pieces(), Document("d", text), 20)[0] is None


def test_a_second_sentence_is_assembled_with_its_types() -> None:
    found, wanted = assembled(word_pieces(), Document("d", TEXTS[0], pair=TEXTS[1]), 40)
    assert isinstance(found, Sequences)
    assert list(found) == wanted


def test_specials_around_every_text_stay() -> None:
    found, wanted = assembled(byte_pairs(roberta=True), Document("d", TEXTS[1]), 40)
    assert isinstance(found, Sequences)
    assert list(found) == wanted
    assert {(text.ids[0], text.ids[-1]) for text in found} == {(0, 2)}


PIECES = st.sampled_from(
    ["good", "bad", "x", "Ab", "é", "e\u0301", "中", "の", "12", "3", "_", "-", "'", "'s", "’", ".", ",", " ", "  ",
     "\n", "\t", "[", "]", "SEP", "<", "$", "😀", "ß", "\u200d", "\x00", "ا", "ก", "#", "\u00a0", "\u3000"]
)  # fmt: skip


@pytest.mark.parametrize("make", [word_pieces, byte_pairs, digits_and_bytes])
@given(
    pieces=st.lists(PIECES, min_size=1, max_size=25),
    seed=st.integers(0, 99),
    how=st.sampled_from(["words", "lime", "characters"]),
)
@settings(max_examples=150)
def test_hostile_mixtures_are_assembled_right_or_not_at_all(make, pieces: list[str], seed: int, how: str) -> None:
    document = Document("d", "".join(pieces))
    if segment(document, how)[1]:
        found, wanted = assembled(_made(make), document, 12, how, seed)
        assert found is None or list(found) == wanted


_cache: dict[object, PreTrainedTokenizerBase] = {}


def _made(make) -> PreTrainedTokenizerBase:
    if make not in _cache:
        _cache[make] = make()
    return _cache[make]


def test_what_a_folder_knows_is_used(tmp_path: Path) -> None:
    word_pieces().save_pretrained(tmp_path)
    own = PreTrainedTokenizerFast.from_pretrained(tmp_path)
    assert assembled(own, Document("d", TEXTS[0]), 20)[0] is not None
