"""What the attention of a model has to do with its answers: what reaches them, and what they are without each head.

Texts are put together in the way that is proven for statistics (`auditor.models.attention.reading`), by the function
that reduces attention as it computes it.

Where an answer is read from is not known from a model's class, and is found out once: in copies of a text of the proof
what one query took from the values in the last layer is exchanged, another query in each copy. The answer of the copies
changes where it is read: at the first token, at the last, or at all of them. By anything else nobody could say what a
mean over places should weigh.
"""

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from functools import cached_property

import numpy as np
import torch
from torch.nn.functional import pad

from auditor.models.attention.flow import CELLS, MOST_TOKENS, Flow
from auditor.models.attention.reading import AttentionReader
from auditor.models.attention.routing import collecting
from auditor.models.attention.switching import Disturbed, Received, Without
from auditor.models.attention.watching import Watcher
from auditor.models.computing.batching import Way
from auditor.models.computing.gradients import DifferentiableModel
from auditor.models.inputs import Encoded, Pooling, Question, Sequences, UnseenAttentionError

TRIED = range(4, 25)
"""Tokens of the text on which it is found out where answers are read."""
MOVED = 0.01
"""Of the greatest change of an answer: what changes it less is not read."""


class AnswerAttention:
    """Of one model."""

    def __init__(self, model: DifferentiableModel, reader: AttentionReader) -> None:
        self._model, self._reader = model, reader

    def flow(self, texts: Sequences, pooling: Pooling, *, rolls_out: bool) -> list[np.ndarray]:
        """What reaches the place of the answer of each text, (T,) float64; see `auditor.models.attention.flow`.

        Raises:
            UnseenAttentionError: Some layers mix tokens otherwise, or a text has too many of them.
        """
        self._require_flow(int(texts.lengths.max()) if rolls_out else 0)

        def read(batch: list[Encoded], valid: torch.Tensor) -> torch.Tensor:
            flow = Flow(valid, _read_at(valid, pooling), rolls_out=rolls_out)
            self._watch(batch, flow)
            return flow.result(self._n_layers, self._name)

        longest = int(texts.lengths.max())
        return self._read(texts, read, max(longest, CELLS // longest))

    def received(self, texts: Sequences) -> list[np.ndarray]:
        """The weight that each token receives of each head, (L, H, T) float64, mean over the queries."""

        def read(batch: list[Encoded], valid: torch.Tensor) -> torch.Tensor:
            watcher = Received(valid)
            self._watch(batch, watcher)
            return watcher.result(self._n_layers, self._name)

        return self._read(texts, read, self._model.batcher.budget)

    def without_heads(
        self, texts: Sequences, questions: Sequence[Question], labels: Sequence[int], heads: tuple[int, ...]
    ) -> np.ndarray:
        """(D, 1 + L · H) float64: the answer to each text by all heads, then without each of them.

        Args:
            texts: D texts.
            questions: About each of them.
            labels: Which label of each question.
            heads: (L, H).
        """
        model, n_layers = self._model, self._n_layers
        off = np.arange(-1, int(np.prod(heads)))
        of_rows = [(i, head) for i in range(len(texts)) for head in off.tolist()]
        lengths = [int(texts.lengths[i]) for i, _ in of_rows]

        def forward(batch: list[int]) -> list[torch.Tensor]:
            chosen, switched = zip(*(of_rows[row] for row in batch), strict=True)
            watcher = Without(switched, n_layers, model.device)
            with model.reading([lengths[row] for row in batch]), collecting(model.model, watcher):
                read = [texts[i] for i in chosen]
                answers = model.explained(read, [questions[i] for i in chosen], [labels[i] for i in chosen])
            watcher.require_whole(self._name)
            return [answers]

        kinds = model.kinds_of([questions[i] for i, _ in of_rows])
        with self._asking(self._model.batcher.budget) as way:
            answers = model.batcher.padded(lengths, forward, way=way, kinds=kinds)[0]
        return answers.double().numpy().reshape(len(texts), len(off))

    @cached_property
    def pooling(self) -> Pooling:
        """Where answers are read.

        Raises:
            UnseenAttentionError: At some other places than the first, the last, or all.
        """
        texts = sorted(self._model.truth.texts, key=lambda text: len(text.ids))
        text = next((text for text in texts if len(text.ids) in TRIED), texts[-1])
        n_tokens = len(text.ids)
        copies, watcher = [text] * (n_tokens + 1), Disturbed(self._n_layers)
        with (
            self._asking(self._model.batcher.budget),
            self._model.batcher.uncounted(),
            self._model.reading([n_tokens] * len(copies)),
            collecting(self._model.model, watcher),
        ):
            answers = self._model.logits(copies).float().cpu()
        watcher.require_whole(self._name)
        moved = (answers[:-1] - answers[-1]).abs().amax(-1)
        places = torch.nonzero(moved > MOVED * moved.max())[:, 0].tolist()
        known: dict[tuple[int, ...], Pooling] = {tuple(range(n_tokens)): "mean", (n_tokens - 1,): "last", (0,): "first"}
        if tuple(places) not in known:
            raise UnseenAttentionError(f"{self._name}: the answer is read from {len(places)} of {n_tokens} tokens")
        return known[tuple(places)]

    def _require_flow(self, longest: int) -> None:
        others, layers = self._reader.layers
        if others:
            raise UnseenAttentionError(
                f"{len(layers)} of {len(layers) + len(others)} layers attend; the others hand tokens on in another way "
                f"({others[0]}), which attention cannot be followed through",
                "hybrid-attention",
            )
        if longest > MOST_TOKENS:
            message = f"{longest} tokens are more than the {MOST_TOKENS} through which attention is followed"
            raise UnseenAttentionError(message, "too-many-tokens", of_model=False)

    def _read(
        self, texts: Sequences, read: Callable[[list[Encoded], torch.Tensor], torch.Tensor], budget: int
    ) -> list[np.ndarray]:
        """What is read of each text, (…, T), batch by batch."""
        self._model.require_proof(texts)
        lengths = texts.lengths.tolist()

        def forward(batch: list[int]) -> list[torch.Tensor]:
            of_batch = torch.tensor([lengths[i] for i in batch])[:, None]
            valid = (torch.arange(int(of_batch.max())) < of_batch).to(self._model.device, non_blocking=True)
            values = read([texts[i] for i in batch], valid)
            return [pad(values, (0, max(lengths) - values.shape[-1]))]

        with self._asking(budget) as way:
            (values,) = self._model.batcher.padded(lengths, forward, way=way)
        return [one[..., :n] for one, n in zip(values.double().numpy(), lengths, strict=True)]

    def _watch(self, batch: list[Encoded], watcher: Watcher) -> None:
        with self._model.reading([len(text.ids) for text in batch]), collecting(self._model.model, watcher):
            self._model.states(batch)

    @contextmanager
    def _asking(self, budget: int) -> Iterator[Way]:
        """Fills batches in the way that is proven, none of more than so many tokens, while the block runs."""
        way, batcher = self._reader.way, self._model.batcher
        before, batcher.budget = batcher.budget, min(budget, batcher.budget)
        try:
            with self._model.asking(way):
                yield way
        finally:
            batcher.budget = before

    @property
    def _n_layers(self) -> int:
        return len(self._reader.layers[1])

    @property
    def _name(self) -> str:
        return self._model.identity.name


def _read_at(valid: torch.Tensor, pooling: Pooling) -> torch.Tensor:
    """(B, T) float32: the weights of the places that an answer is read from."""
    counts = valid.sum(-1, keepdim=True)
    if pooling == "mean":
        return valid.float() / counts
    at = torch.arange(valid.shape[1], device=valid.device)
    return (at == (0 if pooling == "first" else counts - 1)).float().expand(valid.shape).contiguous()
