"""A finished run read back, to be compared with another: from its evidence, without torch or the model."""

from auditor.collector import without_collector
from auditor.errors import StoreError
from auditor.findings.comparing import Night
from auditor.records.run import Run
from auditor.running.context import context, read_evidence


def night(run: Run) -> Night:
    """A finished run, for comparison.

    Raises:
        StoreError: It is not finished.
    """
    if not run.is_complete:
        raise StoreError(f"{run.path}: the run is not finished; resume it with the command that started it")
    with without_collector():
        return Night(run.plan, context(run), read_evidence(run))
