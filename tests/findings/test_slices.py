from dataclasses import replace

import pytest
from worked_example import N, document, evidence, explanation, perplexity, prediction

from auditor.findings import Evidence, names, nearest, sliceable
from auditor.findings.answers import pair
from auditor.findings.perplexity import document_perplexity
from auditor.findings.pointers import _slices
from auditor.findings.slices import count_comparisons, slice_corpus


def test_only_columns_with_two_to_twelve_values_are_sliced_by():
    assert sliceable(evidence().documents) == {"length": ("long", "short")}


def test_missing_values_belong_to_no_slice_and_numbers_are_ordered_as_numbers():
    documents = [replace(document(i), metadata={"stars": s}) for i, s in enumerate(("10", "9", "", "1", "9"))]
    documents.append(replace(document(5), metadata={}))
    assert sliceable(documents) == {"stars": ("1", "9", "10")}


def test_every_slice_has_the_numbers_the_corpus_has():
    rows = slice_corpus(evidence(), pair(evidence(), False), seed=0)
    assert [(row.column, row.value, row.n) for row in rows] == [("length", "long", 20), ("length", "short", 20)]
    short = {number.name: number for number in rows[1].numbers}
    assert set(short) == {
        "accuracy{length=short}",
        "lime.fidelity{length=short}",
        "perplexity.median{length=short}",
    }
    assert short["accuracy{length=short}"].value == 17 / 20  # d00, d20 and d22 are wrong
    assert short["accuracy{length=short}"].title == "Accuracy, length short"
    assert short["lime.fidelity{length=short}"].n == 15
    middle = [document_perplexity(perplexity(i)) for i in (18, 20)]
    assert short["perplexity.median{length=short}"].value == pytest.approx(sum(middle) / 2)


def test_small_slices_are_listed_but_not_judged_or_counted():
    rows = slice_corpus(evidence(), pair(evidence(), False), seed=0)
    assert [row.judged for row in rows] == [False, False]
    assert count_comparisons(rows) == 0
    documents = tuple(replace(document(i), metadata={"half": str(i % 2)}) for i in range(60))
    found = Evidence(
        documents=documents,
        predictions={d.id: replace(prediction(i % N), document_id=d.id) for i, d in enumerate(documents)},
    )
    rows = slice_corpus(found, pair(found, False), seed=0)
    assert [row.judged for row in rows] == [True, True]
    assert count_comparisons(rows) == 2


def test_a_slice_nobody_was_asked_about_has_a_number_without_value():
    found = evidence()
    only_short = {i: e for i, e in found.explanations.items() if int(i[1:]) % 2 == 0}
    rows = slice_corpus(replace(found, explanations=only_short), pair(found, False), seed=0)
    long = {number.name: number for number in rows[0].numbers}
    assert (long["lime.fidelity{length=long}"].value, long["lime.fidelity{length=long}"].n) == (None, 0)


def test_a_slice_wholly_below_the_rest_is_pointed_at():
    documents, predictions = [], {}
    for i in range(120):
        language = "zh" if i < 40 else "en"
        right = i % 2 == 0 if i < 40 else True
        base = prediction(30)
        documents.append(replace(document(30), id=f"s{i}", metadata={"language": language}))
        predictions[f"s{i}"] = replace(base, predicted=(("positive",) if right else ("negative",)))
    found = Evidence(documents=tuple(documents), predictions=predictions)
    pointers = list(_slices(slice_corpus(found, pair(found, False), seed=0)))
    assert [(p.severity, p.section) for p in pointers] == [("watch", "slices")]
    assert pointers[0].text.startswith("Accuracy is lower where language is zh: 0.50 (95% interval 0.35 to 0.65)")
    assert pointers[0].text.endswith("elsewhere 1.000")


def test_the_possible_names_follow_from_probes_labels_and_columns():
    columns = {"length": {"short", "long"}, "language": {"en"}}
    found = names({"prediction", "lime"}, ("neg", "pos"), columns)
    assert {"accuracy", "recall[pos]", "lime.fidelity{length=short}", "coverage.failed_share"} <= found
    assert not {"accuracy{language=en}", "exact_match", "perplexity.corpus", "attention.agreement"} & found
    assert "attention.agreement" in names({"attention", "lime"}, (), {})
    assert "attention.agreement" not in names({"attention"}, (), {})
    assert {"exact_match", "micro_f1"} <= names({"prediction"}, ("a", "b"), {}, multi_label=True)
    assert "accuracy" not in names({"prediction"}, ("a", "b"), {}, labelled=False)
    assert names({"prediction"}, (), {}) == {"generation.mean_logprob", "coverage.failed_share"}


def test_a_misspelt_name_is_answered_with_near_ones():
    known = names({"prediction", "perplexity"}, ("neg", "pos"), {})
    assert nearest("acuracy", known) == ["accuracy"]
    assert "recall[pos]" in nearest("recall[positive]", known)
    assert nearest("zzz", known) == []


def test_lime_examples_of_the_fixture_stay_what_the_other_tests_assume():
    assert explanation(3).targets[0].fidelity == 0.3
