"""Perplexity against models whose perplexity is known, for every window and stride; and lm-eval's windows."""

import math
import re
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from auditor.models import find, load
from auditor.models.inputs import Encoded, Text, Tokens
from auditor.probes.contract import Sitting
from auditor.probes.perplexity import PerplexityProbe, rolling_windows
from auditor.records.types import Document, Failure, NotMeasurable, Perplexity, Span
from tests.models.tiny import save
from tests.probes.stubs import Chain

RANDOM = np.random.default_rng(5)
MARKOV = RANDOM.dirichlet(np.ones(6), size=6)
TEXT = "".join(RANDOM.choice(list("abcdef"), 103))


def one(model: Chain, text: str = TEXT, **settings: int) -> Perplexity:
    found = next(PerplexityProbe(**settings).measure(model, [Document("d", text)], Sitting(0)))
    assert isinstance(found, Perplexity)
    return found


class Words(Chain):
    """A uniform model over words, each a token with the white space before it."""

    def __init__(self, *, prefix: bool = True) -> None:
        super().__init__(np.full((9, 9), 1 / 9), 16, prefix=prefix)

    def spell(self, text: str) -> Tokens:
        spans = tuple(Span(m.start(), m.end()) for m in re.finditer(r"\s*\S+", text))
        ids = tuple(range(1, len(spans) + 1))
        return Tokens(Encoded(ids), tuple(text[s.start : s.stop] for s in spans), spans, (False,) * len(ids))


def counts(model: Chain, text: str, pair: str | None = None) -> tuple[int, int, int]:
    """Scored tokens, their bytes and words."""
    found = next(PerplexityProbe().measure(model, [Document("d", text, pair=pair)], Sitting(0)))
    assert isinstance(found, Perplexity)
    return len(found.logprobs), found.n_bytes, found.n_words


@pytest.mark.parametrize("stride", [None, 1, 3, 8, 16])
def test_a_uniform_model_has_the_perplexity_of_its_vocabulary(stride: int | None) -> None:
    found = one(Chain(np.full((6, 6), 1 / 6), 16), stride=stride)
    assert math.exp(found.nll / len(found.logprobs)) == pytest.approx(6, rel=1e-12)


@pytest.mark.parametrize("context_length", [2, 5, 16, 103, 500])
@pytest.mark.parametrize("stride", [1, 2, 7, 16])
def test_a_first_order_chain_does_not_depend_on_window_and_stride(context_length: int, stride: int) -> None:
    model = Chain(MARKOV, max_length=500)
    found = one(model, context_length=context_length, stride=min(stride, context_length))
    assert found.nll == pytest.approx(model.exact(TEXT), rel=1e-12)
    assert len(found.logprobs) == len(TEXT)
    assert "".join(found.tokens) == TEXT


@given(st.integers(1, 60), st.integers(2, 20), st.integers(1, 20))
@settings(max_examples=200, deadline=None)
def test_every_token_is_scored_once_with_full_left_context(n: int, context_length: int, stride: int) -> None:
    stride = min(stride, context_length)
    ids = tuple(range(100, 100 + n))
    windows = rolling_windows(ids, 0, context_length, stride)
    assert [t for w in windows for t in w.targets] == list(ids)
    for window in windows:
        assert len(window.ids) == min(context_length, window.targets[-1] - 100 + 1)
        assert window.ids[-1] == (window.targets[-1] - 1 if window.targets[-1] > 100 else 0)


@given(st.integers(1, 60), st.integers(2, 20), st.integers(1, 20))
@settings(max_examples=100, deadline=None)
def test_windows_are_those_of_lm_eval(n: int, context_length: int, stride: int) -> None:
    from lm_eval.utils import get_rolling_token_windows

    stride = min(stride, context_length)
    ids = list(range(100, 100 + n))
    theirs = get_rolling_token_windows(ids, 0, context_length, context_length - stride + 1)
    ours = rolling_windows(tuple(ids), 0, context_length, stride)
    # lm-eval repeats inputs the window already has no room for; compare the targets and the end of the context.
    for (context, targets), window in zip(theirs, ours, strict=True):
        assert tuple(targets) == window.targets
        assert tuple(context)[-len(window.ids) :] == window.ids


def test_without_a_prefix_the_first_token_is_context_only() -> None:
    model = Chain(MARKOV, 16, prefix=False)
    found = one(model, "bcd")
    assert found.tokens == ("c", "d")
    assert found.prefix == ""
    assert found.nll == pytest.approx(-(model.table[1, 2] + model.table[2, 3]))


def test_without_a_prefix_bytes_and_words_are_those_that_were_scored() -> None:
    bare, whole = Words(prefix=False), Words()
    assert counts(whole, "Hello wide world") == (3, 16, 3)
    assert counts(bare, "Hello wide world") == (2, 11, 2)
    assert counts(bare, "天地 人") == (1, 4, 1)
    assert counts(bare, "Hello wide world", pair="its moons spin") == (4, 11 + 11, 4)
    assert counts(bare, "Hello wide world", pair="moon \n") == (2, 11, 2)  # nothing of the pair was scored


def test_a_uniform_model_over_bytes_needs_eight_bits_for_each_with_or_without_a_prefix() -> None:
    for prefix in (True, False):
        found = one(Chain(np.full((256, 256), 1 / 256), 64, prefix=prefix), "abcdefgh")
        assert found.nll / math.log(2) / found.n_bytes == pytest.approx(8, rel=1e-12)


def test_a_blank_second_sentence_is_neither_scored_nor_counted() -> None:
    assert counts(Words(), "Hello wide world", pair=" \n\t  ") == (3, 16, 3)


