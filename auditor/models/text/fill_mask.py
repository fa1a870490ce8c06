r"""`AutoModelForMaskedLM`: how likely is each hidden token, given those on both sides?

    ln p(w_s | W without w_s … w_{e−1}) = z[w_s] − ln Σ_v exp z[v],     z = head(h_s)

For every gap (s, e) of a text the model reads one copy of it in which the positions s … e − 1 hold the mask token; h_s
is the last hidden state at position s, z are the V logits there. The copies of all gaps of all texts go to the model
in one stream, equal copies once, and the head sees the positions asked for and no other. There are about as many copies
of a text as it has tokens, so they are made stretch by stretch, and of those done a digest is kept.

The head is the model's own `forward` with the base model taken out of it, so that no architecture needs to be known
(BERT's `cls`, RoBERTa's `lm_head`, DistilBERT's three layers, …). Whether that gives the logits of the whole model,
position by position, is checked once when it is loaded; where it does not, the whole model's logits are used.
"""

import hashlib
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Self

import numpy as np
import torch

from auditor.errors import ModelError
from auditor.models.adapters import Loaded, Settings
from auditor.models.computing.head import head_of, of_logits
from auditor.models.inputs import Cloze, Encoded, Sequences, Spelling, Tokens, UnreadableError
from auditor.models.text.adapter import TextModel

HEAD_ROWS = 128
"""Positions per chunk of the head: 128 rows of 50,000 logits in float32 are 26 MB."""
STRETCH = 2**20
"""Tokens of copies that are made at a time: 8 MB."""

Head = Callable[[torch.Tensor], torch.Tensor]


@dataclass(frozen=True, slots=True, eq=False)
class _Copy:
    """A text in which a gap is masked, and what is asked about it."""

    ids: np.ndarray
    type_ids: np.ndarray
    position: int
    """Where the answer is read."""
    target: int
    """The token whose probability is asked for there."""

    @property
    def digest(self) -> bytes:
        """A hash of 16 bytes, equal for equal copies."""
        asked = np.array([len(self.ids), self.position, self.target], dtype=np.int64)
        content = asked.tobytes() + self.ids.tobytes() + self.type_ids.tobytes()
        return hashlib.blake2b(content, digest_size=16).digest()


