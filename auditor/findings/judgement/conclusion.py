"""What page one concludes, topic by topic, each sentence with its numbers and the section that has the evidence.

Brackets hold 95 % intervals.

sign-off          may the model be signed off, on the checks that were declared before the run
established       checks that hold over their whole intervals, the one closest to its bound with its numbers
not established   checks that an interval leaves open or nothing could be measured for, and probes that measured too few
weakest slice     the group of documents with the worst value (`auditor.findings.judgement.weakest_slice`)
since baseline    whether a number got worse than the baseline's, by more than chance
summaries         what each probe's summary concludes (`Summary.point`, of the pointers with a topic)
"""

from collections.abc import Callable, Collection, Iterator, Sequence
from dataclasses import dataclass
from functools import reduce

from auditor.findings.contract.context import Baseline
from auditor.findings.contract.numbers import on_scale
from auditor.findings.contract.types import Check, Coverage, Pointer, SliceRow, Verdict, Waiver
from auditor.findings.judgement.pointers import CHANGED, WAIVERS, Severity, section_of
from auditor.findings.judgement.verdict import INCOMPLETE, fails, is_incomplete, waits
from auditor.findings.judgement.waivers import BROKEN, SEVERITIES, sentences
from auditor.findings.judgement.weakest_slice import conclude_on_slices
from auditor.findings.wording.sentences import bound, checked, probe, titled
from auditor.languages import plural, say
from auditor.languages.numbers import count, listed, paragraph

NAMED = 3
"""Checks of one result that a sentence names; the rest are counted."""


@dataclass(frozen=True, slots=True)
class Decided:
    """What decides besides checks and coverage."""

    baseline: Baseline | None = None
    """The run that this one was compared with."""
    waivers: tuple[Waiver, ...] = ()


NOTHING_DECIDED = Decided()


def conclude(
    verdict: Verdict,
    checks: Sequence[Check],
    coverage: Sequence[Coverage],
    slices: Sequence[SliceRow],
    references: Collection[str] = (),
    decided: Decided = NOTHING_DECIDED,
) -> Iterator[Pointer]:
    """What follows from the verdict, the checks, the coverage and the slices.

    Args:
        verdict: Of the checks and the coverage.
        checks: All of them.
        coverage: A row per probe.
        slices: A row per group of documents.
        references: The probes that asked a reference model.
        decided: What else decides.
    """
    checks = [c.model_copy(update={"title": titled(c.name, c.title, references)}) for c in checks]
    yield _sign_off(verdict, checks, coverage, decided.waivers)
    established = _passing(checks)
    if established:
        yield _concluded("pass", say("Established"), established)
    still_open = paragraph(_open(checks, coverage))
    if still_open and checks:
        yield _concluded("watch", say("Not established"), still_open)
    yield conclude_on_slices(slices, checks)
    if decided.baseline is not None:
        yield _since(decided.baseline)
    if decided.waivers:
        yield _of_waivers(decided.waivers)


def _since(baseline: Baseline) -> Pointer:
    text = say("{sentence}.", sentence=baseline.headline) if baseline.headline else baseline.reason
    severity: Severity = "watch" if baseline.worse or baseline.reason else "note"
    return _concluded(severity, say("Since the baseline"), text, CHANGED)


def _concluded(severity: Severity, topic: str, text: str, section: str = "") -> Pointer:
    return Pointer(severity=severity, topic=topic, text=text, section=section)


def _of_waivers(waivers: Sequence[Waiver]) -> Pointer:
    severities = [SEVERITIES[one.state] for one in waivers]
    worst: Severity = "fail" if "fail" in severities else "watch" if "watch" in severities else "note"
    text = say("{sentence}.", sentence=_joined(list(sentences(waivers))))
    return _concluded(worst, say("Waivers"), text, WAIVERS)


