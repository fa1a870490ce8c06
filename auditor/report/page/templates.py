"""The templates and style sheets: where they lie, and how one is filled.

Autoescaping is always on, whatever a file is called, and an unknown name is an error. Every printed string passes
`formats.visible`, so that text from a corpus cannot reorder the page. A reader's templates (`report.overrides`)
join for one rendering: one of the same name takes the place of the report's, which it finds as `builtin/…`.
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
from auditor.report.drawing import formats
from auditor.report.page import third_party
from auditor.report.page.sandbox import Sandbox, functions

SIGNS = {"pass": "✓", "watch": "▲", "fail": "✗", "not judged": "–", "note": "·"}
"""Sign of each result; always printed beside the word."""
WORDS = {
    "pass": N_("pass"),
    "watch": N_("watch"),
    "fail": N_("fail"),
    "not judged": N_("not judged"),
    "note": N_("note"),
}


_FAULTS_OF_A_TEMPLATE = (TypeError, ValueError, ArithmeticError, LookupError, AttributeError, RecursionError)


@dataclass(frozen=True)
class Inline:
    """A template that lies in no file: the text that a third party's section brings along."""

    name: str
    text: str


@dataclass(frozen=True)
class UserTemplates:
    """A reader's templates and style sheet."""

    place: str = ""
    """Where they lie, for messages."""
    files: tuple[tuple[str, str], ...] = ()
    """Name and text."""

    def find(self, name: str) -> tuple[str, str] | None:
        """Text and place of a template."""
        text = dict(self.files).get(name)
        return None if text is None else (text, f"{self.place}/{name}")

    def holds(self, where: str) -> bool:
        """Whether a place of a fault lies in one of these files."""
        return any(where.startswith(f"{self.place}/{name}") for name, _ in self.files)


NONE: Final = UserTemplates()
USER_STYLES: Final = "user.css"
_own: ContextVar[UserTemplates] = ContextVar("templates of the reader", default=NONE)


@contextlib.contextmanager
def overridden_by(own: UserTemplates) -> Iterator[None]:
    """Inside, templates of the same name are taken from these."""
    before = _own.set(own)
    try:
        yield
    finally:
        _own.reset(before)


def fill(template: str | Inline, **values: Any) -> Markup:
    """A template with its names filled.

    Raises:
        RenderError: it is missing, broken, or asks for a name that is not there; names the file and the line.
    """
    own = _own.get()
    sandbox = environment(folder(), own)
    name = template if isinstance(template, str) else template.name
    try:
        if isinstance(template, str):
            return Markup(sandbox.get_template(template).render(values))
        return Markup(sandbox.from_string(template.text).render(values))
    except jinja2.TemplateNotFound as fault:
        where = _place(fault.__traceback__, name)
        raise RenderError(f"{where}: template {fault.name} not found in {folder()}; reinstall it") from fault
    except jinja2.TemplateSyntaxError as fault:
        file = fault.filename if isinstance(template, str) else None
        raise RenderError(f"{file or fault.name or name}, line {fault.lineno}: {fault.message}") from fault
    except jinja2.UndefinedError as fault:
        where = _place(fault.__traceback__, name)
        raise RenderError(f"{where}: {fault.message}; the template asks for a name that is not there") from fault
    except jinja2.TemplateError as fault:
        raise RenderError(f"{_place(fault.__traceback__, name)}: {fault.message}") from fault
    except _FAULTS_OF_A_TEMPLATE as fault:
        where = _place(fault.__traceback__, name)
        if isinstance(template, Inline) or name.startswith(third_party.PREFIX) or own.holds(where):
            raise RenderError(f"{where}: {fault}") from fault
        raise


def _place(trace: TracebackType | None, name: str) -> str:
    """The line of the innermost template, which Jinja puts into the trace; the name alone where none is there."""
    place = name
    while trace is not None:
        file = trace.tb_frame.f_code.co_filename
        if file.endswith((".j2", "<template>")):
            place = f"{name if file == '<template>' else file}, line {trace.tb_lineno}"
        trace = trace.tb_next
    return place


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
    """The look of the report: `report.css`, one sheet per section that needs its own, then the reader's `user.css`."""
    sections = sorted(path.name for path in (folder() / "sections").glob("*.css"))
    own = dict(_own.get().files).get(USER_STYLES, "")
    return "".join([*(read(name) for name in ("report.css", *(f"sections/{name}" for name in sections))), own])


def scripts() -> str:
    """What the page does where scripts run: `report.js`, then one file per section that needs its own."""
    sections = sorted(path.name for path in (folder() / "sections").glob("*.js"))
    return "".join(read(name) for name in ("report.js", *(f"sections/{name}" for name in sections)))


@functools.lru_cache(maxsize=4)
def environment(folder: Path, own: UserTemplates) -> Sandbox:
    """Made once for a folder and a reader's templates: they stay compiled."""
    made = Sandbox(folder, own.find, third_party.read_template, _printed)
    made.globals.update(signs=SIGNS, words=WORDS, formats=functions(formats), say=say, plural=plural)
    return made


def _printed(value: object) -> object:
    """What an expression of a template prints: plain strings show their reordering controls, None is a fault."""
    if value is None:
        raise jinja2.UndefinedError("a value is None")
    if isinstance(value, str) and not isinstance(value, Markup):
        return formats.visible(value)
    return value
