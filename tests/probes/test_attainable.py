"""The bounds of an AOPC: against the closed form of measures, against all rankings, and a beam against both."""

import math
from collections.abc import Sequence
from itertools import permutations

import numpy as np
import pytest
import torch

from auditor.models.inputs import Question, Sequences, UnreadableError
from auditor.probes.attainable import EVERY, exhaustive, is_exhaustive, most_asked, search
from auditor.probes.bounding import Bounds, bound
from auditor.probes.contract import Sitting
from auditor.probes.faithfulness import FaithfulnessProbe, sizes_of
from auditor.probes.perturbing import Perturbed, evaluate, every_mask
from auditor.records.explanations import Explanation, Removal
from auditor.records.types import Document, NotMeasurable
from tests.probes.stubs import Oracle
from tests.probes.test_faithfulness_probe import bag, by_weight, model

W, B = np.array((2.0, -1.0, 0.5, 0.0, 1.0)), -0.5
MOST = (0.380797078, 0.6118556566, 0.6983715542, 0.6983715542, 0.5032564092)
LEAST = (-0.07177705, -0.07177705, -0.04334474, 0.06322260, 0.50325641)


def by_code(n_segments: int) -> np.ndarray:
    """(2^S, S) bool: set c holds segment i where bit i of c is set."""
    return every_mask(n_segments)[::-1]


def toy() -> np.ndarray:
    """(2^5,) what the logistic bag of words of measures.md loses without every set."""
    kept = ~by_code(5)
    p = 1 / (1 + np.exp(-(kept @ W + B)))
    return p[0] - p


def interacting(n_segments: int, seed: int, *, pairs: int = 6) -> np.ndarray:
    """(2^S,) a logistic game of words and products of two."""
    random, sets = np.random.RandomState(seed), by_code(n_segments)
    score = ~sets @ random.normal(size=n_segments)
    for _ in range(pairs):
        a, b = random.choice(n_segments, 2, replace=False)
        score += random.normal(scale=2) * (~sets[:, a] & ~sets[:, b])
    p = 1 / (1 + np.exp(-score))
    return np.asarray(p[0] - p)


def searched(lost: np.ndarray, sizes: tuple[int, ...], sign: int, width: int) -> tuple[tuple[float, ...], set[int]]:
    """What a search finds, and which sets it asks about."""
    n_segments, asked = len(lost).bit_length() - 1, set[int]()
    going = search(n_segments, sizes, sign, width)
    sets = next(going)
    while True:
        codes = sets @ (1 << np.arange(n_segments))
        asked |= set(codes.tolist())
        try:
            sets = going.send(lost[codes])
        except StopIteration as end:
            return end.value, asked


@pytest.mark.parametrize(("sign", "expected"), [(1, MOST), (-1, LEAST)])
def test_the_bounds_of_the_logistic_bag_of_words_are_those_of_the_closed_form(
    sign: int, expected: tuple[float, ...]
) -> None:
    assert exhaustive(toy(), (1, 2, 3, 4, 5), sign) == pytest.approx(expected, abs=1e-8)
    assert searched(toy(), (1, 2, 3, 4, 5), sign, 1)[0] == pytest.approx(expected, abs=1e-8)


@pytest.mark.parametrize("sizes", [(1, 2, 4), (2, 3), (6,)])
@pytest.mark.parametrize("sign", [1, -1])
def test_exhaustive_bounds_are_those_of_all_rankings(sizes: tuple[int, ...], sign: int) -> None:
    for seed in range(5):
        lost = interacting(6, seed)
        means = [
            np.mean([lost[sum(1 << i for i in order[:size])] for size in sizes]) for order in permutations(range(6))
        ]
        assert np.mean(exhaustive(lost, sizes, sign)) == pytest.approx(sign * max(sign * np.array(means)), abs=1e-12)


