"""Every card of the report has its neighbourhood, however the corpus was cut; and from it the weights follow again."""

import random
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from auditor import audit, config
from auditor.findings.analyses.answers import Answer
from auditor.findings.analyses.explanations import choose_examples
from auditor.models import Answers
from auditor.probes.contract import Sitting
from auditor.probes.keeping import around_median, of_cards
from auditor.probes.lime.design import Sample
from auditor.probes.lime.emulator import estimate
from auditor.probes.lime.probe import LimeProbe
from auditor.probes.lime.surrogate import Fit, enumerate_masks, fit_all, kernel
from auditor.records.explanations import Explanation, Neighbourhood, Segment, Surrogate, Target
from auditor.records.neighbourhoods import Perturbed, unpack
from auditor.records.schema import from_bytes, to_bytes
from auditor.records.types import Document, NotMeasurable, Prediction
from tests.models.tiny import save
from tests.probes.stubs import Oracle
from tests.probes.test_lime_probe import LONG, feeling
from tests.test_audit import LABELS as LABELS_OF_AUDIT
from tests.test_audit import Silent, corpus

LABELS = ("a", "b", "c")


def drawn(seed: int, n: int, several: bool, share_failing: float) -> tuple[list[Document], list[Any], dict[str, Any]]:
    """Documents, what LIME measured of them, and what the model answered: ties are frequent."""
    random_ = random.Random(seed)
    documents, rows, predictions = [], [], {}
    for i in range(n):
        some = tuple(label for label in LABELS if random_.random() < 0.4)
        labels = some if several else tuple(random_.sample(LABELS, random_.randrange(2)))
        documents.append(Document(f"d{i}", "x", labels=labels, unlabelled=several and random_.random() < 0.3))
        p = tuple(round(random_.random(), 1) for _ in LABELS)
        said = tuple(label for label, value in zip(LABELS, p, strict=True) if value >= 0.5)
        said = said if several else (LABELS[int(np.argmax(p))],)
        if random_.random() < 0.9:
            predictions[f"d{i}"] = Prediction(f"d{i}", LABELS, p, p, said, 0.1, 3, False)
        segments = (Segment("w", ()),) * random_.randrange(1, 9)
        target = Target("a", (), (), (), 0.0, Surrogate(0.0, round(random_.random(), 1), 0.0))
        around = Neighbourhood(2, 2, True, 25.0, masks=b"m", answers=b"a")
        row = Explanation(f"d{i}", "lime", "probability", "words", segments, (target,), around)
        rows.append(NotMeasurable(f"d{i}", "unreadable", "no") if random_.random() < share_failing else row)
    return documents, rows, predictions


def answered(
    documents: Sequence[Document], predictions: Mapping[str, Any], several: bool, labelled: bool
) -> dict[str, Answer]:
    def reference(document: Document) -> tuple[str, ...] | None:
        labels = document.labels if several else document.labels[:1]
        return labels if (labelled and not document.unlabelled if several else labels) else None

    known = [d for d in documents if d.id in predictions]
    return {d.id: Answer(d, predictions[d.id], reference(d), several) for d in known}


@pytest.mark.parametrize("share_failing", [0.0, 0.04])
@pytest.mark.parametrize("several", [False, True])
@pytest.mark.parametrize("size", [1, 3, 25, 1000])
def test_every_card_has_its_neighbourhood_whatever_the_size_of_a_shard(
    size: int, several: bool, share_failing: float
) -> None:
    for seed, n in [(seed, n) for seed in range(12) for n in (1, 5, 40, 211)]:
        documents, rows, predictions = drawn(seed, n, several, share_failing)
        found = {row.document_id: row for row in rows if isinstance(row, Explanation)}
        expected = {d.id: len(found[d.id].segments) if d.id in found else 1 for d in documents}
        kept = set(around_median(expected))
        for start in range(0, n, size):
            part = slice(start, start + size)
            kept |= of_cards(documents[part], rows[part], predictions, several)
        answers = answered(documents, predictions, several, labelled=any(d.labels for d in documents))
        cards = {example.document_id for example in choose_examples(list(found.values()), answers)}
        assert cards <= kept, (seed, n)


