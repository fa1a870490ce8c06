"""What analyses, judgement and report rely on: evidence, numbers, and what a summary declares."""

from auditor.findings.contract.contributions import Contributions, mean_of, ratio_of
from auditor.findings.contract.evidence import Evidence
from auditor.findings.contract.finding import Finding
from auditor.findings.contract.quantity import PageOne, Prospect, Quantity, Term
from auditor.findings.contract.summary import Cell, Conclusion, Setting, Summary, Whole
from auditor.findings.contract.types import Choice, Number, Pointer

__all__ = [
    "Cell",
    "Choice",
    "Conclusion",
    "Contributions",
    "Evidence",
    "Finding",
    "Number",
    "PageOne",
    "Pointer",
    "Prospect",
    "Quantity",
    "Setting",
    "Summary",
    "Term",
    "Whole",
    "mean_of",
    "ratio_of",
]
