"""The documents of the failure gallery are those that the printed rules name, counted on paper."""

from dataclasses import replace

import pytest
from worked_example import context, continuation_evidence, evidence

from auditor.findings import summarise
from auditor.findings.analyses.failures import MOST, choose_failures, instability, worst_slice
from auditor.records.types import Explanation, Neighbourhood, Segment, Span, Target


def chosen(found, **given):
    return {choice.rule: choice for choice in choose_failures(summarise(found, context(**given)), found)}


def explanation(name, weights, errors, fidelity=0.9, *, exact=False):
    segments = tuple(Segment(f"w{i}", (Span(i, i + 1),)) for i in range(len(weights)))
    target = Target("positive", weights, errors, (True,) * len(weights), 0.2, fidelity, 0.8, 0.8)
    around = Neighbourhood(100, 100, exact, 25.0)
    return Explanation(name, "lime", "probability", "words", segments, (target,), around)


def ids(choice):
    return [name for name, _ in choice.documents]


def test_errors_are_ranked_by_the_probability_of_the_wrong_answer():
    choice = chosen(evidence())["error"]
    values = [value for _, value in choice.documents]
    assert values == sorted(values, reverse=True)
    assert (len(values), choice.among) == (6, 6)  # 34 of 40 are right
    assert values[:2] == pytest.approx([0.95, 0.95])


def test_explanations_are_ranked_by_their_fidelity():
    found = evidence()
    r2 = {i: e.targets[0].fidelity for i, e in found.explanations.items() if isinstance(e, Explanation)}
    choice = chosen(found)["unfaithful"]
    assert ids(choice) == sorted(r2, key=lambda i: r2[i])[: MOST["unfaithful"]]
    assert choice.among == len(r2)


@pytest.mark.parametrize(
    ("weights", "errors", "exact", "expected"),
    [
        ((0.5, -1.0), (0.1, 0.2), False, 1.96 * 0.2),
        ((0.5, -0.25), (0.1, 0.2), False, 1.96 * 0.2 / 0.5),
        ((0.0, 0.0), (0.1, 0.2), False, None),
        ((0.5, -1.0), (0.0, 0.0), True, None),
        ((), (), False, None),
    ],
)
def test_instability_is_the_widest_half_interval_over_the_largest_weight(weights, errors, exact, expected):
    value = instability(explanation("d00", weights, errors, exact=exact))
    assert value == (None if expected is None else pytest.approx(expected))


def test_the_least_stable_explanation_comes_first_and_exact_ones_are_left_out():
    made = {
        "d00": explanation("d00", (1.0,), (0.1,)),
        "d02": explanation("d02", (1.0,), (0.3,)),
        "d04": explanation("d04", (1.0,), (0.9,), exact=True),
    }
    choice = chosen(replace(evidence(), explanations=made))["unstable"]
    assert ids(choice) == ["d02", "d00"]
    assert choice.among == 2


def test_texts_are_ranked_by_bits_per_byte():
    assert ids(chosen(evidence())["surprising"]) == ["d39", "d38", "d37"]


def test_free_continuations_are_ranked_by_their_mean_log_probability():
    found = chosen(continuation_evidence())
    assert ids(found["unsure"]) == ["g11", "g10", "g9"]
    assert "error" not in found


def judged_with(findings, half_width):
    """The same findings as if every slice were large enough, and its intervals so wide."""

    def judged(number):
        ends = {"low": number.value - half_width, "high": number.value + half_width}
        return number.model_copy(update={"n": 30, **ends})

    rows = [
        row.model_copy(update={"judged": True, "numbers": tuple(map(judged, row.numbers))}) for row in findings.slices
    ]
    return findings.model_copy(update={"slices": tuple(rows)})


def test_the_worst_slice_is_the_judged_one_with_the_lowest_accuracy():
    found = evidence()
    wrong = {f"d{i}": replace(found.predictions[f"d{i}"], predicted=("negative",)) for i in (24, 26, 28)}
    found = replace(found, predictions={**found.predictions, **wrong})
    findings = summarise(found, context())
    assert worst_slice(findings) is None  # twenty documents each
    assert worst_slice(judged_with(findings, 0.5)) is None, "no group is clearly worse than another"
    judged = judged_with(findings, 0.001)
    row, accuracy = worst_slice(judged)
    lowest = min(n.value for r in findings.slices for n in r.numbers if n.name.startswith("accuracy{"))
    assert accuracy.value == lowest
    inside = {d.id for d in found.documents if d.metadata[row.column] == row.value}
    by_rule = {choice.rule: choice for choice in choose_failures(judged, found)}
    assert set(ids(by_rule["slice"])) <= inside
    assert by_rule["slice"].among == round((1 - lowest) * 20)


def test_nothing_measured_is_nothing_chosen():
    bare = replace(evidence(), predictions={}, explanations={}, attention={}, perplexity={})
    assert chosen(bare) == {}
