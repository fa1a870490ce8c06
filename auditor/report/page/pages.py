"""Renders the files of a report: one page, and where it would be too large also the table of all documents.

report.html is rendered with the rows of all documents. Where it is larger than `documents.MOST_BYTES`, and there are
more documents than an abridged table shows, it is rendered again without the rows that `findings.abridgement` leaves
out, and documents.html and documents.parquet have all rows. Findings of more than `abridgement.MOST_ROWS` documents are
abridged before they come here.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field

from auditor.findings import abridgement
from auditor.findings.comparing import Since
from auditor.findings.contract.evidence import Evidence
from auditor.findings.contract.types import Findings
from auditor.report.page import html
from auditor.report.sections import documents


@dataclass(frozen=True, slots=True)
class Pages:
    """The files of a report, and the findings that they were rendered from."""

    findings: Findings
    """Those to write as findings.json; abridged where the page is."""
    html: str
    documents: Mapping[str, bytes] = field(default_factory=dict)
    """Name → content of the files with all documents; empty where the page has them."""


def render(findings: Findings, evidence: Evidence, since: Since | None = None) -> Pages:
    """Render the report, and the table of all documents where the page cannot hold it.

    Raises:
        RenderError: a template is missing or broken, or uses an unknown name.
    """
    page = html.render(findings, evidence, since)
    if not findings.documents_left_out:
        if len(findings.documents) <= abridgement.SHOWN or len(page.encode("utf-8")) <= documents.MOST_BYTES:
            return Pages(findings, page)
        findings = abridgement.abridge(findings, evidence)
        page = html.render(findings, evidence, since)
    from auditor.report.page import documents_page

    return Pages(findings, page, documents_page.render(findings, evidence))
