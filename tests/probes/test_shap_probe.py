"""Shapley values against their closed form, and against the package on the same model and texts."""

import math
import os
from itertools import permutations
from pathlib import Path

import numpy as np
import pytest
import torch
from transformers import AutoModelForSequenceClassification

from auditor import config
from auditor.corpus.segments import perturb
from auditor.errors import ProbeError
from auditor.probes.contract import Sitting
from auditor.probes.occlusion import OcclusionProbe
from auditor.probes.perturbing import every_mask, seed_for
from auditor.probes.shap.package import balanced_tree, by_permutations, imported
from auditor.probes.shap.probe import ShapProbe, mean_estimate
from auditor.probes.shap.values import shapley_values
from auditor.records import schema
from auditor.records.explanations import Explanation
from auditor.records.types import Document, Failure, NotMeasurable
from auditor.running import probe_selection
from tests.probes.differentiable import NAMES, opened, shelf
from tests.probes.mosaic import Eye
from tests.probes.stubs import Oracle, sigmoid
from tests.probes.test_unreadable_perturbations import Picky

os.environ.setdefault("NUMBA_DISABLE_JIT", "1")  # its compiler takes longer than all tests of this file
WEIGHTS = {"a": 2.0, "b": -1.0, "c": 0.5, "d": 0.0, "e": 1.0}
BIAS, TEXT = -0.5, "a b c d e"
SHARES = (0.3923893786, -0.1632611158, 0.0895728693, 0.0, 0.1845552771)
LONG = "a b c d e w1 w2 w3 w4 w5 w6 w7"


def bag(text: str) -> list[float]:
    p = sigmoid(BIAS + sum(WEIGHTS.get(word, 0.0) for word in text.split()))
    return [1 - p, p]


def tangled(text: str) -> list[float]:
    """Words act by themselves, in pairs and by threes."""
    words = set(text.split())
    together = 1.5 * ({"a", "b"} <= words) - 2.0 * ({"c", "d", "e"} <= words) + 0.7 * ({"a", "e", "w1"} <= words)
    p = sigmoid(BIAS + sum(WEIGHTS.get(word, 0.05 * len(word)) for word in words) + together)
    return [1 - p, p]


def rows(*documents: Document, model: Oracle | None = None, seed: int = 0, **parameters: object) -> list:
    return list(ShapProbe(**parameters).measure(model or Oracle(("no", "yes"), bag), documents, Sitting(seed)))


def answers(text: str, masks: np.ndarray, answer: object = bag) -> np.ndarray:
    words = np.array(text.split())
    return np.array([answer(" ".join(words[mask])) for mask in masks])


def exact(text: str, answer: object = bag) -> np.ndarray:
    """(S,) of the label yes."""
    return shapley_values(answers(text, every_mask(len(text.split())), answer))[:, 1]


def test_few_words_have_the_values_of_the_closed_form() -> None:
    (row,) = rows(Document("d", TEXT))
    assert row.targets[0].label == "yes"
    assert row.targets[0].weights == pytest.approx(SHARES, abs=1e-8)
    assert set(row.targets[0].standard_errors) == {0.0}
    assert (row.shapley.algorithm, row.shapley.n_permutations, row.shapley.n_evaluations) == ("exact", 0, 32)
    assert row.shapley.empty_predictions == pytest.approx([sigmoid(BIAS)])
    assert not row.is_sampled


def test_values_are_means_over_all_orders() -> None:
    values = np.random.default_rng(0).normal(size=(16, 2))
    by_subset = {frozenset(np.flatnonzero(mask)): v for mask, v in zip(every_mask(4), values, strict=True)}
    added = np.zeros((4, 2))
    for order in permutations(range(4)):
        for place, i in enumerate(order):
            added[i] += by_subset[frozenset(order[: place + 1])] - by_subset[frozenset(order[:place])]
    assert shapley_values(values) == pytest.approx(added / math.factorial(4), abs=1e-12)


@pytest.mark.parametrize("algorithm", ["auto", "permutation", "partition"])
def test_weights_add_up_to_what_the_answer_changes(algorithm: str) -> None:
    documents = [Document("d", TEXT, labels=("no",)), Document("one", "a"), Document("two", "a b")]
    for row in rows(*documents, algorithm=algorithm, model=Oracle(("no", "yes"), tangled), max_evaluations=60):
        for i, target in enumerate(row.targets):
            change = target.model_prediction - row.shapley.empty_predictions[i]
            assert sum(target.weights) == pytest.approx(change, abs=1e-12)
            assert abs(row.shapley.residuals[i]) < 1e-12
        assert len(row.targets) == len({"no", row.targets[0].label} if row.document_id == "d" else {"yes"})


