"""The adapter of masked language models: equal to the plain loop, whatever the head, the batch and the order."""

from collections.abc import Iterator
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from tokenizers import Tokenizer, normalizers, pre_tokenizers, processors, trainers
from tokenizers import models as tokenizer_models
from transformers import (
    AlbertConfig,
    AutoModelForMaskedLM,
    BertConfig,
    DebertaV2Config,
    ModernBertConfig,
    PreTrainedConfig,
    PreTrainedTokenizerFast,
)

from auditor.errors import ModelError
from auditor.models import Attends, Classifies, FillMask, FillsMasks, Scores, find, offers
from auditor.models.attention.reduction import STATISTICS
from auditor.models.inputs import Cloze, Encoded
from auditor.probes.attention import punctuation
from tests.models.tiny import ENCODERS, TEXTS, byte_pairs, config_of, load_on_cpu, save, word_pieces

SPLIT = ["The filmings don't quietness allmoving; whatnots!", "hourses of two", "Good.", *TEXTS[:3]]
"""Texts with words that the tiny tokenizers have to split."""


@pytest.fixture(autouse=True)
def without_gradients() -> Iterator[None]:
    with torch.no_grad():
        yield


@pytest.fixture(scope="session")
def folders(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    root = tmp_path_factory.mktemp("masked")
    return {family: save(root / family, family, "fill-mask") for family in ENCODERS}


@pytest.fixture(params=ENCODERS)
def model(request: pytest.FixtureRequest, folders: dict[str, Path]) -> FillMask:
    return opened(folders[request.param])


def opened(folder: Path, **settings: object) -> FillMask:
    model = load_on_cpu(find("tiny", folder), **settings)
    assert isinstance(model, FillMask)
    return model


def saved(folder: Path, config: PreTrainedConfig, tokenizer: PreTrainedTokenizerFast) -> Path:
    torch.manual_seed(5)
    model = AutoModelForMaskedLM.from_config(config)
    for parameter in model.parameters():
        parameter.add_(torch.randn_like(parameter) * 0.15)
    model.save_pretrained(folder)
    tokenizer.save_pretrained(folder)
    return folder


def around(tokenizer: Tokenizer) -> PreTrainedTokenizerFast:
    """A tokenizer with [CLS] and [SEP] around its texts; special tokens in the order of their ids."""
    tokenizer.post_processor = processors.BertProcessing(("[SEP]", 3), ("[CLS]", 2))
    return PreTrainedTokenizerFast(
        tokenizer_object=tokenizer,
        pad_token="[PAD]",
        unk_token="[UNK]",
        cls_token="[CLS]",
        sep_token="[SEP]",
        mask_token="[MASK]",
        model_input_names=["input_ids", "token_type_ids", "attention_mask"],
    )


SPECIAL = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]"]


def whole_words() -> PreTrainedTokenizerFast:
    """Every word is one token."""
    tokenizer = Tokenizer(tokenizer_models.WordLevel(unk_token="[UNK]"))
    tokenizer.pre_tokenizer = pre_tokenizers.Whitespace()
    tokenizer.train_from_iterator(SPLIT, trainers.WordLevelTrainer(special_tokens=SPECIAL))
    return around(tokenizer)


def without_words() -> PreTrainedTokenizerFast:
    """A Unigram tokenizer that takes the whole text as one word: it has no pre-tokenizer."""
    tokenizer = Tokenizer(tokenizer_models.Unigram())
    tokenizer.normalizer = normalizers.Replace(" ", "▁")
    trainer = trainers.UnigramTrainer(vocab_size=120, special_tokens=SPECIAL, unk_token="[UNK]")
    tokenizer.train_from_iterator(TEXTS, trainer)
    return around(tokenizer)


def every_gap(model: FillMask, texts: list[str], *, words: bool = False) -> list[Cloze]:
    """Every token of the texts is asked for once; with `words` the later tokens of its word are hidden too."""
    clozes = []
    for spelling in model.spellings(texts):
        own, n = spelling.words, len(spelling.tokens.special)
        ends = list(range(1, n + 1))
        for i in reversed(range(n - 1)):
            ends[i] = ends[i + 1] if words and own[i] == own[i + 1] != -1 else i + 1
        gaps = tuple((i, ends[i]) for i in range(n) if not spelling.tokens.special[i])
        clozes.append(Cloze(spelling.tokens.encoded, gaps))
    return clozes


def plainly(model: FillMask, cloze: Cloze) -> list[float]:
    """The loop that everyone writes: one masked copy at a time through the whole model."""
    found = []
    for start, stop in cloze.gaps:
        ids = torch.tensor([cloze.text.ids])
        ids[0, start:stop] = model.tokenizer.mask_token_id
        more = {"token_type_ids": torch.tensor([cloze.text.type_ids])} if cloze.text.type_ids else {}
        logits = model.model(input_ids=ids, **more).logits
        found.append(float(logits[0, start].log_softmax(-1)[cloze.text.ids[start]]))
    return found


