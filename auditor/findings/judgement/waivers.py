"""What became of the waivers: failures that somebody answers for until a day.

applied      its finding failed, and does not fail the run
not needed   its finding did not fail
expired      its last day is before the day on which the run began; it fails the run
unmatched    it names no check of the run, and no number that runs are compared by; it fails the run

Findings are called by what declares them, so that they have the same id every night: a check by its place in the
configuration (`checks.accuracy.at_least`), a number that got worse than the baseline's by its name
(`baseline.accuracy`).
"""

from collections.abc import Collection, Iterator, Mapping, Sequence
from typing import Literal

from auditor.findings.contract.context import Baseline
from auditor.findings.contract.registry import quantity_of
from auditor.findings.contract.types import Check, Waiver
from auditor.findings.judgement.pointers import Severity
from auditor.languages import N_, say
from auditor.records.plan import PlannedWaiver

State = Literal["applied", "not needed", "expired", "unmatched"]
OF_BASELINE = "baseline."
BROKEN: tuple[State, ...] = ("expired", "unmatched")
STATES: Mapping[State, str] = {
    "applied": N_("applied"),
    "not needed": N_("not needed"),
    "expired": N_("expired"),
    "unmatched": N_("unmatched"),
}
SEVERITIES: Mapping[State, Severity] = {
    "applied": "watch",
    "not needed": "note",
    "expired": "fail",
    "unmatched": "fail",
}
_SENTENCES: Mapping[State, str] = {
    "applied": N_("{finding} is waived until {day} by {owner}: {reason}"),
    "not needed": N_("{finding} is waived until {day} by {owner}, but did not fail"),
    "expired": N_("The waiver of {finding} by {owner} expired on {day}"),
    "unmatched": N_("The waiver of {finding} by {owner} matches no check and no number that is compared"),
}


def waived(
    planned: Sequence[PlannedWaiver], checks: Sequence[Check], baseline: Baseline | None, created: str
) -> tuple[Waiver, ...]:
    """The waivers and what became of them.

    Args:
        planned: As the plan has them.
        checks: Of the run.
        baseline: That it was compared with.
        created: When the run began, ISO 8601.
    """
    declared = {check.id for check in checks}
    failed = {check.id for check in checks if check.result == "fail"}
    failed |= {f"{OF_BASELINE}{name}" for name in (baseline.worse if baseline else ())}
    return tuple(
        Waiver(
            finding=one.finding,
            owner=one.owner,
            expires=one.expires,
            reason=one.reason,
            state=_state(one, declared, failed, created),
        )
        for one in planned
    )


def _state(one: PlannedWaiver, declared: Collection[str], failed: Collection[str], created: str) -> State:
    is_known = one.finding in declared or (
        one.finding.startswith(OF_BASELINE) and quantity_of(one.finding.removeprefix(OF_BASELINE)) is not None
    )
    if not is_known:
        return "unmatched"
    if one.expires < created[:10]:
        return "expired"
    return "applied" if one.finding in failed else "not needed"


def applied(waivers: Sequence[Waiver]) -> frozenset[str]:
    """Ids of the findings that are waived."""
    return frozenset(one.finding for one in waivers if one.state == "applied")


def sentences(waivers: Sequence[Waiver]) -> Iterator[str]:
    """What is said of each; those that fail the run first."""
    for one in sorted(waivers, key=lambda one: list(SEVERITIES.values()).index(SEVERITIES[one.state]), reverse=True):
        values = {"finding": one.finding, "day": one.expires, "owner": one.owner, "reason": one.reason.rstrip(".。")}
        yield say(_SENTENCES[one.state], **values)
