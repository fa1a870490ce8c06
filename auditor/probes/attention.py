"""Where do the heads look? Statistics of every head over each document (`auditor.models.attention.routing`).

A few documents are mapped as well: the heaviest keys of every query of every head are kept, to be shown. Which ones is
settled before anything is measured, among all documents the probe is given: they are put in the order of
sha256(seed, id), and the first `maps` of them are drawn that have 8 to `map_tokens` tokens (and at most `CHARACTERS`
characters for each of these, so that no long text is tokenised for nothing). Of a causal model longer documents will do
as well: their first `map_tokens` tokens attend as if they were all.
"""

import hashlib
import unicodedata
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from itertools import islice
from typing import ClassVar

import numpy as np
from pydantic import Field
from pydantic.dataclasses import dataclass
from scipy.special import gammaln

from auditor.models import Attends, Tokens
from auditor.models.inputs import HeadMaps, HeadStatistics, UnseenAttentionError
from auditor.probes.contract import STRICT, AnyProbe, Evaluations, Sitting, beyond_blanks, not_finite
from auditor.records.types import AttentionMap, AttentionStatistics, Document, NotMeasurable, Unmeasured

MAP_KEYS = 16
"""Keys kept of each query of a map."""
CHARACTERS = 12


@dataclass(frozen=True, config=STRICT)
class AttentionProbe:
    """Reduces the attention of all heads to statistics, on the device.

    Attributes:
        limit: Documents to measure at most.
        maps: Documents of which the heaviest keys of every query are kept.
        map_tokens: How long such a document may be; causal models: how much of it is mapped.
    """

    name: ClassVar[str] = "attention"
    needs: ClassVar[type] = Attends
    record: ClassVar[type] = AttentionStatistics

    limit: int | None = Field(default=None, ge=1)
    maps: int = Field(default=6, ge=0, le=24)
    map_tokens: int = Field(default=64, ge=8, le=128)

    @property
    def model(self) -> None:
        """The audited model itself."""
        return

    def evaluations(
        self,
        model: Attends,  # noqa: ARG002
        documents: Sequence[Document],
        probes: Sequence[AnyProbe],  # noqa: ARG002
    ) -> list[Evaluations]:
        """One for each, and one for each map, wherever these are drawn."""
        return [Evaluations(1 + (i < self.maps)) for i in range(len(documents))]

    def prepare(self, model: Attends, documents: Sequence[Document], seed: int) -> Mapping[str, int]:
        """Which of these documents are mapped: id → its rank in the order of the draw."""
        candidates = [document for document in documents if self._may_fit(model, document)]
        candidates.sort(key=lambda document: hashlib.sha256(f"{seed} {document.id}".encode()).digest())
        able = (document.id for document in candidates if self._fits(model, document))
        return {name: rank for rank, name in enumerate(islice(able, self.maps))}

    def measure(
        self, model: Attends, documents: Sequence[Document], sitting: Sitting[Mapping[str, int]]
    ) -> Iterator[AttentionStatistics | Unmeasured]:
        """Yields the statistics, with the map of a drawn document; a document of a single token is not measurable."""
        return beyond_blanks(documents, lambda asked: self._seen(model, asked, sitting.prepared or {}))

    def _seen(
        self, model: Attends, documents: Sequence[Document], ranks: Mapping[str, int]
    ) -> list[AttentionStatistics | Unmeasured]:
        """The rows; that none is measurable where the model does not show its attention."""
        try:
            return list(self._measure(model, documents, ranks))
        except UnseenAttentionError as reason:
            return [NotMeasurable(document.id, reason.kind, str(reason)) for document in documents]

    def _may_fit(self, model: Attends, document: Document) -> bool:
        length = len(document.text) + len(document.pair or "")
        return not document.is_blank and (model.causal or length <= CHARACTERS * self.map_tokens)

    def _fits(self, model: Attends, document: Document) -> bool:
        tokens = model.tokens([(document.text, document.pair)])[0]
        is_whole = len(tokens.texts) <= self.map_tokens and not tokens.encoded.truncated
        return len(tokens.texts) >= AttentionMap.LEAST_TOKENS and (is_whole or model.causal)

    def _measure(
        self, model: Attends, documents: Sequence[Document], ranks: Mapping[str, int]
    ) -> Iterator[AttentionStatistics | Unmeasured]:
        texts = [(document.text, document.pair) for document in documents]
        tokens, special = model.tokens(texts), model.special_tokens(texts)
        able = [text for text in tokens if len(text.texts) > 1]
        statistics = iter(model.attention(able, [punctuation(text) for text in able]) if able else ())
        drawn = [(d, text) for d, text in zip(documents, tokens, strict=True) if d.id in ranks]
        beginnings = [_beginning(text, self.map_tokens) for _, text in drawn]
        maps = model.attention_maps(beginnings, MAP_KEYS) if drawn else []
        mapped = {d.id: _map(heads, ranks[d.id]) for (d, _), heads in zip(drawn, maps, strict=True)}
        for document, text, literal in zip(documents, tokens, special, strict=True):
            if len(text.texts) <= 1:
                reason = "the document is a single token: there is nothing to attend to"
                yield NotMeasurable(document.id, "one-token", reason)
            else:
                yield _record(document, text, next(statistics), mapped.get(document.id), literal)


def _beginning(tokens: Tokens, most: int) -> Tokens:
    encoded = replace(tokens.encoded, ids=tokens.encoded.ids[:most], type_ids=tokens.encoded.type_ids[:most])
    return Tokens(encoded, tokens.texts[:most], tokens.spans[:most], tokens.special[:most])


def punctuation(tokens: Tokens) -> list[bool]:
    """Which tokens consist of punctuation and symbols only."""
    return [
        not special and bool(text.strip()) and all(unicodedata.category(c)[0] in "PS" for c in text.strip())
        for text, special in zip(tokens.texts, tokens.special, strict=True)
    ]


def uniform_entropy(n_tokens: int, causal: bool) -> float:
    """The mean entropy of uniform attention: ln T, or the mean of ln(i + 1), i.e. ln(T!)/T, for causal heads. Nats."""
    return float(gammaln(n_tokens + 1) / n_tokens) if causal else float(np.log(n_tokens))


def _record(
    document: Document,
    tokens: Tokens,
    statistics: HeadStatistics,
    mapped: AttentionMap | None,
    special_tokens: tuple[str, ...],
) -> AttentionStatistics | Unmeasured:
    if not all(np.isfinite(values).all() for values in statistics.by_name.values()):
        return not_finite(document)
    n_layers, n_heads = statistics.by_name["entropy"].shape
    return AttentionStatistics(
        document_id=document.id,
        n_layers=n_layers,
        n_heads=n_heads,
        n_tokens=len(tokens.texts),
        causal=statistics.causal,
        truncated=tokens.encoded.truncated,
        uniform_entropy=uniform_entropy(len(tokens.texts), statistics.causal),
        received=tuple(statistics.received.tolist()),
        tokens=tokens.texts,
        spans=tokens.spans,
        map=mapped,
        layers=statistics.layers if statistics.others else (),
        other_layers=statistics.others,
        special_tokens=special_tokens,
        **{name: tuple(values.ravel().tolist()) for name, values in statistics.by_name.items()},
    )


def _map(maps: HeadMaps, rank: int) -> AttentionMap:
    return AttentionMap(
        rank=rank,
        n_tokens=maps.keys.shape[2],
        n_keys=maps.keys.shape[-1],
        keys=maps.keys.tobytes(),
        weights=maps.weights.tobytes(),
        kept=tuple(maps.kept.ravel().tolist()),
    )