class FillMask(TextModel):
    """A masked language model; offers `FillsMasks` and `Attends`."""

    question_asked = "log-probabilities"
    unit = "nats"
    tolerance = 1e-4

    def __post_init__(self) -> None:
        if self.tokenizer.mask_token_id is None:
            raise ModelError(f"{self.identity.name}: the tokenizer has no mask token, so nothing can be hidden")
        self._special = set(self.tokenizer.all_special_ids) - {self.tokenizer.unk_token_id}
        self._knows_words = len(set(self.tokenizer("a b", add_special_tokens=False).word_ids())) > 1
        super().__post_init__()

    @classmethod
    def adapt(cls, loaded: Loaded, settings: Settings) -> Self:
        """As every text model, without the labels of another head; see `TextModel.adapt`."""
        identity = replace(loaded.identity, labels=(), multi_label=False)
        return super().adapt(replace(loaded, identity=identity), settings)

    @property
    def proof_texts(self) -> Sequences:
        """The texts of the proof, the token in the middle of each hidden."""
        before = self.frame[1]
        copies = []
        for text in super().proof_texts:
            position = max(len(text.ids) // 2, before)
            ids, types = (np.array(values, dtype=np.int64) for values in (text.ids, text.type_ids))
            target = int(ids[position])
            ids[position] = self.tokenizer.mask_token_id
            copies.append(_Copy(ids, types, position, target))
        self._proof_copies = {tuple(one.ids.tolist()): one for one in copies}
        return Sequences.of([Encoded(tuple(one.ids.tolist()), tuple(one.type_ids.tolist())) for one in copies])

    def of_logits(self, text: Encoded, logits: torch.Tensor) -> torch.Tensor:
        """The log-probability of the hidden token (1, 1)."""
        one = self._proof_copies[text.ids]
        return of_logits(logits[[one.position]], torch.tensor([[one.target]], device=logits.device))

    def answers(self, texts: Sequences) -> torch.Tensor:
        """Log-probabilities of the hidden tokens (B, 1)."""
        return self._scores([self._proof_copies[text.ids] for text in texts])[:, None]

    @property
    def packed_ways(self) -> Sequence[Callable[[Sequences], torch.Tensor]]:
        """The same, for `read` packs by itself."""
        return [self.answers] if self._head is not None else []

    def spellings(self, texts: Sequence[str]) -> list[Spelling]:
        """The whole texts as tokens, special tokens around them, without a cut."""
        whole: list[tuple[str, str | None]] = [(text, None) for text in texts]
        batch = self.tokenize(whole, cut=False)
        return [self._spelling(self._places(batch, i, text), batch.word_ids(i)) for i, text in enumerate(whole)]

    def fill(self, clozes: Sequence[Cloze]) -> list[np.ndarray]:
        """Natural log-probability of the first hidden token of every gap, float64, in order; equal ones asked once."""
        answers: list[list[int]] = [[] for _ in clozes]
        parts = [self._scores(copies).double().numpy() for copies in self._stretches(clozes, answers)]
        scores = np.concatenate(parts) if parts else np.empty(0)
        return [scores[np.array(indices, dtype=np.int64)] for indices in answers]

    def _spelling(self, tokens: Tokens, words: Sequence[int | None]) -> Spelling:
        around = tokens.special
        before = next((i for i, special in enumerate(around) if not special), len(around))
        after = next((i for i, special in enumerate(reversed(around)) if not special), 0)
        special = tuple(added or i in self._special for added, i in zip(around, tokens.encoded.ids, strict=True))
        known = tuple(-1 if s or w is None else w for s, w in zip(special, words, strict=True))
        return Spelling(replace(tokens, special=special), (before, after), known if self._knows_words else ())

    def _stretches(self, clozes: Sequence[Cloze], answers: list[list[int]]) -> Iterator[list[_Copy]]:
        """The distinct copies, about `STRETCH` tokens at a time; fills in which of them answers each gap."""
        numbers: dict[bytes, int] = {}
        stretch: list[_Copy] = []
        size = 0
        for cloze, indices in zip(clozes, answers, strict=True):
            for one in self._copies(cloze):
                new = len(numbers)
                indices.append(numbers.setdefault(one.digest, new))
                if indices[-1] < new:
                    continue
                stretch.append(one)
                size += len(one.ids)
                if size >= STRETCH:
                    yield stretch
                    stretch, size = [], 0
        if stretch:
            yield stretch

    def _copies(self, cloze: Cloze) -> Iterator[_Copy]:
        ids, type_ids = (np.array(values, dtype=np.int64) for values in (cloze.text.ids, cloze.text.type_ids))
        for start, stop in cloze.gaps:
            masked = ids.copy()
            masked[start:stop] = self.tokenizer.mask_token_id
            yield _Copy(masked, type_ids, start, int(ids[start]))

    def _scores(self, copies: Sequence[_Copy]) -> torch.Tensor:
        """Log-probability (R,) of what is asked for in each copy, on the host."""
        head, targets = self._head, torch.tensor([[one.target] for one in copies]).to(self.device)
        sequences = Sequences(
            np.concatenate([one.ids for one in copies]),
            np.array([len(one.ids) for one in copies], dtype=np.int64),
            np.concatenate([one.type_ids for one in copies]) if len(copies[0].type_ids) else None,
        )
        if head is None:
            return self._scores_by_whole_logits(sequences, [one.position for one in copies], targets)

        def score(states: torch.Tensor, index: torch.Tensor) -> torch.Tensor:
            self.batcher.n_head_rows += len(states)
            chunks = range(0, len(states), HEAD_ROWS)
            asked = targets[index]
            parts = [of_logits(head(states[i : i + HEAD_ROWS]), asked[i : i + HEAD_ROWS]) for i in chunks]
            return torch.cat(parts)[:, 0]

        return self.read(sequences, [[one.position] for one in copies], score)

    def _scores_by_whole_logits(
        self, sequences: Sequences, positions: Sequence[int], targets: torch.Tensor
    ) -> torch.Tensor:
        self.require_proof(sequences)
        lengths = sequences.lengths.tolist()

        def forward(batch: list[int]) -> list[torch.Tensor]:
            places = [(row, positions[i], i) for row, i in enumerate(batch)]
            rows, columns, index = torch.tensor(places).to(self.device, non_blocking=True).T
            with self.reading([lengths[i] for i in batch]):
                logits = self.logits([sequences[i] for i in batch])
                self.batcher.n_head_rows += logits[..., 0].numel()
                return [of_logits(logits[rows, columns], targets[index])[:, 0]]

        return self.batcher.padded(lengths, forward, way=self.way)[0]

    @cached_property
    def _head(self) -> Head | None:
        return self._prediction_head()

    def _prediction_head(self) -> Head | None:
        """What the model makes of last hidden states (R, D): logits (R, V); None where that is not proven."""
        head = head_of(self.model)
        if head is None:
            return None
        try:
            with self.reading([1]):
                states, logits = self.stock.ask(self.stock.arguments(self.frame[0], self.device))
                if states is None or len(states) != len(logits):
                    return None
                given = head(states.flip(0)).flip(0)  # in another order: a position must not depend on its neighbours
        except UnreadableError:
            return None
        return head if self.close(given, logits) else None
