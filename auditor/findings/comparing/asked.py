"""Which numbers of two runs are compared, and what the documents that both have add to them.

Compared are the quantities that are declared as compared, of no more than a few labels, and whatever a check of either
run is about, of a label or a slice too; nothing here names one. What each document adds its summary says
(`Summary.contributions`); where it does not, `jackknife`. A number rests on the documents that add to it in both runs.
"""

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any

import numpy as np

from auditor.findings.comparing.grounds import Grounds
from auditor.findings.comparing.jackknife import jackknifed
from auditor.findings.comparing.nights import Night
from auditor.findings.contract.contributions import Contributions
from auditor.findings.contract.quantity import Better, Quantity, better_side
from auditor.findings.contract.registry import quantity_of, summaries
from auditor.findings.contract.summary import Summary
from auditor.findings.slicing.slices import MOST_LABELS
from auditor.findings.statistics.paired import Pair
from auditor.languages import N_, say
from auditor.records.plan import Bound

_OTHER_TERMS = N_("It has other components in the two runs.")
_NO_DOCUMENT = N_("No document that both runs have adds to it.")
_NOT_GIVEN = N_("Only one of the runs has it, or neither.")


@dataclass(frozen=True, slots=True)
class Asked:
    """A number that is to be compared."""

    name: str
    title: str
    quantity: Quantity
    probe: str
    better: Better
    declared: bool
    n: int = 0
    """Documents that it rests on; those that add zeros both times are not counted."""
    pair: Pair | None = None
    is_by_document: bool = True
    """Whether a row of the pair is a document, and not a group of them."""
    reason: str = ""
    """Why it is not compared."""


def asked_numbers(before: Night, after: Night, ids: Mapping[str, str], grounds: Grounds) -> list[Asked]:
    """The numbers that two runs are compared by, and those that they should be but cannot.

    Args:
        before: The earlier run.
        after: The later one.
        ids: Id in the later run → id in the earlier one, of the documents that both have.
        grounds: What the plans say.
    """
    bounds = {**before.plan.checks, **after.plan.checks}
    collected = [one for summary in summaries().values() for one in _Asking(summary, before, after, ids, bounds).all()]
    refused = [_refused(one, grounds.refusal(one.probe, one.quantity)) for one in collected]
    return refused + list(_not_given(bounds, {one.name for one in collected}))


def _refused(one: Asked, reason: str) -> Asked:
    return replace(one, pair=None, reason=reason) if reason else one


def _not_given(bounds: Mapping[str, Bound], collected: set[str]) -> Iterator[Asked]:
    """The checks whose numbers the runs do not both have."""
    for name, bound in bounds.items():
        if name not in collected:
            quantity = quantity_of(name) or Quantity(name=name, title=name, unit="share")
            yield Asked(name, name, quantity, "", better_side(quantity, bound), True, reason=say(_NOT_GIVEN))


@dataclass(frozen=True)
class _Asking:
    """The numbers of one summary."""

    summary: Summary[Any, Any]
    before: Night
    after: Night
    ids: Mapping[str, str]
    bounds: Mapping[str, Bound]

    def all(self) -> Iterator[Asked]:
        """Those that are compared."""
        if not (self.before.evidence.of(self.summary.probe) and self.after.evidence.of(self.summary.probe)):
            return
        yield from (self._asked(name, given[1]) for name, given in self._given.items() if self._is_wanted(given[1]))
        known = {*self._given}
        rest = [name for name in self._checked if _base_of(name, known) is None]
        if rest or not self._says:
            yield from self._jackknifed(rest)
        for name in self._checked:
            base = _base_of(name, known)
            if base is not None and base != name:
                yield self._of_slice(name, base)

    @cached_property
    def _checked(self) -> list[str]:
        """The checks that are about one of its quantities."""
        return [name for name in self.bounds if quantity_of(name) in self.summary.quantities]

    @cached_property
    def _sides(self) -> tuple[dict[str, Contributions] | None, ...]:
        given = [self.summary.contributions(night.evidence, night.setting) for night in (self.before, self.after)]
        return tuple(None if some is None else {made.name: made for made in some} for some in given)

    @property
    def _says(self) -> bool:
        """Whether the summary says what documents add."""
        return all(side is not None for side in self._sides)

    @cached_property
    def _given(self) -> dict[str, tuple[Contributions, Contributions]]:
        """Name → what documents add in either run, of the numbers that both have."""
        one, other = (side or {} for side in self._sides)
        return {name: (one[name], made) for name, made in other.items() if made.ids and name in one and one[name].ids}

    @cached_property
    def _families(self) -> Counter[str]:
        return Counter(made.quantity.name for _, made in self._given.values())

    def _is_wanted(self, made: Contributions) -> bool:
        few = self._families[made.quantity.name] <= MOST_LABELS
        return made.name in self.bounds or (made.quantity.compared and few)

    def _asked(self, name: str, made: Contributions) -> Asked:
        title = say(made.quantity.title, label=made.label) if made.label else say(made.quantity.title)
        return self._with_pair(self._described(name, title, made.quantity), name, self.ids)

    def _of_slice(self, name: str, base: str) -> Asked:
        column, _, value = name[len(base) + 1 : -1].partition("=")
        whole = self._asked(base, self._given[base][1])
        title = say("{number}, {column} {value}", number=whole.title, column=column, value=value)
        members = {d.id for d in self.after.evidence.documents if d.metadata.get(column) == value}
        within = {later: earlier for later, earlier in self.ids.items() if later in members}
        return self._with_pair(self._described(name, title, whole.quantity), base, within)

    def _with_pair(self, asked: Asked, base: str, ids: Mapping[str, str]) -> Asked:
        """With the rows of the documents that add to the number in both runs."""
        before, after = self._given[base]
        rows = {name: row for row, name in enumerate(before.ids)}
        both = [(rows[ids[name]], row) for row, name in enumerate(after.ids) if ids.get(name) in rows]
        if not both:
            return replace(asked, reason=say(_NO_DOCUMENT))
        if before.features.shape[1] != after.features.shape[1]:
            return replace(asked, n=len(both), reason=say(_OTHER_TERMS))
        earlier, later = np.array(both).T
        pair = Pair(before.settle(before.features[earlier]), after.settle(after.features[later]), after.statistic)
        n = int(((pair.before != 0) | (pair.after != 0)).any(axis=1).sum())
        return replace(asked, n=n, pair=pair)

    def _jackknifed(self, checked: Sequence[str]) -> Iterator[Asked]:
        """The compared ones of a summary that does not say what documents add, and the checked ones of any."""
        collected = jackknifed(self.summary, self.before, self.after, self.ids)
        for name, (number, pair) in collected.items():
            quantity = quantity_of(name)
            if quantity and (name in checked or (quantity.compared and not self._says)):
                yield replace(
                    self._described(name, number.title, quantity), n=len(self.ids), pair=pair, is_by_document=False
                )

    def _described(self, name: str, title: str, quantity: Quantity) -> Asked:
        bound = self.bounds.get(name)
        better = better_side(quantity, bound) if bound else quantity.better
        return Asked(name, title, quantity, self.summary.probe, better, bound is not None)


def _base_of(name: str, known: Iterable[str]) -> str | None:
    """The known number that a name is, or is a slice of: labels and values are data and hold braces of their own."""
    return name if name in known else next((one for one in known if name.startswith(f"{one}{{")), None)
