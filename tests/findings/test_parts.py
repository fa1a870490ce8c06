"""A part of the corpus has the numbers of a corpus that holds nothing else."""

import os
import subprocess
import sys
from dataclasses import replace

import pytest
from of_others import LengthSummary
from worked_example import N, context, document, evidence, prediction, with_rows

from auditor.findings import Evidence, sliceable, summarise
from auditor.findings.slicing.parts import _ordered, measure_parts
from auditor.findings.summary import setting_of
from auditor.records.types import MISSING


def whole(found, **given):
    """The findings on a corpus, its slices left out."""
    documents = tuple(replace(d, metadata={}) for d in found.documents)
    return summarise(replace(found, documents=documents), context(**given))


def parts(found, multi_label=False):
    given = context(multi_label=multi_label)
    return list(measure_parts(found, setting_of(found, given), whole(found, multi_label=multi_label).numbers[:-1]))


def test_only_columns_with_two_to_twelve_values_are_sliced_by():
    assert sliceable(evidence().documents) == {"length": ("long", "short")}


def test_empty_values_belong_to_no_slice_and_numbers_are_ordered_as_numbers():
    documents = [replace(document(i), metadata={"stars": s}) for i, s in enumerate(("10", "9", "", "1", "9"))]
    documents.append(replace(document(5), metadata={}))
    assert sliceable(documents) == {"stars": ("1", "9", "10")}


@pytest.mark.parametrize(
    ("values", "ordered"),
    [
        (("10", "9", "1"), ("1", "9", "10")),
        (("10", "2", MISSING), ("2", "10", MISSING)),
        (("b", MISSING, "a"), ("a", "b", MISSING)),
        (("10", "9", "nan"), ("10", "9", "nan")),
        (("2", "10", "inf", "-inf"), ("-inf", "10", "2", "inf")),
        (("1.0", "1", "0.5"), ("0.5", "1", "1.0")),
    ],
)
def test_numbers_are_ordered_as_numbers_texts_by_name_and_gaps_last(values, ordered):
    assert _ordered(set(values)) == ordered


def test_the_order_does_not_depend_on_the_hash_seed():
    values = "{'nan', '3', '1', '2', 'NaN', '(missing)'}"
    code = f"from auditor.findings.slicing.parts import _ordered; print(_ordered({values}))"
    printed = {
        subprocess.run(
            [sys.executable, "-c", code],
            env={**os.environ, "PYTHONHASHSEED": str(seed)},
            capture_output=True,
            check=True,
            text=True,
        ).stdout
        for seed in range(3)
    }
    assert printed == {"('1', '2', '3', 'NaN', 'nan', '(missing)')\n"}


def test_parts_have_precision_calibration_and_head_classes_of_their_own():
    found = {number.name: number for part in parts(evidence()) for number in part.numbers}
    recall = found["recall[positive]{length=short}"]
    inside = [d for d in evidence().documents if d.metadata["length"] == "short" and d.labels == ("positive",)]
    assert recall.n == len(inside)
    assert recall.title.endswith(", length short")
    for name in ("macro_f1", "calibration_error", "perplexity.bits_per_byte", "attention.head_share[special]"):
        assert found[f"{name}{{length=long}}"].value is not None


def test_numbers_of_a_part_are_those_of_a_corpus_that_holds_nothing_else():
    long = tuple(d for d in evidence().documents if d.metadata["length"] == "long")
    members = {d.id for d in long}
    kept = {probe: {key: row for key, row in rows.items() if key in members} for probe, rows in evidence().rows.items()}
    alone = {number.name: number for number in whole(Evidence(long, kept)).numbers}
    own = next(part for part in parts(evidence()) if part.value == "long")
    assert len(own.numbers) > 20
    for number in own.numbers:
        expected = alone[number.name.removesuffix("{length=long}")]
        assert (number.value, number.low, number.high, number.n) == (
            expected.value,
            expected.low,
            expected.high,
            expected.n,
        )


def test_every_part_has_every_number_of_the_whole_once():
    names = [number.name for number in whole(evidence()).numbers[:-1]]
    for part in parts(evidence()):
        assert [number.name for number in part.numbers] == [f"{name}{{length={part.value}}}" for name in names]


def test_a_part_is_concluded_as_the_whole_is_but_for_its_columns(registered):
    settings = []

    class Watching(LengthSummary):
        def summarise(self, _, setting):
            settings.append(setting)

    registered(length=Watching())
    found = evidence()
    summarise(found, context(seed=3, references={"perplexity": "a-language-model"}))
    whole, *inside = settings
    assert (len(inside), whole.columns) == (2, {"length": ("long", "short")})
    assert inside == [replace(whole, columns={})] * 2


def test_a_part_nobody_was_asked_about_has_numbers_without_value():
    found = evidence()
    only_short = {i: e for i, e in found.of("lime").items() if int(i[1:]) % 2 == 0}
    long = {number.name: number for number in parts(with_rows(found, lime=only_short))[0].numbers}
    assert (long["lime.fidelity{length=long}"].value, long["lime.fidelity{length=long}"].n) == (None, 0)


def test_documents_without_any_of_several_labels_count_in_a_part_that_has_none_at_all():
    """The empty set is a reference where the corpus is labelled, whatever the part holds."""
    made = [replace(document(i), metadata={"kind": "plain" if i < 4 else "tagged"}) for i in range(8)]
    made = [replace(d, labels=() if i < 4 else ("positive",)) for i, d in enumerate(made)]
    given = {d.id: replace(prediction(i % N), document_id=d.id, predicted=()) for i, d in enumerate(made)}
    plain = parts(Evidence(tuple(made), {"prediction": given}), multi_label=True)[0]
    accuracy = next(number for number in plain.numbers if number.name == "accuracy{kind=plain}")
    assert (accuracy.value, accuracy.n) == (1.0, 4)
