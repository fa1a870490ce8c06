"""The answer to whoever must sign.

    fail                   a required check fails
    not established        no check was declared, a required check is not judged, or a probe failed on more than 5 % of
                           its documents or was stopped before it had seen them all
    pass with conditions   a check straddles its bound, or one that is not required fails
    pass                   otherwise

The first that applies holds. A check that is not required and not judged changes nothing, but is named.
"""

from collections.abc import Callable, Sequence
from typing import Literal

from auditor.findings.pointers import demand
from auditor.findings.types import Check, Coverage, Result, Verdict
from auditor.findings.wording import bound, count, measured

INCOMPLETE = 0.05
"""Share of a probe's documents that may be missing before the rest no longer speaks for the corpus."""

NAMED = 3
"""Checks of one result that the explanation names; the rest are counted."""

Outcome = Literal["pass", "pass with conditions", "fail", "not established"]

_ALONE: dict[Result, str] = {
    "pass": "passes",
    "watch": "needs a decision before sign-off",
    "fail": "fails",
    "not judged": "could not be judged",
}


def decide(checks: Sequence[Check], coverage: Sequence[Coverage]) -> Verdict:
    """The verdict, with headline and one paragraph."""
    result = _result(checks, coverage)
    return Verdict(result=result, headline=_headline(checks, coverage), explanation=_explain(checks, coverage))


def is_incomplete(row: Coverage) -> bool:
    """Whether too much of what the probe was asked is missing."""
    return row.measured < (1 - INCOMPLETE) * row.asked


def _result(checks: Sequence[Check], coverage: Sequence[Coverage]) -> Outcome:
    required = {check.result for check in checks if check.required}
    if "fail" in required:
        return "fail"
    if not checks or "not judged" in required or any(map(is_incomplete, coverage)):
        return "not established"
    return "pass with conditions" if any(check.result in ("watch", "fail") for check in checks) else "pass"


def _headline(checks: Sequence[Check], coverage: Sequence[Coverage]) -> str:
    if not checks:
        return "No checks were declared: there is nothing to hold the numbers against."
    missing = ", but too few documents were measured" if any(map(is_incomplete, coverage)) else ""
    return f"{_count_results(checks)}{missing}."


def _count_results(checks: Sequence[Check]) -> str:
    n = {kind: sum(check.result == kind for check in checks) for kind in _ALONE}
    if len(checks) == 1:
        return f"The declared check {_ALONE[checks[0].result]}"
    if n["pass"] == len(checks):
        return "Both checks pass" if len(checks) == 2 else f"All {len(checks):,} checks pass"
    parts = [f"{n['pass']:,} of {count(len(checks), 'check')} {_verb(n['pass'], 'pass', 'passes')}"]
    if n["fail"]:
        parts.append(f"{n['fail']:,} {_verb(n['fail'], 'fail', 'fails')}")
    if n["watch"]:
        parts.append(f"{n['watch']:,} {_verb(n['watch'], 'need', 'needs')} a decision before sign-off")
    if n["not judged"]:
        parts.append(f"{n['not judged']:,} could not be judged")
    return ", ".join(parts)


def _explain(checks: Sequence[Check], coverage: Sequence[Coverage]) -> str:
    sentences = [
        _sentence(checks, "fail", _failing),
        _sentence(checks, "not judged", _unjudged),
        _sentence(checks, "watch", _straddling),
        _passing(checks),
        *(_missing(row) for row in coverage if is_incomplete(row)),
    ]
    if not checks:
        sentences.insert(0, "The numbers below are measured, but no bound was set before the run, so none is judged.")
    return " ".join(sentence for sentence in sentences if sentence)


def _sentence(checks: Sequence[Check], result: str, say: Callable[[Check], str]) -> str:
    """One sentence on all checks with this result, the required ones first."""
    chosen = sorted((check for check in checks if check.result == result), key=lambda check: not check.required)
    said = [say(check) for check in chosen[:NAMED]]
    said += [f"and {len(chosen) - NAMED:,} more"] if len(chosen) > NAMED else []
    return f"{'; '.join(said)}." if said else ""


def _failing(check: Check) -> str:
    value = measured(check.number) if check.number else "not measured"
    optional = "" if check.required else " (not required)"
    return f"{check.title} is {value}, where {demand(check)} was asked{optional}"


def _straddling(check: Check) -> str:
    value = measured(check.number) if check.number else "not measured"
    return f"{check.title} is {value}, which leaves open whether it is {demand(check)}"


def _unjudged(check: Check) -> str:
    reason = check.reason[:1].lower() + check.reason[1:].rstrip(".")
    return f"{check.title} is not judged{'' if check.required else ' (and not required)'}: {reason}"


def _passing(checks: Sequence[Check]) -> str:
    """The checks that pass, the one closest to its bound named with its numbers."""
    passing = [check for check in checks if check.result == "pass" and check.number]
    if not passing:
        return ""
    closest = min(passing, key=_margin)
    number = closest.number
    value = measured(number) if number else ""
    against = f"{closest.title}, {value} against {demand(closest)}"
    if len(passing) == 1:
        return f"{closest.title} passes: {value} against {demand(closest)}."
    others = "All checks hold" if len(passing) == len(checks) else f"The other {len(passing):,} checks hold"
    return f"{others} over their whole intervals; the closest to its bound is {against}."


def _margin(check: Check) -> float:
    """Distance from the bound to the nearer end, in widths of the interval."""
    number = check.number
    if number is None or number.low is None or number.high is None:
        return float("inf")
    distance = number.low - check.bound if check.direction == "at_least" else check.bound - number.high
    return distance / max(number.high - number.low, 1e-12)


def _missing(row: Coverage) -> str:
    title = "LIME" if row.probe == "lime" else row.probe
    return (
        f"The {title} probe measured only {row.measured:,} of {count(row.asked, 'document')}, "
        f"fewer than {bound(100 * (1 - INCOMPLETE))} in 100, so the rest cannot be said to speak for them."
    )


def _verb(n: int, plural: str, singular: str) -> str:
    return singular if n == 1 else plural
