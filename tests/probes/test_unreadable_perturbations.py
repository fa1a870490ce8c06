"""Perturbed texts that the model itself cannot read are left out and counted; the rest is explained."""

import numpy as np
import pytest
import torch

from auditor.models.inputs import Question, Sequences, UnreadableError
from auditor.probes.contract import Sitting
from auditor.probes.lime.probe import LimeProbe
from auditor.probes.lime.surrogate import enumerate_masks, fit_all, kernel
from auditor.records.explanations import Explanation
from auditor.records.types import Document, Failure, NotMeasurable
from tests.probes.stubs import Oracle, sigmoid

EFFECTS = {"good": 2.0, "film": 0.5, "dull": -1.5, "and": 0.1}


def answer(text: str) -> tuple[float, float]:
    p = sigmoid(sum(EFFECTS.get(word, 0.05 * len(word)) for word in text.split()))
    return p, 1 - p


class Picky(Oracle):
    """Fails on texts of fewer words than it wants, as it would on a shape."""

    def __init__(self, least: int) -> None:
        super().__init__(("a", "b"), answer)
        self.least = least

    def outputs(self, sequences: Sequences, questions: list[Question]) -> torch.Tensor:
        words = [len(self.asked[text].split()) for text in sequences.ids.tolist()]
        if min(words) < self.least:
            raise UnreadableError(f"the model cannot read a text of {min(words)} words")
        return super().outputs(sequences, questions)


def explained(least: int, text: str, **settings: object) -> Explanation | Failure | NotMeasurable:
    return next(LimeProbe(**settings).measure(Picky(least), [Document("d", text)], Sitting(0)))


def test_the_surrogate_is_that_of_the_texts_that_can_be_read() -> None:
    found = explained(2, "good film and dull")
    assert isinstance(found, Explanation)
    assert found.neighbourhood.exact
    assert (found.neighbourhood.n_unread, found.neighbourhood.n_evaluations) == (5, 11)
    masks, shares = enumerate_masks(4, 2000)
    read = masks.sum(1) >= 2
    words = np.array(["good", "film", "and", "dull"])
    values = np.array([answer(" ".join(words[mask]))[0] for mask in masks])[:, None]
    wanted = fit_all(masks[read], values[read], kernel(masks[read], 25.0) * shares[read], exact=True)[0]
    sign = 1 if found.targets[0].label == "a" else -1
    np.testing.assert_allclose(found.targets[0].weights, sign * wanted.weights, atol=1e-9)


@pytest.mark.parametrize("settings", [{"n_samples": 300}, {"max_samples": 300}])
def test_drawn_perturbations_are_left_out_and_counted(settings: dict[str, int]) -> None:
    text = " ".join(f"word{'x' * i}" for i in range(14)) + " good dull"
    whole, found = explained(0, text, n_samples=300), explained(4, text, **settings)
    assert isinstance(whole, Explanation)
    assert isinstance(found, Explanation)
    assert found.neighbourhood.n_unread > 0
    assert found.neighbourhood.n_unread + found.neighbourhood.n_evaluations <= 300
    top = {found.segments[i].text for i in np.argsort(-np.abs(found.targets[0].weights))[:2]}
    assert top == {"good", "dull"}
    assert (whole.neighbourhood.n_unread, whole.neighbourhood.stopped) == (0, "fixed")


def test_a_document_that_cannot_be_read_is_a_failure_with_the_models_words() -> None:
    found = explained(9, "good film")
    assert found == Failure("d", "unreadable", "the model cannot read a text of 2 words")


def test_a_document_of_which_hardly_a_perturbation_can_be_read_is_not_measurable() -> None:
    found = explained(4, "good film and dull")
    assert isinstance(found, NotMeasurable)
    assert found.kind == "unreadable-perturbations"
    assert "the model can read only 1 of 16 perturbed texts" in found.message
