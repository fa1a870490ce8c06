"""What follows from the facts: numbers with intervals, checks, the verdict."""

from auditor.findings.contract.context import Context
from auditor.findings.contract.evidence import Evidence
from auditor.findings.contract.numbers import nearest
from auditor.findings.contract.presentation import Presentation
from auditor.findings.contract.quantity import Prospect
from auditor.findings.contract.registry import summaries, summary_of
from auditor.findings.contract.types import Findings
from auditor.findings.interchange import read, schema, write
from auditor.findings.judgement.limits import fault_of, names
from auditor.findings.slicing.parts import sliceable
from auditor.findings.summary import summarise
from auditor.records.plan import Bound

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
