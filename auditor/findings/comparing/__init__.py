"""What changed between two runs: documents, numbers, answers, explanations, and what the plans know of the causes."""

from auditor.findings.comparing.comparison import compare
from auditor.findings.comparing.interchange import read, schema, write
from auditor.findings.comparing.nights import Night
from auditor.findings.comparing.since import Since, baseline
from auditor.findings.comparing.types import RunComparison

__all__ = ["Night", "RunComparison", "Since", "baseline", "compare", "read", "schema", "write"]
