"""What is concluded of the inside of a model: planted dead units and outliers, Student's intervals, Holm over drift."""

import numpy as np
import pytest
from inside import LAYERS, UNITS, record
from scipy.stats import t
from worked_example import concluded, context, evidence, of_records, with_rows

from auditor.findings import Evidence, summarise
from auditor.findings.analyses.activation_drift import drift_between
from auditor.findings.analyses.activations import SUMMARY, asleep_at_most, in_short, outlier_layers
from auditor.findings.statistics.intervals import wilson
from auditor.records.types import Document, NotMeasurable


def found(*records):
    return concluded(SUMMARY, of_records("activations", records))


def test_a_unit_is_dead_that_no_document_wakes():
    random = np.random.default_rng(0)
    awake = random.random((12, LAYERS, UNITS)) < 0.6
    awake[:, 2, [4, 9]] = False
    expected = (~awake.any(axis=0)).sum(axis=1)
    findings, numbers = found(*(record(i, awake=one) for i, one in enumerate(awake)))
    assert [layer.dead for layer in findings.layers] == [None, *expected]
    assert findings.layers[3].dead >= 2
    share = numbers["activations.dead_share"]
    assert (share.value, share.low, share.high, share.n) == (
        pytest.approx(expected.sum() / 44),
        0.0,
        share.value,
        12,
    )
    assert findings.n_tokens == 120


def test_merging_documents_in_any_order_and_grouping_gives_the_same_dead_units():
    random = np.random.default_rng(1)
    rows = [record(i, awake=random.random((LAYERS, UNITS)) < 0.2) for i in range(9)]
    assert found(*rows)[0].layers == found(*rows[::-1])[0].layers


def test_the_share_of_texts_that_may_wake_a_sleeping_unit_is_the_exact_bound():
    for n in (1, 10, 300):
        assert (1 - asleep_at_most(n)) ** n == pytest.approx(0.05)
    assert asleep_at_most(300) == pytest.approx(3 / 300, rel=0.01)


def test_an_outlier_is_one_behind_a_quarter_of_the_layers_that_follow_the_embeddings():
    assert outlier_layers(record(0, outlier=(1,))) == {3: [7.0]}
    assert outlier_layers(record(0, outlier=(0,))) == {}, "what enters the first layer is none of them"
    assert outlier_layers(record(0)) == {}
    findings, numbers = found(*(record(i, outlier=(2, 3) if i < 9 else ()) for i in range(12)))
    (one,) = findings.outliers
    assert (one.dimension, one.documents, one.layers, one.ratio) == (3, 9, 2.0, 7.0)
    share, interval = numbers["activations.outlier_share"], wilson(9, 12)
    assert (share.value, share.low, share.high) == (0.75, interval.low, interval.high)
    assert (one.low, one.high) == (share.low, share.high)


def test_in_states_too_narrow_for_an_outlier_there_is_no_share():
    _, numbers = found(*(record(i, width=36) for i in range(10)))
    assert numbers["activations.outlier_share"].value is None


def test_norms_have_students_intervals():
    random = np.random.default_rng(2)
    norms = random.gamma(20, 1, (15, LAYERS + 1))
    findings, _ = found(*(record(i, row) for i, row in enumerate(norms)))
    for layer, of_layer in zip(findings.layers, norms.T, strict=True):
        error = of_layer.std(ddof=1) / np.sqrt(15)
        assert (layer.norm, layer.low, layer.high) == pytest.approx(
            (of_layer.mean(), *t.interval(0.95, 14, of_layer.mean(), error))
        )
    one, _ = found(record(0))
    assert [(layer.norm, layer.low) for layer in one.layers] == [(2.0**k, None) for k in range(5)]


def test_units_that_are_not_seen_have_no_share_and_a_reason():
    rows = (record(i, n_units=0, active=b"", activation="", unseen_units="experts") for i in range(10))
    findings, numbers = found(*rows)
    assert "activations.dead_share" not in numbers
    assert findings.unseen_units == "experts"
    assert [layer.dead for layer in findings.layers] == [None] * 5
    assert "hidden units" not in in_short(findings)


def drifting(shift, seed=0, n=120):
    """Documents of two sources; in the second the norms of layer 2 are larger."""
    random = np.random.default_rng(seed)
    documents = tuple(Document(f"d{i:03}", "x", metadata={"source": "ab"[i % 2]}) for i in range(n))
    rows = {}
    for i, document in enumerate(documents):
        norms = random.normal((10, 20, 30, 40, 50), 1.0)
        norms[2] += shift * (i % 2)
        rows[document.id] = record(0, norms, document_id=document.id)
    return drift_between(Evidence(documents), rows, {"source": ("a", "b")})


def test_a_part_with_larger_norms_stands_apart_in_the_layer_where_it_was_planted():
    drift, n = drifting(1.0)
    assert n == 10
    assert [(one.value, one.layer, one.comparison.stands_apart) for one in drift] == [("a", 2, True), ("b", 2, True)]
    assert drift[0].norm < drift[0].whole < drift[1].norm


def test_where_nothing_drifts_a_part_stands_apart_in_one_run_of_twenty_at_most():
    alarms = sum(any(one.comparison.stands_apart for one in drifting(0.0, seed)[0]) for seed in range(150))
    assert alarms / 150 <= 0.07


def test_parts_of_few_documents_are_not_compared():
    assert drifting(1.0, n=40) == ((), 0)


def test_the_evidence_of_an_audit_has_the_numbers_and_counts_what_is_not_measurable():
    rows = {f"d{i:02}": record(i, outlier=(1, 2)) for i in range(10)}
    rows["d10"] = NotMeasurable("d10", "no-tokens", "none")
    findings = summarise(with_rows(evidence(), activations=rows), context(asked={**context().asked, "activations": 11}))
    assert [p.text for p in findings.pointers if p.section == "activations"] == [
        "1 outlier dimension in the hidden states"
    ]
    (row,) = [row for row in findings.coverage if row.probe == "activations"]
    assert (row.asked, row.measured, row.not_measurable) == (11, 10, 1)
