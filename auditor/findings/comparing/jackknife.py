"""What documents add to a number of which nobody says it: the number without some of them, again and again.

The n paired documents are dealt into G = min(20, n) groups, in turn. With θ the number of all and θ₍₋g₎ that of all but
group g (delete-a-group jackknife; Shao & Tu 1995, 2.3), the influence of a group is (G − 1)(θ̄₍₋.₎ − θ₍₋g₎), and the
groups are compared in place of documents. Nothing is resampled meanwhile, so each number costs no more than its sums.

Edge cases: a number that is undefined without one of the groups is not compared.
"""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from auditor.findings.comparing.nights import Night
from auditor.findings.contract.contributions import quotient
from auditor.findings.contract.summary import Summary
from auditor.findings.contract.types import Number
from auditor.findings.statistics import resampling
from auditor.findings.statistics.paired import Pair
from auditor.findings.statistics.resampling import Floats

GROUPS = 20
AnySummary = Summary[Any, Any]


def jackknifed(
    summary: AnySummary, before: Night, after: Night, ids: Mapping[str, str]
) -> dict[str, tuple[Number, Pair]]:
    """Name → the number of the later run, and a pair whose rows are groups of documents.

    Args:
        summary: Whose numbers they are.
        before: The earlier run.
        after: The later one.
        ids: Id in the later run → id in the earlier one, of the documents to compare.
    """
    with resampling.left_out():
        earlier = _without_groups(summary, before, list(ids.values()))
        later = _without_groups(summary, after, list(ids))
    one, other = _influences(earlier), _influences(later)
    return {name: (later[0][name], Pair(one[name], other[name], quotient)) for name in other if name in one}


def _without_groups(summary: AnySummary, night: Night, ids: Sequence[str]) -> list[dict[str, Number]]:
    """The numbers of all documents, then those without each group."""
    groups = min(GROUPS, len(ids))
    kept = [frozenset(ids), *(frozenset(ids) - frozenset(ids[g::groups]) for g in range(groups))]
    return [_numbers(summary, night, some) for some in kept]


def _numbers(summary: AnySummary, night: Night, ids: frozenset[str]) -> dict[str, Number]:
    conclusion = summary.summarise(night.evidence.restricted(ids), night.setting)
    numbers = conclusion.numbers if conclusion else ()
    return {number.name: number for number in numbers if number.is_measured}


def _influences(numbers: Sequence[Mapping[str, Number]]) -> dict[str, Floats]:
    """Name → (G, 2): what each group adds, so that the mean is the number of all documents."""
    whole, *without = numbers
    estimates = {}
    for name in (name for name in whole if without and all(name in one for one in without)):
        left = np.array([one[name].compared.value for one in without], dtype=np.float64)
        added = (whole[name].compared.value or 0.0) + (len(left) - 1) * (left.mean() - left)
        estimates[name] = np.column_stack([added, np.ones(len(left))])
    return estimates
