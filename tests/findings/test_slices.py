from dataclasses import replace

import numpy as np
import pytest
from worked_example import N, context, document, evidence, explanation, perplexity, prediction

from auditor.findings import Evidence, Prospect, names, nearest, summarise
from auditor.findings.analyses.answers import pair
from auditor.findings.analyses.calibration import calibrate
from auditor.findings.analyses.perplexity import document_perplexity
from auditor.findings.contract.numbers import number
from auditor.findings.judgement.weakest_slice import conclude_on_slices
from auditor.findings.slicing.parts import measure_parts
from auditor.findings.slicing.slices import (
    LEAST_JUDGED,
    base_name,
    count_comparisons,
    is_compared,
    slice_corpus,
)
from auditor.findings.statistics.intervals import wilson
from auditor.findings.summary import setting_of


def rows_of(found):
    bare = replace(found, documents=tuple(replace(d, metadata={}) for d in found.documents))
    numbers = summarise(bare, context()).numbers[:-1]
    return slice_corpus(measure_parts(found, setting_of(found, context()), numbers), numbers)


def halves(n=60):
    documents = tuple(replace(document(i), metadata={"half": str(i % 2)}) for i in range(n))
    predictions = {d.id: replace(prediction(i % N), document_id=d.id) for i, d in enumerate(documents)}
    return Evidence(documents, {"prediction": predictions})


def test_a_slice_has_the_numbers_it_is_compared_by_in_the_order_of_the_report():
    rows = rows_of(evidence())
    assert [(row.column, row.value, row.n) for row in rows] == [("length", "long", 20), ("length", "short", 20)]
    names = [base_name(number) for number in rows[1].numbers]
    assert names == [
        *("accuracy", "macro_f1", "recall[negative]", "recall[positive]", "mean_entropy"),
        *("lime.fidelity", "lime.low_fidelity_share"),
        *("attention.sink_share", "attention.agreement"),
        *("perplexity.corpus", "perplexity.median", "perplexity.bits_per_byte"),
    ]
    short = {number.name: number for number in rows[1].numbers}
    assert short["accuracy{length=short}"].value == 17 / 20  # d00, d20 and d22 are wrong
    assert short["accuracy{length=short}"].title == "Accuracy, length short"
    assert short["lime.fidelity{length=short}"].n == 15
    middle = [document_perplexity(perplexity(i)) for i in (18, 20)]
    assert short["perplexity.median{length=short}"].value == pytest.approx(sum(middle) / 2)


def test_small_slices_are_listed_but_not_judged_or_counted():
    rows = rows_of(evidence())
    assert [row.judged for row in rows] == [False, False]
    assert count_comparisons(rows) == 0


def test_a_comparison_is_a_number_on_thirty_documents_of_a_part_of_thirty():
    rows = rows_of(halves())
    assert [row.judged for row in rows] == [True, True]
    assert [base_name(n) for n in rows[0].numbers if is_compared(rows[0], n)] == [
        *("accuracy", "macro_f1", "mean_entropy")
    ]  # recall rests on the documents of one label: fewer than thirty
    assert count_comparisons(rows) == 6
    few = rows[0].numbers[0].model_copy(update={"n": LEAST_JUDGED - 1})
    assert not is_compared(rows[0], few)


def test_a_calibrated_model_has_no_parts_set_apart_by_their_size_alone():
    """The calibration error of thirty documents is larger than that of all: compared, it would alarm upwards."""
    rng = np.random.default_rng(12)
    higher = []
    for _ in range(40):
        tops = rng.uniform(0.5, 1, 400)
        answers = [
            replace(prediction(30), document_id=f"s{i}", probabilities=(1 - p, p), predicted=("positive",))
            for i, p in enumerate(tops)
        ]
        kinds = [("positive",) if rng.random() < p else ("negative",) for p in tops]
        documents = tuple(
            replace(document(30), id=f"s{i}", labels=kind, metadata={"part": "small" if i < 40 else "large"})
            for i, kind in enumerate(kinds)
        )
        found = Evidence(documents, {"prediction": {a.document_id: a for a in answers}})
        given = pair(found, False)
        whole, small = (calibrate(list(own), False, 0)[1] for own in (given, given[:40]))
        higher.append(small.value > whole.value)
    assert np.mean(higher) > 0.9
    rows = rows_of(found)
    assert "calibration_error" not in [base_name(number) for row in rows for number in row.numbers]


