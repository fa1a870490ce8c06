"""A marked number tells from which value it was formatted, and is unmarked text for anybody else."""

import pytest

from auditor.languages import marks, numbers, say, speaking


def values(text, known):
    return [known[marks.index_of(mark)] for mark in marks.MARK.finditer(text)]


@pytest.mark.parametrize("language", ["en", "zh"])
def test_marked_numbers_are_the_same_without_their_marks_and_tell_their_values(language):
    def sentence():
        low, high = numbers.decimal(-0.123, 2), numbers.decimal(1 / 3, 3)
        return f"{say('{low} to {high}', low=low, high=high)}; {numbers.count(1200)}, {numbers.shortest(0.80)}"

    with speaking(language):
        plain = sentence()
        with marks.marking() as known:
            marked = sentence()
        assert sentence() == plain == marks.unmarked(marked)
    assert values(marked, known) == [-0.123, 1 / 3, 1200, 0.8]


def test_marks_of_many_numbers_differ():
    with marks.marking() as known:
        texts = [numbers.count(n) for n in (*range(3), 70_000)]
        known.extend(range(4, 0xFFF0 * 2))
        texts.append(numbers.count(5))
    assert values("".join(texts), known) == [0, 1, 2, 70_000, 5]


def test_a_number_with_a_power_of_ten_is_not_marked():
    with marks.marking() as known:
        assert numbers.decimal(2.5e9, 1) == "2.5 × 10⁹"
        assert not marks.MARK.search(numbers.shortest(2.5e-9))
    assert known == []
