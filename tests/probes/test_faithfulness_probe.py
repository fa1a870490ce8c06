"""What explanations come to when they are acted upon: against the closed form of a logistic bag of words."""

import math
from itertools import combinations

import numpy as np
import pytest

from auditor.probes.contract import Sitting
from auditor.probes.faithfulness import FaithfulnessProbe, curve, fifth_of, ranking, removals, sizes_of
from auditor.probes.lime.probe import LimeProbe
from auditor.probes.occlusion import OcclusionProbe
from auditor.records.explanations import Explanation, Faithfulness, Segment, Target
from auditor.records.types import Document, Failure, NotMeasurable, Span
from tests.probes.stubs import Oracle, sigmoid

WORDS = ("a", "b", "c", "d", "e")
WEIGHTS = dict(zip(WORDS, (2.0, -1.0, 0.5, 0.0, 1.0), strict=True))
COMPREHENSIVENESS = (0.380797078, 0.6118556566, 0.6983715542, 0.6983715542, 0.5032564092)
SUFFICIENCY = (0.0632226018, -0.043344742, -0.0717770488, -0.0717770488, 0.0)
TEXT = " ".join(WORDS)


def bag(text: str) -> list[float]:
    p = sigmoid(-0.5 + sum(WEIGHTS.get(word, 0.0) for word in text.split()))
    return [1 - p, p]


def remaining(mask: np.ndarray) -> str:
    return " ".join(word for word, kept in zip(WORDS, mask, strict=True) if kept)


def model() -> Oracle:
    return Oracle(("no", "yes"), bag)


def by_weight(text: str = TEXT, name: str = "d", weights: tuple[float, ...] | None = None) -> Explanation:
    """Ranks the words by what they weigh in the model."""
    words = text.split()
    starts = np.cumsum([0, *(len(word) + 1 for word in words)])[:-1].tolist()
    segments = tuple(Segment(w, (Span(s, s + len(w)),)) for w, s in zip(words, starts, strict=True))
    given = weights or tuple(WEIGHTS.get(word, 0.0) for word in words)
    n = len(words)
    return Explanation(
        name, "known", "probability", "words", segments, (Target("yes", given, (0.0,) * n, (True,) * n, 0.9),)
    )


def measured(*explanations: Explanation, oracle: Oracle | None = None, text: str = TEXT, **parameters: int) -> object:
    earlier = {f"probe{i}": {one.document_id: one} for i, one in enumerate(explanations)}
    probe = FaithfulnessProbe(**parameters)
    return next(probe.measure(oracle or model(), [Document("d", text)], Sitting(5, earlier)))


def test_comprehensiveness_and_sufficiency_are_those_of_the_closed_form() -> None:
    (removal,) = measured(by_weight()).removals
    assert removal.sizes == (1, 3)
    assert removal.comprehensiveness == pytest.approx([COMPREHENSIVENESS[k - 1] for k in removal.sizes], abs=1e-9)
    assert removal.sufficiency == pytest.approx([SUFFICIENCY[k - 1] for k in removal.sizes], abs=1e-9)
    assert (removal.size, removal.drop) == (1, removal.comprehensiveness[0])


@pytest.mark.parametrize("k", [1, 2, 3, 4, 5])
def test_every_size_of_the_closed_form_is_met_by_its_masks(k: int) -> None:
    without, only = curve(np.array([0, 4, 2, 3, 1]), (k,))
    whole = bag(TEXT)[1]
    lost = [
        whole - bag(" ".join(w for w, kept in zip(WORDS, mask, strict=True) if kept))[1] for mask in (without, only)
    ]
    assert lost == pytest.approx([COMPREHENSIVENESS[k - 1], SUFFICIENCY[k - 1]], abs=1e-9)


def test_few_sets_are_tried_all_and_they_are_single_removals() -> None:
    (removal,) = measured(by_weight()).removals
    assert removal.exhaustive
    expected = (0.38079708, -0.07177705, 0.06322260, 0.0, 0.14973850)  # occlusion, by the closed form
    assert sorted(removal.random) == pytest.approx(sorted(expected), abs=1e-8)


def test_infidelity_is_that_of_the_best_multiple_of_the_weights() -> None:
    lost = np.array((0.38079708, -0.07177705, 0.06322260, 0.0, 0.14973850))
    exact = by_weight(weights=tuple(3 * lost))
    assert measured(exact).removals[0].infidelity == pytest.approx(0, abs=1e-12), "occlusion, in another unit"
    by_gradients = np.array((0.40260513, -0.20130256, 0.10065128, 0.0, 0.20130256))
    residual = np.linalg.lstsq(by_gradients[:, None], lost, rcond=None)[1][0] / 5
    (removal,) = measured(by_weight(weights=tuple(by_gradients))).removals
    assert removal.infidelity == pytest.approx(residual, abs=1e-8)
    assert removal.infidelity < 0.00426244, "without the scale: measures of Yeh et al."
    assert measured(by_weight(weights=(0.0,) * 5)).removals[0].infidelity is None


