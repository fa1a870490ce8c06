"""What an audit comes to: a run, its conclusions, and where the report lies."""

from dataclasses import dataclass
from pathlib import Path

from auditor import findings
from auditor.findings import Findings, comparing
from auditor.findings.comparing import RunComparison
from auditor.records.run import Run
from auditor.records.sums import COMPARISON


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
    """With the baseline that was settled when the run began; None where there is none."""
    pdf_error: str | None = None


def reopened(run: Run) -> Result:
    """The result of a complete run, as it lies on the disk.

    Raises:
        StoreError: its findings are missing, or they or its comparison of a format that this version does not
            understand.
    """
    pdf, is_compared = run.path / "report.pdf", (run.path / COMPARISON).exists()
    return Result(
        run,
        findings.read(run.read_bytes("findings.json")),
        run.path / "report.html",
        pdf if pdf.exists() else None,
        reused=True,
        comparison=comparing.read(run.read_bytes(COMPARISON)) if is_compared else None,
    )
