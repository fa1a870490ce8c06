"""Explanations of a model whose weights are drawn anew: those that follow the weights change, others do not."""

import hashlib
import re
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any, ClassVar

import numpy as np
import pytest
from pydantic.dataclasses import dataclass
from scipy import stats

from auditor.findings.statistics.likeness import mean_ranks, spearman
from auditor.models import Answers
from auditor.models.inputs import FixedWeightsError
from auditor.probes.contract import STRICT, Sitting
from auditor.probes.lime.probe import LimeProbe
from auditor.probes.occlusion import OcclusionProbe
from auditor.probes.sanity import SanityProbe
from auditor.records.explanations import Explanation, Target
from auditor.records.sanity import Part, Sanity
from auditor.records.types import Document, Failure, NotMeasurable
from tests.probes.stubs import Oracle

TEXTS = [
    "alpha bravo charlie delta echo foxtrot golf hotel india",
    "kilo lima mike november oscar papa quebec romeo sierra tango",
    "uniform victor whiskey xray yankee zulu alpha kilo uniform",
    "golf papa yankee delta romeo bravo victor november",
]
DOCUMENTS = [Document(f"d{i}", text) for i, text in enumerate(TEXTS)]


def weight(word: str, seed: int) -> float:
    return int(hashlib.sha256(f"{word}{seed}".encode()).hexdigest(), 16) % 2001 / 1000 - 1


class Bag(Oracle):
    """A linear bag of words whose weights are drawn from its state: 0 is what it learnt; the head turns its sign."""

    def __init__(self, *, fixed: bool = False) -> None:
        super().__init__(("no", "yes"), self.say)
        self.state, self.sign, self.fixed = 0, 1.0, fixed

    def say(self, text: str) -> list[float]:
        score = self.sign * sum(weight(word, self.state) for word in re.findall(r"\w+", text)) / 20
        return [0.5 - score, 0.5 + score]

    @contextmanager
    def randomising(self, seed: int) -> Iterator[Iterator[Part]]:
        if self.fixed:
            raise FixedWeightsError("cast in stone")

        def parts() -> Iterator[Part]:
            self.sign = -1.0
            yield Part("head")
            self.state = seed + 1
            yield Part("embeddings")

        try:
            yield parts()
        finally:
            self.state, self.sign = 0, 1.0


@dataclass(frozen=True, config=STRICT)
class LengthsProbe(OcclusionProbe):
    """An explainer of somebody else that looks at the text alone: how long each word is."""

    name: ClassVar[str] = "lengths"

    def measure(self, model: Answers[Any], documents: Sequence[Document], sitting: Sitting[object]) -> Iterator[Any]:  # noqa: ARG002
        for document in documents:
            how, segments = model.segment(document, "words")
            weights = tuple(float(len(segment.text)) for segment in segments)
            none, all_of_them = (0.0,) * len(segments), (True,) * len(segments)
            target = Target(next(iter(document.labels), "yes"), weights, none, all_of_them, 0.5)
            yield Explanation(document.id, "lengths", "probability", how, segments, (target,))


EXPLAINERS = (LimeProbe(n_samples=60), OcclusionProbe(), LengthsProbe())


def earlier(model: Bag, documents: Sequence[Document], explainers: Sequence[Any] = EXPLAINERS) -> dict[str, Any]:
    return {p.name: {row.document_id: row for row in p.measure(model, documents, Sitting(7))} for p in explainers}


def measure(
    model: Bag, documents: Sequence[Document], explainers: Sequence[Any] = EXPLAINERS, **rows: Any
) -> list[Any]:
    sitting = Sitting(7, {**earlier(model, documents, explainers), **rows}, None, explainers)
    return list(SanityProbe().measure(model, documents, sitting))


def curves(rows: Sequence[Sanity], what: str = "rank_correlation") -> dict[tuple[str, int], list[float]]:
    found: dict[tuple[str, int], list[float]] = {}
    for one in (one for row in rows for one in row.likenesses):
        found.setdefault((one.probe, one.step), []).append(getattr(one, what))
    return found


def test_what_follows_the_weights_changes_with_them_and_what_looks_at_the_text_alone_does_not() -> None:
    rows = measure(Bag(), DOCUMENTS)
    assert [row.document_id for row in rows] == ["d0", "d1", "d2", "d3"]
    assert {row.parts for row in rows} == {(Part("head"), Part("embeddings"))}
    signed, sizes, pearson = (
        curves(rows, what) for what in ("rank_correlation", "absolute_rank_correlation", "correlation")
    )
    for of in (signed, sizes, pearson):
        assert {probe for probe, _ in of} == {"lime", "occlusion", "lengths"}
        for step in range(3):
            assert of["lengths", step] == pytest.approx([1.0] * 4)
        for probe in ("lime", "occlusion"):
            assert of[probe, 0] == pytest.approx([1.0] * 4), "explained twice, it is the same"
            assert abs(np.mean(of[probe, 2])) < 0.35, "nothing of it is left"
    for probe in ("lime", "occlusion"):
        assert signed[probe, 1] == pytest.approx([-1.0] * 4), "the head turned every sign"
        assert sizes[probe, 1] == pytest.approx([1.0] * 4), "and no size"


