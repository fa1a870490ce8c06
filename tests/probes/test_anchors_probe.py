"""Anchors against enumeration, their bounds against closed forms, and what is told of them against the truth."""

import math
from collections.abc import Callable

import numpy as np
import pytest

from auditor.models.inputs import Question
from auditor.probes.anchors.bounds import interval, kl, lower, upper
from auditor.probes.anchors.probe import AnchorsProbe
from auditor.probes.anchors.search import FRESH, Rule, Search, Settings, enumerated
from auditor.probes.contract import Sitting
from auditor.probes.perturbing import every_mask
from auditor.records import schema
from auditor.records.explanations import Anchor
from auditor.records.types import Document, Failure, NotMeasurable
from tests.probes.mosaic import Eye
from tests.probes.nonlinear import logistic
from tests.probes.stubs import Oracle
from tests.probes.test_unreadable_perturbations import Picky

LONG = " ".join(f"w{i}" for i in range(1, 21))


def both(text: str) -> list[float]:
    """Yes where the first two words are there."""
    yes = 0.9 if {"w1", "w2"} <= set(text.split()) else 0.2
    return [1 - yes, yes]


def rows(*documents: Document, model: Oracle | None = None, seed: int = 0, **parameters: object) -> list:
    return list(AnchorsProbe(**parameters).measure(model or Oracle(("no", "yes"), both), documents, Sitting(seed)))


def first_two(masks: np.ndarray) -> np.ndarray:
    return masks[:, :2].all(axis=1)


def searched(n_segments: int, agree: Callable[[np.ndarray], np.ndarray], seed: int = 0, **settings: object) -> Rule:
    search = Search(n_segments, Settings(**settings), np.random.RandomState(seed)).run()
    masks = next(search)
    while True:
        try:
            masks = search.send(agree(masks))
        except StopIteration as end:
            return end.value


@pytest.mark.parametrize(("rule", "precision"), [((0, 1), 1.0), ((0,), 0.5), ((), 0.25), ((2, 3), 0.25)])
def test_the_precision_of_every_rule_is_its_share_of_all_masks_that_keep_it(
    rule: tuple[int, ...], precision: float
) -> None:
    masks = every_mask(6)
    agreed = first_two(masks)
    assert agreed[masks[:, rule].all(axis=1)].mean() == precision
    found = enumerated(agreed, Settings(precision=precision, max_length=len(rule)))
    if rule != (2, 3):
        assert (len(found.rule), found.precision, found.base_precision) == (len(rule), precision, 0.25)


def test_the_conjunction_of_two_words_among_six_is_its_own_anchor() -> None:
    (row,) = rows(Document("d", "w1 w2 w3 w4 w5 w6"))
    assert (row.label, row.rule, row.stopped) == ("yes", (0, 1), "anchored")
    assert (row.precision, row.low, row.high, row.coverage, row.base_precision) == (1.0, 1.0, 1.0, 0.25, 0.25)
    assert (row.n_samples, row.n_evaluations) == (0, 64)
    assert [row.segments[i].text for i in row.rule] == ["w1", "w2"]


def test_it_is_found_among_twenty_words_without_trying_all_masks() -> None:
    (row,) = rows(Document("d", LONG))
    assert (row.rule, row.stopped, row.coverage) == ((0, 1), "anchored", 0.25)
    assert row.precision == row.high == 1.0
    assert row.low == pytest.approx(math.exp(-math.log(40) / FRESH), abs=1e-9)
    assert row.base_precision == pytest.approx(0.25, abs=0.15)
    assert row.n_samples == FRESH
    assert row.n_evaluations < 2000


def test_enumerated_rules_are_the_best_of_all() -> None:
    random = np.random.default_rng(0)
    masks = every_mask(5)
    for _ in range(20):
        agreed = random.random(32) < 0.7
        agreed[0] = True
        precisions = {
            code: agreed[masks[:, [i for i in range(5) if code >> i & 1]].all(axis=1)].mean() for code in range(32)
        }
        found = enumerated(agreed, Settings(precision=0.9, max_length=5))
        code = sum(2**i for i in found.rule)
        shortest = min(code.bit_count() for code, value in precisions.items() if value >= 0.9)
        assert len(found.rule) == shortest
        assert found.precision == precisions[code]
        assert found.precision == max(v for c, v in precisions.items() if c.bit_count() == shortest)


def test_searched_rules_are_anchors_as_enumeration_finds_them_and_their_intervals_hold() -> None:
    n, held, anchored, longer = 12, [], [], []
    masks = every_mask(n)
    for seed in range(16):
        answer = logistic(n, seed)
        label = int(answer(masks[:1])[0].argmax())
        agreed = answer(masks).argmax(axis=1) == label
        best = enumerated(agreed, Settings())
        found = searched(
            n, lambda some, answer=answer, label=label: answer(some).argmax(axis=1) == label, seed, max_samples=2000
        )
        true = agreed[masks[:, list(found.rule)].all(axis=1)].mean()
        held.append(found.low <= true <= found.high)
        if found.stopped == "anchored":
            anchored.append(true)
            longer.append(len(found.rule) - len(best.rule))
    assert np.mean(held) >= 0.95
    assert len(anchored) >= 10
    assert np.mean(np.array(anchored) >= 0.9) == 1.0, "precision less tolerance"
    assert min(longer) >= -1, "a rule a little below 0.95 may be accepted"
    assert np.mean(longer) <= 0.5


