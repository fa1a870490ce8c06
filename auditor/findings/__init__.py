"""What follows from the facts: numbers with intervals, checks, the verdict."""

from auditor.findings.evidence import Context, Evidence
from auditor.findings.interchange import read, schema, write
from auditor.findings.judgement.limits import fault_of
from auditor.findings.numbers import names, nearest
from auditor.findings.parts import sliceable
from auditor.findings.presentation import Presentation
from auditor.findings.summary import summarise
from auditor.findings.types import Findings
from auditor.records.plan import Bound

__all__ = [
    "Bound",
    "Context",
    "Evidence",
    "Findings",
    "Presentation",
    "fault_of",
    "names",
    "nearest",
    "read",
    "schema",
    "sliceable",
    "summarise",
    "write",
]
