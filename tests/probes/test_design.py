"""Drawing of masks: distinct, balanced in every prefix, weighted as the limit of LIME's sampling."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from auditor.probes.lime.design import FIRST_ROUND, draw, next_round, precision, size_shares, weigh
from auditor.probes.lime.surrogate import enumerate_masks, kernel
from tests.probes.nonlinear import fit_with

WIDTH = 25.0


@given(st.integers(1, 60), st.integers(2, 300), st.integers(0, 2**32 - 1))
@settings(max_examples=60, deadline=None)
def test_masks_are_distinct_and_as_many_as_there_are(n_segments: int, n_masks: int, seed: int) -> None:
    sample = draw(n_segments, n_masks, WIDTH, np.random.RandomState(seed))
    assert len(sample.masks) == min(n_masks, 2 ** min(n_segments, 40))
    assert len({row.tobytes() for row in sample.masks}) == len(sample.masks)
    assert sample.masks[0].all()
    assert not sample.masks[1:].all(axis=1).any()
    assert (np.diff(sample.units) >= 0).all()
    assert np.bincount(sample.units).max() <= 2


def test_rounds_are_prefixes_of_one_drawing_that_the_seed_decides() -> None:
    whole = draw(20, 900, WIDTH, np.random.RandomState(3))
    again = draw(20, 900, WIDTH, np.random.RandomState(3))
    other = draw(20, 900, WIDTH, np.random.RandomState(4))
    assert (whole.masks == again.masks).all()
    assert (whole.units == again.units).all()
    assert not (whole.masks == other.masks).all()
    assert (whole.first(300).first(200).masks == again.masks[:200]).all()


def test_two_masks_of_a_unit_remove_disjoint_segments_where_there_is_room() -> None:
    sample = draw(30, 600, WIDTH, np.random.RandomState(0))
    first = np.flatnonzero(sample.units[1:] == sample.units[:-1])
    one, other = ~sample.masks[first], ~sample.masks[first + 1]
    size = one.sum(axis=1)
    assert len(first) > 250
    assert (other.sum(axis=1) == size).all()
    assert ((one & other).sum(axis=1) == (2 * size - 30).clip(min=0)).all()


@pytest.mark.parametrize("n_masks", [101, 333, 700])
def test_every_prefix_has_its_sizes_in_proportion(n_masks: int) -> None:
    masks = draw(25, 1000, WIDTH, np.random.RandomState(1)).masks[:n_masks]
    sizes = np.arange(1, 26)
    counts = np.bincount(25 - masks[1:].sum(axis=1), minlength=26)[1:]
    wanted = size_shares(25, WIDTH) * ((sizes / 25) ** 1.5 + 0.05)
    wanted = wanted[2:] / wanted[2:].sum() * counts[2:].sum()  # few masks have one or two segments removed
    assert np.abs(counts[2:] - wanted).max() <= 3


def test_every_mask_of_a_size_is_drawn_equally_often() -> None:
    n_segments, drawings = 6, 500
    codes = 1 << np.arange(n_segments)
    counts = np.zeros(2**n_segments)
    random = np.random.RandomState(5)
    for _ in range(drawings):
        counts[draw(n_segments, 20, WIDTH, random).masks @ codes] += 1
    removed = n_segments - np.array([int(code).bit_count() for code in range(2**n_segments)])
    for size in range(1, n_segments):
        own = counts[removed == size] / drawings
        assert np.abs(own - own.mean()).max() < 5 * np.sqrt(own.mean() / drawings) + 1e-12


def test_weights_of_all_masks_are_those_of_enumeration() -> None:
    masks, shares = enumerate_masks(7, 10**15)
    weights, drawn = weigh(masks[1:], WIDTH)
    wanted = (kernel(masks, WIDTH) * shares)[1:]
    assert weights == pytest.approx(wanted / wanted.sum(), rel=1e-9)
    assert drawn == pytest.approx(1.0)


def test_a_size_that_was_never_drawn_lends_its_share_to_the_nearest() -> None:
    masks = np.array([[0, 1, 1, 1], [1, 0, 1, 1], [1, 0, 0, 0]], dtype=bool)  # removed: 1, 1, 3
    weights, drawn = weigh(masks, WIDTH)
    shares = size_shares(4, WIDTH)
    assert weights == pytest.approx([(shares[0] + shares[1]) / 2] * 2 + [shares[2] + shares[3]])
    assert drawn == pytest.approx([2 / 10, 2 / 10, 1 / 5])


@pytest.mark.parametrize("width", [0.5, 25.0, 1000.0])
@pytest.mark.parametrize("n_segments", [1, 2, 40, 400])
def test_any_kernel_width_can_be_drawn(n_segments: int, width: float) -> None:
    sample = draw(n_segments, 1000, width, np.random.RandomState(0))
    weights, drawn = weigh(sample.masks[1:], width)
    assert weights.sum() == pytest.approx(1)
    assert ((drawn > 0) & (drawn <= 1)).all()


def test_rounds_grow_by_what_is_missing_and_end() -> None:
    assert next_round(0, np.inf, 0.05, 2000) == FIRST_ROUND
    assert next_round(0, np.inf, 0.05, 50) == 50
    assert next_round(400, 0.05, 0.05, 2000) == 0
    assert next_round(400, 0.051, 0.05, 2000) == 100
    assert next_round(400, np.inf, 0.05, 2000) == 400
    assert next_round(1900, 0.4, 0.05, 2000) == 100
    assert next_round(2000, 0.4, 0.05, 2000) == 0


def test_precision_is_the_widest_interval_beside_the_largest_coefficient() -> None:
    assert precision(fit_with(weights=[0.1, -0.4], half_widths=[0.02, 0.01])) == pytest.approx(0.05)
    assert precision(fit_with(weights=[0.0, 0.0], half_widths=[0.0, 0.0])) == 0
    assert precision(fit_with(weights=[0.0, 0.0], half_widths=[0.0, 0.1])) == np.inf