def test_a_single_token_without_prefix_has_nothing_to_score() -> None:
    documents = [Document("d", "b"), Document("e", "bc"), Document("f", "b", pair="c")]
    found = list(PerplexityProbe().measure(Chain(MARKOV, 16, prefix=False), documents, Sitting(0)))
    assert [type(row) for row in found] == [NotMeasurable, Perplexity, NotMeasurable]
    assert found[0].kind == "nothing-to-score"
    assert isinstance(next(PerplexityProbe().measure(Chain(MARKOV, 16), documents, Sitting(0))), Perplexity)


def test_a_pair_is_scored_as_two_texts() -> None:
    model = Chain(MARKOV, 16)
    found = next(PerplexityProbe().measure(model, [Document("d", "bcd", pair="ef")], Sitting(0)))
    assert isinstance(found, Perplexity)
    assert found.nll == pytest.approx(model.exact("bcd") + model.exact("ef"))
    assert [span.field for span in found.spans] == ["text"] * 3 + ["pair"] * 2
    assert (found.n_bytes, found.n_words) == (5, 2)


def test_documents_keep_their_order_and_blanks_are_failures() -> None:
    documents = [Document("a", "bc"), Document("b", "  "), Document("c", "ddd")]
    found = list(PerplexityProbe().measure(Chain(MARKOV, 16), documents, Sitting(0)))
    assert [f.document_id for f in found] == ["a", "b", "c"]
    assert isinstance(found[1], Failure)


def test_bytes_are_those_of_the_original_text() -> None:
    assert one(Chain(MARKOV, 16), "abc").n_bytes == 3


def test_a_stride_beyond_the_window_is_refused() -> None:
    with pytest.raises(ValueError, match="tokens would be lost"):
        PerplexityProbe(context_length=8, stride=9)


def test_log_probabilities_that_are_not_finite_are_failures() -> None:
    model = Chain(MARKOV, 16)
    model.table[1, 2] = -math.inf
    found = next(PerplexityProbe().measure(model, [Document("d", "abc")], Sitting(0)))
    assert isinstance(found, Failure)
    assert found.kind == "non-finite"


class Marked(Chain):
    """A chain over a, b, c …; its prefix token, id 0 as `a` has, is written `^`."""

    @property
    def prefix(self) -> tuple[int, str] | None:
        return (0, "^") if self.has_prefix else None

    def spell(self, text: str) -> Tokens:
        ids = tuple(max(ord(c) - ord("a"), 0) for c in text)
        return replace(super().spell(text), encoded=Encoded(ids))

    def special_tokens(self, texts: Sequence[Text]) -> list[tuple[str, ...]]:
        return [tuple(c for c in text + (pair or "") if c == "^") for text, pair in texts]


@pytest.mark.parametrize("stride", [None, 1, 3])
def test_a_text_that_begins_with_the_prefix_token_brings_it_along(stride: int | None) -> None:
    model, text = Marked(MARKOV, 16), TEXT[:40]
    bare, literal = (one(model, t, stride=stride) for t in (text, "^" + text))
    assert literal.logprobs == pytest.approx(bare.logprobs, abs=1e-12)
    assert literal.tokens == bare.tokens == tuple(text)
    assert [(s.start, s.stop) for s in literal.spans] == [(i, i + 1) for i in range(1, 41)]
    assert (literal.n_bytes, literal.n_words) == (bare.n_bytes, bare.n_words)
    assert (bare.special_tokens, literal.special_tokens) == ((), ("^",))
    assert literal.prefix == "^"


def test_a_prefix_token_further_on_is_scored_as_the_text_has_it_and_noted() -> None:
    model = Marked(MARKOV, 16)
    found, second = one(model, "b^c"), one(model, "^^c")
    assert found.logprobs == pytest.approx((model.table[0, 1], model.table[1, 0], model.table[0, 2]))
    assert second.logprobs == pytest.approx((model.table[0, 0], model.table[0, 2]))
    assert (found.special_tokens, second.special_tokens) == (("^",), ("^", "^"))


def test_each_of_two_sentences_may_bring_its_prefix_token() -> None:
    model = Marked(MARKOV, 16)
    found = next(PerplexityProbe().measure(model, [Document("d", "bc", pair="^de")], Sitting(0)))
    assert isinstance(found, Perplexity)
    assert found.tokens == tuple("bcde")
    assert found.nll == pytest.approx(model.exact("bc") + model.exact("de"))


def test_a_text_of_the_prefix_token_alone_has_nothing_to_score() -> None:
    found = next(PerplexityProbe().measure(Marked(MARKOV, 16), [Document("d", "^")], Sitting(0)))
    assert isinstance(found, NotMeasurable)
    assert "no token to score" in found.message


def test_an_unknown_first_word_whose_id_is_that_of_the_prefix_is_scored() -> None:
    assert one(Marked(MARKOV, 16), "abc").tokens == tuple("abc")


def test_a_real_model_does_not_score_a_literal_first_token_and_agrees_with_itself_without_it(tmp_path: Path) -> None:
    model = load(find("gpt2", save(tmp_path / "gpt2", "gpt2", "text-generation")), device="cpu")
    texts = ("The film is not bad at all", "<|endoftext|>The film is not bad at all")
    bare, literal = PerplexityProbe().measure(
        model, [Document(str(i), text) for i, text in enumerate(texts)], Sitting(0)
    )
    assert isinstance(bare, Perplexity)
    assert isinstance(literal, Perplexity)
    assert literal.logprobs == pytest.approx(bare.logprobs, abs=1e-5)
    assert literal.special_tokens == ("<|endoftext|>",)
