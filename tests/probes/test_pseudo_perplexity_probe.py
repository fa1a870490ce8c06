"""Pseudo-perplexity against models whose answer is known; what is hidden with each token, and in which window."""

import math
from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError
from stubs import Reader, identity

from auditor.models import FillMask, find, load
from auditor.models.inputs import Cloze, Encoded, Spelling, Tokens
from auditor.probes.contract import Sitting
from auditor.probes.pseudo_perplexity import PseudoPerplexityProbe, clozes
from auditor.records.types import Document, Failure, NotMeasurable, PseudoPerplexity, Span
from tests.models.tiny import TEXTS, save

BOTH = ("within-word", "original")


class Oracle(Reader):
    """A masked model over characters: pieces of two make up the words; answers by any function of cloze and gap."""

    def __init__(self, answer=lambda _text, _gap: -1.0, max_length=64, knows_words=True):
        self.identity = identity(max_length=max_length)
        self.answer, self.knows_words = answer, knows_words
        self.asked: list[Cloze] = []

    def spellings(self, texts: Sequence[str]) -> list[Spelling]:
        return [self._spelling(text) for text in texts]

    def _spelling(self, text: str) -> Spelling:
        pieces = [(i, min(i + 2, stop)) for start, stop in _words(text) for i in range(start, stop, 2)]
        numbers = [n for n, (start, stop) in enumerate(_words(text)) for _ in range(start, stop, 2)]
        spans = (Span(0, 0), *(Span(*piece) for piece in pieces), Span(0, 0))
        names = ("[CLS]", *(text[a:b] for a, b in pieces), "[SEP]")
        special = tuple(name.startswith("[") for name in names) if pieces else (True, True)
        ids = Encoded(tuple(range(100, 100 + len(names))))
        return Spelling(Tokens(ids, names, spans, special), (1, 1), (-1, *numbers, -1) if self.knows_words else ())

    def fill(self, asked: Sequence[Cloze]) -> list[np.ndarray]:
        self.asked += asked
        assert all(len(cloze.text.ids) <= self.identity.max_length for cloze in asked)
        return [np.array([self.answer(cloze.text, gap) for gap in cloze.gaps]) for cloze in asked]


def _words(text: str) -> list[tuple[int, int]]:
    starts = [i for i, c in enumerate(text) if c != " " and (i == 0 or text[i - 1] == " ")]
    return [(s, text.find(" ", s) if " " in text[s:] else len(text)) for s in starts]


def measured(model, *texts, **parameters):
    documents = [text if isinstance(text, Document) else Document(str(i), text) for i, text in enumerate(texts)]
    return list(PseudoPerplexityProbe(**parameters).measure(model, documents, Sitting(0)))


@pytest.mark.parametrize("variant", BOTH)
def test_a_uniform_model_over_v_tokens_has_pseudo_perplexity_v(variant):
    records = measured(Oracle(lambda *_: -math.log(50)), "a bb cccc", "dddddd" * 40, variant=variant)
    total, n = sum(r.nll for r in records), sum(len(r.logprobs) for r in records)
    assert math.exp(total / n) == pytest.approx(50)


def test_within_word_hides_the_rest_of_the_word_and_original_the_token_alone():
    within, original = Oracle(), Oracle()
    measured(within, "so uvenir a")
    measured(original, "so uvenir a", variant="original")
    assert within.asked[0].gaps == ((1, 2), (2, 5), (3, 5), (4, 5), (5, 6))
    assert original.asked[0].gaps == ((1, 2), (2, 3), (3, 4), (4, 5), (5, 6))


def test_the_record_says_what_was_scored():
    [record] = measured(Oracle(), "so uvenir")
    assert isinstance(record, PseudoPerplexity)
    assert record.tokens == ("so", "uv", "en", "ir")
    assert record.words == (0, 1, 1, 1)
    assert record.spans[1] == Span(3, 5, "text")
    assert record.logprobs == (-1.0,) * 4
    assert record.nll == 4
    assert (record.variant, record.context_length, record.model) == ("within-word", 64, "stub")


def test_every_token_of_a_long_document_is_scored_once_in_the_window_that_has_it_in_the_middle():
    model = Oracle(max_length=6)  # four tokens of the text and two special ones
    [record] = measured(model, "aa bb cc dd ee ff gg", context_length=8)
    assert record.context_length == 6
    seen = [(cloze.text.ids[1:-1], [start for start, _ in cloze.gaps]) for cloze in model.asked]
    assert seen == [
        ((101, 102, 103, 104), [1, 2, 3]),
        ((102, 103, 104, 105), [3]),
        ((103, 104, 105, 106), [3]),
        ((104, 105, 106, 107), [3, 4]),
    ]
    assert all((cloze.text.ids[0], cloze.text.ids[-1]) == (100, 108) for cloze in model.asked)


