"""What an item of a framework is, and which texts only a person can write."""

from dataclasses import dataclass
from typing import Final, Literal

from auditor.languages import N_

Evidence = Literal[
    "accuracy",
    "answers",
    "calibration",
    "checks",
    "documents",
    "explanations",
    "methods",
    "provenance",
    "reviewers",
    "slices",
    "verdict",
]
"""What a report may have."""

Statement = Literal[
    "intended_purpose",
    "out_of_scope",
    "owner",
    "version_history",
    "training_data",
    "evaluation_data",
    "limits",
    "affected_groups",
    "oversight",
    "monitoring",
    "security",
    "standards",
    "ethics",
]
"""Keys of `[report.statements]`."""

STATEMENTS: Final[dict[Statement, str]] = {
    "intended_purpose": N_("Intended purpose: what the model is for, who uses it, and on whom"),
    "out_of_scope": N_("Uses it is not made for"),
    "owner": N_("Owner: who is responsible, and how to reach them"),
    "version_history": N_("Versions, and what changed between them"),
    "training_data": N_("Training data: where it is from, how it was chosen, labelled and cleaned"),
    "evaluation_data": N_("Data of this audit: why this corpus, and how far it is like what the model will see"),
    "limits": N_("Known limits and foreseeable misuse"),
    "affected_groups": N_("People and groups that may be affected"),
    "oversight": N_("Human oversight: who looks at results, and who may stop the model"),
    "monitoring": N_("Monitoring after release, and what happens in an incident"),
    "security": N_("Security measures"),
    "standards": N_("Standards applied, in full or in part"),
    "ethics": N_("Ethical considerations"),
}
"""Key → what is to be written there, in the order of the page."""


@dataclass(frozen=True, slots=True)
class Item:
    """One thing that a framework asks for."""

    reference: str
    """As the framework numbers it: "2(g)", "2.5", "A.6.2.4"."""
    asks: str
    """In short, in our words."""
    evidence: tuple[Evidence, ...] = ()
    """What of a report is about it; where there is none, nothing measured can answer it."""
    statements: tuple[Statement, ...] = ()
    """What a person has to write."""
    lacks: str = ""
    """What it asks for besides, which no report of this kind has."""


@dataclass(frozen=True, slots=True)
class Framework:
    """A law, a standard or a custom, and the part of it that is mapped."""

    title: str
    source: str
    items: tuple[Item, ...]
