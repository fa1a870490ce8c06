import math
import re
from html import unescape

import pytest
from hypothesis import given
from hypothesis import strategies as st
from markupsafe import Markup

from auditor.records.explanations import Segment, Target
from auditor.records.types import Document, Perplexity, Span
from auditor.report.drawing import highlights
from auditor.report.drawing.highlights import Mark


def target(weights, errors, selected=None):
    n = len(weights)
    return Target("positive", tuple(weights), tuple(errors), tuple(selected or [True] * n), 0.7)


def segments_of(text):
    return tuple(Segment(m.group(), (Span(m.start(), m.end()),)) for m in re.finditer(r"\w+", text))


def shown(markup):
    """The text a reader sees, without raised figures and without what is said about gaps."""
    text = re.sub(r"<sup.*?</sup>|(?<= )<span class=\"gap\".*?</span> ", "", markup)
    return unescape(re.sub(r"<[^>]+>", "", text))


@pytest.mark.parametrize(
    ("weight", "error", "expected"),
    [
        (0.48, 0.05, "supports-4"),
        (0.2, 0.05, "supports-3"),
        (0.19, 0.05, "supports-2"),
        (0.05, 0.0, "supports-1"),
        (-0.31, 0.05, "opposes-4"),
        (-0.05, 0.001, "opposes-1"),
        (0.097, 0.05, ""),
        (0.099, 0.05, "supports-1"),
        (0.004, 0.0, ""),
        (0.0, 0.0, ""),
    ],
)
def test_a_weight_is_shaded_only_where_its_interval_excludes_zero(weight, error, expected):
    assert highlights.weight_style(weight, error, 0.1) == expected


def test_one_shade_is_a_round_step_and_the_largest_weight_has_the_darkest():
    delta = highlights.step_size([target([0.48, -0.31, 5.0], [0.05, 0.05, 9.0])])
    assert delta == pytest.approx(0.1)
    assert highlights.weight_style(0.48, 0.05, delta) == "supports-4"


@given(st.floats(1e-6, 1e6))
def test_rounding_down_stays_within_a_factor_of_two(value):
    assert highlights.round_down(value) <= value * (1 + 1e-9)
    assert highlights.round_down(value) * 2.0001 > value


def test_words_that_the_surrogate_may_not_use_are_not_shaded():
    text = "not bad"
    marks = highlights.weight_marks(segments_of(text), target([0.5, 0.5], [0.01, 0.01], [True, False]), 0.1)
    assert [mark.style for mark in marks] == ["supports-4", ""]


def test_a_word_is_marked_at_every_place_but_carries_its_value_once():
    segment = Segment("bad", (Span(0, 3), Span(8, 11)))
    marks = highlights.weight_marks([segment], target([-0.5], [0.1]), 0.1)
    body = highlights.paint("bad and bad", marks)
    assert body.count('<mark class="opposes-4"') == 2
    assert body.count("<sup") == 1
    assert 'title="weight −0.50, 95% interval −0.70 to −0.30"' in body


def test_exact_weights_say_that_they_have_no_sampling_error():
    marks = highlights.weight_marks(segments_of("fine"), target([0.5], [0.0]), 0.1)
    assert 'title="weight +0.50, exact"' in highlights.paint("fine", marks)


def test_text_is_escaped_inside_and_between_marks():
    text = '<b>bad</b> & "worse" <script>'
    marks = highlights.weight_marks(segments_of(text), target([0.3] * 5, [0.01] * 5), 0.1)
    body = highlights.paint(text, marks)
    assert "<b>" not in body
    assert "<script" not in body
    assert shown(body) == text


words = st.lists(
    st.text(st.characters(exclude_categories=("Cs", "Cc")), min_size=1, max_size=8), min_size=1, max_size=40
)


@given(words, st.data())
def test_painting_changes_no_character(pieces, data):
    text = "".join(pieces)
    marks, start = [], 0
    for piece in pieces:
        style = data.draw(st.sampled_from(["", "supports-1", "opposes-4"]))
        marks.append(Mark(start, start + len(piece), "text", style, len(style), "+0.1"))
        start += len(piece)
    assert shown(highlights.paint(text, marks)) == highlights.formats.visible(text)