@given(
    st.lists(st.integers(1, 9), min_size=1, max_size=30),
    st.integers(3, 20),
    st.sampled_from(BOTH),
)
def test_windows_score_every_token_once_with_the_most_context_on_its_poorer_side(sizes, context_length, variant):
    model = Oracle()
    spelling = model.spellings([" ".join("x" * size for size in sizes)])[0]
    n, room = len(spelling.words) - 2, context_length - 2
    scored = []
    for cloze in clozes(spelling, context_length, variant):
        inner = cloze.text.ids[1:-1]
        assert len(inner) == min(n, room)
        for start, stop in cloze.gaps:
            token = cloze.text.ids[start]
            scored.append(token)
            left, right = token - inner[0], inner[-1] - token
            whole_left, whole_right = token - 101, 100 + n - token
            assert left >= min(room // 2, whole_left) or right == whole_right
            assert right >= min(room - 1 - room // 2, whole_right) or left == whole_left
            words = [spelling.words[t - 100] for t in cloze.text.ids[start:stop]]
            assert len(set(words)) == 1
            if variant == "original":
                assert stop == start + 1
            elif stop < len(cloze.text.ids) - 1:
                assert spelling.words[cloze.text.ids[stop] - 100] != words[0]
    assert scored == list(range(101, 101 + n))


def test_without_words_of_the_tokenizer_they_are_unicode_words():
    model = Oracle(knows_words=False)
    [record] = measured(model, "uvenir, bad-good!")  # pieces: uv en ir , / ba d- go od !
    assert record.tokens == ("uv", "en", "ir", ",", "ba", "d-", "go", "od", "!")
    assert record.words == (0, 0, 0, 1, 2, 2, 2, 2, 3)
    assert model.asked[0].gaps[:4] == ((1, 4), (2, 4), (3, 4), (4, 5))


def test_two_sentences_are_scored_as_two_texts():
    model = Oracle()
    [record] = measured(model, Document("p", "aabb cc", "dd"))
    assert [span.field for span in record.spans] == ["text", "text", "text", "pair"]
    assert record.words == (0, 0, 1, 2)
    assert len(model.asked) == 2


def test_special_tokens_in_the_text_are_context_and_never_scored():
    model = Oracle()
    [record] = measured(model, "aa [X cc")
    assert record.tokens == ("aa", "cc")
    assert model.asked[0].gaps == ((1, 2), (3, 4))


def test_documents_that_cannot_be_scored_are_told_apart_one_by_one():
    model = Oracle(lambda text, _gap: math.nan if len(text.ids) == 4 else -1.0)
    rows = measured(model, " ", "[X", "aa", "aa bb", "cc")
    assert [type(r) for r in rows] == [Failure, NotMeasurable, PseudoPerplexity, Failure, PseudoPerplexity]
    assert [rows[i].kind for i in (0, 1, 3)] == ["blank", "nothing-to-score", "non-finite"]


@pytest.mark.parametrize("wrong", [{"variant": "left"}, {"context_length": 7}, {"limit": 0}, {"strides": 4}])
def test_parameters_are_checked(wrong):
    with pytest.raises(ValidationError):
        PseudoPerplexityProbe(**wrong)


@pytest.fixture(scope="module", params=["bert", "roberta"])
def tiny(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[FillMask]:
    folder = save(tmp_path_factory.mktemp("masked") / request.param, request.param, "fill-mask")
    model = load(find("tiny", folder), device="cpu")
    assert isinstance(model, FillMask)
    with torch.no_grad():
        yield model


WITH_SPLIT_WORDS = ["The filmings don't quietness allmoving; whatnots!", *TEXTS]


def test_the_variants_differ_only_before_the_last_token_of_a_split_word(tiny: FillMask):
    within = measured(tiny, *WITH_SPLIT_WORDS)
    original = measured(tiny, *WITH_SPLIT_WORDS, variant="original")
    differing = 0
    for left, right in zip(within, original, strict=True):
        assert left.words == right.words
        for i, (a, b) in enumerate(zip(left.logprobs, right.logprobs, strict=True)):
            is_last = i + 1 == len(left.words) or left.words[i + 1] != left.words[i]
            if is_last:
                assert a == pytest.approx(b, abs=1e-5)
            else:
                differing += abs(a - b) > 1e-3
    assert differing > 5


def test_a_document_scores_the_same_alone_and_among_others(tiny: FillMask):
    together = measured(tiny, *WITH_SPLIT_WORDS)
    for text, record in zip(WITH_SPLIT_WORDS, together, strict=True):
        [alone] = measured(tiny, text)
        np.testing.assert_allclose(alone.logprobs, record.logprobs, atol=1e-5)


def test_a_window_that_holds_the_whole_document_changes_nothing_and_a_smaller_one_fits(tiny: FillMask):
    text = " ".join(TEXTS[:3])
    [whole] = measured(tiny, text)
    [wide] = measured(tiny, text, context_length=60)
    [narrow] = measured(tiny, text, context_length=12)
    np.testing.assert_allclose(whole.logprobs, wide.logprobs, atol=1e-5)
    assert (wide.context_length, narrow.context_length) == (60, 12)
    assert len(narrow.logprobs) == len(whole.logprobs)
    [long] = measured(tiny, text * 3)
    assert len(long.logprobs) > tiny.identity.max_length


def test_weights_that_answer_nothing_are_a_uniform_model(tmp_path: Path):
    folder = save(tmp_path / "flat", "bert", "fill-mask")
    model = load(find("tiny", folder), device="cpu")
    with torch.no_grad():
        for parameter in model.model.cls.parameters():
            parameter.zero_()
    for variant in BOTH:
        records = measured(model, *WITH_SPLIT_WORDS, variant=variant)
        total, n = sum(r.nll for r in records), sum(len(r.logprobs) for r in records)
        assert math.exp(total / n) == pytest.approx(len(model.tokenizer), rel=1e-5)