def explained_and_answered(n: int, lowest: Sequence[int], middle: int, wrong: Sequence[int], labelled: bool) -> Any:
    """n documents, the surest answer first, the one in the middle by segments given; two classes."""
    ranks = [i for i in range(n) if i != middle]
    lengths = {i: place + 1 for place, i in enumerate([*ranks[: n // 2], middle, *ranks[n // 2 :]])}
    documents, rows, predictions = [], [], {}
    for i in range(n):
        documents.append(Document(f"d{i}", "x", labels=("ab"[i in wrong],) if labelled else ()))
        p = (0.99 - i / 1000, 0.01 + i / 1000)
        predictions[f"d{i}"] = Prediction(f"d{i}", ("a", "b"), p, p, ("a",), 0.1, 3, False)
        target = Target("a", (), (), (), 0.0, Surrogate(0.0, 0.1 if i in lowest else 0.9, 0.0))
        segments = (Segment("w", ()),) * lengths[i]
        rows.append(Explanation(f"d{i}", "lime", "probability", "words", segments, (target,), None))
    return documents, rows, predictions


@pytest.mark.parametrize(
    ("lowest", "middle", "wrong", "labelled", "last"),
    [
        ((10, 11), 50, (10, 11, 12, 13), True, "d13"),  # the surest errors are cards already: the next two
        ((10, 11), 50, range(10), True, "d12"),  # so are the surest right answers, and errors are surer
        ((0, 1), 2, (), False, "d5"),  # so are the three surest of all
    ],
)
def test_a_rule_reaches_down_to_where_the_rules_before_it_leave_something(
    lowest: Sequence[int], middle: int, wrong: Sequence[int], labelled: bool, last: str
) -> None:
    documents, rows, predictions = explained_and_answered(100, lowest, middle, wrong, labelled)
    answers = answered(documents, predictions, several=False, labelled=labelled)
    cards = {example.document_id for example in choose_examples(rows, answers)}
    assert last in cards
    kept = of_cards(documents, rows, predictions, several=False)
    assert cards <= kept | around_median({row.document_id: len(row.segments) for row in rows})


def test_of_many_documents_few_are_kept() -> None:
    documents, rows, predictions = drawn(0, 2000, several=False, share_failing=0.0)
    assert len(of_cards(documents, rows, predictions, several=False)) <= 15
    assert len(around_median({d.id: i for i, d in enumerate(documents)})) == 2 * (5 + 2000 // 40) + 1


def test_failing_documents_at_one_end_do_not_push_the_median_out_of_what_is_kept() -> None:
    lengths = {f"d{i}": i for i in range(400)}
    kept = around_median(lengths)
    for failing in (range(20), range(380, 400)):
        left = [name for name, n in lengths.items() if n not in failing]
        assert set(left[len(left) // 2 - 3 : len(left) // 2 + 4]) <= kept


def explained(text: str, **settings: Any) -> Explanation:
    model: Answers[Any] = Oracle(("n", "p"), feeling)
    (row,) = LimeProbe(top_labels=2, keep="all", **settings).measure(model, [Document("d", text)], Sitting(3))
    assert isinstance(row, Explanation)
    (stored,) = from_bytes(Explanation, to_bytes(Explanation, [row]), whole=True)
    assert stored == row
    return row


def refit(found: Explanation, kept: Perturbed, budget: int) -> list[Fit]:
    """The surrogates from the record alone, and the number of samples that was set."""
    around = found.neighbourhood
    assert around is not None
    if around.exact:
        masks, shares = enumerate_masks(len(found.segments), budget)
        assert (masks == kept.masks).all()
        return fit_all(masks, kept.answers, kernel(masks, around.kernel_width) * shares, exact=True)
    if around.stopped == "fixed":
        assert kept.counts.sum() == around.n_samples
        masks, answers = (np.repeat(values, kept.counts, axis=0) for values in (kept.masks, kept.answers))
        return fit_all(masks, answers, kernel(masks, around.kernel_width))
    return estimate(Sample(kept.masks, kept.units), kept.answers, around.kernel_width)


@pytest.mark.parametrize(
    ("text", "settings", "budget"),
    [
        ("one two three four five", {}, 2000),
        ("one", {}, 2000),
        ("a b c d e f g h i j k", {"n_samples": 1000}, 1000),
        (LONG, {"n_samples": 500}, 500),
        (LONG, {"tolerance": 0.3}, 2000),
        (LONG, {"tolerance": 1e-6, "max_samples": 300}, 300),
    ],
)
def test_the_surrogate_fitted_again_from_what_was_kept_has_the_stored_weights(
    text: str, settings: dict[str, Any], budget: int
) -> None:
    found = explained(text, **settings)
    kept = unpack(found)
    assert kept is not None
    assert kept.masks.shape == (found.neighbourhood.n_evaluations, len(found.segments))
    assert kept.answers.shape == (len(kept.masks), len(found.targets))
    assert kept.masks[0].all()
    for target, again in zip(found.targets, refit(found, kept, budget), strict=True):
        assert again.weights == pytest.approx(target.weights, abs=2e-6)
        assert again.half_widths / 1.96 == pytest.approx(target.standard_errors, abs=2e-6)
        assert again.fidelity == pytest.approx(target.surrogate.fidelity, abs=1e-5)
        assert again.intercept == pytest.approx(target.surrogate.intercept, abs=2e-6)


def test_what_is_not_kept_is_none_and_all_else_is_equal() -> None:
    documents = [Document(str(i), f"some {i} words and some more") for i in range(9)]

    def measured(keep: str) -> list[Any]:
        return list(LimeProbe(keep=keep).measure(Oracle(("n", "p"), feeling), documents, Sitting(0)))

    whole, cards, none = measured("all"), measured("cards"), measured("none")
    assert all(unpack(row) for row in whole)
    assert not any(unpack(row) for row in none)
    assert sum(unpack(row) is not None for row in cards) == 2, "the two of lowest fidelity: nothing else is known"

    def bare(row: Explanation) -> Explanation:
        around = replace(row.neighbourhood, masks=None, answers=None, counts=None, units=None)
        of_kept = replace(row.targets[0], surrogate=replace(row.targets[0].surrogate, sensitivity=None))
        return replace(row, neighbourhood=around, targets=(of_kept, *row.targets[1:]))

    assert [bare(row) for row in whole] == [bare(row) for row in cards] == none


def test_a_document_of_thirty_segments_takes_24_kilobytes() -> None:
    text = " ".join(f"word{i}" for i in range(30))
    found = explained(text, tolerance=1e-6)
    around = found.neighbourhood
    assert around.n_evaluations == 2000
    assert (len(around.masks), len(around.answers)) == (2000 * 4, 2000 * 2 * 4)
    assert len(to_bytes(Explanation, [found])) < 37_000


@pytest.mark.parametrize("shard_size", [1, 4, 100])
def test_the_cards_of_a_report_have_their_neighbourhoods_in_the_evidence(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, shard_size: int
) -> None:
    monkeypatch.chdir(tmp_path)
    model = save(tmp_path / "classifier", "bert", "text-classification", **LABELS_OF_AUDIT)
    asked = {"probes.prediction": {}, "probes.lime": {"n_samples": 40}, "run.shard_size": shard_size}
    tables = {"model.name": model, "corpus.path": corpus(tmp_path), **asked}
    result = audit.run(config.load(None, tables, environment={}), pdf=False, progress=Silent())
    kept = {row.document_id for row in result.run.read("lime", Explanation, whole=True) if unpack(row)}
    cards = {example.document_id for example in result.findings.analyses["lime"].examples}
    assert len(cards) == 6
    assert cards <= kept
    assert shard_size < 100 or len(kept) < 18, "not all of them are kept"
    assert not any(unpack(row) for row in result.run.read("lime", Explanation)), "read on request only"
