"""Finds and fills the templates, and reads style sheets and scripts.

Autoescaping is always on, whatever the name of a file, and an unknown variable is an error. Every printed string passes
`formats.visible`, so that text from a corpus cannot reorder the page. A user's templates (`page.overrides`) are added
for one rendering: each replaces the report's template of its name, which it can use as `builtin/…`.
"""

import contextlib
import functools
from collections.abc import Iterator
from contextvars import ContextVar
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Any, Final

import jinja2
from markupsafe import Markup

import auditor
from auditor.errors import RenderError
from auditor.languages import N_, plural, say
from auditor.report import chapters
from auditor.report.contract import Inline
from auditor.report.drawing import formats
from auditor.report.page.sandbox import Sandbox, functions

SIGNS = {"pass": "✓", "watch": "▲", "fail": "✗", "waived": "✗", "not judged": "–", "note": "·"}
"""Result → its sign, always printed beside the word."""
WORDS = {
    "pass": N_("pass"),
    "watch": N_("watch"),
    "fail": N_("fail"),
    "waived": N_("waived"),
    "not judged": N_("not judged"),
    "note": N_("note"),
}


_FAULTS_OF_A_TEMPLATE = (TypeError, ValueError, ArithmeticError, LookupError, AttributeError, RecursionError)


@dataclass(frozen=True)
class UserTemplates:
    """A user's templates and style sheet."""

    folder: str = ""
    """The path of their folder, for messages."""
    files: tuple[tuple[str, str], ...] = ()
    """Name and text of each."""

    def find(self, name: str) -> tuple[str, str] | None:
        """Text and path of a template; None where there is none."""
        text = dict(self.files).get(name)
        return None if text is None else (text, f"{self.folder}/{name}")

    def holds(self, location: str) -> bool:
        """Whether the location of an error ("path, line 3") is in one of these files."""
        return any(location.startswith(f"{self.folder}/{name}") for name, _ in self.files)


NONE: Final = UserTemplates()
USER_STYLES: Final = "user.css"
_user_templates: ContextVar[UserTemplates] = ContextVar("templates of the user", default=NONE)


@contextlib.contextmanager
def overridden_by(user_templates: UserTemplates) -> Iterator[None]:
    """Use a user's templates before those of the report within a `with` block."""
    token = _user_templates.set(user_templates)
    try:
        yield
    finally:
        _user_templates.reset(token)


def fill(template: str | Inline, **values: Any) -> Markup:
    """Render a template with these variables.

    Raises:
        RenderError: it is missing or broken, or uses an unknown variable; names the file and the line.
    """
    user_templates = _user_templates.get()
    sandbox = environment(folder(), user_templates)
    name = template if isinstance(template, str) else template.name
    try:
        if isinstance(template, str):
            return Markup(sandbox.get_template(template).render(values))
        return Markup(sandbox.from_string(template.text).render(values))
    except jinja2.TemplateNotFound as fault:
        location = _location(fault.__traceback__, name)
        raise RenderError(f"{location}: template {fault.name} not found in {folder()}; reinstall it") from fault
    except jinja2.TemplateSyntaxError as fault:
        file = fault.filename if isinstance(template, str) else None
        raise RenderError(f"{file or fault.name or name}, line {fault.lineno}: {fault.message}") from fault
    except jinja2.UndefinedError as fault:
        location = _location(fault.__traceback__, name)
        raise RenderError(f"{location}: {fault.message}; the template asks for a name that is not there") from fault
    except jinja2.TemplateError as fault:
        raise RenderError(f"{_location(fault.__traceback__, name)}: {fault.message}") from fault
    except _FAULTS_OF_A_TEMPLATE as fault:
        location = _location(fault.__traceback__, name)
        if isinstance(template, Inline) or name.startswith(chapters.PREFIX) or user_templates.holds(location):
            raise RenderError(f"{location}: {fault}") from fault
        raise


def _location(trace: TracebackType | None, name: str) -> str:
    """Path and line of the innermost template in a traceback; the name where there is none."""
    location = name
    while trace is not None:
        file = trace.tb_frame.f_code.co_filename
        if file.endswith((".j2", "<template>")):
            location = f"{name if file == '<template>' else file}, line {trace.tb_lineno}"
        trace = trace.tb_next
    return location


def folder() -> Path:
    """The folder of the templates: inside an installed package, else beside it in a checkout.

    Raises:
        RenderError: neither folder exists.
    """
    packaged = Path(auditor.__file__).parent / "templates"
    path = packaged if packaged.is_dir() else packaged.parents[1] / "templates"
    if not path.is_dir():
        raise RenderError(f"expected the templates in {packaged} or {path}, found neither; reinstall the package")
    return path


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
    """The style sheet for every medium: `report.css`, those of sections, then the user's `user.css`."""
    sections = sorted(path.name for path in (folder() / "sections").glob("*.css"))
    user_styles = dict(_user_templates.get().files).get(USER_STYLES, "")
    return "".join([*(read(name) for name in ("report.css", *(f"sections/{name}" for name in sections))), user_styles])


def scripts() -> str:
    """The script of the page: `report.js`, then those of sections."""
    sections = sorted(path.name for path in (folder() / "sections").glob("*.js"))
    return "".join(read(name) for name in ("report.js", *(f"sections/{name}" for name in sections)))


@functools.lru_cache(maxsize=4)
def environment(folder: Path, user_templates: UserTemplates) -> Sandbox:
    """The Jinja environment of a folder and a user's templates; cached, so that they stay compiled."""
    sandbox = Sandbox(folder, user_templates.find, chapters.read_template, _printed)
    sandbox.globals.update(signs=SIGNS, words=WORDS, formats=functions(formats), say=say, plural=plural)
    return sandbox


def _printed(value: object) -> object:
    """What an expression of a template prints: strings with `formats.visible`, other values unchanged.

    Raises:
        UndefinedError: the value is None.
    """
    if value is None:
        raise jinja2.UndefinedError("a value is None")
    if isinstance(value, str) and not isinstance(value, Markup):
        return formats.visible(value)
    return value
