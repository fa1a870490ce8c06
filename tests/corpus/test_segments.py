"""What is switched off, and what remains: by construction, as the lime package does, and as properties."""

import logging
import subprocess
import sys
import time
import warnings
from itertools import compress
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from auditor.corpus import SEGMENTERS, perturb, segment
from auditor.errors import ConfigError
from auditor.records.types import Document, Span

with warnings.catch_warnings():
    warnings.simplefilter("ignore")
    from lime.lime_text import IndexedString

TEXTS = [
    "Not bad at all",
    "This is good, this is GOOD, this is very good!",
    "don't won't can't",
    "  leading and trailing  ",
    "line one\nline two\r\nline\ttwo\n",
    "a a a a a",
    "one",
    "Well-made, state-of-the-art... really?!",
    "snake_case and __dunder__",
    "3.14 is 3.14, not 3,14",
    "cafe\u0301 café naïve",
    "我喜欢这部电影，非常好看！",
    "私は学生です。",
    "привет, мир! Привет?",
    "emoji 😍 and 👩‍👩‍👧 family",
    "x\u200by\u202ez",
    '"quoted" (parenthesised) [bracketed] {braced}',
    "<b>not</b> &amp; {{7*7}} $1 </script>",
    "trailing newline\n",
    "...,,,leading punctuation",
    "É é e E",
    "a\u2028b\u2029c",
    "tab\tseparated\tvalues\tvalues",
    "word " * 50,
]


def document(text: str, pair: str | None = None) -> Document:
    return Document(id="d", text=text, pair=pair)


def strings(text: str, segmenter: str = "words", *, bow: bool = False) -> list[str]:
    return [one.text for one in segment(document(text), segmenter, bow=bow)[1]]


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("Don't you like it?", ["Don't", "you", "like", "it"]),
        ("I’m O'Neil's dogs' 'quoted'", ["I’m", "O'Neil's", "dogs", "quoted"]),
        ("a well-made, 10-year-old film -- well--made", ["a", "well-made", "10-year-old", "film", "well", "made"]),
        ("3.14 1,000 U.S.A. m² ½", ["3.14", "1,000", "U.S.A", "m", "²", "½"]),
        ("snake_case ___ _x", ["snake_case", "_x"]),
        ('cafe\u0301 हिन्दी عربي צה"ל 한국어', ["cafe\u0301", "हिन्दी", "عربي", 'צה"ל', "한국어"]),
        ("我喜欢这部电影，非常好看！", ["我", "喜欢", "这部", "电影", "非常", "好看"]),
        ("3月abc中文x-中文", ["3", "月", "abc", "中文", "x", "中文"]),
        ("私は学生です。ラーメンすごーい", ["私", "は", "学生", "です", "ラーメン", "すごーい"]),
        ("ฉันรัก มาก123", ["ฉันรัก", "มาก", "123"]),
        ("nice 😍👩‍👩‍👧 🇩🇪❤️ ‼ $ + #", ["nice", "😍", "👩‍👩‍👧", "🇩🇪", "❤️"]),
        ("line\none\r\ntwo\u2028three", ["line", "one", "two", "three"]),
        ("… !!! — «»", []),
        ("", []),
    ],
)
def test_words_are_those_of_any_script_without_punctuation(text: str, words: list[str]) -> None:
    assert strings(text) == words


def test_characters_are_grapheme_clusters_without_space_and_punctuation() -> None:
    text = "a\u0301b, 👩‍👩‍👧!\u200b $" + "x" + "\u0301" * 2000
    assert strings(text, "characters") == ["a\u0301", "b", "👩‍👩‍👧", "$", "x" + "\u0301" * 2000]


@pytest.mark.parametrize(
    ("text", "name"), [("word", "words"), ("中文", "words"), ("😍 👍🏽!", "characters"), ("!!!", "characters")]
)
def test_auto_takes_characters_only_where_there_is_no_word(text: str, name: str) -> None:
    used, segments = segment(document(text))
    assert used == name
    assert segments == segment(document(text), name)[1]


def test_equal_words_are_one_segment_in_a_bag_and_several_without() -> None:
    text = "good, bad, good"
    name, (good, bad) = segment(document(text), "words")
    assert name == "words"
    assert (good.text, good.spans) == ("good", (Span(0, 4), Span(11, 15)))
    assert (bad.text, bad.spans) == ("bad", (Span(6, 9),))
    assert strings(text, bow=False) == ["good", "bad", "good"]
    assert strings("Good good", bow=True) == ["Good", "good"], "case matters"


