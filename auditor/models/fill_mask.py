r"""`AutoModelForMaskedLM`: how likely is each hidden token, given those on both sides?

    ln p(w_s | W without w_s … w_{e−1}) = z[w_s] − ln Σ_v exp z[v],     z = head(h_s)

For every gap (s, e) of a text the model reads one copy of it in which the positions s … e − 1 hold the mask token; h_s
is the last hidden state at position s, z are the V logits there. The copies of all gaps of all texts go to the model
in one stream, equal copies once, and the head sees the positions asked for and no other.

The head is the model's own `forward` with the base model taken out of it, so that no architecture needs to be known
(BERT's `cls`, RoBERTa's `lm_head`, DistilBERT's three layers, …). Whether that gives the logits of the whole model,
position by position, is checked once when it is loaded; where it does not, the whole model's logits are used.
"""

import copy
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import torch
from transformers.modeling_outputs import BaseModelOutput

from auditor.errors import ModelError
from auditor.models.contract import Cloze, Sequences, Spelling, Tokens
from auditor.models.head import of_logits
from auditor.models.text import TextModel

HEAD_ROWS = 128
"""Positions per chunk of the head: 128 rows of 50,000 logits in float32 are 26 MB."""
_PROOF = "The film was not good."
"""A text on which the head alone must give what the whole model gives."""

Head = Callable[[torch.Tensor], torch.Tensor]


@dataclass(frozen=True, slots=True)
class _Copies:
    """The masked copies that answer some clozes, each once: R of them."""

    sequences: Sequences
    positions: list[int]
    """(R,) the position asked for in each copy."""
    targets: torch.Tensor
    """(R,) the token whose probability is asked for there."""
    answers: list[list[int]]
    """For every gap of every cloze, the copy that answers it."""


class FillMask(TextModel):
    """A masked language model; offers `FillsMasks` and `Attends`."""

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.tokenizer.mask_token_id is None:
            raise ModelError(f"{self.identity.name}: the tokenizer has no mask token, so nothing can be hidden")
        self._special = set(self.tokenizer.all_special_ids) - {self.tokenizer.unk_token_id}
        self._knows_words = len(set(self.tokenizer("a b", add_special_tokens=False).word_ids())) > 1
        self._head = self._own_head()

    def spellings(self, texts: Sequence[str]) -> list[Spelling]:
        """The whole texts as tokens, special tokens around them, without a cut."""
        whole: list[tuple[str, str | None]] = [(text, None) for text in texts]
        batch = self.tokenize(whole, cut=False)
        return [self._spelling(self._places(batch, i, text), batch.word_ids(i)) for i, text in enumerate(whole)]

    def fill(self, clozes: Sequence[Cloze]) -> list[np.ndarray]:
        """Natural log-probability of the first hidden token of every gap, float64, in order; equal ones asked once."""
        copies = self._copies(clozes)
        if not copies.positions:
            return [np.empty(0) for _ in clozes]
        scores = self._scores(copies).double().numpy()
        return [scores[answers] for answers in copies.answers]

    def _spelling(self, tokens: Tokens, words: Sequence[int | None]) -> Spelling:
        around = tokens.special
        before = next((i for i, special in enumerate(around) if not special), len(around))
        after = next((i for i, special in enumerate(reversed(around)) if not special), 0)
        special = tuple(own or i in self._special for own, i in zip(around, tokens.encoded.ids, strict=True))
        known = tuple(-1 if s or w is None else w for s, w in zip(special, words, strict=True))
        return Spelling(replace(tokens, special=special), (before, after), known if self._knows_words else ())

    def _copies(self, clozes: Sequence[Cloze]) -> _Copies:
        numbers: dict[tuple[bytes, int, int], int] = {}  # by masked ids, position, target
        kinds: list[tuple[int, ...]] = []
        answers: list[list[int]] = []
        for cloze in clozes:
            ids = np.array(cloze.text.ids, dtype=np.int64)
            answers.append([])
            for start, stop in cloze.gaps:
                masked = ids.copy()
                masked[start:stop] = self.tokenizer.mask_token_id
                number = numbers.setdefault((masked.tobytes(), start, cloze.text.ids[start]), len(numbers))
                answers[-1].append(number)
                if number == len(kinds):
                    kinds.append(cloze.text.type_ids)
        sequences = Sequences(
            np.frombuffer(b"".join(masked for masked, _, _ in numbers), dtype=np.int64),
            np.array([len(masked) // 8 for masked, _, _ in numbers], dtype=np.int64),
            np.concatenate(kinds).astype(np.int64) if kinds and kinds[0] else None,
        )
        positions = [position for _, position, _ in numbers]
        targets = torch.tensor([target for _, _, target in numbers], dtype=torch.long)
        return _Copies(sequences, positions, targets.to(self.device), answers)

    def _scores(self, copies: _Copies) -> torch.Tensor:
        """Log-probability (R,) of what is asked for in each copy, on the host."""
        head = self._head
        if head is None:
            return self._scores_by_whole_logits(copies)

        def score(states: torch.Tensor, index: torch.Tensor) -> torch.Tensor:
            self.batcher.n_head_rows += len(states)
            chunks = range(0, len(states), HEAD_ROWS)
            targets = copies.targets[index, None]
            found = [of_logits(head(states[i : i + HEAD_ROWS]), targets[i : i + HEAD_ROWS]) for i in chunks]
            return torch.cat(found)[:, 0]

        return self.read(copies.sequences, [[position] for position in copies.positions], score)

    def _scores_by_whole_logits(self, copies: _Copies) -> torch.Tensor:
        texts = list(copies.sequences)

        def forward(batch: list[int]) -> list[torch.Tensor]:
            own = [texts[i] for i in batch]
            places = [(row, copies.positions[i], i) for row, i in enumerate(batch)]
            rows, positions, index = torch.tensor(places).to(self.device, non_blocking=True).T
            with torch.inference_mode():
                logits = self.model(**self.arguments(own)).logits
                self.batcher.n_head_rows += logits[..., 0].numel()
                return [of_logits(logits[rows, positions], copies.targets[index, None])[:, 0]]

        return self.batcher.padded([len(text.ids) for text in texts], forward)[0]

    def _own_head(self) -> Head | None:
        """What the model makes of last hidden states (R, D): logits (R, V); None where that is not proven."""
        base = copy.copy(self.model.base_model)
        base.forward = _given
        rest = copy.copy(self.model)
        rest._modules = {**self.model._modules, self.model.base_model_prefix: base}

        def head(states: torch.Tensor) -> torch.Tensor:
            return rest(inputs_embeds=states[None]).logits[0]  # type: ignore[no-any-return]

        ids = torch.tensor([self.spellings([_PROOF])[0].tokens.encoded.ids], device=self.device)
        with torch.inference_mode():
            logits = self.model(input_ids=ids).logits[0]
            states = self.model.base_model(input_ids=ids).last_hidden_state[0]
            try:
                found = head(states.flip(0)).flip(0)  # in another order: a position must not depend on its neighbours
            except (AttributeError, TypeError, ValueError, RuntimeError):
                return None
        return head if self.close(found, logits) else None


def _given(*_: Any, inputs_embeds: torch.Tensor, **__: Any) -> BaseModelOutput:
    """Stands in for a base model: what it is given are the last hidden states."""
    return BaseModelOutput(last_hidden_state=inputs_embeds)