@pytest.mark.parametrize("text", ["a", "a b"])
@pytest.mark.parametrize("algorithm", ["auto", "permutation", "partition"])
def test_one_or_two_words_are_exact_whatever_the_algorithm(text: str, algorithm: str) -> None:
    (row,) = rows(Document("d", text), algorithm=algorithm, max_evaluations=40)
    assert row.targets[0].weights == pytest.approx(exact(text), abs=1e-12)
    assert row.targets[0].standard_errors == pytest.approx([0.0] * len(row.segments), abs=1e-12)


def test_exact_values_and_owen_values_are_those_of_the_package() -> None:
    shap = imported()

    def masked(mask: np.ndarray, whole: np.ndarray) -> np.ndarray:
        return (mask * whole)[None]

    def model(kept: np.ndarray) -> np.ndarray:
        return answers(TEXT, kept.astype(bool), tangled)

    theirs = shap.ExactExplainer(model, masked)(np.ones((1, 5)), silent=True).values[0]
    masked.clustering = balanced_tree(5)
    owen = shap.PartitionExplainer(model, masked)(np.ones((1, 5)), max_evals=500, silent=True).values[0]
    for algorithm, values in (("auto", theirs), ("partition", owen)):
        (row,) = rows(Document("d", TEXT), algorithm=algorithm, model=Oracle(("no", "yes"), tangled))
        label = ("no", "yes").index(row.targets[0].label)
        # Float64 on both sides, summed in another order: far within the 1e-5 that is asked for.
        assert row.targets[0].weights == pytest.approx(values[:, label], rel=1e-9, abs=1e-12)


def test_random_orders_are_those_of_the_package_with_the_same_seed() -> None:
    document, probe = Document("d", LONG), ShapProbe(max_evaluations=120)
    (row,) = probe.measure(Oracle(("no", "yes"), tangled), [document], Sitting(3))
    seed = seed_for(3, document, "shap")
    estimates = by_permutations(lambda masks: answers(LONG, masks, tangled), 12, 5, seed)
    label = ("no", "yes").index(row.targets[0].label)
    assert row.shapley.n_permutations == 5
    assert row.targets[0].weights == pytest.approx(estimates.mean(axis=0)[:, label], abs=1e-12)


def test_intervals_of_twenty_orders_hold_the_exact_values() -> None:
    table = {
        mask.tobytes(): value
        for mask, value in zip(every_mask(12), answers(LONG, every_mask(12), tangled), strict=True)
    }
    wanted, held = exact(LONG, tangled), []
    for seed in range(30):
        estimates = by_permutations(lambda masks: np.array([table[m.tobytes()] for m in masks]), 12, 20, seed)
        weights, errors = mean_estimate(estimates)
        held += (np.abs(weights[:, 1] - wanted) <= 1.96 * errors[:, 1] + 1e-12).tolist()
    assert 0.92 <= np.mean(held) <= 0.98


def test_masks_of_all_documents_are_asked_in_one_stream_and_each_once() -> None:
    documents = [Document(str(i), f"{LONG} x{i}") for i in range(3)] + [Document("short", "c d")]
    for algorithm in ("auto", "partition"):
        model = Eye(np.full(9, 0.01))
        list(
            ShapProbe(algorithm=algorithm).measure(model, [Document(str(i), "123456789") for i in range(3)], Sitting(0))
        )
        assert len(model.batches) == 1
        texts = Oracle(("no", "yes"), tangled)
        found = rows(*documents, model=texts, algorithm=algorithm, max_evaluations=270)
        assert len(texts.asked) == sum(row.shapley.n_evaluations for row in found)
        assert all(row.shapley.n_evaluations <= 270 for row in found)


def test_a_partition_that_cannot_be_completed_divides_what_matters_and_keeps_to_its_budget() -> None:
    model = Oracle(("no", "yes"), bag)
    (row,) = rows(Document("d", f"{LONG} w8 w9 w10 w11"), model=model, algorithm="partition", max_evaluations=80)
    weights = row.targets[0].weights
    assert row.shapley.n_evaluations == len(model.asked) <= 80
    assert sum(weights) == pytest.approx(bag("a b c d e")[1] - bag("")[1], abs=1e-12)
    assert weights[8:] == pytest.approx([0.0] * 8, abs=1e-12)


