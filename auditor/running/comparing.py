"""A run is compared with the baseline that was settled when it began; both runs' evidence is read once.

A run that is rendered again is compared with the same baseline, wherever the choice is now. Where that run was removed
since, or cannot be read any more, `comparison.json` of before has what it came to.
"""

from auditor.errors import AuditorError, NoSuchRunError, StoreError
from auditor.findings import comparing
from auditor.findings.comparing import Night, Since
from auditor.findings.contract.context import Baseline
from auditor.languages import say, speaking
from auditor.records import baselines
from auditor.records.run import Run
from auditor.records.store import open_run
from auditor.records.sums import COMPARISON
from auditor.running.nights import night


def compare_with_baseline(run: Run, after: Night) -> tuple[Baseline | None, Since | None]:
    """What findings need of the comparison, and the comparison; None where there is none.

    Args:
        run: A run whose baseline is settled; one of before has none.
        after: Its facts.
    """
    name = baselines.settled(run)
    if name is None:
        return None, None
    with speaking(after.context.presentation.language):
        try:
            since = _compared(run, name, after)
        except AuditorError as error:
            return Baseline(name, reason=_sentence(str(error).partition(": ")[2] or str(error))), None
        made = comparing.baseline(since.comparison)
    return made, since


def _compared(run: Run, name: str, after: Night) -> Since:
    try:
        before = night(open_run(run.path.parent / name, run.path.parents[1]))
    except StoreError as error:
        recorded = _recorded(run, name)
        if recorded is not None:
            return Since(recorded, None, after)
        if not isinstance(error, NoSuchRunError):
            raise
        gone = say("The run {run} was removed before this one was compared.", run=name)
        raise StoreError(f"{run.path}: {gone}") from error
    return Since(comparing.compare(before, after), before, after)


def _sentence(text: str) -> str:
    return f"{text[:1].upper()}{text[1:]}{'' if text.endswith(('.', '。')) else '.'}"


def _recorded(run: Run, name: str) -> comparing.RunComparison | None:
    try:
        recorded = comparing.read(run.read_bytes(COMPARISON))
    except StoreError:
        return None
    return recorded if recorded.before.run_id == name else None
