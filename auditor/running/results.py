"""What an audit comes to: a run, its conclusions, and where the report lies."""

from dataclasses import dataclass
from pathlib import Path

from auditor import findings
from auditor.findings import Findings
from auditor.findings.comparing import RunComparison
from auditor.records.run import Run


@dataclass(frozen=True)
class Result:
    """A finished audit."""

    run: Run
    findings: Findings
    html: Path
    pdf: Path | None
    reused: bool = False
    """Whether the run was complete already."""
    comparison: RunComparison | None = None
    """With the baseline; None where there is none, or nothing was computed."""
    pdf_error: str | None = None


def reopened(run: Run) -> Result:
    """The result of a complete run, as it lies on the disk.

    Raises:
        StoreError: its findings are missing, or of a format that this version does not understand.
    """
    pdf = run.path / "report.pdf"
    conclusions = findings.read(run.read_bytes("findings.json"))
    return Result(run, conclusions, run.path / "report.html", pdf if pdf.exists() else None, reused=True)
