"""What acting upon explanations comes to, from rows whose numbers can be worked out on paper."""

import pytest
from acted_upon import REFUSED, SURE, acted, bare, both, removal, row
from worked_example import concluded, evidence, with_rows

from auditor.findings.analyses.faithfulness import SUMMARY
from auditor.findings.analyses.lime import SUMMARY as LIME
from auditor.findings.analyses.occlusion import SUMMARY as OCCLUSION
from auditor.findings.analyses.trust import grade_of
from auditor.records.types import NotMeasurable


def test_numbers_are_means_over_documents_of_means_over_sizes():
    findings, numbers = concluded(SUMMARY, acted(both(0), both(1)))
    lime, occlusion, random = findings.explainers
    assert (lime.probe, occlusion.probe, random.probe) == ("lime", "occlusion", "")
    assert lime.comprehensiveness.value == pytest.approx((0.2 + 0.3 + 0.4 + 0.9) / 4)
    assert lime.sufficiency.value == pytest.approx((0.3 + 0.2 + 0.1) / 4)
    assert occlusion.comprehensiveness.value == pytest.approx(0.15)
    assert random.comprehensiveness.value == pytest.approx(0.1)
    assert lime.excess.value == pytest.approx(0.45 - 0.1)
    assert (lime.drop.value, occlusion.drop.value, random.drop.value) == pytest.approx((0.4, 0.2, 0.1))
    assert findings.n_evaluations == 120
    assert numbers["explanations.reliable_share"].value == 1.0
    assert numbers["explanations.reliable_share"].n == 2


def test_grades_are_counted_by_method_and_the_first_gives_the_share():
    rows = (both(0, lime=REFUSED), both(1, lime=REFUSED, occlusion=REFUSED), both(2))
    findings, numbers = concluded(SUMMARY, acted(*rows))
    lime, occlusion, _ = findings.explainers
    assert lime.grades == {"rely": 1, "care": 0, "not": 2, "nothing": 0}
    assert occlusion.grades == {"rely": 2, "care": 0, "not": 1, "nothing": 0}
    assert numbers["explanations.reliable_share"].value == pytest.approx(1 / 3)


def test_the_number_of_each_method_is_named_after_it():
    _, lime = concluded(LIME, acted(both(0), both(1)))
    _, occlusion = concluded(OCCLUSION, acted(both(0), both(1)))
    assert lime["lime.faithfulness"].value == pytest.approx(0.35)
    assert occlusion["occlusion.faithfulness"].value == pytest.approx(0.05)
    assert occlusion["occlusion.largest_effect"].value == pytest.approx(0.4 * (1 + 4.5 / 1000))


def test_nobody_acted_and_there_is_no_faithfulness():
    _, lime = concluded(LIME, evidence())
    assert "lime.faithfulness" not in lime
    _, occlusion = concluded(OCCLUSION, with_rows(evidence(), occlusion={"d00": bare(0)}))
    assert set(occlusion) == {"occlusion.largest_effect"}


def test_documents_without_a_row_have_no_grade_and_count_nowhere():
    few = NotMeasurable("d01", "few-segments", "")
    found = acted(both(0), few)
    findings, numbers = concluded(SUMMARY, found)
    assert (findings.n_documents, numbers["explanations.reliable_share"].n) == (1, 1)
    assert grade_of(found, "lime", "d00") == "rely"
    assert grade_of(found, "lime", "d01") is None
    assert grade_of(found, "lime", "d02") is None


def test_a_method_whose_random_sets_lose_nothing_has_no_correlation_to_average():
    flat = {"random": (0.0, 0.0), "sensitivity": None}
    findings, _ = concluded(SUMMARY, acted(both(0, lime=flat), both(1, lime=flat)))
    assert findings.explainers[0].sensitivity.value is None
    assert findings.explainers[0].grades["rely"] == 2


def test_losses_of_log_probabilities_say_so():
    given = row(0, removal(**SURE), unit="log-probability")
    findings, _ = concluded(SUMMARY, acted(given))
    assert findings.unit == findings.explainers[0].drop.unit == "log-probability"


def test_page_one_says_what_the_explanations_are_worth_and_which_method_is_worth_least():
    def pointed(*rows):
        (pointer,) = SUMMARY.point(None, concluded(SUMMARY, acted(*rows))[0])
        assert (pointer.topic, pointer.section) == ("Explanations", "faithfulness")
        return pointer.severity, pointer.text

    of_lime = "Of 2 explanations by LIME {} may be relied upon, and {} must not be cited."
    assert pointed(both(0, lime=REFUSED), both(1)) == ("note", of_lime.format(1, 1))
    assert pointed(both(0, lime=REFUSED), both(1, lime=REFUSED)) == ("watch", of_lime.format(0, 2))
    least = "Least reliable: occlusion, 1 of 2 to rely upon, 1 not to be cited."
    assert pointed(both(0, occlusion=REFUSED), both(1)) == ("note", f"{of_lime.format(2, 0)} {least}")
