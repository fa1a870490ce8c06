"""What a third party brings: how long the documents are, in a class of its own and in kinds."""

import math
from dataclasses import dataclass

from auditor.findings.contract.finding import Finding
from auditor.findings.contract.quantity import Quantity
from auditor.findings.contract.summary import Cell, Conclusion, Summary
from auditor.findings.statistics.intervals import bootstrap_mean, wilson


@dataclass(frozen=True)
class Length:
    document_id: str
    characters: int
    kind: str


class LengthFindings(Finding):
    longest: int


class LengthSummary(Summary):
    """Mean length, and the share of every kind."""

    probe = "length"
    title = "length"
    record = Length
    findings = LengthFindings
    cells = (Cell("characters", "Characters", "count", 6, lambda record, _: record.characters),)

    def __init__(self, *kinds, **changes):
        self.kinds = kinds
        mean = Quantity(name="length.characters", title="Characters", unit="count", high=math.inf, compared=True)
        share = Quantity(
            name="length.share", title="Share, {label}", unit="share", compared=True, given=lambda _: self.kinds
        )
        self.quantities = (mean, share)
        vars(self).update(changes)

    def summarise(self, evidence, setting):
        lengths = list(evidence.measured("length", Length).values())
        if not lengths:
            return None
        mean, share = self.quantities
        characters = bootstrap_mean([length.characters for length in lengths], seed=setting.seed, name=mean.name)
        numbers = [mean.number(characters, "Mean over documents of their characters.")]
        for kind in self.kinds:
            n = sum(length.kind == kind for length in lengths)
            numbers.append(share.number(wilson(n, len(lengths)), "Share of documents of this kind.", kind))
        return Conclusion(LengthFindings(longest=max(length.characters for length in lengths)), tuple(numbers))


def lengths(documents, kinds=("short", "long")):
    """Row of the probe for every document: as many characters as its text, the kinds in turn."""
    return {d.id: Length(d.id, len(d.text) + i, kinds[i % len(kinds)]) for i, d in enumerate(documents)}
