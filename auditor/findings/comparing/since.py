"""What a run's own findings need of its comparison with the baseline: the differences that checks are about."""

from dataclasses import dataclass

from auditor.findings.comparing.nights import Night
from auditor.findings.comparing.types import Difference, RunComparison, RunIdentity
from auditor.findings.contract.context import Baseline
from auditor.findings.contract.numbers import BCA, since_baseline
from auditor.findings.contract.types import Number
from auditor.languages import N_, say

_UNSEEN = N_("no document changed; 95% Wilson interval of 0 of n changed")
_CERTAIN = N_("no document changed, and the same model was asked in the same way")


@dataclass(frozen=True, slots=True)
class Since:
    """The comparison with the baseline, and the runs that it was made from."""

    comparison: RunComparison
    before: Night | None
    """None where the baseline was removed since: then the comparison is the one that was recorded."""
    after: Night


def baseline(comparison: RunComparison) -> Baseline:
    """What checks and page one say of the comparison, in the language that is spoken."""
    measured = [one for one in comparison.numbers if one.difference is not None]
    return Baseline(
        run_id=comparison.before.run_id,
        created=comparison.before.created,
        headline=comparison.headline,
        worse=tuple(one.name for one in comparison.numbers if one.judged and one.change == "worse"),
        differences={one.name: _number(one, comparison.before) for one in measured},
        reasons={one.name: one.reason for one in comparison.numbers if one.difference is None},
    )


def _interval(one: Difference) -> str:
    """How the ends were found; see `auditor.findings.comparing.numbers`."""
    if one.difference != 0 or one.n_changed or one.low is None:
        return say(BCA)
    return say(_UNSEEN) if one.low else say(_CERTAIN)


def _number(one: Difference, before: RunIdentity) -> Number:
    protocol = say(
        "This run less run {run}, over the documents that both have; {interval}",
        run=before.run_id,
        interval=_interval(one),
    )
    return Number(
        name=since_baseline(one.name),
        title=say("{number}, change since the baseline", number=one.title),
        value=one.difference,
        low=one.low,
        high=one.high,
        n=one.n,
        unit="nats" if one.unit == "perplexity" else one.unit,
        protocol=protocol,
    )
