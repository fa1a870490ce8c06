"""The grade of an explanation: every threshold of the printed rule, from both sides."""

from dataclasses import replace

import pytest
from acted_upon import removal
from worked_example import explanation

from auditor.findings.analyses.completeness import missed
from auditor.findings.analyses.grades import Trust, trust
from auditor.records.explanations import Halves, Integral, Shapley, Surrogate

GOOD = Trust(moved=0.6, drop=0.5, better=0.0, said=0.9, fidelity=0.9, halves=0.95)


@pytest.mark.parametrize(
    ("key", "rely", "care", "refused"),
    [
        ("drop", 0.1, 0.05, 0.049),
        ("better", 0.05, 0.2, 0.21),
        ("said", 0.8, 0.7, 0.69),
        ("fidelity", 0.5, 0.35, 0.34),
        ("halves", 0.8, 0.5, 0.49),
    ],
)
def test_each_threshold_counts_from_its_own_value_on(key, rely, care, refused):
    grades = [replace(GOOD, **{key: value}).grade for value in (rely, care, refused)]
    assert grades == ["rely", "care", "not"]


def test_an_integral_that_misses_more_than_a_twentieth_is_never_relied_upon_and_refuses_nothing():
    assert [replace(GOOD, missed=value).grade for value in (0.0, 0.05, 0.051, 3.0)] == ["rely", "rely", "care", "care"]
    assert replace(GOOD, missed=0.0, drop=0.0).grade == "not"


def test_what_weights_miss_is_a_share_of_what_the_answer_changes_from_the_baseline():
    base = explanation(0)
    target = replace(base.targets[0], model_prediction=0.9, integral=Integral("pad", 0.4, 32, -0.02))
    assert missed(replace(base, targets=(target,))) == pytest.approx(0.04)
    assert trust(replace(base, targets=(target,)), removal()).missed == pytest.approx(0.04)
    level = replace(target, integral=Integral("pad", 0.9, 32, 0.001))
    assert missed(replace(base, targets=(level,))) == pytest.approx(0.02), "of 0.05, where nothing changes"
    shared = replace(base, shapley=Shapley("permutation", 10, 400, (0.4,), (-0.05,)))
    assert missed(replace(shared, targets=(replace(target, integral=None),))) == pytest.approx(0.1)
    assert missed(base) is None


def test_one_fault_refuses_what_is_otherwise_perfect():
    assert GOOD.grade == "rely"
    assert replace(GOOD, said=-1.0).grade == "not"


def test_where_nothing_moves_the_answer_there_is_nothing_to_cite_whatever_the_rest():
    assert replace(GOOD, moved=0.049, drop=0.0, said=None).grade == "nothing"
    assert replace(GOOD, moved=0.05).grade == "rely"


def test_what_a_method_does_not_have_is_not_asked_of_it():
    assert replace(GOOD, fidelity=None, halves=None).grade == "rely"


def test_facts_are_taken_at_a_fifth_and_losses_that_are_the_same_are_no_better():
    given = trust(explanation(0), removal())
    assert (given.drop, given.said) == (0.4, 0.8)
    assert given.better == 0.25, "0.405 is the same as 0.4, 0.42 is more"
    assert given.moved == 0.42, "not 0.9: that is without half of the words"
    assert given.fidelity == 0.9
    assert given.halves is None


def test_an_answer_that_grows_has_moved_too():
    assert trust(explanation(0), removal(random=(-0.7, 0.0))).moved == 0.7


def test_halves_are_those_of_the_first_target():
    base = explanation(0)
    halves = Halves(0.7, 0.1, 0.2, 0.3, 0.4)
    target = replace(base.targets[0], surrogate=Surrogate(0.5, 0.9, 0.8, halves))
    assert trust(replace(base, targets=(target,)), removal()).halves == 0.7
    bare = replace(base, targets=(replace(target, surrogate=None),))
    assert (trust(bare, removal()).fidelity, trust(bare, removal()).halves) == (None, None)
