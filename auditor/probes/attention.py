"""Where do the heads look? Statistics of every head over each document, as defined in `auditor.models.attention`."""

import unicodedata
from collections.abc import Iterator, Sequence
from typing import ClassVar

import numpy as np
from pydantic import Field
from pydantic.dataclasses import dataclass
from scipy.special import gammaln

from auditor.models import Attends, Tokens
from auditor.models.contract import HeadStatistics
from auditor.probes.contract import STRICT, beyond_blanks, not_finite
from auditor.records.types import AttentionStatistics, Document, Failure


@dataclass(frozen=True, config=STRICT)
class AttentionProbe:
    """Reduces the attention of all heads to statistics, on the device."""

    name: ClassVar[str] = "attention"
    needs: ClassVar[type] = Attends
    record: ClassVar[type] = AttentionStatistics

    limit: int | None = Field(default=None, ge=1)

    @property
    def model(self) -> None:
        """The audited model itself."""
        return

    def measure(
        self,
        model: Attends,
        documents: Sequence[Document],
        seed: int,  # noqa: ARG002
    ) -> Iterator[AttentionStatistics | Failure]:
        """Yields the statistics, or a failure for a document of a single token."""
        return beyond_blanks(documents, lambda asked: self._measure(model, asked))

    def _measure(self, model: Attends, documents: Sequence[Document]) -> Iterator[AttentionStatistics | Failure]:
        tokens = model.tokens([(document.text, document.pair) for document in documents])
        able = [text for text in tokens if len(text.texts) > 1]
        found = iter(model.attention(able, [punctuation(text) for text in able]) if able else ())
        for document, text in zip(documents, tokens, strict=True):
            if len(text.texts) <= 1:
                yield Failure(document.id, "too-short", "the document is a single token: there is nothing to attend to")
            else:
                yield _record(document, text, next(found))


def punctuation(tokens: Tokens) -> list[bool]:
    """Which tokens consist of punctuation and symbols only."""
    return [
        not special and bool(text.strip()) and all(unicodedata.category(c)[0] in "PS" for c in text.strip())
        for text, special in zip(tokens.texts, tokens.special, strict=True)
    ]


def uniform_entropy(n_tokens: int, causal: bool) -> float:
    """The mean entropy of uniform attention: ln T, or the mean of ln(i + 1), i.e. ln(T!)/T, for causal heads. Nats."""
    return float(gammaln(n_tokens + 1) / n_tokens) if causal else float(np.log(n_tokens))


def _record(document: Document, tokens: Tokens, found: HeadStatistics) -> AttentionStatistics | Failure:
    if not all(np.isfinite(values).all() for values in found.by_name.values()):
        return not_finite(document)
    n_layers, n_heads = found.by_name["entropy"].shape
    return AttentionStatistics(
        document_id=document.id,
        n_layers=n_layers,
        n_heads=n_heads,
        n_tokens=len(tokens.texts),
        causal=found.causal,
        truncated=tokens.encoded.truncated,
        uniform_entropy=uniform_entropy(len(tokens.texts), found.causal),
        received=tuple(found.received.tolist()),
        tokens=tokens.texts,
        spans=tokens.spans,
        **{name: tuple(values.ravel().tolist()) for name, values in found.by_name.items()},
    )
