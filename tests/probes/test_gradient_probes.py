"""Gradients against closed forms; what they leave alone, what has none, and what a document's segments get."""

import re
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from pydantic import ValidationError
from torch import nn

from auditor.models.inputs import Gradients, NoGradientError, Points, Question, UnreadableError
from auditor.probes.attribution import STRETCH, owners
from auditor.probes.gradients.input_x_gradient import InputXGradientProbe
from auditor.probes.gradients.integrated_gradients import IntegratedGradientsProbe, gauss_legendre
from auditor.probes.gradients.saliency import SaliencyProbe
from auditor.probes.lime.probe import LimeProbe
from auditor.probes.occlusion import OcclusionProbe
from auditor.probes.prediction import PredictionProbe
from auditor.records import schema
from auditor.records.explanations import Explanation, Segment
from auditor.records.types import Document, Failure, NotMeasurable, Span
from tests.models.architectures import build
from tests.models.tiny import TEXTS
from tests.probes.differentiable import BIAS, PROBES, WEIGHTS, bag, exact, opened, rows, shelf
from tests.probes.mosaic import Eye


@pytest.fixture(scope="module")
def folders(tmp_path_factory: pytest.TempPathFactory) -> Callable[[str], Path]:
    return shelf(tmp_path_factory.mktemp("gradients"))


def test_all_three_are_those_of_the_closed_form() -> None:
    model, document = bag(), Document("d", "a b c d e")
    p = 0.8807970780
    integrated = (0.40260513, -0.20130256, 0.10065128, 0.0, 0.20130256)
    times_input = (0.20998717, -0.10499359, 0.05249679, 0.0, 0.10499359)
    for probe, expected in zip(PROBES, ((p * (1 - p),) * 5, times_input, integrated), strict=True):
        (row,) = rows(probe, model, document, **({"tolerance": 1e-10} if probe is IntegratedGradientsProbe else {}))
        target = row.targets[0]
        assert (row.method, row.unit, row.segmenter, target.label) == (probe.name, "probability", "words", "yes")
        assert target.weights == pytest.approx(expected, abs=1e-8)
        assert target.model_prediction == pytest.approx(p, abs=1e-6)
        assert target.surrogate is None
        assert target.remainder == 0.0
        assert (set(target.standard_errors), set(target.selected)) == ({0.0}, {True})
    assert sum(target.weights) == pytest.approx(p - 1 / (1 + np.exp(-BIAS)), abs=1e-8)


def test_the_integral_is_that_of_its_quadrature_and_says_how_good_it_is() -> None:
    (row,) = rows(IntegratedGradientsProbe, bag(), Document("d", "a b c d e"), n_steps=2, max_steps=2, tolerance=1e-9)
    nodes, weights = gauss_legendre(2)
    slopes = [p * (1 - p) for p in 1 / (1 + np.exp(-(BIAS + 2.5 * nodes)))]
    integral = row.targets[0].integral
    assert row.targets[0].weights == pytest.approx(np.array(WEIGHTS) * (weights @ slopes), abs=1e-12)
    assert (integral.n_steps, integral.baseline) == (2, "pad")
    assert integral.baseline_prediction == pytest.approx(1 / (1 + np.exp(-BIAS)), abs=1e-12)
    change = 1 / (1 + np.exp(-2.0)) - integral.baseline_prediction
    assert integral.completeness_error == pytest.approx(sum(row.targets[0].weights) - change, abs=1e-12)
    assert abs(integral.completeness_error) > 1e-5


def test_steps_are_doubled_for_those_who_need_it_until_they_are_enough_or_too_many() -> None:
    documents = [Document("steep", "a a a a a e e"), Document("flat", "c"), Document("constant", "d")]
    parameters = {"n_steps": 1, "max_steps": 9, "tolerance": 1e-3}
    found = rows(IntegratedGradientsProbe, bag(), *documents, **parameters)
    steps = [row.targets[0].integral.n_steps for row in found]
    assert (steps[0], steps[2]) == (8, 1)
    assert steps[1] in (2, 4)
    errors = [abs(row.targets[0].integral.completeness_error) for row in found]
    assert errors[1] <= 1e-3 * 0.13
    assert errors[2] == 0.0
    assert rows(IntegratedGradientsProbe, bag(), documents[1], **parameters)[0].targets == found[1].targets


