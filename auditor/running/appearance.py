"""How the report of a run looks: read from the configuration, kept in the plan, found again for a new rendering.

Logo and templates go into the plan as they are, so that `auditor report` needs no file of the reader's; fonts are too
large for that and go in by SHA-256: whoever renders again brings them along.
"""

from collections.abc import Callable
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, TypeVar

from auditor.errors import ConfigError, RenderError
from auditor.findings import Presentation
from auditor.records.plan import Plan, PlannedLook
from auditor.report import PLAIN, Look
from auditor.report.branding import logo
from auditor.report.branding.fonts import additional
from auditor.report.page.templates import UserTemplates

if TYPE_CHECKING:
    from auditor.config import Config

T = TypeVar("T")


@dataclass(frozen=True)
class Appearance:
    """The templates, fonts and logo that a user gives a report."""

    look: Look = PLAIN
    logo: str | None = None
    """A `data:` URL."""

    def planned(self) -> PlannedLook:
        """The form in which the plan keeps it: logo and templates whole, fonts by SHA-256."""
        return PlannedLook(self.logo, dict(self.look.templates.files), dict(self.look.fonts.hashes))


def read(config: "Config") -> Appearance:
    """Reads and checks the logo, templates and fonts that the configuration names.

    Raises:
        ConfigError: every fault of logo, templates and fonts, one line each.
    """
    from auditor.report.page import overrides

    faults: list[str] = []

    def read_if_named(key: str, reader: Callable[[Path], T]) -> T | None:
        if getattr(config.report, key) is None:
            return None
        try:
            return reader(config.locate(f"report.{key}"))
        except RenderError as fault:
            faults.extend(f"{config.origin}: report.{key}: {line}" for line in str(fault).splitlines())
            return None

    look = Look(
        read_if_named("templates", overrides.read) or PLAIN.templates,
        read_if_named("fonts", additional.read) or PLAIN.fonts,
    )
    appearance = Appearance(look, read_if_named("logo", logo.read))
    if faults:
        raise ConfigError("\n".join(faults))
    return appearance


def look_again(kept: PlannedLook, templates: Path | None, fonts: Path | None) -> Look:
    """The look of a run that is rendered again: folders that are given now, else what the plan keeps.

    Raises:
        RenderError: a folder is faulty, or the run was drawn with fonts that are not given.
    """
    from auditor.report.page import overrides

    look = Look(UserTemplates("plan.json", tuple(kept.templates.items())))
    if templates is not None:
        look = replace(look, templates=overrides.read(templates))
    if fonts is not None:
        return replace(look, fonts=additional.read(fonts))
    if kept.fonts:
        names = ", ".join(kept.fonts)
        raise RenderError(f"this run was drawn with fonts of your own: give {names} again with --fonts DIR")
    return look


def presentation(plan: Plan) -> Presentation:
    """The settings of the report in the plan: language, sections, reviewers, statements, logo."""
    return Presentation.model_validate({**asdict(plan.report), "logo": plan.look.logo})


def noted(look: Look) -> str:
    """The files that shape the report, with their SHA-256, for the provenance page."""
    return "; ".join(f"{name} {digest}" for name, digest in look.hashes.items())