@pytest.mark.parametrize(
    ("name", "base"),
    [
        ("accuracy{length=short}", "accuracy"),
        ("recall[{x}]{len=short}", "recall[{x}]"),
        ("recall[{x}]{len={y}}", "recall[{x}]"),
        ("recall[a{b]{len=[c]{d}}", "recall[a{b]"),
        ("accuracy{{odd}=a]{b}", "accuracy"),
        ("recall[{x}]", "recall[{x}]"),
        ("lime.fidelity", "lime.fidelity"),
        ("recall[two\nlines]{a=b}", "recall[two\nlines]"),
    ],
)
def test_the_name_of_the_whole_is_found_whatever_labels_and_values_are_called(name, base):
    assert base_name(number(name, "A", wilson(1, 2), "share", "")) == base


def test_a_label_in_braces_is_compared_by_its_recall():
    found = halves()
    labels = ("{x}", "y")
    documents = tuple(replace(d, labels=(labels[i % 2 == 0],)) for i, d in enumerate(found.documents))
    predictions = {i: replace(p, labels=labels, predicted=("{x}",)) for i, p in found.of("prediction").items()}
    rows = rows_of(Evidence(documents, {"prediction": predictions}))
    assert "recall[{x}]" in [base_name(number) for number in rows[0].numbers]


def test_a_slice_wholly_below_the_rest_is_the_weakest():
    documents, predictions = [], {}
    for i in range(120):
        language = "zh" if i < 40 else "en"
        right = i % 2 == 0 if i < 40 else True
        base = prediction(30)
        documents.append(replace(document(30), id=f"s{i}", metadata={"language": language}))
        predictions[f"s{i}"] = replace(base, predicted=(("positive",) if right else ("negative",)))
    found = Evidence(tuple(documents), {"prediction": predictions})
    weakest = conclude_on_slices(rows_of(found), ())
    assert (weakest.severity, weakest.section) == ("watch", "slices")
    assert weakest.text == (
        "Accuracy, language zh is 0.50 (0.35 to 0.65) over 40 documents, apart from all documents by more than chance "
        "(p < 0.001, corrected)."
    )


def possible(probes, labels=(), columns=None, **known):
    return names(Prospect(frozenset(probes), labels, **known), columns or {})


def test_the_possible_names_follow_from_probes_labels_and_columns():
    columns = {"length": {"short", "long"}, "language": {"en"}}
    found = possible({"prediction", "lime"}, ("neg", "pos"), columns)
    assert {"accuracy", "recall[pos]", "lime.fidelity{length=short}", "coverage.failed_share"} <= found
    assert not {"accuracy{language=en}", "exact_match", "perplexity.corpus", "attention.agreement"} & found
    assert "attention.agreement" in possible({"attention", "lime"})
    assert "attention.agreement" not in possible({"attention"})
    assert {"exact_match", "micro_f1"} <= possible({"prediction"}, ("a", "b"), multi_label=True)
    assert "accuracy" not in possible({"prediction"}, ("a", "b"), labelled=False)
    assert possible({"prediction"}) == {"generation.mean_logprob", "coverage.failed_share"}


def test_a_misspelt_name_is_answered_with_near_ones():
    known = possible({"prediction", "perplexity"}, ("neg", "pos"))
    assert nearest("acuracy", known) == ["accuracy"]
    assert "recall[pos]" in nearest("recall[positive]", known)
    assert nearest("zzz", known) == []


def test_lime_examples_of_the_fixture_stay_what_the_other_tests_assume():
    assert explanation(3).targets[0].surrogate.fidelity == 0.3
