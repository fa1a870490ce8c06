"""Which attention heads does an answer depend on? Each is switched off by itself (Michel, Levy & Neubig 2019).

With f what the model says for the label that it predicts, and f_lh the same where head h of layer l hands on zeros in
the place of what it took from the values (`auditor.models.attention.switching`),

    effect     f − f_lh              positive where the head supports the answer
    received   r_t = (1/T) Σ_i p_it  of each head: the weight of token t, mean over the queries i
    agreement  τ_b over segments between Σ_{t ∈ s} r_t and |w_s|, w the weights of an explainer toward that label

2 + L·H evaluations a document, L layers that attend with H heads each: its attention, and the answers. Only what one
head does by itself shows: of two that do the same, either would seem to do nothing.

The label and the segments are those of the explanations of the document, which other probes made; agreement is asked of
occlusion, which is exact, and of saliency, where they run. Segments of which the model reads no token are left out.

Edge cases: a document that nobody explained, or a model that does not show its attention: not measurable. Fewer than
five segments: no agreement. A head that looks at all segments alike, or weights that are all equal: no τ. An answer
that is no number: a failure.

Oracle: a model whose answer goes through one head alone, built by hand; the stock model with the columns of the output
projection of a head set to zero (the tests).
"""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, ClassVar

import numpy as np
from pydantic import Field
from pydantic.dataclasses import dataclass

from auditor.findings.statistics.likeness import kendall_tau_b
from auditor.models import Question, ShowsAttention
from auditor.models.inputs import HeadEffects, UnreadableError, UnseenAttentionError
from auditor.probes.attribution import owners
from auditor.probes.contract import STRICT, AnyProbe, Evaluations, Sitting, beyond_blanks, not_finite
from auditor.probes.explained import explanations_of
from auditor.records.explanations import Explanation
from auditor.records.heads import COMPARED, HeadAblation, HeadAgreement
from auditor.records.types import Document, Failure, NotMeasurable, Span, Unmeasured

STRETCH = 8
"""Documents whose heads are switched off together."""
LEAST_SEGMENTS = 5
Row = HeadAblation | Unmeasured
Named = Mapping[str, Explanation]
"""Probe → its explanation of a document."""


@dataclass(frozen=True, config=STRICT)
class HeadAblationProbe:
    """Switches off every head in turn, in documents that are explained.

    Attributes:
        limit: The most documents.
    """

    name: ClassVar[str] = "head_ablation"
    needs: ClassVar[type] = ShowsAttention
    record: ClassVar[type] = HeadAblation
    gathers: ClassVar[type] = Explanation

    limit: int | None = Field(default=24, ge=1)

    @property
    def model(self) -> None:
        """The audited model itself."""
        return

    def evaluations(
        self,
        model: ShowsAttention[Any],
        documents: Sequence[Document],
        probes: Sequence[AnyProbe],  # noqa: ARG002
    ) -> list[Evaluations] | None:
        """2 + L · H for each, as far as the model says how many heads it has."""
        n_heads = model.most_heads
        return None if n_heads is None else [Evaluations(2 + n_heads)] * len(documents)

    def measure(
        self, model: ShowsAttention[Any], documents: Sequence[Document], sitting: Sitting[object]
    ) -> Iterator[Row]:
        """Yields what each document's answer loses without each head; not measurable where nobody explained it."""
        return beyond_blanks(documents, lambda asked: self._measure(model, asked, sitting))

    def _measure(
        self, model: ShowsAttention[Any], documents: Sequence[Document], sitting: Sitting[object]
    ) -> Iterator[Row]:
        for start in range(0, len(documents), STRETCH):
            stretch = documents[start : start + STRETCH]
            explained = [explanations_of(document, sitting) for document in stretch]
            tried = [i for i, named in enumerate(explained) if named]
            chosen = [stretch[i] for i in tried]
            questions = model.ask(chosen) if chosen else []
            rows = iter(_rows(model, chosen, questions, [explained[i] for i in tried]))
            for document, named in zip(stretch, explained, strict=True):
                yield next(rows) if named else _unexplained(document)


def _unexplained(document: Document) -> NotMeasurable:
    return NotMeasurable(document.id, "no-explanation", "no explainer explained the document")


def _rows(
    model: ShowsAttention[Any], documents: Sequence[Document], questions: Sequence[Question], explained: Sequence[Named]
) -> list[Row]:
    """Of explained documents; where the model fails, they are halved until those are found on which it does."""
    if not documents:
        return []
    names = [next(iter(named.values())).targets[0].label for named in explained]
    labels = [question.labels.index(name) for question, name in zip(questions, names, strict=True)]
    try:
        measured = model.head_effects(documents, questions, labels)
    except UnseenAttentionError as reason:
        return [NotMeasurable(document.id, reason.kind, str(reason)) for document in documents]
    except UnreadableError as fault:
        if len(documents) == 1:
            return [Failure(documents[0].id, fault.kind, str(fault))]
        middle = len(documents) // 2
        parts = (slice(None, middle), slice(middle, None))
        return [row for part in parts for row in _rows(model, documents[part], questions[part], explained[part])]
    return [
        _row(document, question, question.labels[label], heads, named)
        for document, question, label, heads, named in zip(
            documents, questions, labels, measured, explained, strict=True
        )
    ]


def _row(document: Document, question: Question, label: str, heads: HeadEffects, explained: Named) -> Row:
    if not (np.isfinite(heads.answer) and np.isfinite(heads.without).all() and np.isfinite(heads.received).all()):
        return not_finite(document)
    n_layers, n_heads = heads.without.shape
    agreements = (_agreement(probe, explained[probe], label, heads) for probe in COMPARED if probe in explained)
    return HeadAblation(
        document_id=document.id,
        label=label,
        unit=question.unit,
        n_layers=n_layers,
        n_heads=n_heads,
        answer=heads.answer,
        effects=tuple((heads.answer - heads.without).ravel().tolist()),
        agreements=tuple(one for one in agreements if one is not None),
    )


def _agreement(probe: str, explanation: Explanation, label: str, heads: HeadEffects) -> HeadAgreement | None:
    """τ of every head; None where too few segments are read, or the explanation is of another label."""
    received, read = _by_segment(heads.parts, explanation, heads.received)
    target = explanation.targets[0]
    if read.sum() < LEAST_SEGMENTS or target.label != label:
        return None
    weights = np.abs(np.asarray(target.weights))[read]
    return HeadAgreement(probe, tuple(kendall_tau_b(of_head[read], weights) for of_head in received))


def _by_segment(parts: Sequence[Span], explanation: Explanation, received: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """(L·H, S) what each segment receives of each head, and (S,) which of them any part belongs to."""
    owner, n_segments = owners(parts, explanation.segments), len(explanation.segments)
    of_segments = np.eye(n_segments + 1)[owner][:, :n_segments]  # −1, of no segment, is the last row
    return received.reshape(-1, len(parts)) @ of_segments, of_segments.any(axis=0)
