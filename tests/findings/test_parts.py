"""A part of the corpus has the numbers of a corpus that holds nothing else."""

from worked_example import evidence

from auditor.findings.parts import _numbers, _restricted, numbers_of_parts


def test_parts_have_precision_calibration_and_head_classes_of_their_own():
    found = {number.name: number for number in numbers_of_parts(evidence(), False, 0)}
    recall = found["recall[positive]{length=short}"]
    inside = [d for d in evidence().documents if d.metadata["length"] == "short" and d.labels == ("positive",)]
    assert recall.n == len(inside)
    assert recall.title.endswith(", length short")
    for name in ("macro_f1", "calibration_error", "perplexity.bits_per_byte", "attention.head_share[special]"):
        assert found[f"{name}{{length=long}}"].value is not None


def test_numbers_of_a_part_are_those_of_the_part_alone():
    alone = {number.name: number for number in _numbers(_restricted(evidence(), "length", "long"), False, 0)}
    for number in numbers_of_parts(evidence(), False, 0):
        if number.name.endswith("{length=long}"):
            own = alone[number.name.removesuffix("{length=long}")]
            assert (number.value, number.low, number.high, number.n) == (own.value, own.low, own.high, own.n)
