"""Probes are held against what is known, with the parameters of the run, before anything is measured."""

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

from auditor.errors import ProbeError
from auditor.probes.contract import SelfChecks
from auditor.records.proof import SelfCheck

if TYPE_CHECKING:
    from auditor.probes.contract import AnyProbe


def self_checked(probes: Sequence["AnyProbe"]) -> tuple[SelfCheck, ...]:
    """What the probes that can check themselves gave on their toy models.

    Raises:
        ProbeError: One gives something else than what is known.
    """
    return tuple(_checks(probes))


def _checks(probes: Sequence["AnyProbe"]) -> Iterator[SelfCheck]:
    for probe in probes:
        check = probe.self_check() if isinstance(probe, SelfChecks) else None
        if check is None:
            continue
        if not check.passes:
            raise ProbeError(f"probes.{probe.name}: {_fault(check)}")
        yield check


def _fault(check: SelfCheck) -> str:
    far = "" if check.deviation is None else f", and estimates by {check.deviation:.1f} standard errors"
    allowed = "" if check.most_deviation is None else f" and {check.most_deviation:g} standard errors"
    return (
        f"the self-check failed: on toy models weights differ from the known ones by {check.difference:.1e}{far}, "
        f"where {check.tolerance:.0e}{allowed} are allowed; its numbers cannot be trusted on this machine: install the "
        "versions of constraints.txt, and tell who wrote the probe"
    )
