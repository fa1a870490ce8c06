"""A user's templates, style sheet and fonts, applied to one rendering of a report."""

import contextlib
from collections.abc import Iterator
from dataclasses import dataclass
from hashlib import sha256

from auditor.report.branding import fonts
from auditor.report.branding.fonts import additional
from auditor.report.branding.fonts.additional import UserFonts
from auditor.report.page import templates
from auditor.report.page.templates import UserTemplates


@dataclass(frozen=True)
class Look:
    """A user's templates and fonts."""

    templates: UserTemplates = templates.NONE
    fonts: UserFonts = additional.NONE

    @contextlib.contextmanager
    def applied(self) -> Iterator[None]:
        """Render reports with them within a `with` block."""
        with templates.overridden_by(self.templates), fonts.joined_by(self.fonts.fonts):
            yield

    @property
    def hashes(self) -> dict[str, str]:
        """Name → SHA-256 of every file, templates first."""
        of_templates = {name: sha256(text.encode()).hexdigest() for name, text in self.templates.files}
        return {**of_templates, **dict(self.fonts.hashes)}


PLAIN = Look()
"""No templates and fonts of a user."""
