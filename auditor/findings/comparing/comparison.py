"""Compares two runs: what the plans say, which documents both have, numbers, answers, explanations."""

from collections.abc import Mapping, Sequence

from auditor.errors import StoreError
from auditor.findings.comparing.answers import flips
from auditor.findings.comparing.asked import asked_numbers
from auditor.findings.comparing.drift import drifts
from auditor.findings.comparing.grounds import grounds
from auditor.findings.comparing.heads import heads
from auditor.findings.comparing.movements import movements
from auditor.findings.comparing.nights import Night
from auditor.findings.comparing.numbers import ALPHA, differences
from auditor.findings.comparing.pairing import pair_documents
from auditor.findings.comparing.types import Difference, RunComparison
from auditor.languages import plural, say, speaking
from auditor.languages.numbers import listed

_NAMED = 3


def compare(before: Night, after: Night, floors: Mapping[str, float] | None = None) -> RunComparison:
    """What changed from one run to another, in the language of the later one.

    Args:
        before: The earlier run, or the baseline.
        after: The later run.
        floors: Name of a number → the smallest difference that is an alarm; others have that of their unit.

    Raises:
        StoreError: The runs are of different tasks, or have no document in common.
    """
    if before.plan.task != after.plan.task:
        raise StoreError(
            f"{after.plan.run_id}: is about {after.plan.task}, and {before.plan.run_id} about {before.plan.task}; only "
            "runs of one task can be compared"
        )
    with speaking(after.context.presentation.language):
        return _compare(before, after, floors or {})


def _compare(before: Night, after: Night, floors: Mapping[str, float]) -> RunComparison:
    pairing, known = pair_documents(before.evidence, after.evidence), grounds(before.plan, after.plan)
    if not pairing.ids:
        if known.has_other_labels:
            raise StoreError(
                f"{after.plan.run_id}: has other labels than {before.plan.run_id}, so that no document has the same "
                "reference; after renaming labels, choose a new baseline with `auditor baseline set RUN`"
            )
        raise StoreError(
            f"{after.plan.run_id}: has no document in common with {before.plan.run_id}: documents are paired by id and "
            "text; compare runs of one corpus"
        )
    asked = asked_numbers(before, after, pairing.ids, known)
    numbers = differences(asked, floors, after.plan.seed, is_same_model=known.is_same_model)
    result = _result(numbers)
    return RunComparison(
        presentation=after.context.presentation,
        before=before.identity,
        after=after.identity,
        result=result,
        headline=_headline(result, numbers),
        circumstances=known.circumstances,
        documents=pairing.changes,
        numbers=numbers,
        n_corrected=sum(one.judged for one in numbers),
        alpha=ALPHA,
        flips=flips(before, after, pairing.ids),
        drifts=tuple(drifts(before, after, pairing.ids, known)),
        heads=tuple(heads(before, after, pairing.ids, known)),
        movements=tuple(movements(before, after, pairing.ids, known)),
    )


def _result(numbers: Sequence[Difference]) -> str:
    if any(one.judged and one.change == "worse" for one in numbers):
        return "worse"
    return "not established" if any(one.declared and one.change == "not compared" for one in numbers) else "not worse"


def _headline(result: str, numbers: Sequence[Difference]) -> str:
    worse = [one.title for one in numbers if one.judged and one.change == "worse"]
    missing = [one.title for one in numbers if one.declared and one.change == "not compared"]
    judged = [one for one in numbers if one.judged]
    if result == "worse":
        return plural(
            len(judged),
            "The only number that is judged got worse: {names}",
            "{worse} of {n} numbers got worse by more than chance: {names}",
            worse=len(worse),
            names=_named(worse),
        )
    if result == "not established":
        return say("Not established: {names} could not be compared", names=_named(missing))
    return plural(
        len(judged),
        "The only number that is judged did not get worse by more than chance",
        "None of {n} numbers got worse by more than chance",
    )


def _named(titles: Sequence[str]) -> str:
    more = [plural(len(titles) - _NAMED, "{n} more", "{n} more")] if len(titles) > _NAMED else []
    return listed([*titles[:_NAMED], *more])
