"""The chapters of all installed probes: entry point group `auditor.chapters`, probe → `Chapter`.

    [project.entry-points."auditor.chapters"]
    length = "auditor_length.chapter:CHAPTER"        the name is the probe's

The `template` of a chapter's section is the name of a file beside the module of the entry point, ending in `.j2`, or
the text of a template. A template of the package may extend `section.html.j2` and include its neighbours as
`probes/length/…`; so may the `formulas` of a method.
"""

import functools
import importlib.util
from collections.abc import Mapping
from dataclasses import replace
from importlib.metadata import EntryPoint
from pathlib import Path
from typing import Final

import jinja2
from jinja2.loaders import split_template_path

from auditor.errors import RenderError
from auditor.findings.contract.registry import summaries
from auditor.findings.contract.types import Findings
from auditor.languages import say
from auditor.registry import registered
from auditor.report.contract import Chapter, Inline, Section, Sources

GROUP: Final = "auditor.chapters"
PREFIX: Final = "probes/"
_FAULTS = (
    *(ArithmeticError, AssertionError, AttributeError, ImportError, LookupError, NameError),
    *(OSError, RuntimeError, TypeError, ValueError),
)


@functools.cache
def chapters() -> Mapping[str, Chapter]:
    """Probe → its chapter, in the order of the report; of probes without a summary by name, behind the others.

    Raises:
        InstallationError: two packages brought one for the same probe.
        RenderError: one cannot be loaded, or is no `Chapter` of the probe that it is registered for.
    """
    loaded = {name: _load(entry) for name, entry in sorted(registered(GROUP).items())}
    ordered = [probe for probe in summaries() if probe in loaded]
    return {probe: loaded[probe] for probe in [*ordered, *(name for name in loaded if name not in ordered)]}


def chapter_of(probe: str) -> Chapter | None:
    """The chapter of a probe; None where it has none."""
    return chapters().get(probe)


def section_id(probe: str) -> str:
    """Id of the section of a probe."""
    summary = summaries().get(probe)
    return summary.section_id if summary else f"probe-{probe}"


def chosen_sections(findings: Findings) -> tuple[str, ...] | None:
    """Ids of the sections that the reader chose, in their order; None for all. Those of probes are chosen by name."""
    names, probes = findings.presentation.sections, {row.probe for row in findings.coverage}
    return None if names is None else tuple(section_id(name) if name in probes else name for name in names)


def compose(sources: Sources, chapter: Chapter) -> Section:
    """The section of a chapter.

    Raises:
        RenderError: it cannot be composed; names the chapter and who brings it.
    """
    entry = registered(GROUP)[chapter.probe]
    try:
        section = chapter.compose(sources)
        if not isinstance(section, Section):
            raise TypeError(f"expected a Section, found a {type(section).__name__}")
        title, template = say(chapter.title), _template(section, chapter.probe)
        return replace(section, id=section_id(chapter.probe), title=title, template=template)
    except _FAULTS as fault:
        raise RenderError(f"{_who(entry)}: {type(fault).__name__}: {fault}") from fault


def read_template(name: str) -> tuple[str, str] | None:
    """Text and path of a template that came with a chapter: `probes/length/length.html.j2`."""
    probe, _, file = name.removeprefix(PREFIX).partition("/")
    entry = registered(GROUP).get(probe) if name.startswith(PREFIX) and file.endswith(".j2") else None
    if entry is None:
        return None
    try:
        path = _folder(entry).joinpath(*split_template_path(file))
        return path.read_text(encoding="utf-8"), str(path)
    except (jinja2.TemplateNotFound, FileNotFoundError):
        return None


def template_of(probe: str, name: str) -> str:
    """The full name of a template that a chapter names: its own where it brings one, else the report's."""
    brought = f"{PREFIX}{probe}/{name}"
    return brought if read_template(brought) else name


def _load(entry: EntryPoint) -> Chapter:
    try:
        chapter = entry.load()
    except _FAULTS as fault:
        raise RenderError(f"{_who(entry)}: {type(fault).__name__}: {fault}") from fault
    if not isinstance(chapter, Chapter) or chapter.probe != entry.name:
        raise RenderError(
            f"{_who(entry)}: expected a Chapter of the probe {entry.name}, found "
            f"{getattr(chapter, 'probe', type(chapter).__name__)!r}"
        )
    return chapter


def _template(section: Section, probe: str) -> str | Inline:
    if not isinstance(section.template, str):
        return section.template
    if section.template.endswith(".j2"):
        return template_of(probe, section.template)
    return Inline(f"template of the chapter of the probe {probe}", section.template)


def _folder(entry: EntryPoint) -> Path:
    spec = importlib.util.find_spec(entry.module)
    return Path(spec.origin).parent if spec and spec.origin else Path()


def _who(entry: EntryPoint) -> str:
    brought = f", brought by {entry.dist.name}" if entry.dist else ""
    return f"chapter of the probe {entry.name} ({entry.value}{brought})"
