"""Phrases that beat their words: negations do, sums and words of which one is enough do not."""

from dataclasses import replace

import numpy as np
import pytest

from auditor.findings.analyses.phrases import beats_its_words, joined, phrases
from auditor.records.explanations import Pair, Segment
from tests.findings.worked_example import explanation


def explained(i, effects, label="positive", words=("not", "good")):
    """An explanation of two words with one pair."""
    base = explanation(i)
    pairs = (Pair(0, 1, *effects),)
    target = replace(
        base.targets[0],
        label=label,
        weights=(0.0, 0.0),
        standard_errors=(0.0, 0.0),
        selected=(True, True),
    )
    return replace(base, targets=(target,), segments=tuple(Segment(word, ()) for word in words), pairs=pairs)


def wobbling(first, second, together, n=4):
    return np.array([(first, second, together + i / 1000) for i in range(n)])


@pytest.mark.parametrize(
    ("effects", "beats"),
    [
        ((0.0, 0.4, -0.3), True),  # a negation that turns its word
        ((0.0, 0.0, 0.5), True),  # both are needed
        ((0.1, 0.2, 0.3), False),  # they add up
        ((0.5, 0.5, 0.5), False),  # one is enough
        ((-0.2, 0.5, 0.3), False),  # one takes from the other what it takes anyway
        ((0.6, -0.2, 0.5), False),  # more than the sum, less than the stronger
    ],
)
def test_a_phrase_beats_its_words_beyond_either_and_beyond_the_sum(effects, beats):
    assert beats_its_words(wobbling(*effects) - [0, 0, 0.0015]) == beats


def test_two_documents_say_nothing_of_a_phrase_and_a_scattered_one_neither():
    assert not phrases([explained(i, (0.0, 0.4, -0.3)) for i in range(2)], "lime")[0].n_phrases
    assert not beats_its_words(np.array([(0, 0, 0.9), (0, 0, -0.4), (0, 0, 0.3)]))


def test_a_phrase_has_its_effects_with_an_interval_and_its_documents():
    (found,) = phrases([explained(i, (0.0, 0.4, -0.3 + i / 1000)) for i in range(4)], "lime")
    (phrase,) = found.phrases
    assert (found.label, found.n_documents, found.n_phrases) == ("positive", 4, 1)
    assert (phrase.text, phrase.n_documents, phrase.same_sign) == ("not good", 4, 1.0)
    assert phrase.together.value == pytest.approx(-0.2985)
    assert phrase.together.low < -0.2985 < phrase.together.high < 0
    assert (phrase.first_alone, phrase.second_alone) == pytest.approx((0.0, 0.4))


def test_of_two_labels_all_documents_count_toward_the_second():
    made = [explained(i, (0.0, 0.4, -0.3 + i / 1000)) for i in range(3)]
    made += [explained(i, (0.0, -0.4, 0.3 + i / 1000), label="negative") for i in range(3, 6)]
    (found,) = phrases(made, "lime", ("negative", "positive"))
    (phrase,) = found.phrases
    assert (found.label, phrase.n_documents, phrase.same_sign) == ("positive", 6, 1.0)
    assert phrase.second_alone == pytest.approx(0.4)


def test_two_function_words_make_no_phrase():
    (found,) = phrases([explained(i, (0.0, 0.0, 0.5 + i / 1e3), words=("it", "is")) for i in range(4)], "lime")
    assert (found.n_phrases, found.phrases) == (0, ())


def test_explanations_without_pairs_have_no_phrases():
    assert phrases([explanation(i) for i in range(5)], "lime") == ()


def test_words_are_joined_as_they_stand():
    assert joined("not", "good") == "not good"
    assert joined("不", "好") == "不好"
    assert joined("iphone", "好") == "iphone 好"
