"""The page with all runs of an audit, beside them: `<root>/<audit>/index.html`, made again after every run."""

import os
from contextlib import suppress
from pathlib import Path
from urllib.parse import quote

from auditor import report
from auditor.errors import DiskError
from auditor.findings import history
from auditor.records import disk
from auditor.records.run import Run
from auditor.records.store import RunSummary, open_run, runs_in, summary_of

FILE = "index.html"


def renew(run: Run) -> None:
    """Writes the page of the audit of a run that has just been finished; nothing where the run lies elsewhere.

    The run is complete without it: where it cannot be written, nothing happens.
    """
    summary = summary_of(run.path)
    if summary.audit is None:
        return
    with suppress(DiskError):
        write(summary, history.history(history.nights(runs_in(summary.audit))), summary.audit / FILE)


def write(newest: RunSummary, made: history.History, path: Path) -> None:
    """Writes the page, in the language of a run of the audit; its links lead to the runs from wherever it lies.

    Raises:
        DiskError: it cannot be written.
    """
    language, audit = open_run(newest.path, newest.path.parent).plan.report.language, newest.path.absolute().parent
    folder = "" if path.absolute().parent == audit else f"{quote(os.path.relpath(audit, path.absolute().parent))}/"
    disk.write(path, report.render_history(made, newest.title, language, folder).encode("utf-8"))
