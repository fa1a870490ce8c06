"""The numbers of a method of explanation with a surrogate, named after its probe."""

import math
from dataclasses import dataclass
from functools import cached_property

from auditor.findings.analyses.trust import faithfulness_quantity, stability_quantity
from auditor.findings.contract.quantity import PageOne, Quantity, Term
from auditor.languages import N_


@dataclass(frozen=True)
class ExplanationQuantities:
    """The numbers of one method of explanation, named after its probe: `lime.fidelity`."""

    probe: str
    fidelity_title: str
    """Message: "LIME fidelity"."""
    glossary: tuple[Term, ...] = ()
    rank: int | None = None
    """On page one; None keeps the method off it unless a check is about it."""
    faithfulness_title: str = N_("Faithfulness")
    stability_title: str = N_("Stability")
    low_fidelity_title: str = N_("Low-fidelity explanations")
    decisive_title: str = N_("Explanations with a decisive word")

    @cached_property
    def fidelity(self) -> Quantity:
        """Mean weighted R² of the surrogates."""
        return Quantity(
            name=f"{self.probe}.fidelity",
            title=self.fidelity_title,
            unit="correlation",
            low=-math.inf,
            compared=True,
            better="high",
            page_one=PageOne(self.rank, self.rank),
            glossary=self.glossary,
        )

    @cached_property
    def faithfulness(self) -> Quantity:
        """What the rankings are worth beyond random ones."""
        return faithfulness_quantity(self.probe, self.faithfulness_title, self.rank and self.rank + 4)

    @cached_property
    def stability(self) -> Quantity:
        """How far two samples give the same weights."""
        return stability_quantity(self.probe, self.stability_title)

    @cached_property
    def low_fidelity_share(self) -> Quantity:
        """Share of explanations that explain less than half."""
        rank = None if self.rank is None else self.rank + 60
        return Quantity(
            name=f"{self.probe}.low_fidelity_share",
            title=self.low_fidelity_title,
            unit="share",
            compared=True,
            better="low",
            page_one=PageOne(rank),
        )

    @cached_property
    def decisive_share(self) -> Quantity:
        """Share of explanations that name a word which matters."""
        return Quantity(name=f"{self.probe}.decisive_share", title=self.decisive_title, unit="share")