def test_bounds_are_of_nested_sets_even_where_other_sets_lose_more() -> None:
    lost = np.zeros(8)
    lost[0b001], lost[0b110], lost[0b011] = 1.0, 1.0, 0.4  # the best pair has not the best single segment
    assert exhaustive(lost, (1, 2), 1) == (1.0, 0.4)


def test_a_beam_is_never_beyond_the_bounds_and_on_average_close_to_them() -> None:
    missed = {1: [], 2: [], 4: []}
    for seed in range(12):
        lost, sizes = interacting(10, seed), sizes_of(10)
        most, least = (float(np.mean(exhaustive(lost, sizes, sign))) for sign in (1, -1))
        for width, found in missed.items():
            high, low = (float(np.mean(searched(lost, sizes, sign, width)[0])) for sign in (1, -1))
            assert least - 1e-12 <= low <= high <= most + 1e-12
            found.append(((most - high) + (low - least)) / (most - least))
    assert np.mean(missed[4]) <= np.mean(missed[2]) <= np.mean(missed[1])
    assert np.mean(missed[2]) < 0.02


def test_a_beam_finds_the_best_ranking_of_what_adds_up() -> None:
    weights = np.random.RandomState(0).normal(size=12)
    lost, sizes = by_code(12) @ weights, sizes_of(12)
    for sign in (1, -1):
        best = np.cumsum(sign * np.sort(sign * weights)[::-1])
        assert searched(lost, sizes, sign, 1)[0] == pytest.approx([best[size - 1] for size in sizes], abs=1e-12)


@pytest.mark.parametrize("n", [4, 9, 12, 14])
@pytest.mark.parametrize("width", [1, 3])
def test_no_more_is_asked_than_was_said(n: int, width: int) -> None:
    lost, sizes = interacting(n, 1), sizes_of(n)
    asked = set.union(*(searched(lost, sizes, sign, width)[1] for sign in (1, -1)))
    assert len(asked) <= most_asked(n, sizes, width)


def test_what_is_asked_of_a_long_text_grows_with_its_length_and_not_with_its_square() -> None:
    asked = {n: most_asked(n, sizes_of(n), 2) for n in (100, 1000)}
    assert asked[1000] < asked[100] + 1.3 * 900


class Brittle(Oracle):
    """Cannot read one text of one word."""

    def outputs(self, sequences: Sequences, questions: Sequence[Question]) -> torch.Tensor:
        if any(self.asked[text].split() == ["w7"] for text in sequences.ids.tolist()):
            raise UnreadableError("the model cannot read it")
        return super().outputs(sequences, questions)


class Explains:
    """An explainer, for what is foreseen."""

    name, record, segmenter, bow = "p", Explanation, "auto", True


def sought(oracle: Oracle, n: int, width: int = 2) -> Bounds:
    explanation = by_weight(" ".join(f"w{i}" for i in range(n)), weights=(0.0,) * n)
    text = " ".join(one.text for one in explanation.segments)
    document = Document("d", text)
    known = Perturbed(document, explanation.segments, oracle.ask([document])[0], np.ones((1, n), dtype=bool))
    evaluate(oracle, [known])
    return Bounds(oracle, known, 1, sizes_of(n), width)


def words(text: str) -> list[float]:
    """Yes by the share of the words that are there, the first counting most."""
    p = sum(1 / (1 + int(word[1:])) for word in text.split()) / 10
    return [1 - p, p]


def test_nothing_is_asked_twice_by_the_four_searches_of_a_document() -> None:
    oracle = Oracle(("no", "yes"), words)
    one = sought(oracle, 12)
    bound([one])
    assert len(set(oracle.asked)) == len(oracle.asked) == 1 + one.n_asked
    assert one.n_asked <= 2 * most_asked(12, sizes_of(12), 2)


