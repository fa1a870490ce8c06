"""Sections that others wrote for their own probes, found by the entry point group `auditor.sections`.

    [project.entry-points."auditor.sections"]
    length = "auditor_length.section:compose"        the name is the probe's; compose(sources) -> Section

Its `template` is the name of a file beside the module of the composer, ending in `.j2`, or the text of a template. A
template of the package may extend `section.html.j2` and include its neighbours as `probes/length/…`.
"""

import importlib.util
from collections.abc import Callable, Mapping
from dataclasses import replace
from importlib.metadata import EntryPoint, entry_points
from pathlib import Path
from typing import TYPE_CHECKING, Final

import jinja2
from jinja2.loaders import split_template_path

from auditor.errors import RenderError

if TYPE_CHECKING:
    from auditor.report.page.templates import Inline
    from auditor.report.sections.contract import Section, Sources

GROUP: Final = "auditor.sections"
PREFIX: Final = "probes/"
_FAULTS = (
    *(ArithmeticError, AssertionError, AttributeError, ImportError, LookupError, NameError),
    *(OSError, RuntimeError, TypeError, ValueError),
)


def compose(sources: "Sources", probe: str) -> "Section | None":
    """The section that a third party has for a probe; None where there is none.

    Raises:
        RenderError: it cannot be loaded or composed; names the section and who brings it.
    """
    from auditor.report.sections.contract import Section

    entry = _entries().get(probe)
    if entry is None:
        return None
    try:
        section = _composer(entry)(sources)
        if not isinstance(section, Section):
            raise TypeError(f"expected a Section, found a {type(section).__name__}")
        return replace(section, id=f"probe-{probe}", template=_named(section, probe))
    except _FAULTS as fault:
        raise RenderError(f"{_who(entry)}: {type(fault).__name__}: {fault}") from fault


def read_template(name: str) -> tuple[str, str] | None:
    """Text and place of a template that came with a third party's section: `probes/length/length.html.j2`."""
    probe, _, file = name.removeprefix(PREFIX).partition("/")
    entry = _entries().get(probe) if name.startswith(PREFIX) and file.endswith(".j2") else None
    if entry is None:
        return None
    try:
        path = _folder(entry).joinpath(*split_template_path(file))
        return path.read_text(encoding="utf-8"), str(path)
    except (jinja2.TemplateNotFound, FileNotFoundError):
        return None


def _entries() -> Mapping[str, EntryPoint]:
    return {entry.name: entry for entry in entry_points(group=GROUP)}


def _composer(entry: EntryPoint) -> "Callable[[Sources], Section]":
    return entry.load()  # type: ignore[no-any-return]


def _named(section: "Section", probe: str) -> "str | Inline":
    from auditor.report.page.templates import Inline

    if not isinstance(section.template, str):
        return section.template
    if section.template.endswith(".j2"):
        own = f"{PREFIX}{probe}/{section.template}"
        return own if read_template(own) else section.template
    return Inline(f"template of the section for the probe {probe}", section.template)


def _folder(entry: EntryPoint) -> Path:
    found = importlib.util.find_spec(entry.module)
    return Path(found.origin).parent if found and found.origin else Path()


def _who(entry: EntryPoint) -> str:
    brought = f", brought by {entry.dist.name}" if entry.dist else ""
    return f"section of the probe {entry.name} ({entry.value}{brought})"
