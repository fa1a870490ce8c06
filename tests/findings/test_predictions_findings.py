from dataclasses import replace
from math import log

import numpy as np
import pytest
from sklearn.metrics import f1_score, precision_recall_fscore_support
from worked_example import (
    LABELS,
    concluded,
    continuation_evidence,
    document,
    evidence,
    multi_label_evidence,
    prediction,
    with_rows,
)

from auditor.findings import Bound, Evidence
from auditor.findings.analyses.answers import Answer, pair
from auditor.findings.analyses.calibration import calibrate
from auditor.findings.analyses.prediction import SUMMARY
from auditor.findings.contract.summary import Setting
from auditor.findings.judgement.checks import judge
from auditor.findings.statistics.intervals import wilson
from auditor.records.types import Document, Prediction


def summarised(found, multi_label=False, *, kind="classifier"):
    return concluded(SUMMARY, found, multi_label=multi_label, kind=kind)


def predicted(documents, records):
    return Evidence(tuple(documents), {"prediction": records})


def answer(reference, probabilities, labels=LABELS):
    top = labels[int(np.argmax(probabilities))]
    record = Prediction("x", labels, probabilities, probabilities, (top,), 0.5, 3, False)
    return Answer(Document("x", "x", labels=(reference,)), record, (reference,), False)


def test_accuracy_and_confusion_are_those_counted_on_paper():
    findings, numbers = summarised(evidence())
    assert findings.confusion == ((18, 2), (4, 16))
    assert numbers["accuracy"].value == 34 / 40
    assert (numbers["accuracy"].low, numbers["accuracy"].high) == pytest.approx((0.70927, 0.92938), abs=1e-5)
    assert (findings.n_documents, findings.n_labelled) == (40, 40)
    assert findings.predicted_counts == {"negative": 22, "positive": 18}


def test_precision_recall_and_f1_are_those_counted_on_paper():
    findings, numbers = summarised(evidence())
    negative, positive = findings.classes
    assert (negative.support, negative.predicted) == (20, 22)
    assert numbers["precision[negative]"].value == 18 / 22
    assert numbers["recall[positive]"].value == 16 / 20
    assert numbers["f1[negative]"].value == pytest.approx(36 / 42)
    assert numbers["f1[positive]"] == positive.f1
    assert numbers["macro_f1"].value == pytest.approx((36 / 42 + 32 / 38) / 2)
    assert negative.precision.n == 22
    assert positive.recall.n == 20
    assert numbers["macro_f1"].low < numbers["macro_f1"].value < numbers["macro_f1"].high
    assert "micro_f1" not in numbers


def test_the_calibration_error_is_the_one_worked_out_on_paper():
    findings, numbers = summarised(evidence())
    assert numbers["calibration_error"].value == pytest.approx((2 * 0.95 + 4 * 0.65 + 34 * 0.15) / 40)
    filled = {
        round(row.low, 1): (row.n, row.mean_probability, row.accuracy.value) for row in findings.calibration if row.n
    }
    assert filled == {
        0.6: (4, pytest.approx(0.65), 0.0),
        0.8: (34, pytest.approx(0.85), 1.0),
        0.9: (2, pytest.approx(0.95), 0.0),
    }
    assert len(findings.calibration) == 10
    assert sum(row.n for row in findings.calibration) == 40


def labelled(truth, given, labels=("a", "b", "rare")):
    """Answers to documents whose reference and predicted labels are these."""
    documents = tuple(Document(f"d{i}", "x", labels=(t,)) for i, t in enumerate(truth))
    even = (1 / len(labels),) * len(labels)
    records = {
        d.id: Prediction(d.id, labels, even, even, (g,), 1.0, 3, False) for d, g in zip(documents, given, strict=True)
    }
    return predicted(documents, records)


def test_f1_rests_on_the_documents_that_have_the_label_or_are_given_it():
    found = labelled(["a"] * 100 + ["b"] * 99 + ["rare"], ["a"] * 100 + ["b"] * 99 + ["a"])
    numbers = summarised(found)[1]
    rare = numbers["f1[rare]"]
    assert (rare.value, rare.low, rare.high, rare.n) == (0.0, None, None, 1)
    assert judge(rare, Bound(at_least=0.5))[0] == judge(numbers["recall[rare]"], Bound(at_least=0.5))[0] == "not judged"
    assert (numbers["f1[a]"].n, numbers["f1[b]"].n) == (101, 99)


