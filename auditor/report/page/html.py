"""From sections to one self-contained HTML file: templates, styles, fonts, and the policy that forbids everything else.

    sections ─ one template each ─┐
    front page ───────────────────┼→ report.html.j2 → text; the PDF is made from the same text
    styles, fonts, script ────────┘

The page is complete without its one script. What a sheet of paper does not need (script, dark colours, embedded fonts,
rows beyond the cap) stands between `<!--screen-->` and `<!--/screen-->`, which escaping makes impossible to forge.
"""

import base64
import hashlib

from markupsafe import Markup

import auditor
from auditor.findings.evidence import Evidence
from auditor.findings.types import Findings
from auditor.languages import HTML_TAGS, say
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
        """The next table’s printed number: `Table 1`."""
        self.tables += 1
        return say("Table {number}", number=self.tables)

    def figure(self) -> str:
        """The next figure’s printed number: `Figure 1`."""
        self.figures += 1
        return say("Figure {number}", number=self.figures)


def render(findings: Findings, evidence: Evidence) -> str:
    """The whole report as one HTML document.

    Raises:
        RenderError: a template is missing, broken, or asks for a name that is not there.
    """
    sources = Sources(findings, evidence)
    numbering = Numbering()
    composed = sections.compose(sources)
    draft = provenance.compose(sources)
    everything = [*composed, draft]
    page_one = templates.fill(
        "front.html.j2",
        findings=findings,
        front=front.compose(findings, everything),
        sections=everything,
    )
    bodies = [_section(section, numbering) for section in composed]
    missing = fonts.missing("".join([findings.title, page_one, *bodies, _section(draft, Numbering())]))
    bodies.append(_section(provenance.compose(sources, missing), numbering))
    navigation = templates.fill("navigation.html.j2", sections=everything)
    title = say("{title}: interpretation audit", title=findings.title)
    return framed(findings, title, navigation, [page_one, *bodies], templates.scripts())


def _section(section: Section, numbering: Numbering) -> Markup:
    return templates.fill(section.template, section=section, numbering=numbering, **section.content)


def framed(
    findings: Findings, title: str, navigation: Markup, bodies: list[Markup], scripts: str, letters: str = ""
) -> str:
    """A page around its content: head, styles, script, and the policy that allows nothing else.

    Args:
        findings: Of the run.
        title: Of the page.
        navigation: What only a screen has.
        bodies: What stands in its `main`.
        scripts: What the page does where scripts run.
        letters: What the page shows beside its text, for the fonts.
    """
    drawn = styles(title + findings.title + letters + Markup("").join([navigation, *bodies]))
    script = Markup(scripts)
    return str(
        templates.fill(
            "report.html.j2",
            findings=findings,
            title=title,
            navigation=navigation,
            bodies=bodies,
            styles=drawn,
            script=script,
            policy=policy(drawn, script),
            version=auditor.__version__,
            lang=HTML_TAGS[findings.presentation.language],
            created=formats.instant(findings.created).strftime("%Y-%m-%dT%H:%M:%SZ"),
        )
    )


def styles(text: str) -> list[Markup]:
    """The sheets of a page, the fonts of its text among them: for every medium, for screens, for dark ones."""
    families = f":root{{--sans:{fonts.stack()};--mono:{fonts.stack(mono=True)}}}\n"
    return [
        Markup(families + templates.styles()),
        Markup(templates.read("screen.css") + fonts.embed(text)),
        Markup(templates.read("dark.css")),
    ]


def policy(styles: list[Markup], script: Markup) -> str:
    """The Content-Security-Policy of a page: its own styles and script, images and fonts inside it, nothing else."""
    return (
        f"default-src 'none'; style-src {' '.join(map(_digest, styles))}; script-src {_digest(script)}; "
        "img-src data:; font-src data:; base-uri 'none'; form-action 'none'"
    )


def _digest(text: Markup) -> str:
    return f"'sha256-{base64.b64encode(hashlib.sha256(text.encode('utf-8')).digest()).decode('ascii')}'"
