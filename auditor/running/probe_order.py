"""In which order probes run: each behind those whose rows it reads."""

from collections.abc import Sequence
from itertools import pairwise
from typing import TYPE_CHECKING

from auditor.errors import ProbeError
from auditor.probes.contract import Gathers, gathered, predecessors

if TYPE_CHECKING:
    from auditor.probes.contract import AnyProbe


def ordered(probes: Sequence["AnyProbe"]) -> tuple["AnyProbe", ...]:
    """The probes, each behind those whose rows it reads; otherwise as they were given.

    Raises:
        ProbeError: One reads the rows of a probe that does not run, or some read each other's in a circle.
    """
    _require_all(probes)
    waiting, ready = list(probes), []
    while waiting:
        names = {probe.name for probe in waiting}
        following = next((probe for probe in waiting if names.isdisjoint(predecessors(probe, probes))), None)
        if following is None:
            raise ProbeError(_circle(waiting))
        ready.append(following)
        waiting = [probe for probe in waiting if probe is not following]
    return tuple(ready)


def _require_all(probes: Sequence["AnyProbe"]) -> None:
    names = {probe.name for probe in probes}
    for probe in probes:
        if isinstance(probe, Gathers) and not gathered(probe, probes):
            raise ProbeError(
                f"probes.{probe.name}: reads the rows of every probe that yields an {probe.gathers.__name__}, and none "
                f"of these runs; add one, such as [probes.lime], or leave {probe.name} out"
            )
        for name in predecessors(probe, probes):
            if name not in names:
                raise ProbeError(
                    f"probes.{probe.name}: reads what the probe {name} finds in the same documents, which does not "
                    f"run; add a table [probes.{name}], or leave {probe.name} out"
                )


def _circle(waiting: Sequence["AnyProbe"]) -> str:
    """The message that no order is possible: which probe reads which, along one circle."""
    reads = {probe.name: predecessors(probe, waiting) for probe in waiting}
    walk = [waiting[0].name]
    while walk.count(walk[-1]) < 2:
        walk.append(next(name for name in reads[walk[-1]] if name in reads))
    circle = walk[walk.index(walk[-1]) :]
    steps = ", ".join(f"{a} reads {b}" for a, b in pairwise(circle))
    return f"probes.{circle[0]}: no order is possible, since {steps}; leave one of them out, and tell who wrote it"