def test_a_bag_reaches_over_both_sentences() -> None:
    both = document("a dog", "the dog sleeps")
    _, segments = segment(both, "words")
    assert [one.text for one in segments] == ["a", "dog", "the", "sleeps"]
    assert segments[1].spans == (Span(2, 5), Span(4, 7, "pair"))
    keep = np.array([[True, False, True, True]])
    assert perturb(both, segments, keep) == [("a ", "the  sleeps")]
    apart = segment(both, "words", bow=False)[1]
    assert [one.text for one in apart] == ["a", "dog", "the", "dog", "sleeps"]
    assert perturb(both, apart, np.array([[True, False, True, True, True]])) == [("a ", "the dog sleeps")]


def test_tokens_are_their_spans_and_those_that_share_characters_are_one() -> None:
    text = "good 😍!"
    spans = [Span(0, 0), Span(0, 4), Span(4, 6), Span(5, 6), Span(6, 7), Span(7, 7)]
    name, segments = segment(document(text), "tokens", tokens=spans)
    assert name == "tokens"
    assert [one.text for one in segments] == ["good", " 😍", "!"]


def test_tokens_of_both_sentences_stay_apart() -> None:
    _, segments = segment(document("ab", "cd"), "tokens", tokens=[Span(0, 1, "pair"), Span(0, 2), Span(1, 2, "pair")])
    assert [(one.text, one.spans[0].field) for one in segments] == [("ab", "text"), ("c", "pair"), ("d", "pair")]


@pytest.mark.parametrize("tokens", [None, [Span(0, 9)], [Span(2, 1)], [Span(-1, 1)], [Span(0, 1, "pair")]])
def test_tokens_must_be_given_and_lie_in_the_document(tokens: list[Span] | None) -> None:
    with pytest.raises(ValueError, match=r"needs the spans|does not lie"):
        segment(document("ab"), "tokens", tokens=tokens)


def test_an_unknown_segmenter_is_a_fault_with_a_hint() -> None:
    with pytest.raises(ConfigError, match='unknown segmenter "word"; did you mean "words"'):
        segment(document("a"), "word")
    with pytest.raises(ConfigError, match="expected one of auto, words, characters, sentences, tokens, lime"):
        segment(document("a"), "xyz")


@pytest.mark.parametrize("text", TEXTS)
def test_the_lime_segmenter_equals_the_lime_package(text: str) -> None:
    theirs = IndexedString(text, bow=True)
    _, segments = segment(document(text), "lime")
    assert [one.text for one in segments] == theirs.inverse_vocab
    for index, one in enumerate(segments):
        assert [span.start for span in one.spans] == list(theirs.string_position(index))
    keep = np.random.default_rng(0).random((50, len(segments))) < 0.5
    ours = perturb(document(text), segments, keep)
    assert ours == [(theirs.inverse_removing(list(np.flatnonzero(~row))), None) for row in keep]


def test_a_mask_of_another_shape_is_refused() -> None:
    _, segments = segment(document("a b"), "words")
    with pytest.raises(ValueError, match=r"shape \(N, 2\), found \(1, 3\)"):
        perturb(document("a b"), segments, np.ones((1, 3), dtype=bool))
    with pytest.raises(ValueError, match="shape"):
        perturb(document("a b"), segments, np.ones(2, dtype=bool))


def test_a_document_without_segments_stays_what_it_is() -> None:
    name, segments = segment(document("!?"))
    assert (name, segments) == ("characters", ())
    assert perturb(document("!?"), segments, np.ones((2, 0), dtype=bool)) == [("!?", None)] * 2


anything = st.text(max_size=60) | st.text("ab '-.中文かカไท😍\u0301\u200d\n_1", max_size=60)


@given(
    anything, st.none() | anything, st.sampled_from([name for name in SEGMENTERS if name != "tokens"]), st.booleans()
)
def test_any_document_is_divided_without_overlap_and_put_together_again(
    text: str, pair: str | None, segmenter: str, bow: bool
) -> None:
    whole = document(text, pair)
    _, segments = segment(whole, segmenter, bow=bow)
    covered = {"text": np.zeros(len(text), dtype=int), "pair": np.zeros(len(pair or ""), dtype=int)}
    for one in segments:
        for span in one.spans:
            assert 0 <= span.start < span.stop <= len(covered[span.field])
            assert (text if span.field == "text" else pair or "")[span.start : span.stop] == one.text
            covered[span.field][span.start : span.stop] += 1
    assert max((counts.max(initial=0) for counts in covered.values()), default=0) <= 1
    full, none = perturb(whole, segments, np.array([[True] * len(segments), [False] * len(segments)]))
    assert full == (text, pair)
    assert none[0] == "".join(compress(text, covered["text"] == 0))


