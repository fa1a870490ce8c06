"""Attention rollout and mean attention as explanations: what segments get, and what has none."""

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from auditor.models import ShowsAttention, find, offers
from auditor.models.attention import answers
from auditor.models.inputs import PartAttention, UnreadableError
from auditor.probes.attention_rollout import AttentionRolloutProbe
from auditor.probes.attribution import STRETCH
from auditor.probes.mean_attention import MeanAttentionProbe
from auditor.probes.occlusion import OcclusionProbe
from auditor.records import schema
from auditor.records.explanations import Explanation
from auditor.records.types import Document, Failure, NotMeasurable, Span
from tests.models.architectures import build
from tests.models.tiny import TEXTS, load_on_cpu
from tests.probes.differentiable import opened, rows, shelf
from tests.probes.mosaic import Eye

PROBES = (AttentionRolloutProbe, MeanAttentionProbe)


@pytest.fixture(scope="module")
def folders(tmp_path_factory: pytest.TempPathFactory) -> Callable[[str], Path]:
    return shelf(tmp_path_factory.mktemp("attention"))


@pytest.fixture(scope="module")
def bert(folders: Callable[[str], Path]) -> Any:
    return opened(folders("bert"))


def test_who_shows_attention() -> None:
    assert offers("text-classification", ShowsAttention)
    assert offers("text-generation", ShowsAttention)
    assert not offers("fill-mask", ShowsAttention)


def test_segments_and_labels_are_those_of_occlusion_and_all_adds_up_to_one(bert: Any) -> None:
    documents = [Document("d", TEXTS[1], labels=("z",)), Document("pair", "Good, good.", pair="A good film")]
    for probe in PROBES:
        for ours, theirs in zip(rows(probe, bert, *documents), rows(OcclusionProbe, bert, *documents), strict=True):
            assert (ours.segments, ours.segmenter, ours.unit) == (theirs.segments, theirs.segmenter, theirs.unit)
            assert [t.label for t in ours.targets] == [t.label for t in theirs.targets]
            assert ours.method == probe.name
            for target in ours.targets:
                assert min(target.weights) >= 0
                assert sum(target.weights) + target.remainder == pytest.approx(1, abs=1e-6)
                assert target.weights == ours.targets[0].weights


def test_a_word_of_several_tokens_has_the_sum_of_theirs(bert: Any) -> None:
    document = Document("d", "Good, naïve moving café: dull, dull", pair="dull")
    for probe in PROBES:
        (row,) = rows(probe, bert, document)
        (found,) = bert.attention_of_answers([document], rolls_out=probe is AttentionRolloutProbe)
        places = {(span.field, at): i for i, one in enumerate(row.segments) for span in one.spans for at in
                  range(span.start, span.stop)}  # fmt: skip
        expected = np.zeros(len(row.segments))
        for part, value in zip(found.parts, found.values, strict=True):
            if part.stop > part.start and (part.field, part.start) in places:
                expected[places[part.field, part.start]] += value
        assert row.targets[0].weights == pytest.approx(expected, abs=1e-12)
        assert len(found.parts) > len(row.segments) + 3


def test_what_a_model_does_not_read_of_a_long_text_has_weight_0(folders: Callable[[str], Path]) -> None:
    model = opened(folders("bert"), max_length=12)
    text = "good bad dull film moving ending charming mess hours waste they were what"
    for probe in PROBES:
        (row,) = rows(probe, model, Document("long", text))
        seen = max(span.stop for span in model.tokens([(text, None)])[0].spans)
        assert [w > 0 for w in row.targets[0].weights] == [one.spans[0].start < seen for one in row.segments]


def test_rows_are_in_order_whatever_the_documents_are(bert: Any) -> None:
    texts = ["good film", " ", "...", "dull", *[f"what a mess {i}" for i in range(STRETCH)]]
    for probe in PROBES:
        found = rows(probe, bert, *(Document(str(i), text) for i, text in enumerate(texts)))
        assert [row.document_id for row in found] == [str(i) for i in range(len(texts))]
        assert [type(row) for row in found[:4]] == [Explanation, Failure, NotMeasurable, Explanation]
        assert (found[1].kind, found[2].kind) == ("blank", "no-segments")
        assert schema.from_bytes(Explanation, schema.to_bytes(Explanation, found)) == found


def test_a_hybrid_says_why(tmp_path: Path) -> None:
    build(tmp_path / "hybrid", "lfm2", "text-generation")
    hybrid = load_on_cpu(find("h", tmp_path / "hybrid", task="text-generation"), candidates=(" a", " b"))
    for probe in PROBES:
        (row,) = rows(probe, hybrid, Document("d", TEXTS[0]))
        assert (type(row), row.kind) == (NotMeasurable, "hybrid-attention")
        assert "1 of 3 layers attend" in row.message


def test_only_the_document_that_is_too_long_is_not_measurable(bert: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(answers, "MOST_TOKENS", 20)
    documents = [Document("short", "good film"), Document("long", TEXTS[0] * 3), Document("other", "dull")]
    found = rows(AttentionRolloutProbe, bert, *documents)
    assert [type(row) for row in found] == [Explanation, NotMeasurable, Explanation]
    assert found[1].kind == "too-many-tokens"
    assert all(isinstance(row, Explanation) for row in rows(MeanAttentionProbe, bert, *documents))


class Looking(Eye):
    """An eye that says where it looks; offers `ShowsAttention`, and no tokens."""

    def __init__(self, looks: np.ndarray, faulty: str = "") -> None:
        super().__init__(np.full(9, 0.05))
        self.looks, self.faulty = looks, faulty

    def attention_of_answers(self, documents: Sequence[Document], *, rolls_out: bool) -> list[PartAttention]:
        if any(one.id == self.faulty for one in documents):
            raise UnreadableError("a fault")
        parts = tuple(Span(i, i + 1) for i in range(9))
        return [PartAttention(parts, self.looks if rolls_out else self.looks[::-1]) for _ in documents]


def test_images_are_explained_without_a_token_and_a_fault_is_one_documents() -> None:
    looks = np.arange(9) / 36
    documents = [Document(str(i), f"{i + 1}23456789") for i in range(5)]
    for probe, expected in zip(PROBES, (looks, looks[::-1]), strict=True):
        found = rows(probe, Looking(looks, faulty="3"), *documents)
        assert [type(row) for row in found] == [Explanation] * 3 + [Failure, Explanation]
        assert found[0].targets[0].weights == pytest.approx(expected)
    (row,) = rows(AttentionRolloutProbe, Looking(np.full(9, np.nan)), documents[0])
    assert (type(row), row.kind) == (Failure, "non-finite")
