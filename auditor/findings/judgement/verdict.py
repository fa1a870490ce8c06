"""The answer to whoever must sign.

    fail                   a required check fails that nobody waives, or a waiver has expired or matches nothing
    not established        no check was declared or none could be judged, a required check is not judged, or a probe
                           failed on more than 5 % of its documents or was stopped before it had seen them all
    pass with conditions   a check straddles its bound, one that is not required or is waived fails, or one waits for a
                           baseline
    pass                   otherwise

The first that applies holds. Beside others that were judged, a check that is not required and not judged changes
nothing, but is named; so does one that waits for a baseline, for a run must pass to become the first one.
"""

from collections.abc import Sequence
from functools import reduce
from typing import Literal

from auditor.findings.contract.numbers import without_baseline
from auditor.findings.contract.types import Check, Coverage, Result, Verdict, Waiver
from auditor.findings.judgement.waivers import BROKEN, applied
from auditor.languages import N_, plural, say
from auditor.languages.numbers import count, listed

INCOMPLETE = 0.05
"""Share of a probe's measurable documents that may be missing before the rest no longer speaks for the corpus."""

_NAMED = 2
Outcome = Literal["pass", "pass with conditions", "fail", "not established"]

_ALONE: dict[Result, str] = {
    "pass": N_("The declared check passes"),
    "watch": N_("The declared check needs a decision before sign-off"),
    "fail": N_("The declared check fails"),
    "not judged": N_("The declared check could not be judged"),
}


def decide(checks: Sequence[Check], coverage: Sequence[Coverage], waivers: Sequence[Waiver] = ()) -> Verdict:
    """The verdict and its headline."""
    return Verdict(result=_result(checks, coverage, waivers), headline=_headline(checks, coverage, waivers))


def fails(check: Check, waivers: Sequence[Waiver]) -> bool:
    """Whether a check fails the run: it is required, and nobody waives it."""
    return check.result == "fail" and check.required and check.id not in applied(waivers)


def is_incomplete(row: Coverage) -> bool:
    """Whether too much of what the probe could measure is missing."""
    return row.measured < (1 - INCOMPLETE) * (row.asked - row.not_measurable)


def waits(check: Check) -> bool:
    """Whether it could not be judged since there was no baseline yet."""
    return without_baseline(check.name) != check.name and not check.baseline


def _result(checks: Sequence[Check], coverage: Sequence[Coverage], waivers: Sequence[Waiver]) -> Outcome:
    required = {check.result for check in checks if check.required and not waits(check)}
    if any(fails(check, waivers) for check in checks) or any(one.state in BROKEN for one in waivers):
        return "fail"
    is_unjudged = all(check.result == "not judged" for check in checks)
    if is_unjudged or "not judged" in required or any(map(is_incomplete, coverage)):
        return "not established"
    is_open = any(check.result in ("watch", "fail") or (check.required and waits(check)) for check in checks)
    return "pass with conditions" if is_open else "pass"


def _headline(checks: Sequence[Check], coverage: Sequence[Coverage], waivers: Sequence[Waiver]) -> str:
    broken = [one.finding for one in waivers if one.state in BROKEN]
    if broken:
        return plural(
            len(broken),
            "{results}; {n} waiver has expired or matches nothing: {findings}.",
            "{results}; {n} waivers have expired or match nothing: {findings}.",
            results=_count_results(checks) if checks else say("No checks were declared"),
            findings=listed(broken[:_NAMED]),
        )
    if not checks:
        return say("No checks were declared: there is nothing to hold the numbers against.")
    results = _count_results(checks)
    if n_waived := sum(check.result == "fail" and check.id in applied(waivers) for check in checks):
        results = plural(
            n_waived, "{results}; {n} failure is waived", "{results}; {n} failures are waived", results=results
        )
    if any(map(is_incomplete, coverage)):
        return say("{results}, but too few documents were measured.", results=results)
    return say("{sentence}.", sentence=results)


def _count_results(checks: Sequence[Check]) -> str:
    n = {kind: sum(check.result == kind for check in checks) for kind in _ALONE}
    if len(checks) == 1:
        return say(_ALONE[checks[0].result])
    if n["pass"] == len(checks):
        return say("Both checks pass") if len(checks) == 2 else say("All {n} checks pass", n=count(len(checks)))
    declared = plural(len(checks), "{n} check", "{n} checks")
    parts = [plural(n["pass"], "{n} of {checks} passes", "{n} of {checks} pass", checks=declared)]
    if n["fail"]:
        parts.append(plural(n["fail"], "{n} fails", "{n} fail"))
    if n["watch"]:
        parts.append(plural(n["watch"], "{n} needs a decision before sign-off", "{n} need a decision before sign-off"))
    if n["not judged"]:
        parts.append(say("{n} could not be judged", n=count(n["not judged"])))
    return reduce(lambda left, right: say("{left}, {right}", left=left, right=right), parts)
