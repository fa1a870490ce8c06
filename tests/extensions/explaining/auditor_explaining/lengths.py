"""An explainer that looks at the text alone: a word weighs what it has letters."""

from collections.abc import Iterator, Sequence
from typing import Any, ClassVar

from pydantic import Field
from pydantic.dataclasses import dataclass

from auditor.models import Answers
from auditor.probes.contract import STRICT, Sitting
from auditor.records.explanations import Explanation, Target
from auditor.records.types import Document


@dataclass(frozen=True, config=STRICT)
class LengthsProbe:
    """Explains every label by how long the words are."""

    name: ClassVar[str] = "lengths"
    needs: ClassVar[type] = Answers
    record: ClassVar[type] = Explanation

    limit: int | None = Field(default=None, ge=1)

    @property
    def model(self) -> None:
        """The audited model itself."""

    def measure(
        self,
        model: Answers[Any],
        documents: Sequence[Document],
        sitting: Sitting[object],  # noqa: ARG002
    ) -> Iterator[Explanation]:
        """Yields an explanation of each label."""
        for document, question in zip(documents, model.ask(documents), strict=True):
            how, segments = model.segment(document, "words")
            weights = tuple(float(len(segment.text)) for segment in segments)
            none, every = (0.0,) * len(segments), (True,) * len(segments)
            targets = tuple(Target(label, weights, none, every, 0.5) for label in question.labels)
            yield Explanation(document.id, self.name, question.unit, how, segments, targets)