@given(st.lists(st.integers(0, 9), max_size=200), st.integers(10, 60))
def test_cropping_keeps_the_strongest_and_stays_near_the_limit(strengths, limit):
    ranges = highlights.crop(strengths, limit)
    kept = [i for first, last in ranges for i in range(first, last)]
    assert kept == sorted(set(kept))
    assert len(kept) <= limit + 4 * (len(ranges) + limit // 5 + 2)
    if strengths:
        assert max(strengths) in {strengths[i] for i in kept}
    if len(strengths) <= limit:
        assert kept == list(range(len(strengths)))


def test_cropping_shows_neighbours_and_closes_short_gaps():
    strengths = [0.0] * 100
    strengths[20] = strengths[60] = 1.0
    assert highlights.crop(strengths, 22) == [(15, 26), (55, 66)]
    strengths[60], strengths[24] = 0.0, 1.0
    assert highlights.crop(strengths, 11) == [(18, 27)]


def test_a_cropped_text_says_how_much_is_missing_on_each_side():
    text = " ".join(f"w{i}" for i in range(300))
    weights = [0.0] * 300
    weights[150] = 0.5
    marks = highlights.weight_marks(segments_of(text), target(weights, [0.01] * 300), 0.1)
    body = highlights.paint(text, marks, "word", 20)
    counts = [int(n) for n in re.findall(r"\[… (\d+) words …\]", body)]
    assert len(counts) == 2
    assert {"w0", "w149", "w150", "w151"} <= set(shown(body).split())
    assert sum(counts) + len(re.findall(r"\bw\d+", shown(body))) == 300


def test_an_overlong_word_is_shortened_and_its_length_said():
    text = "a" * 10_000
    body = highlights.paint(text, [Mark(0, 10_000, "text", "supports-1", 1.0)])
    assert len(body) < 300
    assert "more)" in body


def test_pieces_that_share_a_character_are_joined_and_their_bits_added():
    spans = (Span(0, 1), Span(0, 1), Span(0, 1), Span(1, 4), Span(4, 4))
    logprobs = tuple(-bits * math.log(2) for bits in (3, 4, 5, 1, 9))
    record = Perplexity("a", "m", ("x",) * 5, spans, logprobs, 7, 1, 1024, 512, "")
    assert [(a, b, round(bits, 6)) for a, b, _, bits in highlights.scored_stretches(record)] == [(0, 1, 12), (1, 4, 1)]
    marks = highlights.surprise_marks(record)
    assert [mark.style for mark in marks] == ["surprise-3", ""]
    assert [mark.title for mark in marks] == ["surprise 12.0 bits", ""]


def test_right_to_left_paragraphs_say_so_and_figures_stay_left_to_right():
    text = "الفيلم رائعا"
    document = Document("ar", text)
    marks = highlights.weight_marks(segments_of(text), target([0.0, 0.4], [0.01, 0.01]), 0.1)
    (passage,) = highlights.passages(document, marks)
    assert passage.direction == "rtl"
    assert '<sup dir="ltr">+0.40</sup>' in passage.body


@pytest.mark.parametrize(("said", "known"), [("ar", "ar"), ("Arabic", ""), ('"><b>', ""), ("", "")])
def test_a_paragraph_is_in_the_language_that_the_corpus_names(said, known):
    (passage,) = highlights.passages(Document("x", "text", metadata={"language": said}), [])
    assert passage.language == known


@pytest.mark.parametrize(
    ("unit", "expected"),
    [("word", "87 words"), ("token", "87 tokens"), ("character", "87 characters"), ("sentence", "87 sentences")],
)
def test_what_is_left_out_is_counted_in_the_unit_of_the_marks(unit, expected):
    text = "a" * 99
    marks = [Mark(i, i + 1, "text", "supports-1", 1.0 if i < 12 else 0.0) for i in range(99)]
    assert f"[… {expected} …]" in highlights.paint(text, marks, unit, 12)


@pytest.mark.parametrize(
    ("segmenter", "unit"),
    [
        *(("words", "word"), ("lime", "word"), ("characters", "character")),
        ("tokens", "token"),
        ("sentences", "sentence"),
    ],
)
def test_each_segmenter_counts_in_its_own_unit(segmenter, unit):
    assert highlights.unit_of_segmenter(segmenter) == unit


def test_sentence_pairs_are_two_named_passages():
    document = Document("p", "A man sleeps.", pair="Nobody sleeps.")
    segments = (Segment("man", (Span(2, 5),)), Segment("Nobody", (Span(0, 6, "pair"),)))
    marks = highlights.weight_marks(segments, target([0.3, -0.4], [0.01, 0.01]), 0.1)
    first, second = highlights.passages(document, marks)
    assert (first.name, second.name) == ("First sentence", "Second sentence")
    assert '<mark class="supports-4" title="weight +0.30, 95% interval +0.28 to +0.32">man' in first.body
    assert "opposes-4" in second.body
    assert "Nobody" not in first.body


def test_chinese_words_touch_without_spaces():
    text = "一点都不好看"
    segments = (Segment("不", (Span(3, 4),)), Segment("好看", (Span(4, 6),)))
    body = highlights.paint(text, highlights.weight_marks(segments, target([0.6, -0.2], [0.01, 0.01]), 0.1))
    assert shown(body) == text
    assert "</mark><mark" in body


def test_the_result_is_markup_and_an_empty_text_is_empty():
    assert highlights.paint("", []) == Markup("")
    assert isinstance(highlights.paint("<", []), Markup)
