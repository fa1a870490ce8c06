"""Does a measured number keep what was demanded of it before the run?

pass         the whole interval lies on the right side of the bound (touching it is right)
fail         the whole interval lies on the wrong side
watch        the interval straddles the bound: these documents cannot decide it
not judged   no value, no interval, fewer than 10 documents (30 for a slice), or no number of that name

Perplexities are held against the logarithm of the bound, in nats.

`not_worse_than_baseline_by = m` is a bound on the difference to the baseline, over the documents that both runs have:
at least −m where high values are better, at most m where low ones are. Without a baseline, or where the comparison
would be false, it is not judged.
"""

from collections.abc import Iterator, Mapping, Sequence

from auditor.findings.contract.context import Baseline
from auditor.findings.contract.numbers import is_of_slice, nearest, on_scale, since_baseline
from auditor.findings.contract.quantity import better_side
from auditor.findings.contract.registry import quantity_of
from auditor.findings.contract.types import Check, Number, Result
from auditor.findings.slicing.slices import LEAST_JUDGED
from auditor.findings.wording.digits import digits_beside
from auditor.findings.wording.sentences import bound as say_bound
from auditor.findings.wording.sentences import listing, measured
from auditor.languages import plural, say
from auditor.records.plan import Bound

LEAST_DOCUMENTS = 10


def judge_all(
    numbers: Sequence[Number], bounds: Mapping[str, Bound], baseline: Baseline | None = None
) -> tuple[Check, ...]:
    """One check for every bound, in the order they were declared; that against the baseline behind the other."""
    by_name = {number.name: number for number in numbers}
    return tuple(check for name, bound in bounds.items() for check in _checks(name, by_name, bound, baseline))


def _checks(name: str, numbers: Mapping[str, Number], bound: Bound, baseline: Baseline | None) -> Iterator[Check]:
    if bound.direction:
        yield _check(name, numbers.get(name), bound, numbers)
    if bound.not_worse_than_baseline_by is not None:
        title = numbers[name].title if name in numbers else name
        yield _against_baseline(name, title, bound, bound.not_worse_than_baseline_by, baseline)


def _against_baseline(name: str, title: str, bound: Bound, most: float, baseline: Baseline | None) -> Check:
    quantity = quantity_of(name)
    is_better_high = quantity is None or better_side(quantity, bound) == "high"
    demanded = Bound(at_least=0.0 - most) if is_better_high else Bound(at_most=most)
    number = baseline.differences.get(name) if baseline else None
    result, reason = judge(number, demanded) if number else ("not judged", _not_compared(name, baseline))
    return Check(
        id=f"checks.{name}.not_worse_than_baseline_by",
        name=since_baseline(name),
        title=number.title if number else say("{number}, change since the baseline", number=title),
        bound=demanded.value,
        direction=demanded.direction or "at_least",
        required=bound.required,
        number=number,
        result=result,
        reason=reason,
        baseline=baseline.run_id if baseline else "",
    )


def _not_compared(name: str, baseline: Baseline | None) -> str:
    if baseline is None:
        return say("There was no baseline to compare with when the run began.")
    reason = baseline.reason or baseline.reasons.get(name) or say("Only one of the runs has it, or neither.")
    return say("It is not compared with run {run}: {reason}", run=baseline.run_id, reason=reason)


def judge(number: Number, bound: Bound) -> tuple[Result, str]:
    """The result, and one sentence of why."""
    least = LEAST_JUDGED if is_of_slice(number.name) else LEAST_DOCUMENTS
    if not number.is_measured:
        return "not judged", say("It could not be computed: no document has what it needs.")
    if number.n < least:
        return "not judged", plural(
            number.n,
            "It rests on {n} document; at least {least} are needed to judge it.",
            "It rests on {n} documents; at least {least} are needed to judge it.",
            least=least,
        )
    low, high = number.compared.low, number.compared.high
    if low is None or high is None:
        return "not judged", say("There is no interval to hold against the bound.")
    limit = on_scale(number, bound.value)
    right_low, right_high = (end >= limit if bound.direction == "at_least" else end <= limit for end in (low, high))
    if right_low and right_high:
        return "pass", _right_side(number, bound)
    if not right_low and not right_high:
        return "fail", _wrong_side(number, bound)
    return "watch", plural(
        number.n,
        "{value}: the interval contains the bound {bound}, so {n} document cannot decide it.",
        "{value}: the interval contains the bound {bound}, so {n} documents cannot decide it.",
        **_values(number, bound),
    )


def _check(name: str, number: Number | None, bound: Bound, known: Mapping[str, Number]) -> Check:
    result, reason = judge(number, bound) if number else ("not judged", _unknown(name, known))
    return Check(
        id=f"checks.{name}.{bound.direction}",
        name=name,
        title=number.title if number else name,
        bound=bound.value,
        direction=bound.direction or "at_least",
        required=bound.required,
        number=number,
        result=result,
        reason=reason,
    )


def _unknown(name: str, known: Mapping[str, Number]) -> str:
    close = nearest(name, known)
    if not close:
        return say("This run measured no number of this name.")
    return plural(
        len(close),
        "This run measured no number of this name; the nearest is {names}.",
        "This run measured no number of this name; the nearest are {names}.",
        names=listing(close),
    )


def _values(number: Number, bound: Bound) -> dict[str, str]:
    return {"value": measured(number, digits_beside(number, bound.value)), "bound": say_bound(bound.value)}


def _right_side(number: Number, bound: Bound) -> str:
    values = _values(number, bound)
    if bound.direction == "at_least":
        return say("{value}: the whole interval lies at or above {bound}.", **values)
    return say("{value}: the whole interval lies at or below {bound}.", **values)


def _wrong_side(number: Number, bound: Bound) -> str:
    values = _values(number, bound)
    if bound.direction == "at_least":
        return say("{value}: the whole interval lies below {bound}.", **values)
    return say("{value}: the whole interval lies above {bound}.", **values)
