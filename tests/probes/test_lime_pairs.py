"""What two words do together, against models of which it is known."""

import numpy as np
import pytest

from auditor.probes.contract import Sitting
from auditor.probes.lime.pairs import pairs, side_by_side
from auditor.probes.lime.probe import LimeProbe
from auditor.probes.lime.surrogate import enumerate_masks
from auditor.records.explanations import Pair, Segment
from auditor.records.neighbourhoods import Perturbed
from auditor.records.types import Document, Span
from tests.probes.stubs import Oracle


def segmented(text: str) -> tuple[Document, tuple[Segment, ...]]:
    words, at = [], 0
    for word in text.split():
        start = text.index(word, at)
        at = start + len(word)
        words.append(Segment(word, (Span(start, at),)))
    return Document("d", text), tuple(words)


def estimated(f, text: str = "it is not good film", width: float = 25.0) -> dict[tuple[int, int], Pair]:
    document, segments = segmented(text)
    masks = enumerate_masks(len(segments), 1000)[0]
    answers = np.apply_along_axis(f, 1, masks.astype(float))[:, None]
    found = pairs(document, segments, Perturbed.of(masks, answers), width)
    return {(pair.first, pair.second): pair for pair in found}


def numbers(pair: Pair) -> tuple[float, float, float]:
    return pair.first_alone, pair.second_alone, pair.together


def test_words_of_a_linear_model_add_up() -> None:
    found = estimated(lambda z: 0.1 + z @ [0.0, 0.1, -0.2, 0.3, 0.05])
    assert set(found) == {(0, 1), (1, 2), (2, 3), (3, 4)}
    assert numbers(found[2, 3]) == pytest.approx((-0.2, 0.3, 0.1), abs=1e-12)


def test_two_words_of_which_both_are_needed_do_nothing_alone() -> None:
    assert numbers(estimated(lambda z: z[2] * z[3])[2, 3]) == pytest.approx((0, 0, 1), abs=1e-12)


def test_a_negation_that_turns_its_word_is_seen() -> None:
    found = estimated(lambda z: 0.4 * z[3] - 0.7 * z[2] * z[3] + 0.1 * z[0])
    assert numbers(found[2, 3]) == pytest.approx((0, 0.4, -0.3), abs=1e-12)


def test_two_words_of_which_one_is_enough_do_no_more_together() -> None:
    assert numbers(estimated(lambda z: max(z[2], z[3]))[2, 3]) == pytest.approx((1, 1, 1), abs=1e-12)


def test_pairs_are_words_side_by_side_with_white_space_between() -> None:
    text = "good, not bad not good"
    spans = {"good": ((0, 4), (18, 22)), "not": ((6, 9), (14, 17)), "bad": ((10, 13),)}
    segments = [Segment(word, tuple(Span(*span) for span in places)) for word, places in spans.items()]
    assert list(side_by_side(Document("d", text), segments)) == [(1, 0), (1, 2), (2, 1)]
    twice = [Segment("very", (Span(0, 4), Span(5, 9)))]
    assert list(side_by_side(Document("d", "very very"), twice)) == []


def test_too_few_or_unreadable_masks_give_no_pairs() -> None:
    document, segments = segmented("a b c")
    masks = np.array([[1, 1, 1], [0, 1, 1], [1, 0, 1], [1, 1, 0]], dtype=bool)
    assert pairs(document, segments, Perturbed.of(masks, np.ones((4, 2))), 25.0) == ()
    all_masks = enumerate_masks(3, 100)[0]
    answers = all_masks[:, :1] * 1.0
    answers[3:] = np.nan
    assert pairs(document, segments, Perturbed.of(all_masks, answers), 25.0) == ()


@pytest.mark.parametrize("parameters", [{}, {"n_samples": 300}, {"n_samples": 300, "keep": "none"}])
def test_an_explanation_has_the_pairs_of_its_document(parameters: dict) -> None:
    def answer(text: str) -> list[float]:
        words = text.split()
        p = 0.5 + 0.3 * ("good" in words) - 0.5 * ("good" in words and "not" in words)
        return [1 - p, p]

    document = Document("d", "this film is not good at all for a child who likes cats")
    (row,) = LimeProbe(**parameters).measure(Oracle(("no", "yes"), answer), [document], Sitting(0))
    (target,) = row.targets
    assert target.label == "no"
    words = [segment.text for segment in row.segments]
    (pair,) = [pair for pair in row.pairs if words[pair.first] == "not"]
    assert words[pair.second] == "good"
    assert numbers(pair) == pytest.approx((0.0, -0.3, 0.2), abs=1e-6)
    assert len(row.pairs) == len(words) - 1
