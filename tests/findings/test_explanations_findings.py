from dataclasses import replace

import pytest
from worked_example import concluded, evidence, explanation, of_records, with_rows

from auditor.findings import Evidence
from auditor.findings.analyses.explanations import faithful, is_clear
from auditor.findings.analyses.lime import SUMMARY
from auditor.findings.analyses.words import rank_words, recurring_words, told_apart
from auditor.findings.contract.summary import Setting
from auditor.records.explanations import Neighbourhood, Segment, Surrogate


def summarised(found):
    return concluded(SUMMARY, found)


def ranked(explanations):
    return rank_words(explanations, "lime", "LIME")


def with_weights(i, weights, label="positive", words=("a", "b"), selected=None):
    base = explanation(i)
    target = replace(
        base.targets[0],
        label=label,
        weights=weights,
        standard_errors=(0.01,) * len(weights),
        selected=selected or (True,) * len(weights),
    )
    return replace(base, targets=(target,), segments=tuple(Segment(word, ()) for word in words))


def test_fidelity_is_the_mean_over_the_predicted_labels_surrogates():
    findings, numbers = summarised(evidence())
    expected = (sum(0.9 + i / 1000 for i in range(29)) - (0.903 + 0.904) + 0.6) / 29
    assert numbers["lime.fidelity"].value == pytest.approx(expected)
    assert numbers["lime.fidelity"].n == findings.n_documents == 29
    assert numbers["lime.fidelity"].low < expected < numbers["lime.fidelity"].high


def test_two_of_29_explanations_have_low_fidelity():
    _, numbers = summarised(evidence())
    assert numbers["lime.low_fidelity_share"].value == 2 / 29
    assert numbers["lime.clear_share"].value == 1.0


@pytest.mark.parametrize(
    ("weight", "error", "clear"),
    [(0.02, 0.01, True), (0.019, 0.01, False), (1e-8, 0.0, True), (1e-10, 0.0, False), (-0.02, 0.01, True)],
)
def test_an_explanation_is_clear_if_one_interval_excludes_zero(weight, error, clear):
    assert is_clear(explanation(0, weights=(weight, 0, 0, 0, 0, 0), error=error)) == clear


def test_recurring_words_are_ranked_by_the_size_of_their_mean_weight():
    findings, _ = summarised(evidence())
    words = {(word.label, word.text): word for word in findings.global_words}
    negative = [word.text for word in findings.global_words if word.label == "negative"]
    assert negative == ["good", "not", "very", "film"]
    good = words["negative", "good"]
    assert good.mean_weight.value < 0
    assert good.share_supporting == 0.0
    assert good.n_documents == 20  # d02 … d19 and d20 … d23 are predicted negative; R² of d03 and d04 is below 0.5


def test_a_words_mean_weight_and_interval_are_students():
    found = ranked([with_weights(i, (w, 0.0)) for i, w in enumerate((0.1, 0.2, 0.3))])
    assert [word.text for word in found] == []  # 0.2 ± 0.248 does not exclude zero
    found = ranked([with_weights(i, (w, 0.0)) for i, w in enumerate((0.19, 0.2, 0.21))])
    assert [word.text for word in found] == ["a"]
    assert found[0].mean_weight.low == pytest.approx(0.2 - 4.302653 * 0.01 / 3**0.5, abs=1e-6)
    assert "one of 2 words" in found[0].mean_weight.protocol


def test_words_are_joined_without_case_and_summed_within_a_document():
    found = ranked([with_weights(i, (0.1, 0.2 + i / 1e4), words=("Not ", "not")) for i in range(3)])
    assert [(word.text, word.n_documents) for word in found] == [("not", 3)]
    assert found[0].mean_weight.value == pytest.approx(0.3001)


def test_words_in_fewer_than_three_documents_or_not_selected_are_left_out():
    two = [with_weights(i, (0.5, 0.5 + i / 1e4), words=("a", f"b{i}")) for i in range(2)]
    assert ranked(two) == ()
    unselected = [with_weights(i, (0.0, 0.5 + i / 1e4), selected=(False, True)) for i in range(3)]
    assert [word.text for word in ranked(unselected)] == ["b"]


def test_at_most_twelve_words_are_given_per_label():
    names = tuple(f"w{k}" for k in range(20))
    many = [with_weights(i, tuple(0.1 + k / 100 + i / 1e5 for k in range(20)), words=names) for i in range(4)]
    assert [word.text for word in ranked(many)] == [f"w{k}" for k in range(19, 7, -1)]


def test_examples_are_chosen_by_the_printed_rules_without_repeats():
    findings, _ = summarised(evidence())
    assert [(e.document_id, e.rule) for e in findings.examples] == [
        ("d03", "Lowest fidelity"),
        ("d04", "Lowest fidelity"),
        ("d00", "Most confident error"),
        ("d01", "Most confident error"),
        ("d02", "Most certain correct answer"),
        ("d14", "Median length"),
    ]


def test_without_references_the_most_certain_answers_fill_the_gallery():
    found = evidence()
    findings, _ = summarised(replace(found, documents=tuple(replace(d, labels=()) for d in found.documents)))
    assert [e.rule for e in findings.examples] == ["Lowest fidelity"] * 2 + ["Median length"] + [
        "Most certain answer"
    ] * 3


def test_the_protocol_of_the_explanations_is_kept():
    findings, _ = summarised(evidence())
    assert findings.segmenters == {"words": 29}
    assert (findings.n_samples, findings.n_exact, findings.kernel_width, findings.unit) == (
        1000,
        0,
        25.0,
        "probability",
    )


def test_samples_of_exact_explanations_do_not_hide_the_number_drawn():
    found = evidence()
    exact = replace(explanation(0), neighbourhood=Neighbourhood(4096, 4096, True, 25.0))
    findings, _ = summarised(with_rows(found, lime={**found.of("lime"), "d00": exact}))
    assert (findings.n_samples, findings.n_exact) == (1000, 1)


def test_nothing_explained_gives_nothing():
    assert SUMMARY.summarise(Evidence(()), Setting()) is None


def test_unfaithful_explanations_say_nothing_about_words_that_recur():
    def explained(i, weight, fidelity):
        base = with_weights(i, (weight + i / 1e4, 0.0))
        return replace(base, targets=(replace(base.targets[0], surrogate=Surrogate(0.5, fidelity, 0.8)),))

    kept = [explained(i, 0.2, 0.5) for i in range(3)]
    dropped = [explained(i, -0.9, 0.49) for i in range(3, 9)]
    found, _ = summarised(of_records("lime", [*kept, *dropped]))
    assert [(word.text, word.n_documents) for word in found.global_words] == [("a", 3)]
    assert found.global_words[0].mean_weight.value == pytest.approx(0.2001)
    assert faithful([*kept, *dropped]) == kept


def test_the_explained_label_is_called_the_most_probable_not_the_predicted():
    findings, numbers = summarised(evidence())
    protocols = [number.protocol for number in numbers.values()]
    protocols += [word.mean_weight.protocol for word in findings.global_words]
    assert not any("predicted" in protocol for protocol in protocols)
    assert "whose most probable label is negative" in findings.global_words[0].mean_weight.protocol


def test_all_words_told_from_zero_are_counted_whether_listed_or_not():
    names = tuple(f"w{k}" for k in range(20))
    many = [with_weights(i, tuple(0.1 + k / 100 + i / 1e5 for k in range(20)), words=names) for i in range(4)]
    assert len(told_apart(recurring_words(many))) == 20
    assert len(ranked(many)) == 12
