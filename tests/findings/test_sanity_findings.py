"""Who reacts to the model, from rows whose numbers can be worked out on paper."""

import pytest
from randomised import REACTING, STUCK, both, found, row, shifted
from worked_example import concluded, context

from auditor.findings import summarise
from auditor.findings.analyses.sanity import SUMMARY, UNCHANGED
from auditor.findings.contract.summary import Setting
from auditor.records.types import NotMeasurable


def test_a_curve_is_the_mean_over_documents_at_each_step():
    findings, numbers = concluded(SUMMARY, both(10))
    lime, occlusion = findings.explainers
    assert [point.rank_correlation.value for point in lime.points] == pytest.approx([1.0, 0.8, 0.0])
    assert [point.correlation.value for point in occlusion.points] == pytest.approx([1.0, 0.95, 0.9])
    assert (findings.n_documents, findings.n_evaluations) == (10, sum(range(10, 20)))
    assert [(part.name, part.first, part.last) for part in findings.parts] == [("head", None, None), ("layers", 1, 2)]
    last = lime.points[-1].rank_correlation
    similarity = numbers["sanity.similarity"]
    assert (similarity.value, similarity.low, similarity.high, similarity.n) == (last.value, last.low, last.high, 10)


def test_a_method_whose_whole_interval_lies_above_the_bound_does_not_react():
    findings, _ = concluded(SUMMARY, both(10))
    assert [one.reaction for one in findings.explainers] == ["reacts", "does not react"]
    assert findings.explainers[1].points[-1].rank_correlation.low > UNCHANGED


def test_an_interval_that_straddles_the_bound_accuses_nobody():
    wide = found(*(row(i, lime=(1.0, 1.0, 0.2 if i % 2 else 1.0)) for i in range(10)))
    (lime,) = concluded(SUMMARY, wide)[0].explainers
    assert lime.points[-1].rank_correlation.value == pytest.approx(0.6)
    assert lime.reaction == "reacts"


def test_where_all_documents_agree_the_mean_decides():
    (lime,) = concluded(SUMMARY, found(*(row(i, lime=(1.0, 1.0, 1.0)) for i in range(10))))[0].explainers
    assert lime.points[-1].rank_correlation.low is None
    assert lime.reaction == "does not react"


def test_sizes_that_stay_are_enough_though_signs_turn():
    signs = found(*(row(i, lime=(1.0, 1.0, (0.0, 0.9))) for i in range(10)))
    (lime,) = concluded(SUMMARY, signs)[0].explainers
    assert lime.reaction == "does not react"


def test_fewer_than_ten_documents_say_nothing():
    findings, _ = concluded(SUMMARY, both(9))
    assert {one.reaction for one in findings.explainers} == {"too few"}


def test_what_could_not_be_compared_is_in_no_mean():
    rows = [row(i, lime=shifted(REACTING, i)) for i in range(10)]
    rows += [row(10, lime=(1.0, 0.8, None)), row(11, lime=(1.0, 0.8))]
    (lime,) = concluded(SUMMARY, found(*rows, NotMeasurable("d12", "few-segments", "")))[0].explainers
    assert [point.rank_correlation.n for point in lime.points] == [12, 12, 10]
    assert lime.points[-1].rank_correlation.value == pytest.approx(0.0)


def test_nothing_measured_is_nothing_concluded():
    assert SUMMARY.summarise(found(NotMeasurable("d00", "fixed-weights", "")), Setting()) is None


def test_page_one_names_all_that_do_not_react_in_one_line():
    findings = summarise(both(10, saliency=STUCK), context(asked={**context().asked, "sanity": 10}))
    (pointer,) = [one for one in findings.pointers if one.section == "sanity"]
    assert pointer.severity == "watch"
    assert pointer.text.startswith("Explanations by occlusion and saliency do not react to the model: ")
    assert "0.9" in pointer.text
    reacting = summarise(both(10, occlusion=REACTING), context())
    assert not [one for one in reacting.pointers if one.section == "sanity"]
