"""Rows that are measured again: how many are drawn, and when two rows are the same."""

import dataclasses

import pytest

from auditor.errors import VerificationError
from auditor.records.explanations import Sensitivity, Surrogate
from auditor.records.types import Perplexity, Prediction
from auditor.running import rechecking


def test_one_in_a_hundred_is_drawn() -> None:
    drawn = [rechecking.is_drawn(f"run-{night}", "lime", shard) for night in range(200) for shard in range(100)]
    assert 150 < sum(drawn) < 250


@pytest.mark.parametrize(
    ("before", "now", "same"),
    [
        ((0.5, 0.5), (0.5004, 0.4996), True),
        ((0.5, 0.5), (0.51, 0.49), False),
        ((100.0, 0.01), (100.0, 0.05), True),
        ((0.01,), (0.0105,), False),
        ((float("nan"),), (float("nan"),), True),
        ((float("nan"),), (0.5,), False),
    ],
)
def test_rows_may_differ_by_rounding_alone(before: tuple[float, ...], now: tuple[float, ...], same: bool) -> None:
    rows = [Prediction("d", ("a", "b"), (), values, ("a",), 0.1, 3, truncated=False) for values in (before, now)]

    def compare(dtype: str = "float32") -> None:
        rechecking.require_same(rows[:1], rows[1:], dtype=dtype, where="here", cure="")

    if same:
        compare()
    else:
        with pytest.raises(VerificationError, match="document 'd': probabilities"):
            compare()
    if now == (0.51, 0.49):
        compare("bfloat16")


def test_texts_and_whole_numbers_must_be_equal() -> None:
    row = Perplexity("d", "m", ("a",), (), (-1.0,), 1, 1, 8, 4, "")
    for other in (dataclasses.replace(row, tokens=("b",)), dataclasses.replace(row, n_bytes=2)):
        with pytest.raises(VerificationError):
            rechecking.require_same([row], [other], dtype="bfloat16", where="here", cure="")


def test_what_only_rows_with_masks_have_is_compared_where_both_have_it() -> None:
    def row(greatest: float | None) -> Surrogate:
        known = None if greatest is None else Sensitivity(greatest, 0, 3)
        return Surrogate(0.5, 0.9, 0.5, sensitivity=known)

    found = [
        [one.field for one in rechecking._differences(row(before), row(now), "", rechecking.ROUNDING)]
        for before, now in ((None, 0.5), (0.5, None), (0.5, 0.5), (0.5, 0.6))
    ]
    assert found == [[], [], [], ["sensitivity.greatest"]]


def test_parts_of_several_probes_may_come_in_any_order() -> None:
    @dataclasses.dataclass(frozen=True)
    class Part:
        probe: str
        value: float

    one, other = Part("lime", 0.5), Part("occlusion", 0.7)
    assert not [*rechecking._differences((one, other), (other, one), "parts", rechecking.ROUNDING)]
    assert [*rechecking._differences((one, other), (other, dataclasses.replace(one, value=0.6)), "parts", 1e-3)]
