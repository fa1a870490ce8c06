"""Two finished runs read back and compared."""

from collections.abc import Mapping

from auditor.errors import StoreError
from auditor.findings import comparing
from auditor.findings.comparing import Night, RunComparison
from auditor.records.run import Run
from auditor.running.context import context, read_evidence


def compare(before: Run, after: Run, floors: Mapping[str, float] | None = None) -> RunComparison:
    """What changed from one run to another: from their evidence, without torch or the models.

    Args:
        before: The earlier run, or the baseline.
        after: The later run.
        floors: Name of a number → the smallest difference that is an alarm; others have that of their unit.

    Raises:
        StoreError: A run is not finished, or the two have nothing in common.
    """
    return comparing.compare(night(before), night(after), floors)


def night(run: Run) -> Night:
    """A finished run, for comparison.

    Raises:
        StoreError: It is not finished.
    """
    if not run.is_complete:
        raise StoreError(f"{run.path}: the run is not finished; resume it with the command that started it")
    return Night(run.plan, context(run), read_evidence(run))
