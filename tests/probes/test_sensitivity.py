"""Max-sensitivity of LIME, from perturbations it has: held against explanations of the shorter texts themselves."""

from collections.abc import Callable
from dataclasses import replace

import numpy as np
import pytest

from auditor.probes.contract import Sitting
from auditor.probes.lime.probe import LimeProbe
from auditor.probes.lime.sensitivity import MOST_TRIED, sensitivity
from auditor.records.explanations import Explanation
from auditor.records.types import Document
from tests.probes.stubs import Oracle, sigmoid

SHORT, LONG = "a b c d e f", " ".join(["a", "b", *(f"w{i}" for i in range(14))])
ADDED = dict(zip(SHORT.split(), (0.4, -0.2, 0.1, 0.0, 0.05, 0.0), strict=True))


def linear(words: list[str]) -> float:
    return 0.5 + sum(ADDED.get(word, 0.0) for word in words)


def either(words: list[str]) -> float:
    """Either of the first two is enough, and the others add a little."""
    return sigmoid(3.0 * ("a" in words or "b" in words) + 0.2 * len({"c", "w0", "w1"} & set(words)) - 1.5)


def explained(text: str, answer: Callable[[list[str]], float], **parameters: object) -> Explanation:
    oracle = Oracle(("no", "yes"), lambda one: [1 - answer(one.split()), answer(one.split())])
    document = Document("d", text, labels=("yes",))
    row = next(LimeProbe(keep="all", **parameters).measure(oracle, [document], Sitting(0)))
    assert isinstance(row, Explanation)
    return row


def change(whole: Explanation, shorter: Explanation, without: str) -> float:
    """What max-sensitivity says of one segment, from the explanation of the text without it."""
    words = [segment.text for segment in whole.segments]
    w = np.array([x for word, x in zip(words, whole.targets[0].weights, strict=True) if word != without])
    assert [segment.text for segment in shorter.segments] == [word for word in words if word != without]
    return float(np.linalg.norm(np.array(shorter.targets[0].weights) - w) / np.linalg.norm(w))


def test_an_explanation_of_a_sum_changes_with_no_word_that_says_nothing() -> None:
    found = explained(SHORT, linear).targets[0].surrogate.sensitivity
    assert found.greatest == pytest.approx(0, abs=1e-6), "answers are kept in single precision"
    assert found.n_tried == 2, "d and f; each other one moves the answer"


def test_where_every_mask_is_known_it_is_that_of_the_explanation_of_the_shorter_text() -> None:
    whole = explained(SHORT, either)
    found = whole.targets[0].surrogate.sensitivity
    assert whole.neighbourhood.exact
    assert found.segment in (0, 1), "without one of two words that do the same, the other carries everything"
    changes = {word: change(whole, explained(SHORT.replace(word, "").strip(), either), word) for word in "abdef"}
    assert found.n_tried == MOST_TRIED == len(changes)
    assert found.greatest == pytest.approx(max(changes.values()), abs=1e-6)
    assert found.greatest > 0.5


@pytest.mark.parametrize(
    ("parameters", "within"), [({"max_samples": 2000, "tolerance": 0.01}, 0.02), ({"n_samples": 6000}, 0.15)]
)
def test_of_a_sample_it_tends_to_that_of_the_explanation_of_the_shorter_text(
    parameters: dict[str, object], within: float
) -> None:
    whole = explained(LONG, either, **parameters)
    found, halves = whole.targets[0].surrogate.sensitivity, whole.targets[0].surrogate.halves
    assert found.segment in (0, 1)
    word = "ab"[found.segment]
    exact = change(
        explained(LONG, either, max_samples=2**16),
        explained(LONG.replace(f"{word} ", "").strip(), either, max_samples=2**15),
        word,
    )
    assert found.greatest == pytest.approx(exact, rel=within)
    assert found.greatest > 3 * halves.distance, "more than sampling alone"


def test_what_sampling_alone_comes_to_stands_beside_it() -> None:
    few, many = (
        explained(LONG, lambda words: sigmoid(linear(words)), n_samples=n).targets[0].surrogate for n in (200, 5000)
    )
    assert few.halves.distance > 3 * many.halves.distance > 0
    assert few.sensitivity.greatest < 3 * few.halves.distance, "of a sum it is sampling error"
    assert many.sensitivity.greatest < few.sensitivity.greatest


def test_nothing_is_said_where_every_word_matters_none_does_or_two_are_left() -> None:
    assert explained("a b e", linear).targets[0].surrogate.sensitivity is None
    assert explained(SHORT, lambda _: 0.5).targets[0].surrogate.sensitivity is None
    assert explained("d f", linear).targets[0].surrogate.sensitivity is None


def test_it_takes_no_evaluation_and_no_neighbourhood_leaves_it_unknown() -> None:
    whole = explained(LONG, either)
    bare = replace(whole, neighbourhood=replace(whole.neighbourhood, masks=None, answers=None))
    assert sensitivity(bare, 2000, None) is None
    oracle = Oracle(("no", "yes"), lambda one: [1 - either(one.split()), either(one.split())])
    documents = [Document(str(i), LONG) for i in range(2)]
    asked = {}
    for keep in ("all", "none"):
        oracle.asked.clear()
        rows = list(LimeProbe(keep=keep).measure(oracle, documents, Sitting(0)))
        asked[keep] = list(oracle.asked)
        assert all((row.targets[0].surrogate.sensitivity is None) == (keep == "none") for row in rows)
    assert asked["all"] == asked["none"]
