"""The templates and style sheets: where they lie, and how one is filled.

Autoescaping is always on, whatever a file is called, and an unknown name is an error. Every printed string passes
`formats.visible`, so that text from a corpus cannot reorder the page.
"""

import functools
from pathlib import Path
from typing import Any

import jinja2
from markupsafe import Markup

import auditor
from auditor.errors import RenderError
from auditor.languages import N_, plural, say
from auditor.report import formats

SIGNS = {"pass": "✓", "watch": "▲", "fail": "✗", "not judged": "–", "note": "·"}
"""Sign of each result; always printed beside the word."""
WORDS = {
    "pass": N_("pass"),
    "watch": N_("watch"),
    "fail": N_("fail"),
    "not judged": N_("not judged"),
    "note": N_("note"),
}


def fill(name: str, **values: Any) -> Markup:
    """A template with its names filled.

    Raises:
        RenderError: it is missing, broken, or asks for a name that is not there.
    """
    try:
        return Markup(_environment(folder()).get_template(name).render(values))
    except jinja2.TemplateNotFound as fault:
        raise RenderError(f"{name}: template {fault.name} not found in {folder()}; reinstall it") from fault
    except jinja2.TemplateSyntaxError as fault:
        raise RenderError(f"{fault.name or name}, line {fault.lineno}: {fault.message}") from fault
    except jinja2.UndefinedError as fault:
        raise RenderError(
            f"{name}: {fault.message}; the template asks for a name that the report does not give"
        ) from fault


def folder() -> Path:
    """Where the templates lie: inside an installed package, else beside it in a checkout.

    Raises:
        RenderError: in neither place.
    """
    packaged = Path(auditor.__file__).parent / "templates"
    found = packaged if packaged.is_dir() else packaged.parents[1] / "templates"
    if not found.is_dir():
        raise RenderError(f"expected the templates in {packaged} or {found}, found neither; reinstall the package")
    return found


def read(name: str) -> str:
    """The text of a style sheet or a script.

    Raises:
        RenderError: it is missing.
    """
    path = folder() / name
    try:
        return path.read_text(encoding="utf-8")
    except FileNotFoundError:
        raise RenderError(f"{name}: expected in {path.parent}, found nothing; reinstall the package") from None


def styles() -> str:
    """The look of the report: `report.css`, then one sheet per section that needs its own."""
    sections = sorted(path.name for path in (folder() / "sections").glob("*.css"))
    return "".join(read(name) for name in ("report.css", *(f"sections/{name}" for name in sections)))


@functools.cache
def _environment(folder: Path) -> jinja2.Environment:
    """Made once for a folder: its templates stay compiled."""
    environment = jinja2.Environment(
        loader=jinja2.FileSystemLoader(folder),
        autoescape=True,
        undefined=jinja2.StrictUndefined,
        finalize=_printed,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.globals.update(signs=SIGNS, words=WORDS, formats=formats, say=say, plural=plural)
    return environment


def _printed(value: object) -> object:
    """What an expression of a template prints: plain strings show their reordering controls, None is a fault."""
    if value is None:
        raise jinja2.UndefinedError("a value is None")
    if isinstance(value, str) and not isinstance(value, Markup):
        return formats.visible(value)
    return value
