from dataclasses import replace

import pytest
from worked_example import concluded, evidence, explanation, of_records, with_rows

from auditor.findings import Evidence
from auditor.findings.analyses.explanations import faithful, is_decisive
from auditor.findings.analyses.function_words import is_function_word
from auditor.findings.analyses.global_words import same_sign
from auditor.findings.analyses.lime import SUMMARY
from auditor.findings.analyses.words import Method, recurring_words
from auditor.findings.contract.summary import Setting
from auditor.records.explanations import Neighbourhood, Segment, Surrogate


def summarised(found):
    return concluded(SUMMARY, found)


def found_in(explanations, both=()):
    return recurring_words(explanations, Method("lime", "LIME"), both)


def told(explanations, both=()):
    """All words of which the interval excludes zero."""
    return [word for found in found_in(explanations, both) for word in found.words if word.told_apart]


def with_weights(i, weights, label="positive", words=("b1", "b2"), selected=None):
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
    assert numbers["lime.decisive_share"].value == 1.0


@pytest.mark.parametrize(
    ("weight", "error", "decisive"),
    [
        *((0.11, 0.0, True), (-0.11, 0.0, True), (0.1, 0.0, False)),
        (0.2, 0.0378, True),  # 2.638 is the normal quantile at 1 − 0.025 / 6
        *((0.2, 0.0380, False), (0.02, 0.001, False)),
    ],
)
def test_a_word_is_decisive_if_its_weight_is_surely_beyond_a_tenth(weight, error, decisive):
    assert is_decisive(explanation(0, weights=(weight, 0, 0, 0, 0, 0), error=error)) == decisive


def test_an_explanation_of_words_that_do_nothing_names_none_however_sure_it_is():
    sure = [explanation(i, weights=(0.01, 0.02, -0.03, 0, 0, 0.04), error=1e-6) for i in range(12)]
    _, numbers = summarised(of_records("lime", sure))
    assert numbers["lime.decisive_share"].value == 0.0


def test_weights_of_a_model_with_two_labels_are_counted_together_toward_the_second():
    (found,) = summarised(evidence())[0].recurring
    assert (found.label, found.against, found.n_documents) == ("positive", "negative", 27)  # R² of d03, d04 below 0.5
    assert [word.text for word in found.content.words] == ["good", "not", "very", "film"]
    good = found.content.words[0]
    assert good.n_documents == 27
    toward = [-0.4 * (1 + i / 1000) * (1 if i in (0, 1) or 23 < i < 29 else -1) for i in range(29) if i not in (3, 4)]
    assert good.weight.value == pytest.approx(sum(toward) / 27)
    assert good.same_sign == 20 / 27


def test_a_weight_toward_one_of_two_labels_is_its_negative_toward_the_other():
    pushed = [with_weights(i, (w, 0.0)) for i, w in enumerate((0.2, 0.21, 0.22))]
    pushed += [with_weights(i, (-w, 0.0), label="negative") for i, w in enumerate((0.2, 0.21, 0.22), 3)]
    (found,) = found_in(pushed, ("negative", "positive"))
    (word, _) = found.content.words
    assert (word.text, word.n_documents, word.same_sign) == ("b1", 6, 1.0)
    assert word.weight.value == pytest.approx(0.21)
    assert "those whose most probable label is negative with the opposite sign" in word.weight.protocol
    assert [(one.label, one.against) for one in found_in(pushed)] == [("negative", ""), ("positive", "")]


def test_a_words_weight_and_interval_are_students():
    assert told([with_weights(i, (w, 0.0)) for i, w in enumerate((0.1, 0.2, 0.3))]) == []  # 0.2 ± 0.248
    (word,) = told([with_weights(i, (w, 0.0)) for i, w in enumerate((0.19, 0.2, 0.21))])
    assert word.text == "b1"
    assert word.weight.low == pytest.approx(0.2 - 4.302653 * 0.01 / 3**0.5, abs=1e-6)
    assert "one of 2 words" in word.weight.protocol


def test_words_that_are_not_told_from_zero_follow_those_that_are_the_nearest_first():
    weights = ((0.3, 0.1, 0.10), (0.31, 0.2, -0.11), (0.32, 0.3, 0.12))
    (found,) = found_in([with_weights(i, w, words=("sure", "closer", "remote")) for i, w in enumerate(weights)])
    assert [(word.text, word.told_apart) for word in found.content.words] == [
        *(("sure", True), ("closer", False), ("remote", False)),
    ]
    assert found.content.words[2].same_sign == pytest.approx(2 / 3)
    assert (found.content.n_words, found.content.n_told_apart) == (3, 1)


def test_function_words_stand_apart_and_only_those_told_from_zero():
    made = [with_weights(i, (0.3 + i / 1e3, 0.2 + i / 1e3, i - 1.0), words=("The", "plot", "of")) for i in range(3)]
    (found,) = found_in(made)
    assert [word.text for word in found.content.words] == ["plot"]
    assert [word.text for word in found.function.words] == ["the"]
    assert (found.function.n_words, found.function.n_told_apart) == (2, 1)


@pytest.mark.parametrize("word", ["the", "it's", "it’s", "they'd", "的", "我们", "因为"])
def test_closed_classes_are_function_words(word):
    assert is_function_word(word)


@pytest.mark.parametrize("word", ["not", "never", "no", "isn't", "good", "movie", "不", "没有", "好", "", "#"])
def test_negations_and_everything_else_are_content_words(word):
    assert not is_function_word(word)


def test_a_weight_of_zero_has_no_sign():
    assert same_sign([0.1, 0.2, -0.1, 0.0]) == 0.5
    assert same_sign([0.0, 0.0]) == 0.0


def test_words_are_joined_without_case_and_summed_within_a_document():
    (word,) = told([with_weights(i, (0.1, 0.2 + i / 1e4), words=("Not ", "not")) for i in range(3)])
    assert (word.text, word.n_documents) == ("not", 3)
    assert word.weight.value == pytest.approx(0.3001)


def test_words_in_fewer_than_three_documents_or_not_selected_are_left_out():
    two = [with_weights(i, (0.5, 0.5 + i / 1e4), words=("b1", f"c{i}")) for i in range(2)]
    assert found_in(two) == ()
    unselected = [with_weights(i, (0.0, 0.5 + i / 1e4), selected=(False, True)) for i in range(3)]
    assert [word.text for word in told(unselected)] == ["b2"]


def test_at_most_twelve_words_are_given_per_label_and_all_are_counted():
    names = tuple(f"w{k:02}" for k in range(20))
    many = [with_weights(i, tuple(0.1 + k / 100 + i / 1e5 for k in range(20)), words=names) for i in range(4)]
    (found,) = found_in(many)
    assert [word.text for word in found.content.words] == [f"w{k:02}" for k in range(19, 7, -1)]
    assert (found.content.n_words, found.content.n_told_apart) == (20, 20)


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
    (word,) = (w for w in found.recurring[0].content.words if w.told_apart)
    assert (word.text, word.n_documents) == ("b1", 3)
    assert word.weight.value == pytest.approx(0.2001)
    assert faithful([*kept, *dropped]) == kept


def test_the_explained_label_is_called_the_most_probable_not_the_predicted():
    findings, numbers = summarised(evidence())
    protocols = [number.protocol for number in numbers.values()]
    protocols += [word.weight.protocol for found in findings.recurring for word in found.words]
    assert not any("predicted" in protocol for protocol in protocols)
    assert "whose most probable label is negative" in findings.recurring[0].words[0].weight.protocol