def test_where_the_label_does_not_depend_on_the_words_the_empty_rule_is_the_anchor() -> None:
    for text in ("w1 w2", LONG):
        (row,) = rows(Document("d", text), model=Oracle(("no", "yes"), lambda _: [0.4, 0.6]))
        assert (row.rule, row.precision, row.coverage, row.stopped) == ((), 1.0, 1.0, "anchored")


def test_what_no_short_rule_holds_says_so() -> None:
    many = Oracle(("no", "yes"), lambda text: [0.1, 0.9] if len(text.split()) >= 19 else [0.9, 0.1])
    (row,) = rows(Document("d", LONG), model=many, max_length=2, max_samples=3000)
    assert (row.stopped, len(row.rule)) == ("length", 2)
    assert row.precision < 0.1
    (spent,) = rows(Document("d", LONG), model=many, max_samples=200)
    assert spent.stopped == "budget"
    (short,) = rows(Document("d", "w1 w2 w3 w4"), model=Oracle(("no", "yes"), both), max_length=1)
    assert (short.stopped, short.precision, short.rule) == ("length", 0.5, (0,))


def test_bounds_are_those_of_the_closed_form_where_there_is_one() -> None:
    n = np.array([10.0, 40.0])
    assert lower(n, n, 2.0) == pytest.approx(np.exp(-2.0 / n), abs=1e-12)
    assert upper(0 * n, n, 2.0) == pytest.approx(1 - np.exp(-2.0 / n), abs=1e-12)
    hits = np.array([7.0, 13.0])
    for end in (lower(hits, n, 2.0), upper(hits, n, 2.0)):
        assert n * kl(hits / n, end) == pytest.approx([2.0, 2.0], abs=1e-9)
    nothing = np.zeros(1)
    assert (lower(nothing, nothing, 2.0)[0], upper(nothing, nothing, 2.0)[0]) == (0.0, 1.0)


@pytest.mark.parametrize("share", [0.02, 0.5, 0.95, 0.99])
def test_intervals_hold_the_share_in_at_least_95_of_100_draws(share: float) -> None:
    hits = np.random.default_rng(0).binomial(200, share, size=2000)
    ends = {n: interval(int(n), 200) for n in np.unique(hits)}
    assert np.mean([ends[n][0] <= share <= ends[n][1] for n in hits]) >= 0.95


def test_searches_of_all_documents_ask_in_one_stream_and_nothing_twice() -> None:
    documents = [Document(str(i), f"{LONG} x{i}") for i in range(3)]
    model = Oracle(("no", "yes"), both)
    found = rows(*documents, model=model)
    assert len(set(model.asked)) >= len(model.asked) - 30, "only the empty text may be that of several"
    assert sum(row.n_evaluations for row in found) == len(model.asked)
    images = Eye(np.full(9, 0.01))
    list(AnchorsProbe().measure(images, [Document(str(i), "123456789") for i in range(4)], Sitting(0)))
    assert len(images.batches) == 1


def test_a_draw_depends_on_the_document_and_the_seed_alone() -> None:
    document = Document("d", LONG)
    (alone,) = rows(document)
    assert rows(Document("x", f"{LONG} x"), document)[1] == alone
    assert schema.from_bytes(Anchor, schema.to_bytes(Anchor, [alone])) == [alone]


def test_a_label_among_several_stays_while_it_is_on_its_side_of_one_half() -> None:
    model = Oracle(("a", "b"), lambda text: [0.8 if "w1" in text.split() else 0.3, 0.2])
    model.identity = type(model.identity)(**{**_fields(model.identity), "multi_label": True})
    (row,) = rows(Document("d", "w1 w2 w3"), model=model)
    assert (row.label, row.rule, row.base_precision) == ("a", (0,), 0.5)


def _fields(identity: object) -> dict[str, object]:
    return {name: getattr(identity, name) for name in type(identity).__dataclass_fields__}


def test_rows_are_in_order_and_what_cannot_be_measured_says_why() -> None:
    found = rows(Document("1", "w1 w2"), Document("2", " "), Document("3", "..."), Document("4", LONG))
    assert [(type(row), row.document_id) for row in found] == [
        (Anchor, "1"),
        (Failure, "2"),
        (NotMeasurable, "3"),
        (Anchor, "4"),
    ]
    broken = Oracle(("no", "yes"), lambda text: [0.5, math.nan if "w3" not in text.split() else 0.5])
    for text in ("w1 w2 w3", LONG):
        (row,) = rows(Document("d", text), model=broken)
        assert (type(row), row.kind) == (Failure, "non-finite")
    (row,) = rows(Document("d", "good film and"), model=Picky(1))
    assert (type(row), row.kind) == (NotMeasurable, "unreadable-perturbations")
    (row,) = rows(Document("d", LONG), segmenter="words", max_segments=4)
    assert row.message == "20 words are more than max_segments = 4; raise it"


def test_a_free_continuation_is_no_label_that_could_stay() -> None:
    model = Oracle(("continuation",), lambda _: [-1.0])
    model.ask = lambda documents: [Question(("continuation",), ((1,),), free=True)] * len(documents)
    (row,) = rows(Document("d", LONG), model=model)
    assert (type(row), row.kind) == (NotMeasurable, "no-label")
    assert not model.asked
