"""The global surrogate: planted words are found, and nothing is concluded where there is nothing."""

import random

import pytest
from planted_words import LABELS, PLANTED, drawn_bags, evidence_of, linear

from auditor.findings import Evidence
from auditor.findings.analyses.global_surrogate import SUMMARY
from auditor.findings.contract.summary import Setting
from auditor.findings.statistics import sparse_regression

SETTING = Setting(seed=0)


@pytest.fixture(scope="module", autouse=True)
def _few_resamples():
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(sparse_regression, "RESAMPLES", 60)
        yield


def summarised(evidence, setting=SETTING):
    return SUMMARY.summarise(evidence, setting).findings


def planted(n=120, noise=0.0, seed=0):
    rng = random.Random(seed)
    bags = drawn_bags(n, seed)
    return evidence_of(bags, [(0.0, linear(bag) + rng.gauss(0, noise)) for bag in bags])


@pytest.fixture(scope="module")
def found(_few_resamples):
    return summarised(planted())


def test_planted_words_are_found_with_their_signs_and_no_other(found):
    (label,) = found.labels
    assert (label.label, label.against) == ("positive", "negative")
    told = {word.text: word.weight for word in label.words.content.words}
    assert set(told) == set(PLANTED)
    for word, weight in PLANTED.items():
        assert told[word].value == pytest.approx(weight, rel=0.15)  # shrunk by the penalty
        assert told[word].low <= told[word].value <= told[word].high
    assert list(told) == sorted(PLANTED, key=lambda word: -abs(PLANTED[word]))
    assert label.words.content.n_words == 40


def test_of_answers_that_follow_the_words_hardly_anything_is_missed(found):
    assert found.reason is None
    assert found.fidelity.value > 0.98
    assert found.agreement.value > 0.97
    assert found.majority.value == sum(linear(bag) > 0 for bag in drawn_bags(120)) / 120
    assert found.fidelity.n == found.n_documents == 120


@pytest.mark.parametrize("seed", range(2))
def test_of_answers_that_do_not_depend_on_the_words_nothing_is_concluded(seed):
    rng = random.Random(seed)
    found = summarised(evidence_of(drawn_bags(200, seed), [(0.0, rng.gauss(0, 2)) for _ in range(200)]))
    assert (found.reason, found.labels) == ("no-better", ())
    assert abs(found.fidelity.value) < 0.15
    assert (found.fidelity.low or 0) <= 0


def test_the_fidelity_is_what_the_noise_leaves():
    found = summarised(planted(500, noise=2.0, seed=1))
    bags = drawn_bags(500, 1)
    mean = sum(map(linear, bags)) / 500
    signal = sum((linear(bag) - mean) ** 2 for bag in bags) / 500
    assert found.fidelity.value == pytest.approx(signal / (signal + 4.0), abs=0.06)


def test_the_same_evidence_gives_the_same_digits_and_another_seed_others():
    evidence = planted(60, noise=0.5)
    assert summarised(evidence) == summarised(evidence)
    assert summarised(evidence, Setting(seed=1)) != summarised(evidence)


def test_too_few_documents_are_said_to_be_too_few():
    found = summarised(planted(49))
    assert (found.reason, found.labels, found.n_documents) == ("few-documents", (), 49)
    assert found.fidelity.value is None
    assert found.majority is None


def test_answers_that_are_all_the_same_cannot_be_modelled():
    assert summarised(evidence_of(drawn_bags(60), [(0.0, 1.0)] * 60)).reason == "constant"


def test_a_model_with_one_label_has_nothing_to_be_modelled():
    assert summarised(evidence_of(drawn_bags(60), [(0.1 * i,) for i in range(60)], ("only",))).reason == "constant"


def test_words_that_stand_in_two_documents_are_not_used():
    bags = [(f"word{i // 2}",) for i in range(60)]
    assert summarised(evidence_of(bags, [(0.0, float(i)) for i in range(60)])).reason == "no-words"


def test_documents_without_an_answer_or_without_words_are_left_out():
    evidence = planted(60)
    rows = {probe: dict(list(by_id.items())[:-1]) for probe, by_id in evidence.rows.items()}
    assert summarised(Evidence(evidence.documents, rows)).n_documents == 59
    assert SUMMARY.summarise(Evidence(evidence.documents), SETTING) is None


def test_of_several_labels_each_has_its_own_words_and_one_without_them_has_none():
    rng, bags = random.Random(3), drawn_bags(300, 3)
    logits = [(linear(bag, {"word00": 4.0}), linear(bag, {"word01": 4.0}), rng.gauss(0, 2)) for bag in bags]
    labels = ("zero", "one", "noise")
    found = summarised(evidence_of(bags, logits, labels, multi_label=True), Setting(multi_label=True))
    assert [label.label for label in found.labels] == list(labels)
    assert [label.words and label.words.content.words[0].text for label in found.labels] == ["word00", "word01", None]
    assert found.labels[0].against == ""


def test_of_three_labels_of_which_one_is_given_the_largest_is_chosen():
    bags = drawn_bags(300, 4)
    logits = [(0.5, linear(bag, {"word01": 6.0}), linear(bag, {"word02": 6.0})) for bag in bags]
    found = summarised(evidence_of(bags, logits, ("a", "b", "c")))
    assert found.agreement.value > found.majority.value + 0.1
    assert {label.label: label.words.content.words[0].text for label in found.labels if label.label != "a"} == {
        "b": "word01",
        "c": "word02",
    }


def test_function_words_stand_apart():
    bags = [(*bag, "the") if i % 2 else bag for i, bag in enumerate(drawn_bags(200))]
    evidence = evidence_of(bags, [(0.0, linear(bag, {**PLANTED, "the": 2.0})) for bag in bags])
    (label,) = summarised(evidence).labels
    assert [word.text for word in label.words.function.words] == ["the"]
    assert {word.text for word in label.words.content.words} == set(PLANTED)
    assert label.words.label == LABELS[1]
