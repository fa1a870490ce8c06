"""What a reader adds to the looks of a report: templates, a style sheet, fonts. In force for one rendering."""

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
    """A reader's templates and fonts."""

    templates: UserTemplates = templates.NONE
    fonts: UserFonts = additional.NONE

    @contextlib.contextmanager
    def applied(self) -> Iterator[None]:
        """Inside, the report is drawn with them."""
        with templates.overridden_by(self.templates), fonts.joined_by(self.fonts.fonts):
            yield

    @property
    def hashes(self) -> dict[str, str]:
        """SHA-256 of every file that shapes the report, by its name."""
        own = {name: sha256(text.encode()).hexdigest() for name, text in self.templates.files}
        return {**own, **dict(self.fonts.hashes)}


PLAIN = Look()
"""The report as the package draws it."""
