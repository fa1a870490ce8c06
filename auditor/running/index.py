"""The page with all runs of an audit, beside them: `<root>/<audit>/index.html`.

It is made again after every run, and when some were removed.
"""

import os
from collections.abc import Iterable
from contextlib import suppress
from pathlib import Path
from urllib.parse import quote

from auditor import report
from auditor.errors import DiskError, StoreError
from auditor.findings import history
from auditor.records import disk
from auditor.records.run import Run
from auditor.records.store import RunSummary, open_run, runs_in, summary_of

FILE = "index.html"


def renew(run: Run) -> None:
    """Writes the page of the audit of a run that has just been finished; nothing where the run lies elsewhere.

    The run is complete without it: where it cannot be written, nothing happens.
    """
    _renew(summary_of(run.path))


def renew_without(removed: Iterable[RunSummary]) -> None:
    """Writes the pages of the audits of runs that were removed, which are not to lead to them any more."""
    for audit in {run.audit for run in removed if run.audit}:
        left = [run for run in runs_in(audit) if run.state == "complete"]
        if left:
            _renew(left[-1])


def _renew(newest: RunSummary) -> None:
    if newest.audit is None:
        return
    with suppress(DiskError, StoreError):
        write(newest, history.history(history.nights(runs_in(newest.audit))), newest.audit / FILE)


def write(newest: RunSummary, made: history.History, path: Path) -> None:
    """Writes the page, in the language of a run of the audit; its links lead to the runs from wherever it lies.

    Raises:
        DiskError: it cannot be written.
    """
    language, audit = open_run(newest.path, newest.path.parent).plan.report.language, newest.path.absolute().parent
    folder = "" if path.absolute().parent == audit else f"{quote(os.path.relpath(audit, path.absolute().parent))}/"
    disk.write(path, report.render_history(made, newest.title, language, folder).encode("utf-8"))
