"""Records that leave their floats in columns are the records that were written, and hold far less."""

import copy
import dataclasses
import tracemalloc

import numpy as np
import pytest

from auditor.records import arrays
from auditor.records.columns import Columns, Floats, defaults, views
from auditor.records.schema import from_bytes, to_bytes
from auditor.records.types import AttentionStatistics, Prediction, Span

WRITTEN = Prediction("a", ("no", "yes"), (0.5, -0.5), (0.75, 0.25), ("no",), 0.5, 7, False)


@pytest.fixture
def read():
    other = dataclasses.replace(WRITTEN, document_id="b", logits=(1.5, 2.5, 3.5), probabilities=())
    return from_bytes(Prediction, to_bytes(Prediction, [WRITTEN, other]))


def test_a_record_is_of_its_class_and_equal_both_ways(read):
    first, second = read
    assert isinstance(first, Prediction)
    assert first == WRITTEN
    assert WRITTEN.__eq__(first) is NotImplemented  # so that Python asks the other one
    assert {WRITTEN: 1}[first] == {first: 1}[WRITTEN] == 1
    assert first not in (second, "a")
    assert hash(first) == hash(WRITTEN)
    assert repr(first) == repr(WRITTEN)


def test_its_floats_are_tuples_made_when_asked_for(read):
    first, second = read
    assert (first.logits, second.logits, second.probabilities) == ((0.5, -0.5), (1.5, 2.5, 3.5), ())
    assert {type(value) for value in second.logits} == {float}


def test_it_can_be_replaced_and_copied_and_never_changed(read):
    first, _ = read
    assert dataclasses.replace(first, n_tokens=8) == dataclasses.replace(WRITTEN, n_tokens=8)
    assert dataclasses.replace(first, logits=(9.0, 9.0)).logits == (9.0, 9.0)
    assert copy.copy(WRITTEN) == first
    with pytest.raises(dataclasses.FrozenInstanceError):
        first.logits = ()
    with pytest.raises(AttributeError, match="nothing"):
        _ = first.nothing


def test_a_field_that_the_columns_lack_has_its_default():
    values = {"document_id": ["a"], "labels": [()], "predicted": [()], "entropy": [0.0], "n_tokens": [1]}
    floats = {name: Floats(np.array([0, 1], np.int32), np.array([0.25])) for name in ("logits", "probabilities")}
    values |= {"truncated": [False], **floats}
    (made,) = views(Prediction, Columns({**values, **defaults(Prediction, [*values])}, {}), [True])
    assert made == Prediction("a", (), (0.25,), (0.25,), (), 0.0, 1, False, continuation=None, mean_logprob=None)


def test_what_is_read_takes_less_than_half_of_what_was_written():
    def attended(i):
        shares = {
            field.name: tuple(np.random.default_rng(i).random(16).tolist())
            for field in dataclasses.fields(AttentionStatistics)
            if field.name.endswith("_share") or field.name in ("entropy", "distance")
        }
        tokens = tuple(f"word{j}" for j in range(8))
        spans = tuple(Span(6 * j, 6 * j + 5) for j in range(8))
        return AttentionStatistics(
            f"doc-{i}", 4, 4, 8, False, False, uniform_entropy=2.0, received=(0.125,) * 8, tokens=tokens, spans=spans,
            **shares,
        )  # fmt: skip

    tracemalloc.start()
    try:
        before = tracemalloc.get_traced_memory()[0]
        written = [attended(i) for i in range(500)]
        whole = tracemalloc.get_traced_memory()[0] - before
        content = to_bytes(AttentionStatistics, written)
        before = tracemalloc.get_traced_memory()[0]
        read = from_bytes(AttentionStatistics, content)
        kept = tracemalloc.get_traced_memory()[0] - before
    finally:
        tracemalloc.stop()
    columns = 500 * (9 * 16 + 8) * 8  # what Arrow holds of them, outside of Python's memory
    assert read == written
    assert kept + columns < whole / 2


def test_what_nobody_asks_for_is_never_decoded(monkeypatch):
    decoded = []

    def counting(kind, array, shared, decode=arrays.decode):
        decoded.append(kind)
        return decode(kind, array, shared)

    content = to_bytes(Prediction, [WRITTEN])
    monkeypatch.setattr(arrays, "decode", counting)
    (read,) = from_bytes(Prediction, content)
    before = len(decoded)
    assert read.logits == WRITTEN.logits
    assert len(decoded) == before
    assert read.predicted == read.predicted == ("no",)
    assert len(decoded) == before + 2  # the lists and their strings, once
