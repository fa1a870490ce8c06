"""What is said: HTML and PDF, written from findings and evidence alone; no model, no torch, no network."""

from collections.abc import Mapping
from typing import TYPE_CHECKING

from auditor.collector import without_collector
from auditor.findings.comparing import Night, RunComparison, Since
from auditor.findings.contract.evidence import Evidence
from auditor.findings.contract.types import Findings
from auditor.findings.history import History
from auditor.languages import Language, speaking
from auditor.report.page.look import PLAIN, Look

if TYPE_CHECKING:
    from auditor.report.page.pages import Pages
    from auditor.report.page.said import Said

__all__ = [
    "PLAIN",
    "Look",
    "read_said",
    "read_said_of_comparison",
    "render_comparison",
    "render_comparison_pdf",
    "render_history",
    "render_html",
    "render_pages",
    "render_pdf",
]


def render_pages(findings: Findings, evidence: Evidence, look: Look = PLAIN, since: Since | None = None) -> "Pages":
    """The report as one HTML file, as `render_html`; where it would be too large, without the rows of most documents.

    Args:
        findings: What to say.
        evidence: The records it rests on.
        look: Templates, styles and fonts of the reader.
        since: What changed since the baseline; None where there is none.

    Returns:
        The page, the findings it was drawn from, and the files that have all documents where it has not.

    Raises:
        RenderError: a template is missing, broken, or asks for a name that is not there.
    """
    from auditor.report.page import pages

    with without_collector(), look.applied(), speaking(findings.presentation.language):
        return pages.render(findings, evidence, since)


def render_html(findings: Findings, evidence: Evidence, look: Look = PLAIN) -> str:
    """The report as one self-contained HTML file: one script, allowed by its hash, and no request to anywhere.

    Args:
        findings: What to say.
        evidence: The records it rests on.
        look: Templates, styles and fonts of the reader.

    Raises:
        RenderError: a template is missing, broken, or asks for a name that is not there.
    """
    from auditor.report.page import html

    with without_collector(), look.applied(), speaking(findings.presentation.language):
        return html.render(findings, evidence)


def read_said(findings: Findings, evidence: Evidence, look: Look = PLAIN, since: Since | None = None) -> "Said":
    """Every number of the HTML that paper has, with the value it was formatted from; the arguments of `render_pages`.

    The page is laid out once more for it; empty where a chapter of a third party cannot be.
    """
    from auditor.report.page import said

    with without_collector(), look.applied(), speaking(findings.presentation.language):
        return said.read(findings, evidence, since)


def render_pdf(
    html: str,
    findings: Findings,
    attachments: Mapping[str, bytes],
    look: Look = PLAIN,
    said: "Said | None" = None,
) -> bytes:
    """The report as a tagged PDF/A-3a, made from the HTML of `render_html`; the same input gives the same bytes.

    Args:
        html: What `render_html` returned.
        findings: The findings it was made from: title and dates.
        attachments: File name → content, embedded as data: findings.json and the like. With findings.json comes
            printed.json, a record of the numbers on the pages.
        look: What the HTML was made with.
        said: Of `read_said`: the values in that record.

    Raises:
        PdfUnavailableError: the system libraries of WeasyPrint are missing.
    """
    from auditor.report.page import pdf

    with without_collector(), look.applied(), speaking(findings.presentation.language):
        return pdf.render(html, findings, attachments, said)


def render_comparison(comparison: RunComparison, before: Night, after: Night) -> str:
    """What changed between two runs, as one self-contained HTML file.

    Args:
        comparison: What changed.
        before: The earlier run.
        after: The later one.

    Raises:
        RenderError: a template is missing or broken, or uses an unknown name.
    """
    from auditor.report.page import comparison_page

    with without_collector(), speaking(comparison.presentation.language):
        return comparison_page.render(comparison, before, after)


def read_said_of_comparison(comparison: RunComparison, before: Night, after: Night) -> "Said":
    """Every number of that page, with the value it was formatted from; the arguments of `render_comparison`."""
    from auditor.report.page import said

    with without_collector(), speaking(comparison.presentation.language):
        return said.read_comparison(comparison, before, after)


def render_comparison_pdf(
    html: str, comparison: RunComparison, attachments: Mapping[str, bytes], said: "Said"
) -> bytes:
    """The page as a tagged PDF/A-3a; the same input gives the same bytes.

    Args:
        html: What `render_comparison` returned.
        comparison: What it was made from.
        attachments: File name → content, embedded as data: comparison.json. With it comes printed.json, a record of the
            numbers on the pages.
        said: Of `read_said_of_comparison`: the values in that record.

    Raises:
        PdfUnavailableError: the system libraries of WeasyPrint are missing.
    """
    from auditor.report.page import pdf

    presentation = comparison.presentation
    with without_collector(), speaking(presentation.language):
        late = pdf.recording(said, attachments)
        return pdf.write(html, comparison.after.created, presentation.classification, attachments, late)


def render_history(made: History, title: str, language: Language, folder: str = "") -> str:
    """All runs of an audit, as one self-contained HTML file.

    Args:
        made: The runs; at least one.
        title: Of the audit.
        language: Of the page.
        folder: The folder of the audit, as an address relative to the page, with its last slash; by default its own.

    Raises:
        RenderError: a template is missing or broken, or uses an unknown name.
    """
    from auditor.report.page import history_page

    with without_collector(), speaking(language):
        return history_page.render(made, title, language, folder)
