"""From sections to one self-contained HTML file: templates, styles, fonts, and the policy that forbids everything else.

    sections ─ one template each ─┐
    front page ───────────────────┼→ report.html.j2 → text; the PDF is made from the same text
    report.css, fonts ────────────┘

Autoescaping is always on and an unknown name is an error. Every printed string passes `formats.visible`, so that text
from a corpus cannot reorder the page. What a sheet of paper does not need (embedded fonts, rows beyond the cap) stands
between `<!--screen-->` and `<!--/screen-->`, which escaping makes impossible to forge.
"""

import base64
import functools
import hashlib
from pathlib import Path
from typing import Any

import jinja2
from markupsafe import Markup

import auditor
from auditor.errors import RenderError
from auditor.findings.evidence import Evidence
from auditor.findings.types import Findings
from auditor.report import fonts, formats, sections
from auditor.report.sections import front, provenance
from auditor.report.sections.contract import Section, Sources

SIGNS = {"pass": "✓", "watch": "▲", "fail": "✗", "not judged": "–", "note": "·"}
"""Sign of each result; always printed beside the word."""


class Numbering:
    """Counts tables and figures in the order in which they are printed."""

    def __init__(self) -> None:
        self.tables = 0
        self.figures = 0

    def table(self) -> str:
        """The next table’s printed number: `Table 1`."""
        self.tables += 1
        return f"Table {self.tables}"

    def figure(self) -> str:
        """The next figure’s printed number: `Figure 1`."""
        self.figures += 1
        return f"Figure {self.figures}"


def render(findings: Findings, evidence: Evidence) -> str:
    """The whole report as one HTML document.

    Raises:
        RenderError: a template is missing, broken, or asks for a name that is not there.
    """
    sources = Sources(findings, evidence)
    environment, numbering = _environment(), Numbering()
    composed = sections.compose(sources)
    draft = provenance.compose(sources)
    everything = [*composed, draft]
    page_one = _fill(
        environment,
        "front.html.j2",
        findings=findings,
        front=front.compose(findings, everything),
        sections=everything,
    )
    bodies = [_section(environment, section, numbering) for section in composed]
    missing = fonts.missing("".join([findings.title, page_one, *bodies, _section(environment, draft, Numbering())]))
    bodies.append(_section(environment, provenance.compose(sources, missing), numbering))
    return _whole(environment, findings, page_one, bodies)


def _section(environment: jinja2.Environment, section: Section, numbering: Numbering) -> Markup:
    return _fill(environment, section.template, section=section, numbering=numbering, **section.content)


def _whole(environment: jinja2.Environment, findings: Findings, page_one: Markup, bodies: list[Markup]) -> str:
    text = page_one + Markup("").join(bodies)
    families = f":root{{--sans:{fonts.stack()};--mono:{fonts.stack(mono=True)}}}\n"
    styles = [
        Markup(families + read_sheet("report.css")),
        Markup(read_sheet("screen.css") + fonts.embed(text + findings.title)),
    ]
    return str(
        _fill(
            environment,
            "report.html.j2",
            findings=findings,
            page_one=page_one,
            bodies=bodies,
            styles=styles,
            policy=policy(styles),
            version=auditor.__version__,
            created=formats.instant(findings.created).strftime("%Y-%m-%dT%H:%M:%SZ"),
        )
    )


def policy(styles: list[Markup]) -> str:
    """The Content-Security-Policy of a page: nothing but its own styles, and images and fonts inside it."""
    hashes = " ".join(
        f"'sha256-{base64.b64encode(hashlib.sha256(style.encode('utf-8')).digest()).decode('ascii')}'"
        for style in styles
    )
    return f"default-src 'none'; style-src {hashes}; img-src data:; font-src data:; base-uri 'none'; form-action 'none'"


def templates_folder() -> Path:
    """Where the templates lie: inside an installed package, else beside it in a checkout."""
    packaged = Path(auditor.__file__).parent / "templates"
    folder = packaged if packaged.is_dir() else packaged.parents[1] / "templates"
    if not folder.is_dir():
        raise RenderError(f"expected the templates in {packaged} or {folder}, found neither; reinstall the package")
    return folder


def read_sheet(name: str) -> str:
    """The text of a style sheet.

    Raises:
        RenderError: it is missing.
    """
    path = templates_folder() / name
    try:
        return path.read_text(encoding="utf-8")
    except FileNotFoundError:
        raise RenderError(
            f"{name}: expected a style sheet in {path.parent}, found none; reinstall the package"
        ) from None


def _environment() -> jinja2.Environment:
    return _environment_of(templates_folder())


@functools.cache
def _environment_of(folder: Path) -> jinja2.Environment:
    """Made once for a folder: its templates stay compiled."""
    environment = jinja2.Environment(
        loader=jinja2.FileSystemLoader(folder),
        autoescape=True,
        undefined=jinja2.StrictUndefined,
        finalize=_printed,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.globals.update(signs=SIGNS, formats=formats)
    return environment


def _printed(value: object) -> object:
    """What an expression of a template prints: plain strings show their reordering controls, None is a fault."""
    if value is None:
        raise jinja2.UndefinedError("a value is None")
    if isinstance(value, str) and not isinstance(value, Markup):
        return formats.visible(value)
    return value


def _fill(environment: jinja2.Environment, name: str, **values: Any) -> Markup:
    try:
        return Markup(environment.get_template(name).render(values))
    except jinja2.TemplateNotFound as fault:
        raise RenderError(f"{name}: template {fault.name} not found in {templates_folder()}; reinstall it") from fault
    except jinja2.TemplateSyntaxError as fault:
        raise RenderError(f"{fault.name or name}, line {fault.lineno}: {fault.message}") from fault
    except jinja2.UndefinedError as fault:
        raise RenderError(
            f"{name}: {fault.message}; the template asks for a name that the report does not give"
        ) from fault
