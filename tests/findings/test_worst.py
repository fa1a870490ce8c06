"""The documents of the failure gallery are those that the printed rules name, counted on paper."""

from dataclasses import replace

import pytest
from worked_example import context, continuation_evidence, evidence, with_rows

from auditor.findings import Evidence, summarise
from auditor.findings.analyses.explanations import MOST_UNFAITHFUL, instability
from auditor.findings.analyses.worst_slice import choose_in_worst_slice, worst_slice
from auditor.findings.contract.summary import Setting
from auditor.records.explanations import Explanation, Neighbourhood, Segment, Surrogate, Target
from auditor.records.types import Span


def chosen(found, **given):
    return {choice.rule: choice for choice in summarise(found, context(**given)).worst}


def explanation(name, weights, errors, fidelity=0.9, *, exact=False):
    segments = tuple(Segment(f"w{i}", (Span(i, i + 1),)) for i in range(len(weights)))
    target = Target("positive", weights, errors, (True,) * len(weights), 0.8, Surrogate(0.2, fidelity, 0.8))
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
    r2 = {i: e.targets[0].surrogate.fidelity for i, e in found.of("lime").items() if isinstance(e, Explanation)}
    choice = chosen(found)["unfaithful"]
    assert ids(choice) == sorted(r2, key=lambda i: r2[i])[:MOST_UNFAITHFUL]
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
    choice = chosen(with_rows(evidence(), lime=made))["unstable"]
    assert ids(choice) == ["d02", "d00"]
    assert choice.among == 2


def test_texts_are_ranked_by_bits_per_byte():
    assert ids(chosen(evidence())["surprising"]) == ["d39", "d38", "d37"]


def test_free_continuations_are_ranked_by_their_mean_log_probability():
    found = chosen(continuation_evidence())
    assert ids(found["unsure"]) == ["g11", "g10", "g9"]
    assert "error" not in found


def judged_with(slices, half_width):
    """The same slices as if every one were large enough, and its intervals so wide."""

    def judged(number):
        ends = {"low": number.value - half_width, "high": number.value + half_width}
        return number.model_copy(update={"n": 30, **ends})

    return [row.model_copy(update={"judged": True, "numbers": tuple(map(judged, row.numbers))}) for row in slices]


def test_the_worst_slice_is_the_judged_one_with_the_lowest_accuracy():
    found = evidence()
    answers = found.of("prediction")
    wrong = {f"d{i}": replace(answers[f"d{i}"], predicted=("negative",)) for i in (24, 26, 28)}
    found = with_rows(found, prediction={**answers, **wrong})
    slices = summarise(found, context()).slices
    assert worst_slice(slices) is None  # twenty documents each
    assert worst_slice(judged_with(slices, 0.5)) is None, "no group is clearly worse than another"
    judged = judged_with(slices, 0.001)
    row, accuracy = worst_slice(judged)
    lowest = min(n.value for r in slices for n in r.numbers if n.name.startswith("accuracy{"))
    assert accuracy.value == lowest
    inside = {d.id for d in found.documents if d.metadata[row.column] == row.value}
    choice = choose_in_worst_slice(judged, found, Setting())
    assert choice.rule == "slice"
    assert set(ids(choice)) <= inside
    assert len(ids(choice)) == 2
    assert choice.among == round((1 - lowest) * 20)
    assert choose_in_worst_slice(slices, found, Setting()).documents == ()


def test_the_wrong_answers_of_the_worst_slice_are_chosen_in_a_whole_run():
    """Sixty documents, the thirty of one half all wrong."""
    documents = [replace(evidence().documents[0], id=f"s{i}", metadata={"half": str(i % 2)}) for i in range(60)]
    answer = evidence().of("prediction")["d02"]
    rows = {
        d.id: replace(answer, document_id=d.id, predicted=("positive",) if i % 2 else ("negative",))
        for i, d in enumerate(documents)
    }
    choice = chosen(Evidence(tuple(documents), {"prediction": rows}))["slice"]
    assert (ids(choice), choice.among) == (["s1", "s3"], 30)


def test_nothing_measured_is_nothing_chosen():
    assert chosen(Evidence(evidence().documents)) == {}
