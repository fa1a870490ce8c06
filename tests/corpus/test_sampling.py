"""A sample is seeded, stratified, and does not depend on the order of the documents."""

import hashlib
from collections import Counter

import pytest
from hypothesis import given
from hypothesis import strategies as st

from auditor.corpus import sample
from auditor.records.types import Document

DRAWN = ["d3", "d9", "d14", "d22", "d26"]


def documents(labels: str) -> list[Document]:
    return [Document(id=f"d{number}", text="", labels=(label,)) for number, label in enumerate(labels)]


def test_strata_get_their_proportional_share() -> None:
    drawn = sample(documents("a" * 70 + "b" * 20 + "c" * 10), 10, 0, "lime")
    assert Counter(document.labels[0] for document in drawn) == {"a": 7, "b": 2, "c": 1}


def test_documents_without_labels_are_one_stratum() -> None:
    assert len(sample([Document(id=str(number), text="") for number in range(10)], 3, 0, "lime")) == 3


def test_no_limit_and_a_large_limit_take_everything() -> None:
    everything = tuple(documents("abc"))
    assert sample(everything, None, 0, "lime") == everything
    assert sample(everything, 3, 0, "lime") == everything
    assert sample(everything, 99, 0, "lime") == everything
    assert sample((), 5, 0, "lime") == ()


def test_a_limit_below_one_is_refused() -> None:
    with pytest.raises(ValueError, match="at least 1, not 0"):
        sample(documents("abc"), 0, 0, "lime")


def test_seed_and_purpose_each_draw_their_own() -> None:
    everything = documents("a" * 100)
    drawn = [sample(everything, 10, seed, purpose) for seed in (0, 1) for purpose in ("lime", "attention")]
    draws = {tuple(document.id for document in part) for part in drawn}
    assert len(draws) == 4


def test_the_draw_is_the_same_on_every_machine() -> None:
    by_rank = sorted(range(30), key=lambda number: hashlib.sha256(f'[0, "lime", "d{number}"]'.encode()).digest())
    drawn = sample([Document(id=f"d{number}", text="") for number in range(30)], 5, 0, "lime")
    assert [document.id for document in drawn] == [f"d{number}" for number in sorted(by_rank[:5])]
    assert [document.id for document in drawn] == DRAWN, "and in every release"


@given(st.text("abc", min_size=1, max_size=40), st.integers(1, 40), st.randoms())
def test_a_sample_has_its_size_is_in_order_and_ignores_the_order_of_the_file(labels, limit, random) -> None:  # type: ignore[no-untyped-def]
    everything = documents(labels)
    drawn = sample(everything, limit, 0, "lime")
    assert len(drawn) == min(limit, len(everything))
    assert list(drawn) == [document for document in everything if document in drawn]
    shuffled = random.sample(everything, len(everything))
    assert {document.id for document in sample(shuffled, limit, 0, "lime")} == {document.id for document in drawn}
    sizes, shares = Counter(labels), Counter(document.labels[0] for document in drawn)
    for label, size in sizes.items():
        assert abs(shares[label] - size * min(limit, len(labels)) / len(labels)) < 1
