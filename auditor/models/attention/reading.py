"""How the attention of a text model is read: in batches, in the fastest way that shows it as it is in a text alone.

The function that reduces attention also computes it, so the statistics are those of the model if the states behind it
are. These are held against the model's own for each text of the proof alone; and for short texts the statistics of all
heads against those of the matrices that the model itself gives out (`eager`, where it has that).
"""

import math
from collections.abc import Sequence

import numpy as np
import torch

from auditor.models.attention.matrices import OF_MATRICES, of_matrices
from auditor.models.attention.reduction import STATISTICS
from auditor.models.attention.routing import Collector, collecting
from auditor.models.computing.architecture import attending
from auditor.models.computing.batched_model import BatchedModel
from auditor.models.computing.batching import Way, padded
from auditor.models.computing.patching import Attention, patched
from auditor.models.computing.proof import Truth
from auditor.models.inputs import Encoded, HeadMaps, HeadStatistics, Tokens, UnreadableError, UnseenAttentionError
from auditor.records.proof import Proof

QUESTION = "attention"
COMPARED = 128
"""Tokens of the longest text of which the statistics are held against those of the whole matrices."""
TOLERANCE = 1e-4
HALF_TOLERANCE = 0.1
Column = list[torch.Tensor]


class AttentionReader:
    """Reads the attention of one model."""

    def __init__(self, model: BatchedModel) -> None:
        self._model = model
        self._proven: tuple[Truth, Way | UnseenAttentionError] | None = None
        """By which truth which way was proven, or why there is none; another truth needs another proof."""

    def statistics(self, tokens: Sequence[Tokens], punctuation: Sequence[Sequence[bool]]) -> list[HeadStatistics]:
        """Statistics of all heads over each text; see `capabilities.Attends`."""
        if not all(text.encoded.ids for text in tokens):
            raise ValueError("a text without a single token has no attention")
        texts, special = [text.encoded for text in tokens], [text.special for text in tokens]
        return self._read(texts, special, punctuation, self.way)[0]

    def maps(self, tokens: Sequence[Tokens], n_keys: int) -> list[HeadMaps]:
        """The heaviest keys of all heads, one text at a time; see `capabilities.Attends`."""
        mapped = [self._mapped(text, n_keys) for text in tokens]
        return [HeadMaps(*(values.cpu().numpy() for values in one)) for one in mapped]

    @property
    def way(self) -> Way:
        """The way that is proven for all texts that the truth covers.

        Raises:
            UnseenAttentionError: There is none.
        """
        truth = self._model.truth
        if self._proven is None or self._proven[0] is not truth:
            with self._model.stock.uncompiled():
                self._proven = truth, self._proven_way()
        if isinstance(self._proven[1], UnseenAttentionError):
            raise self._proven[1]
        return self._proven[1]

    def _proven_way(self) -> Way | UnseenAttentionError:
        try:
            return self._prove()
        except UnseenAttentionError as reason:
            return reason

    def _read(
        self,
        texts: Sequence[Encoded],
        special: Sequence[Sequence[bool]],
        punctuation: Sequence[Sequence[bool]],
        way: Way,
        rows: Sequence[Sequence[int]] | None = None,
    ) -> tuple[list[HeadStatistics], torch.Tensor | None]:
        """The statistics, and the states at some positions of each text, which are asked for by a proof."""
        lengths = [len(text.ids) for text in texts]
        longest, width, causal = max(lengths), max(map(len, rows or [[]])), True
        others, layers = self.layers

        def forward(batch: list[int]) -> Column:
            nonlocal causal
            chosen = [texts[i] for i in batch]
            collector = Collector(
                valid=self._flags([[True] * lengths[i] for i in batch]),
                special=self._flags([special[i] for i in batch]),
                punctuation=self._flags([punctuation[i] for i in batch]),
            )
            with self._model.reading([lengths[i] for i in batch]), collecting(self._model.model, collector):
                states = self._model.states(chosen)
            statistics, received = collector.result(len(layers), self._model.identity.name)
            causal = causal and collector.causal
            columns = [statistics, torch.nn.functional.pad(received, (0, longest - received.shape[1]))]
            if rows:
                columns.append(_states_at([rows[i] for i in batch], width, states))
            return columns

        with self._model.asking(way):
            statistics, received, *states = self._model.batcher.padded(lengths, forward, way=way)
        by_text = [
            HeadStatistics(
                dict(zip(STATISTICS, values, strict=True)), received[i, : lengths[i]].numpy(), causal, layers, others
            )
            for i, values in enumerate(statistics.numpy())
        ]
        chosen = torch.cat([of_text[: len(rows[i])] for i, of_text in enumerate(states[0])]) if rows else None
        return by_text, chosen

    def _mapped(self, text: Tokens, n_keys: int) -> tuple[torch.Tensor, ...]:
        model, n_tokens = self._model, len(text.encoded.ids)
        everything = self._flags([[True] * n_tokens])
        collector = Collector(everything, everything, everything, n_keys)
        with self._model.asking(Way.EQUAL), model.reading([n_tokens]), collecting(model.model, collector):
            model.states([text.encoded])
        collector.result(len(self.layers[1]), model.identity.name)
        model.batcher.n_batches += 1
        model.batcher.n_texts += 1
        model.batcher.n_tokens += n_tokens
        model.batcher.n_computed += n_tokens
        layers = [(one.keys.flatten(0, 1), one.weights.flatten(0, 1), one.kept.flatten(0, 1)) for one in collector.maps]
        keys, weights, kept = (torch.stack(column) for column in zip(*layers, strict=True))
        return keys, weights, kept.mean(-1)

    @property
    def layers(self) -> tuple[tuple[str, ...], tuple[int, ...]]:
        """What the layers that do not attend are, and the numbers of those that do."""
        others, layers = attending(self._model.model, self._model.model.config.get_text_config().num_hidden_layers)
        return tuple(f"{number} {kind}" for number, kind in others.items()), layers

    def _prove(self) -> Way:
        """The fastest way that shows the attention of a text alone.

        Raises:
            UnseenAttentionError: None does.
        """
        model, truth = self._model, self._model.truth
        expected = self._matrices()
        nobody = [[False] * n for n in truth.texts.lengths.tolist()]
        with model.batcher.uncounted():
            model.batcher.padding = math.inf
            for way in (way for way in (*model.ways, Way.ALONE) if truth.states is not None):
                try:
                    given, states = self._read(list(truth.texts), nobody, nobody, way, truth.rows)
                except UnreadableError:
                    continue
                difference = _apart(given, expected)
                is_exact = difference <= (TOLERANCE if model.model.dtype == torch.float32 else HALF_TOLERANCE)
                if is_exact and states is not None and truth.states is not None and model.close(states, truth.states):
                    model.proofs[QUESTION] = self._proof(way, difference)
                    return way
        raise UnseenAttentionError(
            f"{model.identity.name}: attention cannot be watched in a model of type {model.kind} "
            "without changing what it computes"
        )

    def _proof(self, way: Way, difference: float) -> Proof:
        truth = self._model.truth
        longest = int(truth.texts.lengths.max())
        name, n_texts = self._model.identity.name, len(truth.texts)
        return Proof(name, QUESTION, way, None, way, difference, "statistic", n_texts, longest, truth.reset)

    def _matrices(self) -> dict[int, np.ndarray]:
        """Statistics of the matrices that the model itself gives out, by text; none where it gives none."""
        model, texts = self._model, self._model.truth.texts
        n_layers = len(self.layers[1])
        statistics: dict[int, np.ndarray] = {}
        try:
            with patched(Attention(model.model, "eager")):
                for i in np.flatnonzero(texts.lengths <= COMPARED).tolist():
                    with self._model.asking(Way.EQUAL), model.reading([len(texts[i].ids)]):
                        out = model.body(**model.arguments([texts[i]]), output_attentions=True)
                    layers = [one[0] for one in (getattr(out, "attentions", None) or ()) if one is not None]
                    if len(layers) == n_layers and len({weights.shape for weights in layers}) == 1:
                        statistics[i] = of_matrices(torch.stack([weights.cpu() for weights in layers])).numpy()
        except (ValueError, UnreadableError):
            return {}
        return statistics

    def _flags(self, rows: Sequence[Sequence[bool]]) -> torch.Tensor:
        return padded([[int(flag) for flag in row] for row in rows], 0, self._model.device)[0]


def _states_at(positions: Sequence[Sequence[int]], width: int, states: torch.Tensor) -> torch.Tensor:
    """The states (B, width, D) at some positions of each text, float32; those of position 0 fill up."""
    at = torch.tensor([[*one, *[0] * (width - len(one))] for one in positions], device=states.device)
    return states[torch.arange(len(positions), device=states.device)[:, None], at].float()


def _apart(given: Sequence[HeadStatistics], expected: dict[int, np.ndarray]) -> float:
    """The greatest difference of a statistic, the distance as a share of the text's length."""
    units = {i: {"distance": len(given[i].received)} for i in expected}
    return max(
        (
            float(np.abs(given[i].by_name[name] - values[k]).max() / units[i].get(name, 1))
            for i, values in expected.items()
            for k, name in enumerate(OF_MATRICES)
        ),
        default=0.0,
    )
