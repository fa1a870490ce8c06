"""How long are the texts? One number, a column of the table of documents, and two rules for the worst."""

import math
from dataclasses import dataclass

from auditor.findings.analyses.worst import choose
from auditor.findings.contract.finding import Finding
from auditor.findings.contract.quantity import PageOne, Quantity, Term
from auditor.findings.contract.summary import Cell, Conclusion, Summary
from auditor.findings.contract.types import Number, Pointer
from auditor.findings.statistics.intervals import bootstrap_mean


@dataclass(frozen=True, slots=True)
class Length:
    """One row of the probe."""

    document_id: str
    characters: int


class LengthFindings(Finding):
    """What findings.json keeps."""

    longest: str
    characters: Number


CHARACTERS = Quantity(
    name="length.characters",
    title="Characters of a text",
    unit="count",
    high=math.inf,
    compared=True,
    page_one=PageOne(5),
    glossary=(Term("Character", "A letter, a digit or a sign."),),
)
UNMEASURED = Quantity(
    name="length.paragraphs",
    title="Paragraphs",
    unit="count",
    glossary=(Term("Paragraph", "What stands between two empty lines."),),
)


class LengthSummary(Summary):
    """The mean length; the longest text is pointed at."""

    probe = "length"
    title = "length"
    record = Length
    findings = LengthFindings
    section = "lengths"
    order = 15
    quantities = (CHARACTERS, UNMEASURED)
    cells = (Cell("characters", "Chars", "count", 6, lambda row, _: float(row.characters), "Chars are characters."),)

    def summarise(self, evidence, setting):
        rows = list(evidence.measured(self.probe, Length).values())
        if not rows:
            return None
        mean = bootstrap_mean([float(row.characters) for row in rows], seed=setting.seed, name=CHARACTERS.name)
        number = CHARACTERS.number(mean, "Mean over documents.")
        longest = max(rows, key=lambda row: row.characters).document_id
        return Conclusion(LengthFindings(longest=longest, characters=number), (number,))

    def point(self, whole, findings):
        del whole
        yield Pointer(severity="note", text=f"{findings.longest} is the longest text", section=self.section_id)

    def worst(self, evidence, setting):
        del setting
        lengths = [(name, float(row.characters)) for name, row in evidence.measured(self.probe, Length).items()]
        yield choose("longest", lengths, 2)
        yield choose("shortest", lengths, 1, largest=False)

    def shown(self, findings):
        yield findings.longest


SUMMARY = LengthSummary()
