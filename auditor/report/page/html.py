"""Renders the report as one self-contained HTML file: templates, styles, fonts and a Content-Security-Policy.

    sections ─ one template each ─┐
    front page ───────────────────┼→ report.html.j2 → text; the PDF is made from the same text
    styles, fonts, script ────────┘

The page is complete without its one script. Parts for screens only (script, dark colours, embedded fonts, rows beyond
the cap) are between `<!--screen-->` and `<!--/screen-->`; text from the corpus cannot contain these, for it is escaped.
"""

import base64
import hashlib

from markupsafe import Markup

import auditor
from auditor.findings.comparing import Since
from auditor.findings.contract.evidence import Evidence
from auditor.findings.contract.types import Findings
from auditor.languages import HTML_TAGS, say
from auditor.languages.marks import is_marking, unmarked
from auditor.report import sections
from auditor.report.branding import fonts
from auditor.report.contract import Section, Sources
from auditor.report.drawing import formats
from auditor.report.page import templates
from auditor.report.sections import front, provenance


class Numbering:
    """Counts tables and figures in the order in which they are printed."""

    def __init__(self) -> None:
        self.tables = 0
        self.figures = 0

    def table(self) -> str:
        """The printed number of the next table: `Table 1`."""
        self.tables += 1
        return say("Table {number}", number=self.tables)

    def figure(self) -> str:
        """The printed number of the next figure: `Figure 1`."""
        self.figures += 1
        return say("Figure {number}", number=self.figures)


def render(findings: Findings, evidence: Evidence, since: Since | None = None) -> str:
    """The whole report as one HTML document.

    Raises:
        RenderError: a template is missing or broken, or uses an unknown name.
    """
    bodies, shown = laid_out(Sources(findings, evidence, since))
    navigation = templates.fill("navigation.html.j2", sections=shown)
    title = say("{title}: interpretation audit", title=findings.title)
    return framed(findings, title, navigation, bodies, templates.scripts())


def laid_out(sources: Sources) -> tuple[list[Markup], list[Section]]:
    """Page one and the sections, each laid out by its template, and the sections themselves.

    Raises:
        RenderError: a template is missing or broken, or uses an unknown name.
    """
    findings, numbering = sources.findings, Numbering()
    composed = sections.compose(sources)
    draft = provenance.compose(sources)
    all_sections = [*composed, draft]
    page_one = templates.fill(
        "front.html.j2",
        findings=findings,
        front=front.compose(findings, all_sections),
        sections=all_sections,
    )
    bodies = [filled(section, numbering) for section in composed]
    text = "".join([findings.title, page_one, *bodies, filled(draft, Numbering())])
    missing = fonts.missing(unmarked(text) if is_marking() else text)
    bodies.append(filled(provenance.compose(sources, missing), numbering))
    return [page_one, *bodies], all_sections


def filled(section: Section, numbering: Numbering) -> Markup:
    """One section, laid out by its template."""
    return templates.fill(section.template, section=section, numbering=numbering, **section.content)


def framed(
    findings: Findings, title: str, navigation: Markup, bodies: list[Markup], scripts: str, characters: str = ""
) -> str:
    """A whole HTML page: its content with head, styles, script and Content-Security-Policy.

    Args:
        findings: Those of the run.
        title: The title of the page.
        navigation: The links to its sections, for screens.
        bodies: The content of its `main`.
        scripts: The text of its script.
        characters: Characters that scripts will show, for the fonts.
    """
    sheets = styles(title + findings.title + characters + Markup("").join([navigation, *bodies]))
    script = Markup(scripts)
    return str(
        templates.fill(
            "report.html.j2",
            findings=findings,
            title=title,
            navigation=navigation,
            bodies=bodies,
            styles=sheets,
            script=script,
            policy=policy(sheets, script),
            version=auditor.__version__,
            lang=HTML_TAGS[findings.presentation.language],
            created=formats.instant(findings.created).strftime("%Y-%m-%dT%H:%M:%SZ"),
        )
    )


def styles(text: str) -> list[Markup]:
    """The three style sheets of a page: for every medium, for screens (with the fonts of `text`), for dark screens."""
    families = f":root{{--sans:{fonts.stack()};--mono:{fonts.stack(mono=True)}}}\n"
    return [
        Markup(families + templates.styles()),
        Markup(templates.read("screen.css") + fonts.embed(text)),
        Markup(templates.read("dark.css")),
    ]


def policy(styles: list[Markup], script: Markup) -> str:
    """The Content-Security-Policy that allows these styles, this script, and images and fonts as `data:` only."""
    return (
        f"default-src 'none'; style-src {' '.join(map(_digest, styles))}; script-src {_digest(script)}; "
        "img-src data:; font-src data:; base-uri 'none'; form-action 'none'"
    )


def _digest(text: Markup) -> str:
    """The hash source of a style or a script: `'sha256-…'`."""
    return f"'sha256-{base64.b64encode(hashlib.sha256(text.encode('utf-8')).digest()).decode('ascii')}'"
