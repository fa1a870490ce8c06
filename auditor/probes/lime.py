"""Which words carry the prediction? LIME (Ribeiro, Singh & Guestrin 2016), with an error on every weight.

The numbers are defined in `auditor.probes.surrogate`. The perturbations of all documents are computed in one stream,
each distinct one once. Short documents are explained exactly, by enumeration; long ones, with more segments than half
the samples could tell apart, by sentences.
"""

import hashlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass as plain
from typing import ClassVar, Literal

import numpy as np
import torch
from pydantic import Field
from pydantic.dataclasses import dataclass

from auditor.corpus.segments import perturb, segment
from auditor.models import Classifies, Question
from auditor.models.contract import Text
from auditor.probes.contract import STRICT, beyond_blanks, not_finite
from auditor.probes.surrogate import enumerate_masks, fit, kernel, sample_masks
from auditor.records.types import Document, Explanation, Failure, Segment, Target

Segmenter = Literal["auto", "words", "characters", "sentences", "tokens", "lime"]


@plain(frozen=True, slots=True)
class Neighbourhood:
    """The perturbations of one document."""

    document: Document
    segmenter: str
    segments: tuple[Segment, ...]
    masks: np.ndarray
    """(N, S) bool as drawn, or all 2^S."""
    distinct: np.ndarray
    """(D, S) bool; what the model computes. Row 0 is the undisturbed document."""
    inverse: np.ndarray
    """(N,) the distinct mask of each row."""
    shares: np.ndarray | None
    """(2^S,) probability of each mask where all are enumerated."""

    @property
    def texts(self) -> list[Text]:
        """The D distinct perturbed texts."""
        return perturb(self.document, self.segments, self.distinct)


@dataclass(frozen=True, config=STRICT)
class LimeProbe:
    """Explains each prediction by a linear surrogate over segments of the document."""

    name: ClassVar[str] = "lime"
    needs: ClassVar[type] = Classifies
    record: ClassVar[type] = Explanation

    n_samples: int = Field(default=1000, ge=20, le=100_000)
    limit: int | None = Field(default=None, ge=1)
    segmenter: Segmenter = "auto"
    bow: bool = True
    num_features: int | None = Field(default=None, ge=1)
    top_labels: int = Field(default=1, ge=1)
    kernel_width: float = Field(default=25.0, gt=0, le=1000)

    @property
    def model(self) -> None:
        """The audited model itself."""
        return

    def measure(self, model: Classifies, documents: Sequence[Document], seed: int) -> Iterator[Explanation | Failure]:
        """Yields an explanation for each document that has something to switch off."""
        return beyond_blanks(documents, lambda asked: self._measure(model, asked, seed))

    def _measure(self, model: Classifies, documents: Sequence[Document], seed: int) -> Iterator[Explanation | Failure]:
        plans = [self.neighbourhood(document, model, seed) for document in documents]
        able = [plan for plan in plans if isinstance(plan, Neighbourhood)]
        questions = model.ask([plan.document for plan in able]) if able else []
        texts = [plan.texts for plan in able]
        asked = [question for question, group in zip(questions, texts, strict=True) for _ in group]
        outputs = model.outputs(model.encode([t for group in texts for t in group]), asked) if able else torch.empty(0)
        parts = iter(zip(questions, torch.split(outputs, [len(group) for group in texts]), strict=True))
        for plan in plans:
            yield plan if isinstance(plan, Failure) else self._explain(model, plan, *next(parts))

    def neighbourhood(self, document: Document, model: Classifies, seed: int) -> Neighbourhood | Failure:
        """Segments the document and draws its masks, from (seed, document) alone."""
        segmenter, segments = self._segments(document, model)
        if not segments:
            return Failure(document.id, "no-segments", "the document has no word or character to switch off")
        if 2 * len(segments) > self.n_samples:
            return Failure(
                document.id,
                "too-many-segments",
                f"{len(segments)} {segmenter} cannot be told apart by {self.n_samples} samples; raise n_samples",
            )
        if 2 ** min(len(segments), 40) <= self.n_samples:
            masks, shares = enumerate_masks(len(segments), self.n_samples)
            everything = np.arange(len(masks))
            return Neighbourhood(document, segmenter, segments, masks, masks, everything, shares)
        random = np.random.RandomState(seed_for(seed, document, self.name))
        masks = sample_masks(len(segments), self.n_samples, random)
        distinct, inverse = _distinct(masks)
        return Neighbourhood(document, segmenter, segments, masks, distinct, inverse, None)

    def _segments(self, document: Document, model: Classifies) -> tuple[str, tuple[Segment, ...]]:
        tokens = None
        if self.segmenter == "tokens":
            found = model.tokens([(document.text, document.pair)])[0]
            tokens = [span for span, special in zip(found.spans, found.special, strict=True) if not special]
        name, segments = segment(document, self.segmenter, bow=self.bow, tokens=tokens)
        if self.segmenter == "auto" and 2 * len(segments) > self.n_samples:
            return segment(document, "sentences", bow=self.bow)
        return name, segments

    def _explain(
        self, model: Classifies, plan: Neighbourhood, question: Question, outputs: torch.Tensor
    ) -> Explanation | Failure:
        values = model.probabilities(outputs, question).numpy()[plan.inverse]  # N K
        if not np.isfinite(values).all():
            return not_finite(plan.document)
        proximity = kernel(plan.masks, self.kernel_width)
        exact = plan.shares is not None
        if plan.shares is not None:
            proximity = proximity * plan.shares
        targets = []
        for label in self._labels(values[0], question, plan.document):
            found = fit(plan.masks, values[:, label], proximity, num_features=self.num_features, exact=exact)
            targets.append(
                Target(
                    label=question.labels[label],
                    weights=tuple(found.weights.tolist()),
                    standard_errors=tuple(found.standard_errors.tolist()),
                    selected=tuple(found.selected.tolist()),
                    intercept=found.intercept,
                    fidelity=found.fidelity,
                    local_prediction=found.local_prediction,
                    model_prediction=float(values[0, label]),
                )
            )
        return Explanation(
            document_id=plan.document.id,
            segmenter=plan.segmenter,
            segments=plan.segments,
            targets=tuple(targets),
            n_samples=len(plan.masks),
            n_evaluations=len(plan.distinct),
            exact=exact,
            kernel_width=self.kernel_width,
            unit="log-probability" if question.free else "probability",
        )

    def _labels(self, probabilities: np.ndarray, question: Question, document: Document) -> list[int]:
        """The most probable labels, then the reference labels that are not among them."""
        chosen: list[int] = np.argsort(-probabilities, kind="stable")[: self.top_labels].tolist()
        return chosen + [i for i, label in enumerate(question.labels) if label in document.labels and i not in chosen]


def seed_for(seed: int, document: Document, probe: str) -> int:
    """32 bits that depend on nothing but the run's seed, the document's content and the probe."""
    parts = (str(seed), document.id, document.text, document.pair or "", probe)
    digest = hashlib.sha256("\0".join(parts).encode("utf-8", "surrogatepass")).digest()
    return int.from_bytes(digest[:4], "little")


def _distinct(masks: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """The distinct rows in order of appearance, and for each row which of them it is."""
    packed = np.packbits(masks, axis=1)
    _, first, inverse = np.unique(packed, axis=0, return_index=True, return_inverse=True)
    rank = np.argsort(np.argsort(first))
    return masks[np.sort(first)], rank[inverse.reshape(-1)]
