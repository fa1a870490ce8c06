"""How many heads matter: closed forms, scipy's t-test, Holm, and how often chance alone makes one."""

import numpy as np
import pytest
from acted_upon import bare
from scipy.stats import t, ttest_1samp
from worked_example import concluded, context, evidence, of_records, with_rows

from auditor.findings import summarise
from auditor.findings.analyses.head_ablation import SUMMARY, how_many, p_values
from auditor.findings.statistics.corrections import holm
from auditor.records.heads import HeadAblation, HeadAgreement


def record(i, effects, tau=None, unit="probability"):
    agreements = () if tau is None else (HeadAgreement("occlusion", tau),)
    return HeadAblation(f"d{i:02}", "positive", unit, 2, len(effects) // 2, 0.9, tuple(effects), agreements)


def found(*records):
    return concluded(SUMMARY, of_records("head_ablation", records))


def test_means_intervals_and_p_are_those_of_students_t_corrected_by_holm():
    random = np.random.default_rng(0)
    effects = random.normal((0.2, 0.0, -0.05, 0.003), (0.05, 0.05, 0.02, 0.001), (12, 4))
    findings, numbers = found(*(record(i, row) for i, row in enumerate(effects)))
    expected = holm(ttest_1samp(effects, 0).pvalue.tolist())
    for i, head in enumerate(findings.heads):
        assert (head.layer, head.head) == divmod(i, 2)
        mean, error = effects[:, i].mean(), effects[:, i].std(ddof=1) / np.sqrt(12)
        assert head.effect == pytest.approx(mean)
        assert (head.low, head.high) == pytest.approx(t.interval(0.95, 11, mean, error))
        assert head.p == pytest.approx(max(expected[i], min(1, 4 * 2.0**-11)), abs=4 * 2.0**-11)
    assert [head.matters for head in findings.heads] == [True, False, True, False], "the last is below the floor"
    assert [(head.layer, head.head) for head in findings.mattering] == [(0, 0), (1, 0)]
    share = numbers["head_ablation.mattering_share"]
    assert (share.value, share.low, share.n) == (0.5, 0.5, 12)
    assert "2 of 4 heads matter" in how_many(findings)


def test_documents_that_are_all_alike_prove_no_more_than_their_number():
    assert p_values(np.full((5, 1), 0.3)) == pytest.approx([2.0**-4])
    assert p_values(np.zeros((5, 2))) == pytest.approx([1, 1])
    assert p_values(np.full((1, 1), 0.3)) == pytest.approx([1])
    assert p_values(np.array([[0.1], [0.1], [0.11]])) == pytest.approx([0.25]), "of three, no smaller p"


def test_one_document_has_effects_and_no_head_that_matters():
    findings, numbers = found(record(0, (0.5, 0.0, 0.1, -0.2)))
    assert [head.effect for head in findings.heads] == [0.5, 0.0, 0.1, -0.2]
    assert {(head.low, head.high, head.p, head.matters) for head in findings.heads} == {(None, None, 1.0, False)}
    share = numbers["head_ablation.mattering_share"]
    assert (share.value, share.low, share.high) == (0, None, None)


def test_agreement_is_averaged_over_documents_and_leaves_out_what_is_undefined():
    taus = [(0.5, None, 0.1, None), (0.7, 0.2, -0.3, None), None]
    records = [record(i, (0.1 + i / 100,) * 4, tau) for i, tau in enumerate(taus)]
    findings, numbers = found(*records)
    assert [head.agreements for head in findings.heads] == [
        {"occlusion": pytest.approx(0.6)},
        {"occlusion": pytest.approx(0.2)},
        {"occlusion": pytest.approx(-0.1)},
        {},
    ]
    number = numbers["head_ablation.agreement[occlusion]"]
    assert (number.value, number.n) == (pytest.approx((0.3 + 0.2) / 2), 2)


def test_where_effects_are_chance_some_head_is_said_to_matter_in_one_run_of_twenty_at_most():
    random = np.random.default_rng(1)
    alarms = 0
    for _ in range(400):
        common = random.normal(0, 0.05, (24, 1))  # a document that moves with one head moves with others
        effects = common + random.standard_t(4, (24, 48)) * 0.05
        alarms += any(p < 0.05 for p in holm(p_values(effects).tolist()))
    assert alarms / 400 <= 0.07


def test_the_evidence_of_an_audit_says_how_many_matter_and_points_there():
    rows = {f"d{i:02}": record(i, (0.2 + i / 100, 0.0, 0.0, 0.001)) for i in range(10)}
    whole = with_rows(evidence(), head_ablation=rows, occlusion={f"d{i:02}": bare(i) for i in range(10)})
    findings = summarise(whole, context(asked={**context().asked, "head_ablation": 10, "occlusion": 10}))
    assert [p.text for p in findings.pointers if p.section == "head_ablation"] == [
        "1 of 4 heads matters to the answer when it is switched off by itself"
    ]
    (row,) = [row for row in findings.coverage if row.probe == "head_ablation"]
    assert (row.asked, row.measured) == (10, 10)
