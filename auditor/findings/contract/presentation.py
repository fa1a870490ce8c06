"""How the report speaks, and for whom; from `[report]`."""

from pydantic import Field

from auditor.findings.contract.finding import Finding
from auditor.languages import Language


class Reviewer(Finding):
    """Who is to sign."""

    name: str
    role: str | None = None


class Presentation(Finding):
    """The wishes of those who ordered the report, as the run keeps them."""

    language: Language = "en"
    reviewers: tuple[Reviewer, ...] = ()
    """Who is to sign, a line each."""
    organisation: str | None = None
    logo: str | None = None
    """A `data:` URL of a PNG or a JPEG."""
    classification: str | None = None
    """A marking on every page."""
    sections: tuple[str, ...] | None = None
    """Ids of the sections that are printed, in this order; None for all."""
    statements: dict[str, str] = Field(default_factory=dict)
    """What a person wrote about the model, by the keys of `[report.statements]`."""
