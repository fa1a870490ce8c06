"""Occlusion against its closed form, and captum's ablation of the same segments."""

import math

import numpy as np
import pytest
import torch
from captum.attr import FeatureAblation

from auditor.probes.contract import Sitting
from auditor.probes.lime.probe import LimeProbe
from auditor.probes.occlusion import OcclusionProbe
from auditor.records.explanations import Explanation
from auditor.records.types import Document, Failure, NotMeasurable
from tests.probes.stubs import Oracle, sigmoid

WEIGHTS = {"a": 2.0, "b": -1.0, "c": 0.5, "d": 0.0, "e": 1.0}
BIAS = -0.5


def bag(text: str) -> list[float]:
    p = sigmoid(BIAS + sum(WEIGHTS.get(word, 0.0) for word in text.split()))
    return [1 - p, p]


MODEL = ("no", "yes")


def rows(*documents: Document, model: Oracle | None = None, **parameters: object) -> list:
    return list(OcclusionProbe(**parameters).measure(model or Oracle(MODEL, bag), documents, Sitting(0)))


def test_weights_are_those_of_the_closed_form() -> None:
    (row,) = rows(Document("d", "a b c d e"))
    assert row.targets[0].label == "yes"
    expected = (0.38079708, -0.07177705, 0.06322260, 0.0, 0.14973850)
    assert row.targets[0].weights == pytest.approx(expected, abs=1e-8)
    assert row.targets[0].model_prediction == pytest.approx(0.8807970780, abs=1e-10)
    assert set(row.targets[0].standard_errors) == {0.0}
    assert row.targets[0].surrogate is None


def test_weights_equal_those_of_captum() -> None:
    words = ["a", "b", "c", "d", "e"]

    def forward(kept: torch.Tensor) -> torch.Tensor:
        return torch.tensor(
            [bag(" ".join(w for w, k in zip(words, row, strict=True) if k))[1] for row in kept.tolist()]
        )

    theirs = FeatureAblation(forward).attribute(torch.ones(1, 5), baselines=0.0)
    (row,) = rows(Document("d", "a b c d e"))
    assert row.targets[0].weights == pytest.approx(theirs[0].tolist(), abs=1e-6)  # float32 of theirs


def test_segments_and_labels_are_those_of_lime() -> None:
    documents = [Document("d", "a b a c e", labels=("no",)), Document("pair", "a b", pair="c a")]
    for ours in rows(*documents, top_labels=1):
        document = next(d for d in documents if d.id == ours.document_id)
        theirs = next(LimeProbe().measure(Oracle(MODEL, bag), [document], Sitting(0)))
        assert (ours.segments, ours.segmenter, ours.unit) == (theirs.segments, theirs.segmenter, theirs.unit)
        assert [t.label for t in ours.targets] == [t.label for t in theirs.targets]


def test_equal_words_leave_together_unless_each_is_a_segment() -> None:
    document = Document("d", "a b a")
    (merged,) = rows(document)
    (apart,) = rows(document, bow=False)
    assert [s.text for s in merged.segments] == ["a", "b"]
    assert [s.text for s in apart.segments] == ["a", "b", "a"]
    gone = sigmoid(BIAS + 2 * 2.0 - 1.0) - sigmoid(BIAS - 1.0)
    assert merged.targets[0].weights[0] == pytest.approx(gone)


def test_rows_are_in_order_and_each_document_is_asked_once_per_segment() -> None:
    model = Oracle(MODEL, bag)
    documents = [Document("1", "a b"), Document("2", " "), Document("3", "..."), Document("4", "c d e")]
    found = rows(*documents, model=model)
    assert [row.document_id for row in found] == ["1", "2", "3", "4"]
    assert [type(row) for row in found] == [Explanation, Failure, NotMeasurable, Explanation]
    assert (found[1].kind, found[2].kind) == ("blank", "no-segments")
    assert len(model.asked) == (1 + 2) + (1 + 3)


def test_too_many_segments_are_a_failure_that_names_the_parameter() -> None:
    (row,) = rows(Document("d", "a b c d e"), segmenter="words", max_segments=4)
    assert (row.kind, row.message) == (
        "too-many-segments",
        "5 words are more than max_segments = 4; raise it",
    )


def test_an_answer_that_is_no_number_is_a_failure_and_no_zero() -> None:
    (row,) = rows(Document("d", "a b"), model=Oracle(MODEL, lambda text: [0.5, math.nan if text == "a " else 0.5]))
    assert (type(row), row.kind) == (Failure, "non-finite")


def test_a_constant_answer_has_weights_of_zero() -> None:
    (row,) = rows(Document("d", "a b c"), model=Oracle(MODEL, lambda _: [0.25, 0.75]))
    assert np.array_equal(row.targets[0].weights, np.zeros(3))
