"""Which words stand in each document, for a glass-box model of the audited one over all of them.

What the model does with a word over the corpus is a conclusion from all documents at once, and no probe sees them all:
`auditor.findings.analyses.global_surrogate` draws it from the answers (`prediction`) and from the words that are kept
here. Nothing is asked of the model. A word is a segment of `auditor.corpus.segments`, without case; Chinese is split by
jieba, so that a report can be drawn again where jieba, or its dictionary, is another.

Edge cases: a document to which the model gave no answer, or one without labels (a free continuation), and a document
without any word, are not measurable.
"""

from collections.abc import Iterator, Sequence
from typing import ClassVar

from pydantic import Field
from pydantic.dataclasses import dataclass

from auditor.corpus.segments import Segmenter
from auditor.models import Answers
from auditor.models.capabilities import B
from auditor.probes.contract import STRICT, AnyProbe, Evaluations, Sitting, beyond_blanks
from auditor.records.explanations import BagOfWords
from auditor.records.types import Document, NotMeasurable, Prediction, Unmeasured

PREDICTION = "prediction"


@dataclass(frozen=True, config=STRICT)
class GlobalSurrogateProbe:
    """Keeps the words of each document that has an answer.

    Attributes:
        limit: The most documents to fit the surrogate to.
        segmenter: What a word is, as for LIME.
    """

    name: ClassVar[str] = "global_surrogate"
    needs: ClassVar[type] = Answers
    record: ClassVar[type] = BagOfWords
    after: ClassVar[tuple[str, ...]] = (PREDICTION,)

    limit: int | None = Field(default=5000, ge=1)
    segmenter: Segmenter = "auto"

    @property
    def model(self) -> None:
        """The audited model itself."""
        return

    def evaluations(
        self,
        model: Answers[B],  # noqa: ARG002
        documents: Sequence[Document],
        probes: Sequence[AnyProbe],  # noqa: ARG002
    ) -> list[Evaluations]:
        """None: the answers are those of the prediction."""
        return [Evaluations()] * len(documents)

    def measure(
        self, model: Answers[B], documents: Sequence[Document], sitting: Sitting[object]
    ) -> Iterator[BagOfWords | Unmeasured]:
        """Yields the words of each document; one without words or without an answer is not measurable."""
        answers = sitting.earlier.get(PREDICTION, {})
        return beyond_blanks(documents, lambda asked: (self._row(model, one, answers.get(one.id)) for one in asked))

    def _row(self, model: Answers[B], document: Document, answer: object) -> BagOfWords | Unmeasured:
        if not isinstance(answer, Prediction):
            return NotMeasurable(document.id, "no-answer", "the model gave no answer to it")
        if not answer.labels:
            return NotMeasurable(document.id, "no-labels", "the model writes freely, and chooses among no labels")
        segmenter, segments = model.segment(document, self.segmenter)
        words = dict.fromkeys(word for segment in segments if (word := segment.text.strip().casefold()))
        if not words:
            return NotMeasurable(document.id, "no-segments", f"cut into {segmenter}, it has no word")
        return BagOfWords(document.id, segmenter, tuple(words))
