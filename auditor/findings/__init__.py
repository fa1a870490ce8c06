"""What follows from the facts: numbers with intervals, checks, the verdict."""

from auditor.findings.context import Bound, Context
from auditor.findings.contract import Prospect
from auditor.findings.evidence import Evidence
from auditor.findings.interchange import read, schema, write
from auditor.findings.judgement.limits import fault_of, names
from auditor.findings.numbers import nearest
from auditor.findings.parts import sliceable
from auditor.findings.presentation import Presentation
from auditor.findings.registry import summaries, summary_of
from auditor.findings.summary import summarise
from auditor.findings.types import Findings

__all__ = [
    "Bound",
    "Context",
    "Evidence",
    "Findings",
    "Presentation",
    "Prospect",
    "fault_of",
    "names",
    "nearest",
    "read",
    "schema",
    "sliceable",
    "summaries",
    "summarise",
    "summary_of",
    "write",
]