def test_the_interval_of_f1_is_wilsons_of_the_right_among_them_put_through_the_map():
    found = labelled(["a"] * 9 + ["b"] * 51, ["a"] * 8 + ["b"] + ["a"] + ["b"] * 50)
    f1, jaccard = summarised(found)[1]["f1[a]"], wilson(8, 10)
    assert (f1.value, f1.n) == (pytest.approx(16 / 18), 10)
    assert (f1.low, f1.high) == pytest.approx(tuple(2 * j / (1 + j) for j in (jaccard.low, jaccard.high)))
    assert "95% Wilson interval of the share" in f1.protocol


def test_the_interval_of_f1_covers_the_true_one_of_a_rare_label_about_95_times_in_100():
    rng = np.random.default_rng(11)
    covered = []
    for _ in range(2000):
        kinds = rng.choice(4, size=300, p=[0.04, 0.02, 0.03, 0.91])  # tp, fp, fn, tn
        tp, fp, fn = (int((kinds == kind).sum()) for kind in range(3))
        found = wilson(tp, tp + fp + fn).through(lambda j: 2 * j / (1 + j))
        covered.append(found.low <= 2 * 0.04 / (2 * 0.04 + 0.05) <= found.high)
    assert 0.92 <= np.mean(covered) <= 0.98


def test_documents_without_any_label_prove_nothing_about_f1():
    """Of 200 documents one has a label, and is given it: an F1 of 1 that rests on a single document."""
    documents = tuple(Document(f"d{i}", "x", labels=() if i else ("sport",)) for i in range(200))
    records = {d.id: Prediction(d.id, ("sport",), (0.1,), (0.1,), d.labels, 0.3, 3, False) for d in documents}
    numbers = summarised(predicted(documents, records), multi_label=True)[1]
    for name in ("f1[sport]", "macro_f1", "micro_f1"):
        assert (numbers[name].value, numbers[name].low, numbers[name].n) == (1.0, None, 1)
    assert numbers["exact_match"].n == 200
    assert summarised(multi_label_evidence(), multi_label=True)[1]["macro_f1"].n == 9  # m0 has none and is given none


def test_ten_right_answers_do_not_prove_a_macro_f1_of_one():
    truth = ["a", "b"] * 5
    macro = summarised(labelled(truth, truth, ("a", "b")))[1]["macro_f1"]
    assert (macro.value, macro.high) == (1.0, 1.0)
    assert macro.low == pytest.approx(wilson(10, 10).low)
    assert judge(macro, Bound(at_least=0.9))[0] == "watch"


@pytest.mark.parametrize("p", [1.0, 1 - 1e-16, 1 - 1e-10, 0.999, 0.98])
def test_ten_right_answers_do_not_prove_a_calibration_error_of_nought(p):
    error = calibrate(
        [answer("negative", (p, 1 - p))] * 9 + [answer("negative", ((1 + p) / 2, (1 - p) / 2))], False, 0
    )[1]
    assert error.value == pytest.approx(0.95 * (1 - p), abs=1e-15)
    assert error.low == pytest.approx(0, abs=1e-12)
    assert error.high == pytest.approx(1 - 0.95 * (1 - p) - wilson(10, 10).low)
    assert judge(error, Bound(at_most=0.1))[0] == "watch"


def test_equal_probabilities_hide_no_more_than_others_what_was_not_seen():
    error = calibrate([answer("negative", (0.98, 0.02))] * 10, False, 0)[1]
    assert (error.value, error.low, error.high) == pytest.approx((0.02, 0, 0.98 - wilson(10, 10).low))
    assert "widened to what Wilson’s interval leaves open" in error.protocol


def test_the_calibration_error_of_a_model_that_is_nearly_always_right_lies_in_its_interval():
    """Right in 90 of 100, and 0.99 sure: among ten answers a third of the samples have no error to resample."""
    rng = np.random.default_rng(13)
    covered = []
    for _ in range(200):
        right = rng.random(10) < 0.9
        tops = 0.99 + rng.uniform(-0.005, 0.005, 10)
        answers = [answer(LABELS[0 if hit else 1], (p, 1 - p)) for p, hit in zip(tops, right, strict=True)]
        error = calibrate(answers, False, 0)[1]
        covered.append(error.low <= 0.09 <= error.high)
    assert np.mean(covered) >= 0.9


def test_ten_wrong_answers_leave_open_how_many_are_right():
    error = calibrate([answer("positive", (0.7 + i / 1000, 0.3 - i / 1000)) for i in range(10)], False, 0)[1]
    assert error.value == pytest.approx(0.7045)
    assert error.low == pytest.approx(0.7045 - wilson(0, 10).high)
    assert error.high < 0.71


