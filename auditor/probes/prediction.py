"""What does the model answer? Probabilities, the predicted label, entropy; or the model's own continuation.

Entropy in nats: −Σ p ln p over the labels; for multi-label the mean over labels of −p ln p − (1−p) ln(1−p). With
several labels, those with p ≥ 0.5 are predicted; otherwise the arg max, the first of equals.
"""

from collections.abc import Iterator, Sequence
from typing import ClassVar

import numpy as np
import torch
from pydantic import Field
from pydantic.dataclasses import dataclass
from scipy.special import xlogy

from auditor.models import Classifies, Question
from auditor.models.inputs import Encoded
from auditor.probes.contract import STRICT, AnyProbe, Evaluations, Sitting, beyond_blanks, not_finite
from auditor.records.types import Document, Prediction, Unmeasured


@dataclass(frozen=True, config=STRICT)
class PredictionProbe:
    """Asks the model for its answer, once per document."""

    name: ClassVar[str] = "prediction"
    needs: ClassVar[type] = Classifies
    record: ClassVar[type] = Prediction

    limit: int | None = Field(default=None, ge=1)

    @property
    def model(self) -> None:
        """The audited model itself."""
        return

    def evaluations(
        self,
        model: Classifies,  # noqa: ARG002
        documents: Sequence[Document],
        probes: Sequence[AnyProbe],  # noqa: ARG002
    ) -> list[Evaluations]:
        """One for each."""
        return [Evaluations(1)] * len(documents)

    def measure(
        self,
        model: Classifies,
        documents: Sequence[Document],
        sitting: Sitting[object],  # noqa: ARG002
    ) -> Iterator[Prediction | Unmeasured]:
        """Yields a prediction, or a failure where the document is blank or the answer is not finite."""
        return beyond_blanks(documents, lambda asked: self._measure(model, asked))

    def _measure(self, model: Classifies, documents: Sequence[Document]) -> Iterator[Prediction | Unmeasured]:
        questions = model.ask(documents)
        texts = [(document.text, document.pair) for document in documents]
        encoded, special = model.encode(texts), model.special_tokens(texts)
        outputs = model.outputs(encoded, questions)
        asked = zip(documents, questions, encoded, special, outputs, strict=True)
        for document, question, text, literal, output in asked:
            if bool(torch.isfinite(output).all()):
                yield _prediction(model, document, question, text, literal, output)
            else:
                yield not_finite(document)


def _prediction(
    model: Classifies,
    document: Document,
    question: Question,
    text: Encoded,
    special_tokens: tuple[str, ...],
    output: torch.Tensor,
) -> Prediction | Unmeasured:
    continuation = model.continuation(question)
    free = continuation is not None
    probabilities = np.empty(0) if free else model.probabilities(output, question).numpy()
    several = model.identity.multi_label
    return Prediction(
        document_id=document.id,
        labels=() if free else question.labels,
        logits=() if free else tuple(output.double().tolist()),
        probabilities=tuple(probabilities.tolist()),
        predicted=() if free else predicted(question.labels, probabilities, several),
        entropy=0.0 if free else entropy(probabilities, several),
        n_tokens=len(text.ids),
        truncated=text.truncated,
        continuation=continuation,
        mean_logprob=float(output[0]) if free else None,
        special_tokens=special_tokens,
    )


def predicted(labels: Sequence[str], probabilities: np.ndarray, several: bool) -> tuple[str, ...]:
    """The labels that the model gives."""
    if several:
        return tuple(label for label, p in zip(labels, probabilities, strict=True) if p >= 0.5)
    return (labels[int(probabilities.argmax())],)


def entropy(probabilities: np.ndarray, several: bool) -> float:
    """Of the answer, nats; `several` means over labels that exclude nothing."""
    total = -xlogy(probabilities, probabilities).sum()
    if not several:
        return float(total)
    return float((total - xlogy(1 - probabilities, 1 - probabilities).sum()) / len(probabilities))
