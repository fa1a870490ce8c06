"""Which files a report comes to: one page, or beside it the table of all documents where the page would be too large.

report.html is drawn with the rows of all documents. Where it is larger than `documents.MOST_BYTES`, and there are more
documents than an abridged table shows, it is drawn again without the rows that `findings.abridgement` leaves out, and
documents.html and documents.parquet have them all. Above `abridgement.MOST_ROWS` the findings come abridged.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field

from auditor.findings import abridgement
from auditor.findings.evidence import Evidence
from auditor.findings.types import Findings
from auditor.report.page import html
from auditor.report.sections import documents


@dataclass(frozen=True, slots=True)
class Pages:
    """What is written beside findings.json."""

    findings: Findings
    """As they are to be written: those that the page was drawn from."""
    html: str
    documents: Mapping[str, bytes] = field(default_factory=dict)
    """Name → content of the files with all documents; empty where the page has them."""


def render(findings: Findings, evidence: Evidence) -> Pages:
    """The report, and the table of all documents where the page cannot hold it."""
    page = html.render(findings, evidence)
    if not findings.documents_left_out:
        if len(findings.documents) <= abridgement.SHOWN or len(page.encode("utf-8")) <= documents.MOST_BYTES:
            return Pages(findings, page)
        findings = abridgement.abridge(findings, evidence)
        page = html.render(findings, evidence)
    from auditor.report.page import documents_page

    return Pages(findings, page, documents_page.render(findings, evidence))