def _sign_off(
    verdict: Verdict, checks: Sequence[Check], coverage: Sequence[Coverage], waivers: Sequence[Waiver]
) -> Pointer:
    topic, result = say("Sign-off"), verdict.result
    if result == "pass":
        text = say("Nothing that was declared stands against it: no check fails, and none is open.")
        return _concluded("pass", topic, text)
    if result == "pass with conditions":
        return _concluded("watch", topic, say("Only with a decision on {checks}.", checks=_named_open(checks)))
    if result == "fail":
        failed = [check for check in checks if fails(check, waivers)]
        broken = [one for one in waivers if one.state in BROKEN]
        reasons = [*map(failing, failed), *sentences(broken)]
        section = section_of(failed[0].name) if failed else WAIVERS
        return _concluded("fail", topic, say("No: {reasons}.", reasons=_joined(reasons)), section)
    return _concluded("watch", topic, _undecided(checks, coverage))


def _undecided(checks: Sequence[Check], coverage: Sequence[Coverage]) -> str:
    """Why the evidence decides nothing."""
    if not checks:
        return say("Not on this evidence: no bound was set before the run, so none of the numbers is judged.")
    unjudged = [check.title for check in checks if check.result == "not judged"]
    if unjudged:
        return say("Not on this evidence: {checks} could not be judged.", checks=listed(_first(unjudged)))
    probes = [probe(row.probe) for row in coverage if is_incomplete(row)]
    return say("Not on this evidence: too few documents were measured by {probes}.", probes=listed(_first(probes)))


def _named_open(checks: Sequence[Check]) -> str:
    is_open = (check.result in ("watch", "fail") or (check.required and waits(check)) for check in checks)
    return listed(_first([check.title for check, still in zip(checks, is_open, strict=True) if still]))


def _open(checks: Sequence[Check], coverage: Sequence[Coverage]) -> Iterator[str]:
    """What the evidence leaves open, a sentence for each kind."""
    advisory = [check for check in checks if check.result == "fail" and not check.required]
    for chosen, put in (
        ([check for check in checks if check.result == "not judged"], _unjudged),
        ([check for check in checks if check.result == "watch"], _straddling),
        (advisory, _not_required),
    ):
        if chosen:
            yield _sentence(chosen, put)
    yield from (_missing(row) for row in coverage if is_incomplete(row))


def _sentence(checks: Sequence[Check], put: Callable[[Check], str]) -> str:
    """One sentence on these checks, the required ones first."""
    ordered = sorted(checks, key=lambda check: not check.required)
    return say("{sentence}.", sentence=_joined([put(check) for check in ordered]))


def _joined(clauses: Sequence[str]) -> str:
    """The first clauses, and how many more."""
    return reduce(lambda left, right: say("{left}; {right}", left=left, right=right), _first(clauses))


def _first(clauses: Sequence[str]) -> list[str]:
    rest = len(clauses) - NAMED
    return [*clauses[:NAMED], *([say("{count} more", count=count(rest))] if rest > 0 else [])]


def demand(check: Check) -> str:
    """The bound in words: "at least 0.8"."""
    limit = bound(check.bound)
    return (
        say("at least {limit}", limit=limit) if check.direction == "at_least" else say("at most {limit}", limit=limit)
    )


def failing(check: Check) -> str:
    """How far a value is from what was asked."""
    values = {"title": check.title, "value": checked(check, is_brief=True), "demand": demand(check)}
    return say("{title} is {value}, where {demand} was asked", **values)


def _not_required(check: Check) -> str:
    return say("{clause} (not required)", clause=failing(check))


def _straddling(check: Check) -> str:
    return say(
        "{title} is {value}, which leaves open whether it is {demand}",
        title=check.title,
        value=checked(check, is_brief=True),
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
    values = {"title": closest.title, "value": checked(closest, is_brief=True), "demand": demand(closest)}
    if len(passing) == 1:
        return say("{title} is {value}, {demand} over its whole interval.", **values)
    return say(
        "{n} checks hold over their whole intervals; closest to its bound: {title}, {value}, {demand}.",
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
