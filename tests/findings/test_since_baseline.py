"""Checks against the baseline: which side is worse, what is judged, what waits, and what is refused."""

from dataclasses import replace

import pytest

from auditor.findings import Bound, fault_of, summarise
from auditor.findings.comparing import Since, baseline, compare
from auditor.findings.contract.context import Baseline
from auditor.findings.judgement.checks import judge_all
from auditor.findings.statistics.intervals import wilson
from auditor.languages import speaking
from auditor.records.plan import PlannedProbe
from tests.findings.two_nights import PROBES, answered, night
from tests.findings.worked_example import evidence

WRONG = {"predicted": ("positive",), "probabilities": (0.1, 0.9)}
MARGIN = {"accuracy": Bound(not_worse_than_baseline_by=0.02)}


def findings_of(after, before):
    """The findings of a night that was compared with another."""
    with speaking("en"):
        made = baseline(compare(before, after)) if before else None
    return summarise(after.evidence, replace(after.context, baseline=made))


def worse(n, **plan):
    return night(answered(evidence(), **{f"d{i:02}": WRONG for i in range(2, 2 + n)}), MARGIN, **plan)


def check_of(after, before):
    (check,) = findings_of(after, before).checks
    return check


def test_the_same_answers_pass_and_the_difference_is_zero_to_zero():
    check = check_of(night(checks=MARGIN), night(checks={}))
    assert (check.result, check.number.value, check.number.low, check.number.high) == ("pass", 0, 0, 0)
    assert check.number.protocol.endswith("no document changed, and the same model was asked in the same way")
    assert (check.id, check.name) == ("checks.accuracy.not_worse_than_baseline_by", "accuracy@baseline")
    assert (check.direction, check.bound, check.baseline) == ("at_least", -0.02, "run-1")


def test_another_model_that_answers_alike_may_differ_on_documents_that_were_not_seen():
    other = replace(night().plan.model, weights_sha256="f" * 64)
    check = check_of(night(checks=MARGIN, model=other), night(checks={}))
    unseen = wilson(0, 40).high  # none of 40 answers changed
    assert (check.result, check.number.value) == ("watch", 0)
    assert (check.number.low, check.number.high) == (-unseen, unseen)
    assert check.number.protocol.endswith("no document changed; 95% Wilson interval of 0 of n changed")


def test_a_drop_beyond_the_margin_fails_and_the_way_back_passes():
    dropped = worse(20)
    assert check_of(dropped, night()).result == "fail"
    assert "BCa" in check_of(dropped, night()).number.protocol
    found = findings_of(dropped, night())
    assert found.verdict.result == "fail"
    assert any("change since the baseline" in one.text for one in found.conclusion)
    assert check_of(night(checks=MARGIN), dropped).result == "pass"


def test_what_the_interval_cannot_decide_is_to_be_watched():
    assert check_of(worse(2), night()).result == "watch"


def test_of_a_perplexity_low_values_are_better_and_the_margin_is_in_nats():
    name = "perplexity.corpus"
    bounds = {name: Bound(not_worse_than_baseline_by=0.05)}
    facts = evidence()
    rows = {k: replace(v, logprobs=tuple(2 * p for p in v.logprobs)) for k, v in facts.rows["perplexity"].items()}
    after = night(replace(facts, rows={**facts.rows, "perplexity": rows}), bounds)
    check = check_of(after, night())
    assert (check.direction, check.bound, check.number.unit, check.result) == ("at_most", 0.05, "nats", "fail")


def test_without_a_baseline_it_waits_and_others_decide():
    check = check_of(night(checks=MARGIN), None)
    assert (check.result, check.number) == ("not judged", None)
    assert check.reason == "There was no baseline to compare with when the run began."
    assert findings_of(night(checks=MARGIN), None).verdict.result == "not established"
    both = {"accuracy": Bound(at_least=0.1, not_worse_than_baseline_by=0.02)}
    found = findings_of(night(checks=both), None)
    assert [(one.id, one.result) for one in found.checks] == [
        ("checks.accuracy.at_least", "pass"),
        ("checks.accuracy.not_worse_than_baseline_by", "not judged"),
    ]
    assert found.verdict.result == "pass with conditions"


def test_a_comparison_that_would_be_false_is_not_judged_and_names_its_reason():
    probes = {**PROBES, "prediction": PlannedProbe("Prediction", {"seed": 1}, 40, None)}
    check = check_of(night(checks=MARGIN, probes=probes), night())
    assert check.result == "not judged"
    assert check.reason == "It is not compared with run run-1: The probe was asked with other parameters."
    (check,) = judge_all((), MARGIN, Baseline("run-0", reason="has no document in common"))
    assert check.reason == "It is not compared with run run-0: has no document in common"


@pytest.mark.parametrize(
    ("name", "bound", "said"),
    [
        ("accuracy", {"not_worse_than_baseline_by": 0.5}, None),
        ("accuracy", {"not_worse_than_baseline_by": 1.0}, "cannot be broken"),
        ("coverage.failed_share", {"not_worse_than_baseline_by": 0.1}, "is not compared between runs"),
        ("mean_entropy", {"not_worse_than_baseline_by": 0.1}, "neither side of the number is better"),
        ("mean_entropy", {"not_worse_than_baseline_by": 0.1, "at_most": 0.3}, None),
    ],
)
def test_a_margin_that_says_nothing_is_refused(name, bound, said):
    fault = fault_of(name, Bound(**bound))
    assert (fault is None) if said is None else (said in fault)


def test_a_chapter_has_what_changed_and_without_the_earlier_run_what_was_recorded():
    from auditor.report.sections import changed

    before, after = night(), worse(20)
    made = compare(before, after)
    with speaking("en"):
        whole, recorded = (changed.compose(Since(made, one, after)) for one in (before, None))
    assert whole.id == "changed"
    assert "run-1" in whole.answer
    assert whole.content["cards"]
    assert "comparison.html" in whole.limits
    assert not recorded.content["cards"]
    assert "was removed since" in recorded.limits
    assert [table.rows for table, _ in whole.content["tables"]] == [t.rows for t, _ in recorded.content["tables"]]
