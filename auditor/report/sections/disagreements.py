"""Cards of documents of which two methods of explanation say little alike: the same text, marked by either."""

from collections.abc import Iterator
from dataclasses import dataclass

from auditor.findings.analyses.faithfulness import FaithfulnessFindings
from auditor.findings.analyses.grades import GRADES
from auditor.findings.analyses.trust import grade_of
from auditor.findings.wording import sentences
from auditor.languages import say
from auditor.records.explanations import Explanation
from auditor.records.types import Document
from auditor.report.contract import Sources
from auditor.report.drawing import formats, highlights

_WORDS = 60
"""Of the text, for each method."""


@dataclass(frozen=True, slots=True)
class Marked:
    """The text as one method marks it."""

    method: str
    grade: str
    passages: tuple[highlights.Passage, ...]


@dataclass(frozen=True, slots=True)
class Card:
    """One document."""

    document_id: str
    target: str
    correlation: str
    sides: tuple[Marked, ...]
    """One of each method."""


def cards(sources: Sources, findings: FaithfulnessFindings) -> list[Card]:
    """One for each document that the findings chose, the least alike first."""
    return list(_cards(sources, findings))


def _cards(sources: Sources, findings: FaithfulnessFindings) -> Iterator[Card]:
    for chosen in findings.disagreements:
        document = sources.documents.get(chosen.document_id)
        explained = [
            (probe, explanation)
            for probe in (chosen.one, chosen.other)
            if (explanation := sources.evidence.record_of(probe, chosen.document_id, Explanation))
        ]
        if document is not None and explained:
            yield Card(
                document_id=formats.middle(document.id, 48),
                target=formats.middle(explained[0][1].targets[0].label, 60),
                correlation=formats.decimal(chosen.correlation, 2),
                sides=tuple(_marked(sources, document, *one) for one in explained),
            )


def _marked(sources: Sources, document: Document, probe: str, explanation: Explanation) -> Marked:
    """A text whose shades are those of this method alone: the units of two methods may differ."""
    target = explanation.targets[0]
    painted = highlights.weight_marks(explanation.segments, target, highlights.step_size([target]))
    unit = highlights.unit_of_segmenter(explanation.segmenter)
    grade = grade_of(sources.evidence, probe, document.id)
    return Marked(
        method=sentences.probe(probe),
        grade=say(GRADES[grade]) if grade else "",
        passages=tuple(highlights.passages(document, painted, unit, _WORDS)),
    )