@pytest.mark.parametrize("words", [False, True])
def test_scores_equal_those_of_the_plain_loop(model: FillMask, words: bool) -> None:
    clozes = every_gap(model, SPLIT, words=words)
    for cloze, found in zip(clozes, model.fill(clozes), strict=True):
        np.testing.assert_allclose(found, plainly(model, cloze), atol=1e-5)


def test_scores_do_not_depend_on_batch_size_neighbours_or_order(model: FillMask, folders: dict[str, Path]) -> None:
    clozes = every_gap(model, SPLIT, words=True)
    together = np.concatenate(model.fill(clozes))
    alone = np.concatenate([model.fill([cloze])[0] for cloze in clozes])
    backwards = np.concatenate(model.fill(clozes[::-1])[::-1])
    small = opened(folders[str(model.model.config.model_type)], batch_tokens=1)
    for other in (alone, backwards, np.concatenate(small.fill(clozes))):
        np.testing.assert_allclose(together, other, atol=1e-5)


def test_the_head_sees_each_token_asked_for_once_and_nothing_else(model: FillMask) -> None:
    clozes = every_gap(model, SPLIT)
    before = model.batcher.n_head_rows
    first = model.fill([*clozes, *clozes])
    distinct = {(cloze.text.ids, gap) for cloze in clozes for gap in cloze.gaps}
    assert model.batcher.n_head_rows - before == len(distinct)
    for left, right in zip(first[: len(clozes)], first[len(clozes) :], strict=True):
        np.testing.assert_array_equal(left, right)


@pytest.mark.parametrize(
    ("config", "has_head"),
    [
        (AlbertConfig(embedding_size=16, hidden_size=32, num_attention_heads=4, intermediate_size=48), True),
        (
            DebertaV2Config(hidden_size=32, num_hidden_layers=2, num_attention_heads=4, intermediate_size=48),
            True,
        ),
        (
            ModernBertConfig(
                hidden_size=32, num_hidden_layers=2, num_attention_heads=4, intermediate_size=48, cls_token_id=2,
                sep_token_id=3, pad_token_id=0, bos_token_id=2, eos_token_id=3, local_attention=8,
            ),
            True,
        ),
    ],
    ids=lambda value: getattr(value, "model_type", None),
)  # fmt: skip
def test_other_architectures_need_no_code_of_their_own(
    tmp_path: Path, config: PreTrainedConfig, has_head: bool
) -> None:
    tokenizer = word_pieces()
    config.vocab_size = len(tokenizer)
    tokenizer.model_input_names = ["input_ids", "attention_mask"]
    model = opened(saved(tmp_path / "model", config, tokenizer))
    assert (model._head is not None) == has_head
    clozes = every_gap(model, SPLIT[:2])
    for cloze, found in zip(clozes, model.fill(clozes), strict=True):
        np.testing.assert_allclose(found, plainly(model, cloze), atol=1e-5)


def test_a_head_that_is_not_all_of_the_logits_is_noticed_and_the_whole_logits_used(folders: dict[str, Path]) -> None:
    model = opened(folders["bert"])
    forward = model.model.forward

    def with_a_bias(*args: object, input_ids: torch.Tensor, **kwargs: object) -> object:
        out = forward(*args, input_ids=input_ids, **kwargs)
        out.logits = out.logits + torch.arange(out.logits.shape[-1]) * input_ids[..., None] / 100
        return out

    model.model.forward = with_a_bias
    assert model._prediction_head() is None
    model._head = None
    clozes = every_gap(model, SPLIT)
    for cloze, found in zip(clozes, model.fill(clozes), strict=True):
        np.testing.assert_allclose(found, plainly(model, cloze), atol=1e-5)


def test_a_head_that_mixes_positions_is_noticed(folders: dict[str, Path]) -> None:
    model = opened(folders["bert"])
    head = model.model.cls.forward
    model.model.cls.forward = lambda states: head(states.cumsum(dim=1))
    assert model._prediction_head() is None


def test_words_are_those_of_the_tokenizer(folders: dict[str, Path]) -> None:
    spelling = opened(folders["bert"]).spellings(["filmings don't"])[0]
    assert "".join(spelling.tokens.texts[1:-1]) == "filmingsdon't"
    assert spelling.frame == (1, 1)
    numbers = list(dict.fromkeys(spelling.words[1:-1]))
    assert len(numbers) == 4  # filmings, don, ', t
    assert spelling.words[0] == spelling.words[-1] == -1
    assert len(spelling.words) > len(numbers) + 2


def test_a_tokenizer_that_does_not_cut_into_words_says_that_it_knows_none(tmp_path: Path) -> None:
    tokenizer = without_words()
    model = opened(saved(tmp_path / "model", config_of("bert", len(tokenizer)), tokenizer))
    assert model.spellings(["The film is good"])[0].words == ()
    clozes = every_gap(model, SPLIT)
    for cloze, found in zip(clozes, model.fill(clozes), strict=True):
        np.testing.assert_allclose(found, plainly(model, cloze), atol=1e-5)