def test_correlations_are_those_of_the_weights_for_the_label_of_before() -> None:
    model = Bag()
    (row,) = measure(model, DOCUMENTS[:1], [OcclusionProbe()])
    segments = TEXTS[0].split()
    score = sum(weight(word, 0) for word in segments)
    toward = 1.0 if score > 0 else -1.0  # of the label that the model as it is predicts
    before, after = ([toward * sign * weight(w, state) for w in segments] for sign, state in ((1, 0), (-1, 8)))
    last = next(one for one in row.likenesses if one.step == 2)
    assert last.correlation == pytest.approx(np.corrcoef(before, after)[0, 1])
    assert last.rank_correlation == pytest.approx(stats.spearmanr(before, after)[0])
    assert last.absolute_rank_correlation == pytest.approx(stats.spearmanr(np.abs(before), np.abs(after))[0])


def test_rows_do_not_depend_on_which_documents_are_measured_together() -> None:
    together = measure(Bag(), DOCUMENTS)
    assert together == [row for document in DOCUMENTS for row in measure(Bag(), [document])]


def test_what_it_costs_is_counted_for_each_document() -> None:
    rows = measure(Bag(), DOCUMENTS[:2], [OcclusionProbe()])
    assert [row.n_evaluations for row in rows] == [3 * 10, 3 * 11], "three steps of a text and each without a word"


def test_a_document_is_explained_again_by_those_that_explained_it_before_alone() -> None:
    model = Bag()
    only = {"d1": earlier(model, DOCUMENTS)["lime"]["d1"]}
    fault = {**earlier(model, DOCUMENTS)["occlusion"], "d0": Failure("d0", "broken", "it broke")}
    rows = measure(model, DOCUMENTS[:2], EXPLAINERS[:2], lime=only, occlusion=fault)
    assert isinstance(rows[0], NotMeasurable)
    assert rows[0].kind == "no-explanation"
    assert {one.probe for one in rows[1].likenesses} == {"lime", "occlusion"}


def test_two_words_are_too_few_blank_is_a_failure_and_fixed_weights_say_so() -> None:
    documents = [Document("two", "alpha bravo"), Document("blank", "  "), DOCUMENTS[0]]
    two, blank, whole = measure(Bag(), documents)
    assert (two.kind, blank.kind, type(whole)) == ("few-segments", "blank", Sanity)
    two, _, fixed = measure(Bag(fixed=True), documents)
    assert (two.kind, fixed.kind, fixed.message) == ("few-segments", "fixed-weights", "cast in stone")


def test_an_explainer_that_asks_another_model_is_left_out() -> None:
    class Elsewhere(LengthsProbe):
        model = "another"

    rows = measure(Bag(), DOCUMENTS[:1], [OcclusionProbe(), Elsewhere()])
    assert {one.probe for one in rows[0].likenesses} == {"occlusion"}


def test_the_model_is_as_it_was_after_an_explainer_broke() -> None:
    class Broken(OcclusionProbe):
        def measure(self, model: Any, documents: Any, sitting: Any) -> Any:
            if model.state:
                raise KeyError("it broke")
            return super().measure(model, documents, sitting)

    model = Bag()
    with pytest.raises(KeyError):
        measure(model, DOCUMENTS[:1], [Broken()])
    assert (model.state, model.sign) == (0, 1.0)


def test_an_explainer_that_reads_explanations_reads_those_of_the_randomised_model() -> None:
    @dataclass(frozen=True, config=STRICT)
    class Second(OcclusionProbe):
        name: ClassVar[str] = "second"
        after: ClassVar[tuple[str, ...]] = ("occlusion", "prediction")

        def measure(self, model: Any, documents: Any, sitting: Any) -> Any:  # noqa: ARG002
            assert sitting.earlier.get("prediction", {}) == {}
            return iter([sitting.earlier["occlusion"][document.id] for document in documents])

    model = Bag()
    first = earlier(model, DOCUMENTS[:1], [OcclusionProbe()])
    rows = list(
        SanityProbe().measure(
            model,
            DOCUMENTS[:1],
            Sitting(7, {**first, "second": first["occlusion"]}, None, [OcclusionProbe(), Second()]),
        )
    )
    of = curves(rows)
    assert [of["second", step] for step in range(3)] == [of["occlusion", step] for step in range(3)]
    assert of["second", 2] != [1.0]


@pytest.mark.parametrize("seed", range(5))
def test_rank_correlations_are_those_of_scipy_with_ties_too(seed: int) -> None:
    random = np.random.default_rng(seed)
    a, b = random.integers(0, 5, 12).astype(float), random.normal(size=12)
    assert mean_ranks(a) == pytest.approx(stats.rankdata(a))
    assert spearman(a, b) == pytest.approx(stats.spearmanr(a, b)[0])
    assert spearman(np.ones(4), b[:4]) is None