@pytest.mark.parametrize("name", ["bert", "gpt2"])
def test_a_document_alone_has_the_weights_that_it_has_among_others(folders: Callable[[str], Path], name: str) -> None:
    model = exact(folders(name))
    documents = [Document(str(i), text) for i, text in enumerate([*TEXTS, TEXTS[0] * 2, "a b", "good"] * 2)]
    model.batcher.padding = 10.0  # so that short texts stand beside long ones
    for probe in PROBES:
        for together in rows(probe, model, *documents):
            document = next(one for one in documents if one.id == together.document_id)
            (alone,) = rows(probe, model, document)
            largest = np.abs(alone.targets[0].weights).max()
            assert together.targets[0].weights == pytest.approx(alone.targets[0].weights, abs=1e-11 * largest)
            assert together.segments == alone.segments
    assert model.proofs["gradients"].way == ("padded" if name == "bert" else "equal lengths")


def test_segments_and_labels_are_those_of_occlusion_and_all_adds_up(folders: Callable[[str], Path]) -> None:
    model = opened(folders("bert"))
    documents = [Document("d", TEXTS[1], labels=("z",)), Document("pair", "Good, good.", pair="A good film")]
    for probe in PROBES:
        for ours, theirs in zip(rows(probe, model, *documents), rows(OcclusionProbe, model, *documents), strict=True):
            assert (ours.segments, ours.segmenter, ours.unit) == (theirs.segments, theirs.segmenter, theirs.unit)
            assert [t.label for t in ours.targets] == [t.label for t in theirs.targets]
            said, expected = ([t.model_prediction for t in row.targets] for row in (ours, theirs))
            assert said == pytest.approx(expected, abs=1e-6)  # float32, in batches of other texts
    for row in rows(IntegratedGradientsProbe, model, *documents):
        for target in row.targets:
            change = target.model_prediction - target.integral.baseline_prediction
            error = sum(target.weights) + target.remainder - change
            assert error == pytest.approx(target.integral.completeness_error, abs=1e-6)
            assert abs(error) <= 0.01 * max(abs(change), 0.01)


def test_a_long_document_is_cut_as_occlusion_cuts_it_and_none_has_too_many_segments(
    folders: Callable[[str], Path],
) -> None:
    model, document = opened(folders("bert")), Document("d", "A good film. A dull ending. What a mess.")
    for probe in PROBES:
        ours, theirs = (rows(one, model, document, max_segments=5)[0] for one in (probe, OcclusionProbe))
        assert (ours.segments, ours.segmenter) == (theirs.segments, "sentences")
        (words,) = rows(probe, model, document, segmenter="words", max_segments=5)
        assert (type(words), words.segmenter) == (Explanation, "words")


def test_equal_words_get_the_sum_of_what_each_would_get(folders: Callable[[str], Path]) -> None:
    model, document = opened(folders("bert")), Document("pair", "dull film, dull", pair="dull")
    for probe in PROBES:
        (merged,), (apart,) = rows(probe, model, document), rows(probe, model, document, bow=False)
        assert [one.text for one in merged.segments] == ["dull", "film"]
        dull = sum(w for one, w in zip(apart.segments, apart.targets[0].weights, strict=True) if one.text == "dull")
        assert merged.targets[0].weights[0] == pytest.approx(dull, rel=1e-5)
        assert merged.targets[0].remainder == pytest.approx(apart.targets[0].remainder, rel=1e-5, abs=1e-7)


def test_a_part_goes_to_the_segment_of_most_of_its_characters() -> None:
    segments = (
        Segment("ab", (Span(0, 2), Span(9, 11))),
        Segment("cdef", (Span(2, 6),)),
        Segment("x", (Span(0, 1, "pair"),)),
    )
    parts = [Span(1, 4), Span(0, 4), Span(6, 9), Span(0, 0), Span(8, 10), Span(0, 1, "pair"), Span(1, 3, "pair")]
    assert owners(parts, segments).tolist() == [1, 0, -1, -1, 0, 2, -1]