@given(st.text("ab ", max_size=20), st.lists(st.tuples(st.integers(0, 20), st.integers(0, 20)), max_size=8))
def test_any_tokens_that_lie_in_the_text_become_disjoint_segments(text: str, bounds: list[tuple[int, int]]) -> None:
    tokens = [Span(min(a, b, len(text)), min(max(a, b), len(text))) for a, b in bounds]
    _, segments = segment(document(text), "tokens", tokens=tokens, bow=False)
    positions = [p for one in segments for p in range(one.spans[0].start, one.spans[0].stop)]
    assert len(positions) == len(set(positions))
    assert set(positions) == {p for span in tokens for p in range(span.start, span.stop)}


def test_a_hundred_perturbations_of_a_long_text_take_a_moment() -> None:
    long = document("word and another, well-made word. " * 3000)  # 100 kB
    started = time.process_time()
    _, segments = segment(long, "words", bow=False)
    perturb(long, segments, np.random.default_rng(0).random((100, len(segments))) < 0.5)
    assert time.process_time() - started < 5


@pytest.mark.parametrize(
    "text", ["哈" * 20_000, "a" * 200_000, "a-" * 50_000, "😍" * 20_000, "_" * 50_000, "ー" * 50_000]
)
def test_runs_of_one_character_take_linear_time(text: str) -> None:
    started = time.process_time()
    segment(document(text), "words")
    assert time.process_time() - started < 5


OLD_SETUPTOOLS = """
import warnings
warnings.warn("pkg_resources is deprecated as an API.", DeprecationWarning, stacklevel=2)
"""


def segmented_in_chinese(folder: Path, module: str, source: str) -> subprocess.CompletedProcess[str]:
    """A process in which warnings are errors, with one more module, that compiles jieba and segments a sentence."""
    (folder / "temporary").mkdir()
    (folder / module).write_text(source, encoding="utf-8")
    program = (
        "import sys; from auditor.corpus import segment; from auditor.records.types import Document\n"
        "assert 'jieba' not in sys.modules\n"
        "assert not segment(Document(id='1', text='only words'))[1] == ()\n"
        "assert 'jieba' not in sys.modules, 'imported only for Chinese'\n"
        f"sys.pycache_prefix = {str(folder / 'bytecode')!r}\n"
        f"sys.path.insert(0, {str(folder)!r})\n"
        "print(*[one.text for one in segment(Document(id='1', text='我来到北京清华大学'))[1]])"
    )
    return subprocess.run(
        [sys.executable, "-W", "error", "-X", "utf8", "-c", program],
        capture_output=True,
        encoding="utf-8",
        check=False,
        env={"TMPDIR": str(folder / "temporary"), "OMP_NUM_THREADS": "1"},
        cwd=Path(__file__).parents[2],
    )


def test_chinese_needs_no_cache_no_log_and_no_warning(tmp_path: Path) -> None:
    result = segmented_in_chinese(tmp_path, "pkg_resources.py", OLD_SETUPTOOLS)
    assert (result.returncode, result.stderr) == (0, "")
    assert result.stdout.split() == ["我", "来到", "北京", "清华大学"]
    assert list((tmp_path / "temporary").iterdir()) == []
    assert list((tmp_path / "bytecode").rglob("pkg_resources*")), "imported by jieba"


def test_a_warning_that_is_not_known_of_jieba_is_not_hidden(tmp_path: Path) -> None:
    result = segmented_in_chinese(
        tmp_path, "jieba.py", "import warnings; warnings.warn('of another kind', stacklevel=2)"
    )
    assert result.returncode == 1
    assert "UserWarning: of another kind" in result.stderr


def test_the_segmenter_for_chinese_logs_nothing(caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.DEBUG):
        segment(document("我来到北京"), "words")
    assert not caplog.records


@pytest.mark.parametrize(
    ("text", "sentences"),
    [
        ("Good film. Bad end! Why? Because…", ["Good film.", "Bad end!", "Why?", "Because…"]),
        ("It cost 3.50 at example.org today", ["It cost 3.50 at example.org today"]),
        ('He said "no." Then he left.', ['He said "no."', "Then he left."]),
        ("剧情拖沓。演员很棒！结局呢？", ["剧情拖沓。", "演员很棒！", "结局呢？"]),
        ("a line\nanother line\n\n***", ["a line", "another line"]),
        (" \n ", []),
    ],
)
def test_sentences_end_at_marks_and_lines(text: str, sentences: list[str]) -> None:
    _, segments = segment(Document("a", text), "sentences")
    assert [part.text for part in segments] == sentences