def test_a_draw_depends_on_the_document_and_the_seed_alone_and_leaves_numpy_as_it_was() -> None:
    np.random.seed(7)  # noqa: NPY002
    wanted = np.random.RandomState(7).random_sample(3)
    document = Document("d", LONG)
    (alone,) = rows(document, max_evaluations=100)
    beside = rows(Document("x", f"{LONG} x"), document, max_evaluations=100)[1]
    assert alone == beside
    assert rows(document, max_evaluations=100, seed=1) != [alone]
    assert np.array_equal(np.random.random_sample(3), wanted)  # noqa: NPY002


def test_segments_labels_and_rows_are_those_of_occlusion() -> None:
    documents = [
        Document("1", "a b a", labels=("no",)),
        Document("2", " "),
        Document("3", "..."),
        Document("4", "c", pair="a"),
    ]
    model = Oracle(("no", "yes"), bag)
    for ours, theirs in zip(rows(*documents), OcclusionProbe().measure(model, documents, Sitting(0)), strict=True):
        assert (type(ours), ours.document_id) == (type(theirs), theirs.document_id)
        if isinstance(ours, Explanation):
            assert (ours.segments, ours.segmenter, ours.unit) == (theirs.segments, theirs.segmenter, theirs.unit)
            assert [t.label for t in ours.targets] == [t.label for t in theirs.targets]
        else:
            assert ours == theirs
    found = rows(*documents)
    assert schema.from_bytes(Explanation, schema.to_bytes(Explanation, found)) == found


@pytest.mark.parametrize("algorithm", ["auto", "permutation", "partition"])
def test_what_has_no_number_is_no_zero(algorithm: str) -> None:
    few = {"algorithm": algorithm, "max_evaluations": 30}
    broken = Oracle(("no", "yes"), lambda text: [0.5, math.nan if "b" not in text else 0.5])
    (row,) = rows(Document("d", "a b c"), model=broken, **few)
    assert (type(row), row.kind) == (Failure, "non-finite")
    (row,) = rows(Document("d", "good film and"), model=Picky(1), **few)
    assert (type(row), row.kind) == (NotMeasurable, "unreadable-perturbations")
    (row,) = rows(Document("d", "a b c"), model=Oracle(("no", "yes"), lambda _: [0.25, 0.75]), **few)
    assert row.targets[0].weights == pytest.approx([0.0] * 3, abs=1e-15)


def test_too_many_segments_name_the_parameter() -> None:
    (row,) = rows(Document("d", LONG), segmenter="words", max_evaluations=40)
    assert (type(row), row.kind) == (Failure, "too-many-segments")
    assert row.message == "12 words are more than max_evaluations = 40 is enough for; raise it"
    (coarser,) = rows(Document("d", LONG), max_evaluations=40)
    assert coarser.segmenter == "sentences"


def test_on_a_transformer_they_are_those_of_the_package_asking_the_stock_model(tmp_path: Path) -> None:
    folder = shelf(tmp_path)("bert")
    theirs, tokenizer = AutoModelForSequenceClassification.from_pretrained(folder).eval(), opened(folder).tokenizer
    document = Document("d", "a charming film, dull ending")
    (row,) = ShapProbe().measure(opened(folder), [document], Sitting(0))

    def model(kept: np.ndarray) -> np.ndarray:
        texts = [text for text, _ in perturb(document, row.segments, kept.astype(bool))]
        with torch.inference_mode():
            logits = [theirs(**tokenizer(text, return_tensors="pt")).logits[0] for text in texts]
        return torch.stack(logits).double().softmax(-1).numpy()

    explainer = imported().ExactExplainer(model, lambda mask, whole: (mask * whole)[None])
    values = explainer(np.ones((1, len(row.segments))), silent=True).values[0][:, NAMES.index(row.targets[0].label)]
    # Float32 in batches of another shape: 1e-5 of the largest is what is asked for.
    assert row.targets[0].weights == pytest.approx(values, abs=1e-5 * np.abs(values).max())


def test_a_package_that_is_missing_is_named_before_anything_loads(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(probe_selection, "find_spec", lambda _: None)
    settings = {"corpus.path": "x.csv", "model.name": "org/model"}
    message = r"^probes\.shap: needs the package shap, which is not installed: pip install 'auditor\[shap\]'$"
    with pytest.raises(ProbeError, match=message):
        probe_selection.choose(config.load(None, {**settings, "probes.shap": {}}), "text-classification")
    assert probe_selection.choose(config.load(None, {**settings, "probes.occlusion": {}}), "text-classification")