def test_bins_are_closed_on_the_right_and_zero_falls_into_the_first():
    edges = [0.0, 0.1, 0.3, 0.7, 0.9, 1.0]
    rows, _ = calibrate([answer("negative", (x, x)) for x in edges], False, 0)
    assert [row.n for row in rows] == [2, 0, 1, 0, 0, 0, 1, 0, 1, 1]


def test_a_calibrated_model_has_a_small_error_and_its_interval_reaches_down():
    rng = np.random.default_rng(0)
    tops = rng.uniform(0.5, 1, 2000)
    answers = [answer(LABELS[0 if rng.random() < p else 1], (p, 1 - p)) for p in tops]
    number = calibrate(answers, False, 0)[1]
    assert number.value < 0.03
    assert number.low < 0.01
    assert number.value < number.high < 0.06


@pytest.mark.parametrize("k", [2, 3, 7])
def test_scores_agree_with_scikit_learn(k):
    rng = np.random.default_rng(k)
    labels = tuple(f"c{i}" for i in range(k))
    truth = rng.integers(0, k, 200)
    given = np.where(rng.random(200) < 0.6, truth, rng.integers(0, k, 200))
    records = {
        f"d{i}": Prediction(f"d{i}", labels, (1 / k,) * k, (1 / k,) * k, (labels[g],), 1.0, 3, False)
        for i, g in enumerate(given)
    }
    documents = tuple(Document(f"d{i}", "x", labels=(labels[t],)) for i, t in enumerate(truth))
    findings, numbers = summarised(predicted(documents, records))
    theirs = precision_recall_fscore_support(truth, given, labels=range(k))
    for i, row in enumerate(findings.classes):
        ours = (row.precision.value, row.recall.value, row.f1.value, row.support)
        assert ours == pytest.approx(tuple(column[i] for column in theirs))
    assert numbers["macro_f1"].value == pytest.approx(f1_score(truth, given, average="macro"))


def test_a_label_that_never_occurs_has_no_scores_and_no_part_in_the_macro_mean():
    found = evidence()
    three = {
        i: replace(p, labels=(*LABELS, "mixed"), probabilities=(*p.probabilities, 0.0))
        for i, p in found.of("prediction").items()
    }
    findings, numbers = summarised(with_rows(found, prediction=three))
    mixed = findings.classes[2]
    assert (mixed.precision.value, mixed.recall.value, mixed.f1.value) == (None, None, None)
    assert numbers["macro_f1"].value == pytest.approx((36 / 42 + 32 / 38) / 2)


def test_multi_label_answers_are_right_only_when_every_label_is():
    findings, numbers = summarised(multi_label_evidence(), multi_label=True)
    assert numbers["accuracy"].value == numbers["exact_match"].value == 0.6
    assert numbers["recall[science]"].value == 0.0
    assert numbers["precision[science]"].value is None
    assert numbers["f1[sport]"].value == 1.0
    assert numbers["macro_f1"].value == pytest.approx((1 + 1 + 0) / 3)
    assert numbers["micro_f1"].value == pytest.approx(2 * 9 / (9 + 13))
    assert findings.confusion == ()
    assert findings.predicted_counts == {"sport": 5, "politics": 4, "science": 0}


def test_multi_label_calibration_is_over_all_label_probabilities():
    findings, numbers = summarised(multi_label_evidence(), multi_label=True)
    # sums of p − c: bin 0.1 holds d0 sport, 5 × science, 4 × sport; 0.2 holds 6 politics; 0.3 d0 science; …
    gaps = [abs(10 * 0.1), abs(6 * 0.2), abs(0.3), abs(4 * (0.4 - 1)), abs(4 * (0.7 - 1)), abs(5 * (0.9 - 1))]
    assert numbers["calibration_error"].value == pytest.approx(sum(gaps) / 30)
    assert sum(row.n for row in findings.calibration) == 30


def test_a_multi_label_document_without_labels_counts_as_the_empty_set():
    answers = pair(multi_label_evidence(), multi_label=True)
    assert answers[0].reference == ()
    assert answers[0].correct


def test_a_multi_label_document_of_which_nothing_is_said_is_in_no_score():
    found = multi_label_evidence()
    first, *others = found.documents
    found = replace(found, documents=(replace(first, unlabelled=True), *others))
    answers = pair(found, multi_label=True)
    assert answers[0].reference is None
    assert not answers[0].wrong
    findings, numbers = summarised(found, multi_label=True)
    assert (findings.n_documents, findings.n_labelled) == (10, 9)
    assert numbers["exact_match"].value == pytest.approx(5 / 9)


