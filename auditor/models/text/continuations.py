"""Greedy continuations of prompts, together where that writes what the model writes behind each prompt alone.

Whether it does is proven before the first are written: on a few prompts, against the model as transformers built it.
"""

from contextlib import nullcontext
from dataclasses import dataclass, field

import numpy as np
import torch

from auditor.models.computing.batched_model import BatchedModel
from auditor.models.computing.batching import Way, padded
from auditor.models.inputs import Sequences, UnreadableError
from auditor.records.proof import Proof

QUESTION = "continuations"
REMEMBERED = 4096
"""Continuations that are kept: a few shards of them."""
N_PROMPTS, PROMPT, N_NEW = 4, 64, 8
"""Prompts of the proof, how long they are at most, and how many tokens are written behind each."""


@dataclass(frozen=True, slots=True)
class Continuations:
    """What a causal language model writes.

    Attributes:
        model: The model.
        ends: Ids of the tokens that end a continuation.
        n_new: Most tokens of a continuation.
        room: Most tokens of a prompt.
    """

    model: BatchedModel
    ends: list[int]
    n_new: int
    room: int
    _known: dict[tuple[int, ...], tuple[int, ...]] = field(default_factory=dict)
    """Prompts lately continued: every probe asks about the same documents again."""

    def of(self, prompts: Sequences) -> list[tuple[int, ...]]:
        """Token ids behind each prompt, up to and with the end token."""
        proofs = self.model.proofs
        if QUESTION not in proofs:
            proofs[QUESTION] = self._prove()
        if len(self._known) + len(prompts) > REMEMBERED:
            self._known.clear()
        fresh = {prompt.ids: i for i, prompt in enumerate(prompts) if prompt.ids not in self._known}
        if fresh:
            chosen = prompts.take(np.fromiter(fresh.values(), dtype=np.intp))
            written = self._written(chosen, Way(proofs[QUESTION].way), self.n_new)
            self._known.update(zip(fresh, written, strict=True))
        return [self._known[prompt.ids] for prompt in prompts]

    def _written(self, prompts: Sequences, way: Way, n_new: int) -> list[tuple[int, ...]]:
        """What transformers generates, greedily; batches of equal length, so that none is padded."""
        model, lengths = self.model, prompts.lengths.tolist()
        fill = self.ends[0] if self.ends else 0

        def forward(batch: list[int]) -> list[torch.Tensor]:
            ids, _ = padded([prompts[i].ids for i in batch], 0, model.device)
            built = model.stock.as_built() if way is Way.ALONE else nullcontext()
            with model.reading([lengths[i] for i in batch]), built:
                whole = model.model.generate(
                    input_ids=ids,
                    attention_mask=torch.ones_like(ids),
                    max_new_tokens=n_new,
                    pad_token_id=fill,
                    do_sample=False,
                    num_beams=1,
                )
            written = whole[:, ids.shape[1] :]
            return [torch.nn.functional.pad(written, (0, n_new - written.shape[1]), value=fill)]

        answers = model.batcher.padded(lengths, forward, way=way)[0].tolist()
        return [self._until_end(answer) for answer in answers]

    def _prove(self) -> Proof:
        """Whether continuations written together are those of each prompt alone, the model as transformers built it."""
        model, texts = self.model, self.model.truth.texts
        most = min(PROMPT, self.room)
        prompts = texts.take(np.flatnonzero((texts.lengths > 1) & (texts.lengths <= most))[-N_PROMPTS:])
        n_new = min(N_NEW, self.n_new)
        with model.batcher.uncounted():
            alone = self._written(prompts, Way.ALONE, n_new)
            try:
                together = self._written(prompts, Way.EQUAL, n_new)
            except UnreadableError:
                together = []
        way = Way.EQUAL if alone == together else Way.ALONE
        n_texts, longest = len(prompts), int(prompts.lengths.max(initial=0))
        name, reset = model.identity.name, model.truth.reset
        return Proof(name, QUESTION, way, None, way, 0.0, QUESTION, n_texts, longest, reset)

    def _until_end(self, ids: list[int]) -> tuple[int, ...]:
        for i, token in enumerate(ids):
            if token in self.ends:
                return tuple(ids[: i + 1])
        return tuple(ids)
