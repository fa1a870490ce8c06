"""What is inside the model while it reads? Norms, outlier dimensions and active units, layer by layer.

Of each document, from one forward pass, with x_t the hidden state of token t behind a layer:

    norm      the median over t of ‖x_t‖₂, of what enters the first layer and of what leaves each
    ratio_d   max_t |x_td| / √(Σ_d x_td² / D), of the few dimensions d where it is greatest
    active    which hidden units of the feed-forward layers were beyond a threshold at any token

Formulas, edge cases and conventions: `auditor.models.computing.hidden_states`. The text is read by itself, as for
attention: without the prompt of a language model. Nothing is drawn at random.

Edge cases: a text without a token is not measurable; nor is any where the layers of a model cannot be told apart. Where
only its hidden units cannot be seen, the rest is measured and the row says why they are missing. NaN or infinity in a
hidden state is a failure.
"""

from collections.abc import Iterator, Sequence
from typing import ClassVar

import numpy as np
from pydantic import Field
from pydantic.dataclasses import dataclass

from auditor.models import Observes, Tokens
from auditor.models.inputs import HiddenStatistics, Insides, UnreadableError, UnseenActivationsError
from auditor.probes.contract import STRICT, AnyProbe, Evaluations, Sitting, beyond_blanks, not_finite
from auditor.records.activations import Activations
from auditor.records.types import Document, Failure, NotMeasurable, Unmeasured

STRETCH = 256
"""Documents whose units are on the device at once."""
Row = Activations | Unmeasured


@dataclass(frozen=True, config=STRICT)
class ActivationsProbe:
    """Reduces the hidden states of all layers, on the device.

    Attributes:
        limit: Documents to measure at most.
    """

    name: ClassVar[str] = "activations"
    needs: ClassVar[type] = Observes
    record: ClassVar[type] = Activations

    limit: int | None = Field(default=None, ge=1)

    @property
    def model(self) -> None:
        """The audited model itself."""
        return

    def evaluations(
        self,
        model: Observes,  # noqa: ARG002
        documents: Sequence[Document],
        probes: Sequence[AnyProbe],  # noqa: ARG002
    ) -> list[Evaluations]:
        """One for each."""
        return [Evaluations(1)] * len(documents)

    def measure(self, model: Observes, documents: Sequence[Document], sitting: Sitting[object]) -> Iterator[Row]:
        """Yields what was inside the model at each document; a document without a token is not measurable."""
        del sitting
        return beyond_blanks(documents, lambda asked: self._measure(model, asked))

    def _measure(self, model: Observes, documents: Sequence[Document]) -> Iterator[Row]:
        for start in range(0, len(documents), STRETCH):
            stretch = documents[start : start + STRETCH]
            tokens = model.tokens([(document.text, document.pair) for document in stretch])
            read = [i for i, text in enumerate(tokens) if text.encoded.ids]
            rows = iter(_rows(model, [stretch[i] for i in read], [tokens[i] for i in read]))
            for document, text in zip(stretch, tokens, strict=True):
                yield next(rows) if text.encoded.ids else _wordless(document)


def _wordless(document: Document) -> NotMeasurable:
    return NotMeasurable(document.id, "no-tokens", "the tokenizer makes no token of the document")


def _rows(model: Observes, documents: Sequence[Document], tokens: Sequence[Tokens]) -> list[Row]:
    """Of documents with tokens; where the model fails, they are halved until those are found on which it does."""
    if not documents:
        return []
    try:
        of_batch = model.hidden_states(tokens)
        insides = model.insides
    except UnseenActivationsError as reason:
        return [NotMeasurable(document.id, reason.kind, str(reason)) for document in documents]
    except UnreadableError as fault:
        if len(documents) == 1:
            return [Failure(documents[0].id, fault.kind, str(fault))]
        middle = len(documents) // 2
        parts = (slice(None, middle), slice(middle, None))
        return [row for part in parts for row in _rows(model, documents[part], tokens[part])]
    return [
        _record(document, text, statistics, insides)
        for document, text, statistics in zip(documents, tokens, of_batch, strict=True)
    ]


def _record(document: Document, tokens: Tokens, statistics: HiddenStatistics, insides: Insides) -> Row:
    if not (np.isfinite(statistics.norms).all() and np.isfinite(statistics.ratios).all()):
        return not_finite(document)
    return Activations(
        document_id=document.id,
        n_tokens=len(tokens.encoded.ids),
        truncated=tokens.encoded.truncated,
        n_layers=insides.n_layers,
        width=insides.width,
        norms=tuple(statistics.norms.tolist()),
        ratios=tuple(statistics.ratios.ravel().tolist()),
        dimensions=tuple(statistics.dimensions.ravel().tolist()),
        n_units=insides.n_units,
        active=statistics.active.tobytes(),
        activation=insides.activation,
        unseen_units=insides.unseen_units,
    )