def test_what_a_model_does_not_read_of_a_long_text_has_weight_0(folders: Callable[[str], Path]) -> None:
    model = opened(folders("bert"), max_length=12)
    words = re.findall(r"\w+", "good bad dull film moving ending café charming mess hours waste they were what")
    for probe in PROBES:
        long, short = rows(probe, model, Document("long", " ".join(words)), Document("short", " ".join(words[:4])))
        seen = max(span.stop for span in model.tokens([(" ".join(words), None)])[0].spans)
        of_long = dict(zip([one.spans[0] for one in long.segments], long.targets[0].weights, strict=True))
        assert [weight != 0 for span, weight in of_long.items()] == [span.start < seen for span in of_long]
        assert all(short.targets[0].weights)


def test_rows_are_in_order_whatever_the_documents_are(folders: Callable[[str], Path]) -> None:
    model = opened(folders("distilbert"))
    texts = ["good film", " ", "...", "dull", *[f"what a mess {i}" for i in range(STRETCH)]]
    for probe in PROBES:
        found = rows(probe, model, *(Document(str(i), text) for i, text in enumerate(texts)))
        assert [row.document_id for row in found] == [str(i) for i in range(len(texts))]
        assert [type(row) for row in found[:4]] == [Explanation, Failure, NotMeasurable, Explanation]
        assert (found[1].kind, found[2].kind) == ("blank", "no-segments")
        assert schema.from_bytes(Explanation, schema.to_bytes(Explanation, found)) == found


def _quantised(model: Any) -> None:
    model.model.is_quantized = True  # as transformers' quantisers do


def _cut_off(model: Any) -> None:
    model.model.classifier.register_forward_hook(lambda _, __, logits: logits.detach())


def _does_not_look(model: Any) -> None:
    layer = model.model.get_input_embeddings()
    model.model.get_input_embeddings = lambda: nn.Embedding.from_pretrained(layer.weight)


@pytest.mark.parametrize(
    ("spoil", "reason"),
    [(_quantised, "quantised"), (_cut_off, "does not require grad"), (_does_not_look, "read 0 times")],
)
def test_a_model_without_gradients_says_why(folders: Callable[[str], Path], spoil: Any, reason: str) -> None:
    model = opened(folders("bert"))
    spoil(model)
    for probe in PROBES:
        for row in rows(probe, model, *(Document(str(i), text) for i, text in enumerate(TEXTS[:2]))):
            assert (type(row), row.kind) == (NotMeasurable, "no-gradient")
            assert reason in row.message


def test_an_encoder_decoder_has_none(tmp_path: Path) -> None:
    (row,) = rows(SaliencyProbe, opened(build(tmp_path / "t5", "t5", "text-classification")), Document("d", TEXTS[0]))
    assert (row.kind, "its decoder" in row.message) == ("no-gradient", True)


def test_a_baseline_that_the_tokenizer_does_not_have_is_named(folders: Callable[[str], Path]) -> None:
    model = opened(folders("gpt2"))
    (row,) = rows(IntegratedGradientsProbe, model, Document("d", TEXTS[0]), baseline="mask")
    assert (row.kind, "no baseline 'mask'" in row.message) == ("no-baseline", True)
    found = {
        name: rows(IntegratedGradientsProbe, opened(folders("bert")), Document("d", TEXTS[0]), baseline=name)[0]
        for name in ("pad", "mask", "zero", "auto")
    }
    assert [row.targets[0].integral.baseline for row in found.values()] == ["pad", "mask", "zero", "pad"]
    assert len({row.targets[0].integral.baseline_prediction for row in found.values()}) == 3


def test_parameters_that_contradict_each_other_are_refused() -> None:
    with pytest.raises(ValidationError, match="max_steps = 8 is less than n_steps = 16"):
        IntegratedGradientsProbe(max_steps=8)