def test_the_mean_over_random_sets_tends_to_the_mean_over_all() -> None:
    whole, drawn = bag(TEXT)[1], removals(5, 2, 10, np.random.RandomState(0))
    lost = [whole - bag(remaining(mask))[1] for mask in drawn]
    assert len(drawn) == math.comb(5, 2)
    assert np.mean(lost) == pytest.approx(0.20018247, abs=1e-8)


def test_random_sets_are_distinct_of_one_size_and_even_over_the_segments() -> None:
    drawn = removals(30, 6, 2000, np.random.RandomState(0))
    assert drawn.shape == (2000, 30)
    assert set((~drawn).sum(axis=1)) == {6}
    assert len(np.unique(drawn, axis=0)) == 2000
    assert (~drawn).mean(axis=0) == pytest.approx(0.2, abs=4 * math.sqrt(0.16 / 2000))
    few = removals(8, 2, 27, np.random.RandomState(0))  # of 28: nearly all of them
    assert len(np.unique(few, axis=0)) == 27


def test_all_sets_are_those_of_itertools() -> None:
    every = {tuple(np.flatnonzero(~mask)) for mask in removals(6, 2, 100, np.random.RandomState(0))}
    assert every == set(combinations(range(6), 2))


@pytest.mark.parametrize(
    ("n", "sizes", "fifth"),
    [(3, (1, 2), 1), (5, (1, 3), 1), (10, (1, 2, 5), 2), (20, (1, 2, 4, 10), 4), (100, (1, 5, 10, 20, 50), 20)],
)
def test_sizes_are_shares_rounded_up_and_each_counts_once(n: int, sizes: tuple[int, ...], fifth: int) -> None:
    assert (sizes_of(n), fifth_of(n)) == (sizes, fifth)


def test_ties_and_what_speaks_against_the_label_keep_their_order() -> None:
    assert ranking(by_weight("a b c d e f", weights=(0.0, -0.5, 0.2, 0.0, 0.2, -0.9))).tolist() == [2, 4, 0, 3, 1, 5]


def test_explanations_of_one_document_share_what_is_asked() -> None:
    oracle = model()
    same = measured(by_weight(), by_weight(), oracle=oracle)
    assert len(set(oracle.asked)) == len(oracle.asked) == same.n_evaluations
    assert [one.probe for one in same.removals] == ["probe0", "probe1"]
    assert same.removals[0].comprehensiveness == same.removals[1].comprehensiveness
    assert same.removals[0].random == same.removals[1].random


def test_other_segments_of_the_same_document_are_tried_apart() -> None:
    halves = Explanation(
        "d",
        "known",
        "probability",
        "words",
        tuple(Segment(TEXT[s:e], (Span(s, e),)) for s, e in ((0, 2), (2, 5), (5, 9))),
        (Target("no", (1.0, 0.0, -1.0), (0.0,) * 3, (True,) * 3, 0.1),),
    )
    found = measured(by_weight(), halves)
    assert [one.n_segments for one in found.removals] == [5, 3]
    assert found.removals[1].comprehensiveness[0] == pytest.approx(bag(TEXT)[0] - bag("b c d e")[0])


def test_a_draw_depends_on_the_document_and_the_seed_alone() -> None:
    text = " ".join(f"w{i}" for i in range(30))
    explanation = by_weight(text, weights=tuple(float(-i) for i in range(30)))
    earlier = {"lime": {"d": explanation, "x": explanation}}
    documents = [Document("x", "a b c"), Document("d", text)]
    (alone,) = FaithfulnessProbe().measure(model(), documents[1:], Sitting(5, earlier))
    _, beside = FaithfulnessProbe().measure(model(), documents, Sitting(5, earlier))
    assert alone == beside


def test_what_has_no_explanation_or_too_few_segments_is_not_measurable() -> None:
    failed = Failure("1", "non-finite", "")
    rows = FaithfulnessProbe().measure(
        model(),
        [Document("0", "a b c"), Document("1", "a b c"), Document("2", "a b"), Document("3", " ")],
        Sitting(0, {"lime": {"1": failed, "2": by_weight("a b", "2"), "3": Failure("3", "blank", "")}}),
    )
    kinds = [(type(row), row.kind) for row in rows]
    unexplained, few = (NotMeasurable, "no-explanation"), (NotMeasurable, "few-segments")
    assert kinds == [unexplained, unexplained, few, (Failure, "blank")]


def test_real_explainers_of_a_long_document_are_held_to_account() -> None:
    text = " ".join(["a", *(f"w{i}" for i in range(24)), "e"])
    document = Document("d", text)
    explainers = {"lime": LimeProbe(), "occlusion": OcclusionProbe()}
    earlier = {name: {"d": next(probe.measure(model(), [document], Sitting(1)))} for name, probe in explainers.items()}
    (row,) = FaithfulnessProbe(bounded_share=0).measure(model(), [document], Sitting(1, earlier))
    assert isinstance(row, Faithfulness)
    for removal in row.removals:
        assert removal.drop == pytest.approx(bag("a e")[1] - bag("")[1])
        assert len(removal.random) == 40
        assert max(removal.random) <= removal.drop + 1e-9
    assert row.n_evaluations <= 1 + 5 * 2 * 3 + 40
