"""May an explanation be relied upon? A grade for each, by a rule that is printed beside it.

An explanation is believed for what happens when it is acted upon, not for how well it fits. With `removal` what the
probe `faithfulness` measured (`auditor.records.explanations.Removal`), f in the unit of the explanation,

    moved    the largest |f(x) − f(·)| over everything that was tried without up to a fifth of the segments
    drop     f(x) − f(without the fifth of the segments that the explanation ranks first)
    better   share of random sets of as many segments whose removal loses more than `drop` + 0.01; sets that lose the
             same count for the explanation, as those do that happen to hold the one word that decides
    said     correlation over the random sets between what the explanation says that they weigh and what is lost
             without them (sensitivity-n): the test that no method passes by luck, where the sets lose anything at all
    R²       of the surrogate, where there is one
    halves   correlation of the weights that two independent halves of the neighbourhood give, where it was sampled
    missed   what the weights miss of the change that they are the parts of, as a share of it
             (`auditor.findings.analyses.completeness`), of integrated gradients and Shapley values

    nothing to cite   moved < 0.05: nothing in the text carries the answer by itself
    do not cite       drop < 0.05, or better > 20 %, or said < 0.7, or R² < 0.35, or halves < 0.5
    rely              drop ≥ 0.1, better ≤ 5 %, said ≥ 0.8, R² ≥ 0.5, halves ≥ 0.8, missed ≤ 5 %
    with care         everything between

What the thresholds do to models of which the truth is known is in `tests/simulations/grades.md`. Correlations of ranks
are no part of it: where one word decides, all others are noise around zero, and ranks scatter while weights agree. The
grade says whether an explanation is faithful to the model, not whether the model is right or has learned anything.

An integral that misses more has not converged: the weights are not those that the method defines, whatever they do to
the answer, so that they are cited with care at best.

In log-probability (free continuations) a loss of 0.1 is a tenth of the probability, so that the same thresholds serve.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final, Literal

import numpy as np

from auditor.findings.analyses.completeness import missed
from auditor.languages import N_
from auditor.records.explanations import Explanation, Removal

Grade = Literal["rely", "care", "not", "nothing"]
GRADES: Final[Mapping[Grade, str]] = {
    "rely": N_("Rely"),
    "care": N_("With care"),
    "not": N_("Do not cite"),
    "nothing": N_("Nothing to cite"),
}
"""Grade → message: what it is called; the best first."""
CODES: Final[Mapping[Grade, float]] = {grade: float(code) for code, grade in enumerate(GRADES)}
"""Grade → what stands for it among the values of a document."""
TOLERANCE = 0.01
"""Losses that differ by no more are the same."""
LEAST_MOVED = 0.05


@dataclass(frozen=True, slots=True)
class Limits:
    """Beyond the first an explanation may be relied upon; short of the second it must not be cited."""

    rely: float
    cite: float


DROP, BETTER = Limits(0.1, 0.05), Limits(0.05, 0.2)
MISSED = 0.05
"""The most that weights may miss of the change that they add up to, for an explanation to be relied upon."""
SAID, FIDELITY, HALVES = Limits(0.8, 0.7), Limits(0.5, 0.35), Limits(0.8, 0.5)


@dataclass(frozen=True, slots=True)
class Trust:
    """What a grade is given for; None is what a method does not have."""

    moved: float
    drop: float
    better: float
    said: float | None
    fidelity: float | None
    halves: float | None
    missed: float | None = None

    @property
    def grade(self) -> Grade:
        """By the rule of this module."""
        if self.moved < LEAST_MOVED:
            return "nothing"
        if self.better > BETTER.cite or any(value < limits.cite for value, limits in self._wanted_high):
            return "not"
        if (
            self._is_complete
            and self.better <= BETTER.rely
            and all(v >= limits.rely for v, limits in self._wanted_high)
        ):
            return "rely"
        return "care"

    @property
    def _is_complete(self) -> bool:
        return self.missed is None or self.missed <= MISSED

    @property
    def _wanted_high(self) -> list[tuple[float, Limits]]:
        pairs = ((self.drop, DROP), (self.said, SAID), (self.fidelity, FIDELITY), (self.halves, HALVES))
        return [(value, limits) for value, limits in pairs if value is not None]


def trust(explanation: Explanation, removal: Removal) -> Trust:
    """What the grade of an explanation is given for."""
    surrogate = explanation.targets[0].surrogate
    halves = surrogate.halves if surrogate else None
    drop, random = removal.drop, np.asarray(removal.random)
    small = [lost for size, lost in zip(removal.sizes, removal.comprehensiveness, strict=True) if size <= removal.size]
    return Trust(
        moved=float(np.abs([*small, *random]).max()),
        drop=drop,
        better=float(np.mean(random > drop + TOLERANCE)),
        said=removal.sensitivity,
        fidelity=surrogate.fidelity if surrogate else None,
        halves=halves.correlation if halves else None,
        missed=missed(explanation),
    )