class Sloped(Eye):
    """An eye that knows its slopes; offers `Differentiates`, and no tokens."""

    def __init__(self, weights: np.ndarray, *, faulty: str = "", value: float = 1.0) -> None:
        super().__init__(weights)
        self.faulty, self.value = faulty, value

    def gradients(
        self, documents: Sequence[Document], questions: Sequence[Question], points: Points, baseline: str = "auto"
    ) -> Gradients:
        assert (len(documents), baseline) == (len(questions), "auto")
        if any(one.id == self.faulty for one in documents):
            raise UnreadableError("a fault")
        signs = np.where(points.labels == 1, 1.0, -1.0)
        images = np.array([[int(digit) for digit in documents[i].text] for i in points.documents]) / 9
        slopes = signs[:, None] * self.weights * self.value
        bright = 0.5 + points.positions * (images @ self.weights)
        parts = tuple(tuple(Span(i, i + 1) for i in range(9)) for _ in documents)
        changes = (slopes * images).ravel()
        answers = np.where(points.labels == 1, bright, 1 - bright)
        return Gradients("dark", parts, points, answers, np.abs(slopes).ravel(), changes, changes)


EFFECTS = np.array([0.02, -0.03, 0.01, 0.04, -0.02, 0.03, -0.01, 0.02, 0.05])


def test_images_are_explained_without_a_token() -> None:
    for probe in (InputXGradientProbe, IntegratedGradientsProbe):
        (row,) = rows(probe, Sloped(EFFECTS), Document("image", "123456789"))
        sign = 1 if row.targets[0].label == "bright" else -1
        assert row.segmenter == "patches"
        assert row.targets[0].weights == pytest.approx(sign * EFFECTS * np.arange(1, 10) / 9, abs=1e-12)


def test_a_document_on_which_the_model_fails_is_found_and_the_others_are_explained() -> None:
    documents = [Document(str(i), f"{i + 1}23456789") for i in range(5)]
    found = rows(SaliencyProbe, Sloped(EFFECTS, faulty="3"), *documents)
    assert [type(row) for row in found] == [Explanation] * 3 + [Failure, Explanation]
    assert (found[3].kind, found[3].message) == ("unreadable", "a fault")


def test_a_gradient_that_is_no_number_is_a_failure_and_no_zero() -> None:
    for probe in PROBES:
        (row,) = rows(probe, Sloped(EFFECTS, value=np.inf), Document("image", "123456789"))
        assert (type(row), row.kind) == (Failure, "non-finite")


@pytest.mark.parametrize("name", ["bert", "distilbert", "gpt2"])
def test_what_other_probes_find_stays_the_same_bit_for_bit(folders: Callable[[str], Path], name: str) -> None:
    documents = [Document(str(i), text) for i, text in enumerate(TEXTS)]
    model = opened(folders(name))

    def others() -> list[Any]:
        return [row for probe in (PredictionProbe, LimeProbe, OcclusionProbe) for row in rows(probe, model, *documents)]

    before, state = others(), (model.batcher.budget, model.way, model.packs, model.model.training)
    weights = {key: (value.clone(), value.requires_grad) for key, value in model.model.named_parameters()}
    for probe in PROBES:
        rows(probe, model, *documents)
    assert others() == before
    assert (model.batcher.budget, model.way, model.packs, model.model.training) == state
    for key, value in model.model.named_parameters():
        assert torch.equal(value, weights[key][0])
        assert (value.grad, value.requires_grad) == (None, weights[key][1])
    assert not any(module._forward_hooks for module in model.model.modules())


def test_why_there_is_no_gradient_is_said_every_time_and_found_out_once(folders: Callable[[str], Path]) -> None:
    model = opened(folders("bert"))
    _cut_off(model)
    document = Document("d", TEXTS[0])
    asked = model.ask([document]), Points(np.array([0]), np.array([0]), np.ones(1))
    with pytest.raises(NoGradientError) as first:
        model.gradients([document], *asked)
    with pytest.raises(NoGradientError) as second:
        model.gradients([document], *asked)
    assert second.value is first.value
