"""The answer to whoever must sign.

    fail                   a required check fails
    not established        no check was declared or none could be judged, a required check is not judged, or a probe
                           failed on more than 5 % of its documents or was stopped before it had seen them all
    pass with conditions   a check straddles its bound, or one that is not required fails
    pass                   otherwise

The first that applies holds. Beside others that were judged, a check that is not required and not judged changes
nothing, but is named.
"""

from collections.abc import Callable, Sequence
from functools import reduce
from typing import Literal

from auditor.findings.contract.numbers import on_scale
from auditor.findings.contract.types import Check, Coverage, Result, Verdict
from auditor.findings.judgement.pointers import demand, failing
from auditor.findings.wording.sentences import bound, checked, probe
from auditor.languages import N_, plural, say
from auditor.languages.numbers import count, paragraph

INCOMPLETE = 0.05
"""Share of a probe's measurable documents that may be missing before the rest no longer speaks for the corpus."""

NAMED = 3
"""Checks of one result that the explanation names; the rest are counted."""

Outcome = Literal["pass", "pass with conditions", "fail", "not established"]

_ALONE: dict[Result, str] = {
    "pass": N_("The declared check passes"),
    "watch": N_("The declared check needs a decision before sign-off"),
    "fail": N_("The declared check fails"),
    "not judged": N_("The declared check could not be judged"),
}


def decide(checks: Sequence[Check], coverage: Sequence[Coverage]) -> Verdict:
    """The verdict, with headline and one paragraph."""
    result = _result(checks, coverage)
    return Verdict(result=result, headline=_headline(checks, coverage), explanation=_explain(checks, coverage))


def is_incomplete(row: Coverage) -> bool:
    """Whether too much of what the probe could measure is missing."""
    return row.measured < (1 - INCOMPLETE) * (row.asked - row.not_measurable)


def _result(checks: Sequence[Check], coverage: Sequence[Coverage]) -> Outcome:
    required = {check.result for check in checks if check.required}
    if "fail" in required:
        return "fail"
    is_unjudged = all(check.result == "not judged" for check in checks)
    if is_unjudged or "not judged" in required or any(map(is_incomplete, coverage)):
        return "not established"
    return "pass with conditions" if any(check.result in ("watch", "fail") for check in checks) else "pass"


def _headline(checks: Sequence[Check], coverage: Sequence[Coverage]) -> str:
    if not checks:
        return say("No checks were declared: there is nothing to hold the numbers against.")
    results = _count_results(checks)
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


def _explain(checks: Sequence[Check], coverage: Sequence[Coverage]) -> str:
    sentences = [
        _sentence(checks, "fail", _failing),
        _sentence(checks, "not judged", _unjudged),
        _sentence(checks, "watch", _straddling),
        _passing(checks),
        *(_missing(row) for row in coverage if is_incomplete(row)),
    ]
    if not checks:
        unbound = say("The numbers below are measured, but no bound was set before the run, so none is judged.")
        sentences.insert(0, unbound)
    return paragraph(sentences)


def _sentence(checks: Sequence[Check], result: str, put: Callable[[Check], str]) -> str:
    """One sentence on all checks with this result, the required ones first."""
    chosen = sorted((check for check in checks if check.result == result), key=lambda check: not check.required)
    clauses = [put(check) for check in chosen[:NAMED]]
    if not clauses:
        return ""
    if len(chosen) > NAMED:
        clauses.append(say("and {count} more", count=count(len(chosen) - NAMED)))
    joined = reduce(lambda left, right: say("{left}; {right}", left=left, right=right), clauses)
    return say("{sentence}.", sentence=joined)


def _failing(check: Check) -> str:
    return failing(check) if check.required else say("{clause} (not required)", clause=failing(check))


def _straddling(check: Check) -> str:
    return say(
        "{title} is {value}, which leaves open whether it is {demand}",
        title=check.title,
        value=checked(check),
        demand=demand(check),
    )


def _unjudged(check: Check) -> str:
    values = {"title": check.title, "reason": check.reason[:1].lower() + check.reason[1:].rstrip(".。")}
    if check.required:
        return say("{title} is not judged: {reason}", **values)
    return say("{title} is not judged (and not required): {reason}", **values)


def _passing(checks: Sequence[Check]) -> str:
    """The checks that pass, the one closest to its bound named with its numbers."""
    passing = [check for check in checks if check.result == "pass" and check.number]
    if not passing:
        return ""
    closest = min(passing, key=_margin)
    values = {"title": closest.title, "value": checked(closest), "demand": demand(closest)}
    if len(passing) == 1:
        return say("{title} passes: {value} against {demand}.", **values)
    if len(passing) == len(checks):
        return say(
            "All checks hold over their whole intervals; the closest to its bound is {title}, {value} against "
            "{demand}.",
            **values,
        )
    return say(
        "The other {n} checks hold over their whole intervals; the closest to its bound is {title}, {value} against "
        "{demand}.",
        n=count(len(passing)),
        **values,
    )


def _margin(check: Check) -> float:
    """Distance from the bound to the nearer end, in widths of the interval."""
    number = check.number
    if number is None or number.compared.low is None or number.compared.high is None:
        return float("inf")
    low, high, limit = number.compared.low, number.compared.high, on_scale(number, check.bound)
    distance = low - limit if check.direction == "at_least" else limit - high
    return distance / max(high - low, 1e-12)


def _missing(row: Coverage) -> str:
    return plural(
        row.asked,
        "The {probe} probe measured only {measured} of {n} document, fewer than {least} in 100, so the rest cannot be "
        "said to speak for them.",
        "The {probe} probe measured only {measured} of {n} documents, fewer than {least} in 100, so the rest cannot be "
        "said to speak for them.",
        probe=probe(row.probe),
        measured=count(row.measured),
        least=bound(100 * (1 - INCOMPLETE)),
    )
