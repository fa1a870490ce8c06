"""AOPC as a share of what is attainable, from bounds that can be worked out on paper."""

import pytest
from acted_upon import SURE, acted, removal, row
from worked_example import concluded

from auditor.findings.analyses.attained import attained, bounded
from auditor.findings.analyses.faithfulness import SUMMARY
from auditor.records.explanations import Attainable

BOUNDS = Attainable(
    exhaustive=True,
    most_comprehensiveness=(0.5, 0.6, 0.8, 0.9),  # 0.7
    least_comprehensiveness=(-0.1, -0.1, 0.0, 0.2),  # 0
    most_sufficiency=(0.9, 0.8, 0.8, 0.7),  # 0.8
    least_sufficiency=(0.1, 0.0, 0.0, -0.1),  # 0
)
NARROW = Attainable(False, (0.04,) * 4, (0.0,) * 4, (0.06,) * 4, (0.0,) * 4)


def test_shares_lie_between_the_bounds():
    shares = attained(BOUNDS, (0.2, 0.3, 0.4, 0.9), (0.3, 0.2, 0.1, 0.0))
    assert shares == pytest.approx((0.45 / 0.7, 0.15 / 0.8))
    assert attained(BOUNDS, BOUNDS.most_comprehensiveness, BOUNDS.least_sufficiency) == pytest.approx((1.0, 0.0))
    assert attained(BOUNDS, BOUNDS.least_comprehensiveness, BOUNDS.most_sufficiency) == pytest.approx((0.0, 1.0))


def test_where_rankings_hardly_differ_there_is_no_share():
    assert attained(NARROW, (0.02,) * 4, (0.03,) * 4) == (None, pytest.approx(0.5))
    assert attained(None, (0.2,) * 4, (0.3,) * 4) == (None, None)


def of(i, bounds, **changes):
    """One document, its explanations by LIME and by occlusion."""
    worse = {**SURE, "probe": "occlusion", "comprehensiveness": (0.1, 0.1, 0.2, 0.2)}
    return row(i, removal(**SURE, attainable=bounds, **changes), removal(**worse, attainable=bounds))


def test_numbers_are_means_over_the_documents_with_bounds_and_those_of_the_first_method_are_named():
    findings, numbers = concluded(SUMMARY, acted(of(0, BOUNDS), of(1, None), of(2, NARROW)))
    lime, occlusion, random = findings.explainers
    assert (findings.n_documents, findings.n_bounded, findings.n_bounded_exactly) == (3, 2, 1)
    assert lime.normalised_comprehensiveness.value == pytest.approx(0.45 / 0.7)
    assert occlusion.normalised_comprehensiveness.value == pytest.approx(0.15 / 0.7)
    assert random.normalised_comprehensiveness.value == pytest.approx(0.1 / 0.7)
    assert lime.normalised_sufficiency.value == pytest.approx((0.15 / 0.8 + 0.15 / 0.06) / 2)
    assert [lime.normalised_comprehensiveness.n, lime.normalised_sufficiency.n] == [1, 2]
    assert random.normalised_sufficiency.name == "random.normalised_sufficiency"
    named = numbers["explanations.normalised_comprehensiveness"]
    assert (named.value, named.n, named.unit) == (lime.normalised_comprehensiveness.value, 1, "share")


def test_without_bounds_there_are_no_shares():
    findings, numbers = concluded(SUMMARY, acted(of(0, None), of(1, None)))
    assert (findings.n_bounded, findings.explainers[0].normalised) == (0, (None, None))
    assert set(numbers) == {"explanations.reliable_share"}


def test_bounds_of_a_beam_are_not_counted_as_exact():
    assert bounded([of(0, BOUNDS), of(1, NARROW), of(2, None)]) == (2, 1)