def test_multi_label_scores_agree_with_scikit_learn():
    rng = np.random.default_rng(5)
    labels = ("a", "b", "c", "d")
    truth, p = rng.random((80, 4)) < 0.4, rng.random((80, 4))
    documents = tuple(
        Document(f"d{i}", "x", labels=tuple(n for n, t in zip(labels, row, strict=True) if t))
        for i, row in enumerate(truth)
    )
    records = {
        f"d{i}": Prediction(
            f"d{i}",
            labels,
            tuple(row),
            tuple(row),
            tuple(n for n, x in zip(labels, row, strict=True) if x >= 0.5),
            0.5,
            3,
            False,
        )
        for i, row in enumerate(p)
    }
    numbers = summarised(predicted(documents, records), multi_label=True)[1]
    assert numbers["micro_f1"].value == pytest.approx(f1_score(truth, p >= 0.5, average="micro"))
    assert numbers["macro_f1"].value == pytest.approx(f1_score(truth, p >= 0.5, average="macro"))


def test_the_most_confident_errors_come_first_and_only_errors_are_shown():
    findings, _ = summarised(evidence())
    assert [example.document_id for example in findings.confident_errors] == ["d00", "d01", "d20", "d21", "d22", "d23"]
    assert findings.confident_errors[0].rule == "One of the 6 wrong answers with the highest probability"
    assert [example.document_id for example in findings.least_certain][:4] == ["d20", "d21", "d22", "d23"]


def test_a_multi_label_error_is_as_confident_as_its_surest_wrong_decision():
    answers = pair(multi_label_evidence(), multi_label=True)
    assert answers[9].error_confidence == pytest.approx(0.6)
    assert answers[1].confidence == pytest.approx(0.8)


def test_without_references_there_is_no_accuracy_but_everything_else():
    found = evidence()
    unlabelled = replace(found, documents=tuple(replace(d, labels=()) for d in found.documents))
    findings, numbers = summarised(unlabelled)
    assert set(numbers) == {"mean_entropy"}
    assert (findings.n_labelled, findings.confusion, findings.classes, findings.calibration) == (0, (), (), ())
    assert findings.confident_errors == ()
    assert len(findings.least_certain) == 6


def test_free_continuations_have_their_mean_log_probability():
    findings, numbers = summarised(continuation_evidence())
    assert findings.continuations
    assert set(numbers) == {"generation.mean_logprob"}
    assert numbers["generation.mean_logprob"].value == pytest.approx(-1.55)
    assert numbers["generation.mean_logprob"].unit == "log-probability"
    assert findings.mean_entropy is None


def test_the_least_certain_continuations_are_those_with_the_lowest_mean_log_probability():
    findings, _ = summarised(continuation_evidence())
    assert [example.document_id for example in findings.least_certain] == ["g11", "g10", "g9", "g8", "g7", "g6"]
    assert {e.rule for e in findings.least_certain} == {
        "One of the 6 continuations with the lowest mean log-probability"
    }


def chosen_among(masses):
    """Answers of a language model whose two candidates get these probabilities together, three to one."""
    made = [Document(f"c{i}", "text", labels=("yes",)) for i in range(len(masses))]
    given = {
        d.id: Prediction(d.id, ("yes", "no"), (log(0.75 * m), log(0.25 * m)), (0.75, 0.25), ("yes",), 0.56, 3, False)
        for d, m in zip(made, masses, strict=True)
    }
    return predicted(made, given)


def test_the_candidates_together_get_what_their_log_probabilities_add_up_to():
    _, numbers = summarised(chosen_among([0.2, 0.4, 0.9]), kind="generator")
    mass = numbers["generation.candidate_mass"]
    assert mass.value == pytest.approx(0.5)
    assert (mass.n, mass.unit) == (3, "probability")
    assert mass.low < mass.value < mass.high
    assert numbers["accuracy"].value == 1.0


def test_the_logits_of_a_classification_head_have_no_mass():
    _, numbers = summarised(chosen_among([0.2, 0.4, 0.9]))
    assert "generation.candidate_mass" not in numbers


def test_one_document_gets_values_without_intervals():
    one = predicted((document(9),), {"d09": prediction(9)})
    _, numbers = summarised(one)
    assert all(number.low is None for number in numbers.values())
    assert numbers["accuracy"].value == 1.0


def test_nothing_measured_gives_nothing():
    assert SUMMARY.summarise(Evidence(()), Setting()) is None
