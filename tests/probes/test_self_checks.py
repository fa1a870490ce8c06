"""Probes are held against closed forms before a run, and a wrong one is refused."""

import itertools
import math
from dataclasses import replace
from typing import ClassVar

import numpy as np
import pytest
from pydantic.dataclasses import dataclass

from auditor.errors import ProbeError
from auditor.probes.contract import STRICT, SelfChecks
from auditor.probes.lime import surrogate
from auditor.probes.lime.probe import LimeProbe
from auditor.probes.lime.self_check import closed_form
from auditor.probes.occlusion import OcclusionProbe
from auditor.probes.prediction import PredictionProbe
from auditor.records.proof import SelfCheck
from auditor.running.self_checking import self_checked

TABLE = [(4, 2, 0.64028356, -0.07818019), (8, 2, 0.65698146, -0.01364531), (8, 3, 0.43641835, -0.03406595)]


@pytest.mark.parametrize(("d", "p", "inside", "outside"), TABLE)
def test_the_closed_form_is_that_of_the_notes(d: int, p: int, inside: float, outside: float) -> None:
    assert closed_form(d, p, 25.0, 0.0) == pytest.approx([inside] * p + [outside] * (d - p), abs=1e-8)


@pytest.mark.parametrize(("share", "width"), [(0.0, 25.0), (0.05, 25.0), (0.001, 10.0)])
def test_the_closed_form_is_the_regression_over_all_masks_with_the_undisturbed_text_among_them(
    share: float, width: float
) -> None:
    d, p = 5, 2
    masks = np.array(list(itertools.product([1.0, 0.0], repeat=d)))
    removed = d - masks.sum(1)
    drawn = [share if s == 0 else (1 - share) / (d * math.comb(d, int(s))) for s in removed]
    weights = np.array(drawn) * np.exp(-((100 * (1 - np.sqrt(masks.mean(1)))) ** 2) / (2 * width**2))
    roots = np.sqrt(weights)[:, None]
    rows, answers = np.column_stack([np.ones(2**d), masks]) * roots, masks[:, :p].prod(1) * roots[:, 0]
    assert closed_form(d, p, width, share) == pytest.approx(np.linalg.lstsq(rows, answers)[0][1:], abs=1e-9)


@pytest.mark.parametrize(
    "probe",
    [
        LimeProbe(),
        LimeProbe(max_samples=20),
        LimeProbe(n_samples=20),
        LimeProbe(n_samples=1000, num_features=3, kernel_width=5.0),
        LimeProbe(kernel_width=1000.0),
        LimeProbe(n_samples=100_000),
        OcclusionProbe(),
        OcclusionProbe(max_segments=1),
    ],
    ids=repr,
)
def test_probes_give_what_is_known(probe: SelfChecks) -> None:
    found = probe.self_check()
    assert found is not None
    assert found.passes
    assert found.difference < 1e-12
    assert found.deviation is None or 0 < found.deviation < 4


def test_estimates_are_checked_where_there_are_any() -> None:
    assert LimeProbe().self_check().deviation is not None
    assert LimeProbe(n_samples=200).self_check().deviation is None


def test_nothing_is_known_of_a_kernel_that_sees_only_the_undisturbed_text() -> None:
    assert LimeProbe(kernel_width=0.5).self_check() is None
    assert self_checked([LimeProbe(kernel_width=0.5)]) == ()


def test_a_wrong_fit_is_refused_before_the_run(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(surrogate, "ALPHA", 1.001)
    with pytest.raises(ProbeError, match=r"probes\.lime: the self-check failed: .* differ .* by \d\.\de-0\d, where"):
        self_checked([LimeProbe(n_samples=200)])


def test_a_probe_that_checks_itself_is_found_by_contract_alone() -> None:
    @dataclass(frozen=True, config=STRICT)
    class Proud(PredictionProbe):
        name: ClassVar[str] = "proud"

        def self_check(self) -> SelfCheck:
            return SelfCheck("proud", 3, 0.5, tolerance=1.0, deviation=2.0, most_deviation=3.0)

    assert [one.probe for one in self_checked([PredictionProbe(), Proud(), OcclusionProbe()])] == ["proud", "occlusion"]


@pytest.mark.parametrize(
    ("changes", "passes"),
    [
        ({}, True),
        ({"difference": 0.2}, False),
        ({"difference": math.nan}, False),
        ({"deviation": 4.0}, False),
        ({"deviation": math.nan}, False),
        ({"deviation": None, "most_deviation": None}, True),
    ],
)
def test_a_check_passes_within_both_bounds(changes: dict[str, float | None], passes: bool) -> None:
    check = SelfCheck("lime", 3, 0.05, tolerance=0.1, deviation=2.0, most_deviation=3.0)
    assert replace(check, **changes).passes is passes
