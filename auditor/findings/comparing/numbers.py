"""By how much the numbers of two runs differ, and whether that is more than chance.

Judged are the numbers that a check is about; where there are none, all that are compared. p-values are corrected by
Holm among the judged ones, those of the others among all. More than chance is a corrected p < α = 0.01; an alarm needs
a difference of at least the floor as well: with 12 numbers and nothing changed it is raised on at most one night in a
hundred (`python -m tests.simulations.nights`). The smallest difference that would have been found in 80 % of cases:
(z_(1−α/2m) + z_0.8) s, the power of the first step of Holm, s half the 95 % interval over 1.96.

Edge cases: fewer than 10 documents are compared and never judged to have changed (2⁻⁹ is no small p anyway). Where no
document has changed, resampling says nothing about those that were not seen: the interval of a share is then ± the
upper end of Wilson's for 0 of n, other numbers have none. Of runs whose plans tell of nothing but another corpus it is
0 to 0: the same model answers as before.
"""

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from statistics import NormalDist

from auditor.findings.comparing.asked import Asked
from auditor.findings.comparing.types import Change, Difference
from auditor.findings.contract.types import Unit
from auditor.findings.statistics.corrections import holm
from auditor.findings.statistics.intervals import LEAST, Estimate, Z, wilson
from auditor.findings.statistics.paired import Shift, shifts
from auditor.languages import N_, say

ALPHA = 0.01
POWER = 0.8
FLOORS: Mapping[Unit, float] = {
    "share": 0.005,
    "probability": 0.005,
    "correlation": 0.01,
    "nats": 0.005,
    "bits": 0.005,
    "perplexity": 0.005,
    "log-probability": 0.005,
    "log-odds": 0.02,
    "count": 0.05,
    "tokens": 0.05,
}
"""Unit → the smallest difference that is an alarm; of a perplexity in nats, half a per cent of it."""
_UNDEFINED = N_("It has no value on the documents that both runs have.")


@dataclass(frozen=True, slots=True)
class Family:
    """The numbers that are judged together."""

    names: frozenset[str]
    n_others: int
    """How many numbers the others are corrected among."""

    def size(self, name: str) -> int:
        """How many numbers one is corrected among."""
        return len(self.names) if name in self.names else self.n_others


def differences(
    asked: Sequence[Asked], floors: Mapping[str, float], seed: int, *, is_same_model: bool
) -> tuple[Difference, ...]:
    """The difference of every number, declared ones first.

    Args:
        asked: The numbers.
        floors: Name of a number → the smallest difference that is an alarm; others have that of their unit.
        seed: Of the later run.
        is_same_model: Whether both runs measured the same model in the same way.
    """
    shifted = _shifts(asked, seed)
    by_name = {one.name: _settled(one, shifted[one.name], is_same_model) for one in asked if one.name in shifted}
    measured = {name: shift.p for name, shift in by_name.items() if shift.p is not None}
    declared = any(one.declared for one in asked)
    judged = frozenset(one.name for one in asked if one.name in measured and one.declared == declared)
    family = Family(judged, len(measured))
    corrected = {**_corrected(measured), **_corrected({name: measured[name] for name in measured if name in judged})}
    made = [_difference(one, by_name.get(one.name), floors, corrected, family) for one in asked]
    return tuple(sorted(made, key=lambda one: not one.declared))


def _shifts(asked: Sequence[Asked], seed: int) -> dict[str, Shift]:
    """Name → shift; numbers of as many documents share what is drawn at random, and its cost."""
    groups: dict[int, list[Asked]] = defaultdict(list)
    for one in asked:
        if one.pair is not None:
            groups[len(one.pair.before)].append(one)
    by_name: dict[str, Shift] = {}
    for n, group in groups.items():
        made = shifts([one.pair for one in group if one.pair], seed=seed, name=f"runs of {n}")
        by_name |= {one.name: shift for one, shift in zip(group, made, strict=True)}
    return by_name


def _settled(one: Asked, shift: Shift, is_same_model: bool) -> Shift:
    """With the interval of a number to which every document adds what it added before."""
    if shift.n_changed or shift.difference.value != 0 or one.n < LEAST:
        return shift
    seen = wilson(0, one.n).high if one.quantity.unit == "share" else None
    most = 0.0 if is_same_model else seen
    if most is None:
        return shift
    return replace(shift, difference=Estimate(0.0, -most, most, shift.difference.n))


def _corrected(p: Mapping[str, float | None]) -> dict[str, float]:
    return dict(zip(p, holm([value or 0.0 for value in p.values()]), strict=True))


def _difference(
    one: Asked, shift: Shift | None, floors: Mapping[str, float], corrected: Mapping[str, float], family: Family
) -> Difference:
    floor = floors.get(one.name, FLOORS[one.quantity.unit])
    stated = Difference(
        name=one.name,
        title=one.title,
        unit=one.quantity.unit,
        probe=one.probe,
        n=one.n,
        floor=floor,
        better=one.better,
        declared=one.declared,
        judged=one.name in family.names,
        change="not compared",
        reason=one.reason,
    )
    if shift is None or shift.p is None:
        return stated.model_copy(update={"reason": one.reason or say(_UNDEFINED)})
    p, value = corrected[one.name], shift.difference.value or 0.0
    measures = dict(_measures(one, shift, family.size(one.name)))
    change = _change(value, p, floor, one.better) if one.n >= LEAST else "none"
    return stated.model_copy(update={**measures, "corrected_p": p, "change": change})


def _measures(one: Asked, shift: Shift, m: int) -> Iterator[tuple[str, object]]:
    low, high = shift.difference.low, shift.difference.high
    yield from (("before", shift.before), ("after", shift.after), ("difference", shift.difference.value))
    yield from (("low", low), ("high", high), ("p", shift.p))
    yield "n_changed", shift.n_changed if one.is_by_document else None
    if low is not None and high is not None:
        needed = NormalDist().inv_cdf(1 - ALPHA / (2 * m)) + NormalDist().inv_cdf(POWER)
        yield "detectable", needed * (high - low) / (2 * Z)


def _change(value: float, p: float, floor: float, better: str) -> Change:
    if p >= ALPHA:
        return "none"
    if abs(value) < floor:
        return "small"
    if not better:
        return "changed"
    return "worse" if (value < 0) == (better == "high") else "better"
