"""The table [report]: contents of the report besides the findings, and its appearance."""

import difflib
from importlib.metadata import entry_points
from typing import Annotated, Any, Final, Self

from pydantic import AfterValidator, BeforeValidator, Field, model_validator

from auditor.config.base import Name, Table
from auditor.languages import Language

SECTIONS: Final = (
    "changed",
    "waivers",
    "failures",
    "slices",
    "documents",
    "methods",
    "regulatory",
    "glossary",
    "provenance",
)
"""The sections that are of no single probe; those of probes are called as the probes are."""


def known_sections() -> tuple[str, ...]:
    """Names of all sections: the installed probes, and `SECTIONS`."""
    return (*sorted(entry_points(group="auditor.probes").names), *SECTIONS)


def _known_section(name: str) -> str:
    known = known_sections()
    if name not in known:
        near = difflib.get_close_matches(name, known, n=1)
        hint = f"did you mean {near[0]}?" if near else f"there are {', '.join(known)}"
        raise ValueError(f"there is no such section; {hint}")
    return name


def _distinct(names: list[str]) -> list[str]:
    if repeated := [name for name in dict.fromkeys(names) if names.count(name) > 1]:
        raise ValueError(f"names {' and '.join(repeated)} more than once")
    return names


def _person(value: Any) -> Any:  # any value that TOML or YAML can give
    return {"name": value} if isinstance(value, str) else value


Line = Annotated[str, Field(min_length=1, max_length=120)]
Marking = Annotated[str, Field(min_length=1, max_length=40)]
Statement = Annotated[str, Field(min_length=1, max_length=4000)]
SectionId = Annotated[str, AfterValidator(_known_section)]


class ReviewerConfig(Table):
    """Who is to sign."""

    name: Line
    role: Line | None = None


Person = Annotated[ReviewerConfig, BeforeValidator(_person, json_schema_input_type=Line | ReviewerConfig)]


class StatementsConfig(Table):
    """What only a person can say; printed as written in the regulatory map, or listed there as missing."""

    intended_purpose: Statement | None = None
    """What the model is for, who uses it, and on whom."""
    out_of_scope: Statement | None = None
    """Uses it is not made for."""
    owner: Statement | None = None
    """Who is responsible, and how to reach them."""
    version_history: Statement | None = None
    """Versions, and what changed between them."""
    training_data: Statement | None = None
    """Where it is from, how it was chosen, labelled and cleaned."""
    evaluation_data: Statement | None = None
    """Why this corpus, and how far it is like what the model will see."""
    limits: Statement | None = None
    """Known limits and foreseeable misuse."""
    affected_groups: Statement | None = None
    """People and groups that may be affected."""
    oversight: Statement | None = None
    """Who looks at results, and who may stop the model."""
    monitoring: Statement | None = None
    """How it is watched after release, and what happens in an incident."""
    security: Statement | None = None
    """Security measures."""
    standards: Statement | None = None
    """Standards applied, in full or in part."""
    ethics: Statement | None = None
    """Ethical considerations."""


class SignatureConfig(Table):
    """With what the PDF is signed."""

    key: Name
    """A file of PKCS #12 (.p12, .pfx), or a key in PEM, relative to this file."""
    certificate: Name | None = None
    """Of a key in PEM: its certificate in PEM, those of its issuers behind it."""
    passphrase_variable: Name = "AUDITOR_SIGNING_PASSPHRASE"
    """The variable of the environment that holds the passphrase, which never stands here."""
    timestamp: Name | None = None
    """Address of a timestamp server (RFC 3161)."""
    visible: bool = False
    """Whether it stands on a signature line of page one, with signer, time and reason; else in the reader's panel."""
    line: int | None = Field(default=None, ge=1)
    """On which, then visible too; else the one that names the signer, or the first that is free."""
    reason: Annotated[str, Field(min_length=1, max_length=70)] | None = None
    """Why it is signed."""


class ReportConfig(Table):
    """What the report says besides the findings, and how it looks."""

    pdf: bool = True
    """Whether to write the PDF beside the HTML."""
    language: Language = "en"
    """The language of the report's own words: English or Simplified Chinese."""
    sections: Annotated[list[SectionId], AfterValidator(_distinct)] | None = None
    """Which sections, in this order; by default all. Provenance always ends the report."""
    reviewers: list[Person] = Field(default_factory=list)
    """One signature line each: a name, or a name and a role."""
    statements: StatementsConfig = StatementsConfig()
    """Texts about the model that no measurement can give."""
    organisation: Line | None = None
    """Whose report it is."""
    logo: Name | None = None
    """A PNG or JPEG of at most 256 KB, relative to this file; needs organisation, which stands for it in words."""
    classification: Marking | None = None
    """A marking such as "Internal": at the top of the HTML, at head and foot of every page of the PDF."""
    templates: Name | None = None
    """A folder of templates and a user.css that take the place of the report's own, relative to this file."""
    fonts: Name | None = None
    """A folder of static fonts (.ttf, .otf, .woff2) for characters that the report lacks, relative to this file."""

    signature: SignatureConfig | None = None
    """Sign the PDF as it is written; needs the extra auditor[sign]."""

    @model_validator(mode="after")
    def _require_words_for_the_logo(self) -> Self:
        if self.logo is not None and self.organisation is None:
            raise ValueError("logo needs organisation, the words for those who do not see it")
        return self
