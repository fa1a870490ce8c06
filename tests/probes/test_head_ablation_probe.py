"""Heads that are switched off, as a probe: effects, agreement with explainers, and what has none."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from scipy.stats import kendalltau

from auditor.models import find, load
from auditor.models.inputs import HeadEffects, Question, UnreadableError, UnseenAttentionError
from auditor.probes.contract import Sitting
from auditor.probes.gradients.saliency import SaliencyProbe
from auditor.probes.head_ablation import STRETCH, HeadAblationProbe
from auditor.probes.occlusion import OcclusionProbe
from auditor.records import schema
from auditor.records.heads import HeadAblation
from auditor.records.types import Document, Failure, NotMeasurable, Span
from tests.models.tiny import TEXTS, load_on_cpu, save
from tests.probes.differentiable import rows
from tests.probes.mosaic import Eye

DOCUMENTS = [Document(str(i), text) for i, text in enumerate(TEXTS)]


def earlier(model: Any, *documents: Document, probes: Sequence[type[Any]] = (OcclusionProbe, SaliencyProbe)) -> Any:
    """What explainers say of these documents."""
    return {probe.name: {row.document_id: row for row in rows(probe, model, *documents)} for probe in probes}


def measured(model: Any, explained: Any, *documents: Document) -> list[Any]:
    return list(HeadAblationProbe().measure(model, documents, Sitting(0, explained)))


@pytest.fixture(scope="module")
def bert(tmp_path_factory: pytest.TempPathFactory) -> Any:
    folder = save(tmp_path_factory.mktemp("heads") / "bert", "bert", "text-classification")
    return load(find("tiny", folder, task="text-classification"), device="cpu")


def test_effects_are_of_the_predicted_label_and_agreement_is_that_of_scipy(bert: Any) -> None:
    explained = earlier(bert, *DOCUMENTS)
    found = measured(bert, explained, *DOCUMENTS)
    questions = bert.ask(DOCUMENTS)
    outputs = bert.probabilities(bert.outputs(bert.encode([(d.text, None) for d in DOCUMENTS]), questions), None)
    heads = bert.head_effects(DOCUMENTS, questions, outputs.argmax(-1).tolist())
    for document, row, of_heads, probabilities in zip(DOCUMENTS, found, heads, outputs, strict=True):
        assert row.label == bert.identity.labels[int(probabilities.argmax())]
        assert (row.n_layers, row.n_heads, row.unit) == (2, 4, "probability")
        assert row.answer == pytest.approx(float(probabilities.max()), abs=1e-6)
        assert row.effects == pytest.approx((of_heads.answer - of_heads.without).ravel().tolist(), abs=1e-6)
        segments = explained["occlusion"][document.id].segments
        assert len(row.agreements) == (2 if len(segments) >= 5 else 0)
        for one in row.agreements:
            weights = np.abs(explained[one.probe][document.id].targets[0].weights)
            owner = [
                next((s for s, seg in enumerate(segments) for a in seg.spans if a.start <= p.start < a.stop), None)
                for p in of_heads.parts
            ]
            for tau, received in zip(one.tau, of_heads.received.reshape(8, -1), strict=True):
                mass = [sum(received[t] for t, s in enumerate(owner) if s == i and of_heads.parts[t].stop)
                        for i in range(len(segments))]  # fmt: skip
                assert tau == pytest.approx(kendalltau(mass, weights).statistic, abs=1e-9)
    assert schema.from_bytes(HeadAblation, schema.to_bytes(HeadAblation, found)) == found


def test_a_document_has_the_same_row_alone_as_among_others(bert: Any) -> None:
    documents = [Document(f"{i}", text) for i, text in enumerate([*TEXTS, *TEXTS])]
    assert len(documents) > STRETCH
    explained = earlier(bert, *documents)
    found = measured(bert, explained, *documents)
    (alone,) = measured(bert, explained, documents[3])
    assert [row.document_id for row in found] == [document.id for document in documents]
    assert alone.effects == pytest.approx(found[3].effects, abs=1e-6)


def test_what_nobody_explained_or_is_blank_has_no_effects(bert: Any) -> None:
    documents = [Document("blank", " "), Document("mute", "..."), DOCUMENTS[0]]
    found = measured(bert, earlier(bert, *documents), *documents)
    assert [type(row) for row in found] == [Failure, NotMeasurable, HeadAblation]
    assert (found[0].kind, found[1].kind) == ("blank", "no-explanation")


def test_other_explainers_say_which_label_and_segments_but_are_not_held_against(bert: Any) -> None:
    explained = {"twin": earlier(bert, DOCUMENTS[0], probes=(OcclusionProbe,))["occlusion"]}
    (row,) = measured(bert, explained, DOCUMENTS[0])
    assert row.agreements == ()
    assert len(row.effects) == 8


class Heads(Eye):
    """An eye of two layers of two heads; offers `ShowsAttention`, and no tokens."""

    def __init__(self, effects: np.ndarray, *, faulty: str = "", hidden: bool = False) -> None:
        super().__init__(np.linspace(0.01, 0.05, 9))
        self.effects, self.faulty, self.hidden = effects, faulty, hidden

    def head_effects(
        self, documents: Sequence[Document], questions: Sequence[Question], labels: Sequence[int]
    ) -> list[HeadEffects]:
        assert len(documents) == len(questions) == len(labels)
        if self.hidden:
            raise UnseenAttentionError("it does not show it")
        if any(one.id == self.faulty for one in documents):
            raise UnreadableError("a fault")
        parts = tuple(Span(i, i + 1) for i in range(9))
        received = np.stack([np.arange(9), np.arange(9)[::-1], np.full(9, 4), np.arange(9)]).reshape(2, 2, 9) / 36
        return [HeadEffects(parts, 0.75, 0.75 - self.effects, received) for _ in documents]


def test_effects_are_exact_and_a_head_that_looks_everywhere_alike_has_no_agreement() -> None:
    effects = np.array([[0.25, 0.0], [-0.5, 0.125]])
    model = Heads(effects)
    document = Document("image", "999999999")  # every patch as bright: occlusion gives the weights of the eye
    (row,) = measured(model, earlier(model, document, probes=(OcclusionProbe,)), document)
    assert row.effects == (0.25, 0.0, -0.5, 0.125)
    assert row.agreements[0].tau == pytest.approx((1.0, -1.0, None, 1.0))


def test_a_fault_is_one_documents_and_a_model_that_hides_its_heads_is_not_measurable() -> None:
    documents = [Document(str(i), f"{i + 1}23456789") for i in range(5)]
    model = Heads(np.zeros((2, 2)), faulty="3")
    explained = earlier(model, *documents, probes=(OcclusionProbe,))
    found = measured(model, explained, *documents)
    assert [type(row) for row in found] == [HeadAblation] * 3 + [Failure, HeadAblation]
    hidden = measured(Heads(np.zeros((2, 2)), hidden=True), explained, *documents)
    assert {(type(row), row.kind) for row in hidden} == {(NotMeasurable, "unseen-attention")}
    (row,) = measured(Heads(np.full((2, 2), np.nan)), explained, documents[0])
    assert (type(row), row.kind) == (Failure, "non-finite")


def test_a_language_models_own_continuation_is_explained_in_log_probability(tmp_path: Path) -> None:
    folder = save(tmp_path / "gpt2", "gpt2", "text-generation")
    model = load_on_cpu(find("tiny", folder, task="text-generation"), max_new_tokens=3)
    (row,) = measured(model, earlier(model, DOCUMENTS[0]), DOCUMENTS[0])
    assert (row.unit, row.label, len(row.effects)) == ("log-probability", "continuation", 8)
    assert row.answer < 0