def test_a_ranking_that_goes_beyond_the_beam_is_the_bound_itself() -> None:
    one = sought(Oracle(("no", "yes"), words), 12)
    bound([one])
    n = len(sizes_of(12))
    inside, beyond = np.zeros((1, 2, n)), np.full((1, 2, n), 5.0)
    assert one.attainable(inside).most_comprehensiveness == pytest.approx(
        np.cumsum([1 / (1 + i) / 10 for i in range(12)])[np.array(sizes_of(12)) - 1]
    )
    assert one.attainable(beyond).most_comprehensiveness == (5.0,) * n
    assert one.attainable(-beyond).least_sufficiency == (-5.0,) * n


def test_a_set_that_the_model_cannot_read_leaves_no_bounds_and_the_rest_as_it_was() -> None:
    text = " ".join(f"w{i}" for i in range(12))
    probe, explained = FaithfulnessProbe(bounded_share=1), by_weight(text, weights=tuple(float(-i) for i in range(12)))
    earlier = {"lime": {"d": explained}}
    for oracle, is_known in ((Oracle(("no", "yes"), words), True), (Brittle(("no", "yes"), words), False)):
        (row,) = probe.measure(oracle, [Document("d", text)], Sitting(0, earlier))
        assert not isinstance(row, NotMeasurable)
        assert (row.removals[0].attainable is not None) == is_known
        assert len(row.removals[0].random) == 40


def removal(n_words: int | None = None, text: str | None = None, **parameters: object) -> tuple[Removal, int, Oracle]:
    oracle = model() if text is None else Oracle(("no", "yes"), words)
    given = text or "a b c d e"
    explained = (
        by_weight(given) if n_words is None else by_weight(given, weights=tuple(float(-i) for i in range(n_words)))
    )
    (row,) = FaithfulnessProbe(**parameters).measure(
        oracle, [Document("d", given)], Sitting(5, {"p": {"d": explained}})
    )
    return row.removals[0], row.n_evaluations, oracle


def test_of_few_segments_every_subset_is_asked_and_the_best_explanation_attains_the_most() -> None:
    one, n, oracle = removal(bounded_share=1)
    assert n == len(set(oracle.asked)) == len(oracle.asked) == 2**5
    assert one.attainable.exhaustive
    assert one.attainable.most_comprehensiveness == pytest.approx([MOST[k - 1] for k in one.sizes], abs=1e-8)
    assert one.attainable.most_comprehensiveness == pytest.approx(one.comprehensiveness, abs=1e-12)
    assert one.attainable.least_comprehensiveness == pytest.approx([LEAST[k - 1] for k in one.sizes], abs=1e-8)
    whole = bag("a b c d e")[1]
    by_hand = [[whole - bag(only)[1] for only in each] for each in (("b", "b d c"), ("a", "a e c"))]
    found = [one.attainable.most_sufficiency, one.attainable.least_sufficiency]
    assert found == [pytest.approx(each, abs=1e-9) for each in by_hand]


def test_bounds_are_sought_for_a_share_of_the_documents_whatever_the_seed() -> None:
    documents = [Document(str(i), f"a b c d e {i}") for i in range(400)]
    chosen = [d.id for d in documents if FaithfulnessProbe().is_bounded(d)]
    assert len(chosen) / 400 == pytest.approx(0.2, abs=4 * math.sqrt(0.16 / 400))
    assert not any(FaithfulnessProbe(bounded_share=0).is_bounded(d) for d in documents)
    assert all(FaithfulnessProbe(bounded_share=1).is_bounded(d) for d in documents)


@pytest.mark.parametrize("n", [5, 8, 9, 30])
def test_no_more_is_evaluated_than_is_foreseen(n: int) -> None:
    text, probe = " ".join(f"w{i}" for i in range(n)), FaithfulnessProbe(bounded_share=1)
    (foreseen,) = probe.evaluations(model(), [Document("d", text)], [probe, Explains()])
    _, n_evaluations, oracle = removal(n, text, bounded_share=1)
    assert len(oracle.asked) == n_evaluations <= foreseen.forward
    assert (2**n <= EVERY) == is_exhaustive(n)