def test_special_tokens_in_the_text_are_special_and_part_of_no_word(folders: dict[str, Path]) -> None:
    spelling = opened(folders["bert"]).spellings(["a [MASK] film"])[0]
    assert [t for t, s in zip(spelling.tokens.texts, spelling.tokens.special, strict=True) if s] == [
        "[CLS]",
        "[MASK]",
        "[SEP]",
    ]
    assert spelling.frame == (1, 1)
    assert spelling.words[spelling.tokens.texts.index("[MASK]")] == -1


def test_a_text_is_spelt_whole_however_long(model: FillMask) -> None:
    spelling = model.spellings(["bad film " * 200])[0]
    assert len(spelling.tokens.encoded.ids) > model.identity.max_length
    assert not spelling.tokens.encoded.truncated


def test_every_word_a_token_means_that_words_are_tokens(tmp_path: Path) -> None:
    tokenizer = whole_words()
    model = opened(saved(tmp_path / "model", config_of("bert", len(tokenizer)), tokenizer))
    for spelling in model.spellings(SPLIT):
        own = spelling.words[1:-1]
        assert all(left < right for left, right in pairwise(own))


def test_a_tokenizer_without_a_mask_token_is_refused(tmp_path: Path) -> None:
    tokenizer = byte_pairs()
    folder = saved(tmp_path / "model", BertConfig(**config_of("bert", len(tokenizer)).to_diff_dict()), tokenizer)
    with pytest.raises(ModelError, match="no mask token"):
        opened(folder)


def test_no_gaps_have_no_scores(folders: dict[str, Path]) -> None:
    model = opened(folders["bert"])
    text = model.spellings(["Good."])[0].tokens.encoded
    assert [len(found) for found in model.fill([Cloze(text, ())])] == [0]
    assert model.fill([]) == []
    assert [len(found) for found in model.fill([Cloze(text, ()), Cloze(text, ((1, 2),))])] == [0, 1]


def test_attention_of_a_masked_model_is_that_of_its_base(model: FillMask) -> None:
    tokens = model.tokens([(text, None) for text in TEXTS])
    for own in model.attention(tokens, [punctuation(t) for t in tokens]):
        assert own.received.sum() == pytest.approx(1)
        assert set(own.by_name) == set(STATISTICS)
        assert not own.causal


def test_the_task_offers_attention_and_filling_and_nothing_else() -> None:
    assert offers("fill-mask", FillsMasks)
    assert offers("fill-mask", Attends)
    assert not offers("fill-mask", Classifies)
    assert not offers("fill-mask", Scores)
    assert not offers("text-generation", FillsMasks)
    assert not offers("text-classification", FillsMasks)


def test_the_task_comes_from_the_checkpoint_and_the_model_has_no_labels(folders: dict[str, Path]) -> None:
    model = opened(folders["roberta"])
    assert model.identity.task == "fill-mask"
    assert model.identity.labels == ()
    with pytest.raises(ModelError, match="which is for fill-mask"):
        find("tiny", folders["roberta"], task="text-generation")


def test_copies_are_made_stretch_by_stretch_and_asked_once_over_all_of_them(
    model: FillMask, monkeypatch: pytest.MonkeyPatch
) -> None:
    clozes = every_gap(model, SPLIT)
    wanted = model.fill(clozes)
    sizes, score = [], model._scores

    def counted(copies: list[Any]) -> torch.Tensor:
        sizes.append(sum(len(one.ids) for one in copies))
        return score(copies)

    monkeypatch.setattr(model, "_scores", counted)
    monkeypatch.setattr("auditor.models.text.fill_mask.STRETCH", 60)
    before = model.batcher.n_head_rows
    found = model.fill([*clozes, *clozes])
    for own, other in zip(found, [*wanted, *wanted], strict=True):
        np.testing.assert_allclose(own, other, atol=1e-5)
    assert len(sizes) > 10
    assert max(sizes) < 60 + max(len(cloze.text.ids) for cloze in clozes)
    assert model.batcher.n_head_rows - before == len({(c.text.ids, gap) for c in clozes for gap in c.gaps})


def test_copies_that_differ_in_the_kinds_of_their_tokens_are_not_taken_for_one(folders: dict[str, Path]) -> None:
    model = opened(folders["bert"])
    ids = model.spellings(["A good film."])[0].tokens.encoded.ids
    clozes = [Cloze(Encoded(ids, (kind,) * len(ids)), ((2, 3),)) for kind in (0, 1)]
    for cloze, found in zip(clozes, model.fill(clozes), strict=True):
        np.testing.assert_allclose(found, plainly(model, cloze), atol=1e-5)
