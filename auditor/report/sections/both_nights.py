"""One document as both runs explain it, side by side."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from auditor.findings.comparing.nights import Night
from auditor.findings.contract.registry import summaries
from auditor.records.explanations import Explanation
from auditor.records.types import Document
from auditor.report.drawing import highlights

_WORDS = 60
"""Of the text, on each side."""


@dataclass(frozen=True, slots=True)
class Side:
    """The text as one run marks it."""

    title: str
    passages: tuple[highlights.Passage, ...]


@dataclass(frozen=True, slots=True)
class Card:
    """One document."""

    document_id: str
    head: str
    sides: tuple[Side, ...]
    """Before and after."""
    note: str = ""


@dataclass(frozen=True)
class Both:
    """The documents of the later run, and how both runs explain them."""

    before: Night
    after: Night
    documents: Mapping[str, Document]

    def explained(self, document_id: str, probe: str = "") -> tuple[Explanation, Explanation] | None:
        """The explanations of one document by one method, or by the first that has both; None where there is none."""
        methods = [name for name, summary in summaries().items() if issubclass(summary.record, Explanation)]
        for name in [probe] if probe else methods:
            explained = [n.evidence.record_of(name, document_id, Explanation) for n in (self.before, self.after)]
            if explained[0] is not None and explained[1] is not None:
                return explained[0], explained[1]
        return None

    def sides(
        self, document_id: str, explanations: tuple[Explanation, Explanation], titles: Sequence[str]
    ) -> tuple[Side, ...]:
        """The text marked by both, in shades that compare."""
        document = self.documents[document_id]
        delta = highlights.step_size([one.targets[0] for one in explanations])
        return tuple(
            Side(title, tuple(highlights.passages(document, marks, unit, _WORDS)))
            for title, explanation in zip(titles, explanations, strict=True)
            for marks in [highlights.weight_marks(explanation.segments, explanation.targets[0], delta)]
            for unit in [highlights.unit_of_segmenter(explanation.segmenter)]
        )


def both(before: Night, after: Night) -> Both:
    """Both runs."""
    return Both(before, after, {document.id: document for document in after.evidence.documents})
