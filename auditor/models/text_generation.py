r"""`AutoModelForCausalLM`: scores tokens, chooses among candidate continuations, or continues by itself.

The head is applied in chunks to the hidden states of the scored positions only, so that the logits of a whole window
(T × V floats) never exist. That is exact only where the model's logits are its head on its last hidden states and
nothing else; whether this holds is checked once, against the model's own logits, and otherwise those are used.

A candidate's log-probability is Σ_i ln p(c_i | prompt, c_<i) over its tokens. Its tokens are what the tokenizer makes
of it behind the end of the prompt. Among the candidates the probabilities are normalised: softmax of these sums.
A free continuation has the mean, (1/n) Σ_i ln p(c_i | prompt, c_<i), of the greedy continuation of the undisturbed
prompt.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from itertools import pairwise

import numpy as np
import torch

from auditor.models.batching import padded
from auditor.models.contract import Encoded, Question, Text, Tokens, Window
from auditor.models.text import TextModel
from auditor.records.types import Document

HEAD_ROWS = 128
"""Scored positions per chunk of the head: 128 rows of 50,000 logits in float32 are 26 MB."""
UNUSED = -1


@dataclass
class TextGeneration(TextModel):
    """A causal language model; offers `Classifies`, `Attends` and `Scores`.

    Attributes:
        prompt: What the model is asked; `{text}` and `{pair}` stand for the document.
        candidates: The continuations to choose from; None for the model's own.
        max_new_tokens: Tokens of a free continuation.
    """

    prompt: str = "{text}"
    candidates: tuple[str, ...] | None = None
    max_new_tokens: int = 20
    _candidate_ids: tuple[tuple[int, ...], ...] = field(default=(), init=False)

    def __post_init__(self) -> None:
        super().__post_init__()
        self._candidate_ids = tuple(self._continuation_ids(c) for c in self.candidates or ())
        self._head_is_all = self._head_gives_the_logits()

    @property
    def prefix(self) -> tuple[int, str] | None:
        """BOS, else EOS, else None."""
        for token_id in (self.tokenizer.bos_token_id, self.tokenizer.eos_token_id):
            if token_id is not None:
                return int(token_id), str(self.tokenizer.convert_ids_to_tokens(int(token_id)))
        return None

    def spell(self, text: str) -> Tokens:
        """The whole text as tokens, without special tokens and without a cut."""
        return self._places(self.tokenize([(text, None)], special=False, cut=False), 0, (text, None))

    def ask(self, documents: Sequence[Document]) -> list[Question]:
        """Which candidate; or, without candidates, how likely its own greedy continuation of each document is."""
        if self.candidates:
            return [Question(self.identity.labels, self._candidate_ids)] * len(documents)
        prompts = self.encode([(document.text, document.pair) for document in documents])
        return [Question(("continuation",), (ids,), free=True) for ids in self._continue(prompts)]

    def encode(self, texts: Sequence[Text]) -> list[Encoded]:
        """The prompts around the texts; a text that is too long loses its end, the prompt never does."""
        batch = self.tokenize([(self._fill(text), None) for text in texts], cut=False)
        encoded = [self.encoded(batch, i) for i in range(len(texts))]
        return [e if len(e.ids) <= self._room else self._cut(text) for e, text in zip(encoded, texts, strict=True)]

    def outputs(self, encoded: Sequence[Encoded], questions: Sequence[Question]) -> torch.Tensor:
        """Log-probabilities (B, K) of the continuations behind each prompt; the mean over tokens for a free one."""
        windows = [
            Window(prompt.ids + continuation[:-1], continuation)
            for prompt, question in zip(encoded, questions, strict=True)
            for continuation in question.continuations
        ]
        scores = self.logprobs(windows)
        free = questions[0].free
        values = [row.mean() if free else row.sum() for row in scores]
        return torch.tensor(np.array(values), dtype=torch.float32).view(len(encoded), -1)

    def probabilities(self, outputs: torch.Tensor, question: Question) -> torch.Tensor:
        """Normalised among the candidates; the mean log-probability itself for a free continuation. Float64."""
        return outputs.double() if question.free else outputs.double().softmax(dim=-1)

    def continuation(self, question: Question) -> str | None:
        """What the model said; None where it chose among candidates."""
        if not question.free:
            return None
        return str(self.tokenizer.decode(list(question.continuations[0]), skip_special_tokens=False))

    def logprobs(self, windows: Sequence[Window]) -> list[np.ndarray]:
        """Natural log-probabilities of the targets of each window, float64; equal inputs are computed once."""
        by_ids: dict[tuple[int, ...], list[int]] = {}
        for index, window in enumerate(windows):
            by_ids.setdefault(window.ids, []).append(index)
        sequences = list(by_ids)
        wanted = [[windows[i] for i in by_ids[ids]] for ids in sequences]
        shape = (max(len(group) for group in wanted), max(len(window.targets) for window in windows))

        def forward(batch: list[int]) -> list[torch.Tensor]:
            with torch.inference_mode():
                hidden = self._hidden([sequences[i] for i in batch])
                return [self._score(hidden, [wanted[i] for i in batch], shape)]

        scores = self.batcher.run([len(ids) for ids in sequences], forward)[0].double().numpy()
        result: list[np.ndarray] = [np.empty(0)] * len(windows)
        for row, indices in enumerate(by_ids.values()):
            for slot, index in enumerate(indices):
                result[index] = scores[row, slot, : len(windows[index].targets)]
        return result

    def _hidden(self, sequences: Sequence[Sequence[int]]) -> torch.Tensor:
        """The last hidden states (B, T, …), or the logits where the head alone does not give them."""
        ids, mask = self.padded(sequences)
        if self._head_is_all:
            return self.model.base_model(input_ids=ids, attention_mask=mask).last_hidden_state  # type: ignore[no-any-return]
        return self.model(input_ids=ids, attention_mask=mask).logits  # type: ignore[no-any-return]

    def _logits(self, rows: torch.Tensor) -> torch.Tensor:
        return (self.model.get_output_embeddings()(rows) if self._head_is_all else rows).float()

    def _score(self, hidden: torch.Tensor, wanted: Sequence[Sequence[Window]], shape: tuple[int, int]) -> torch.Tensor:
        """Log-probabilities (B, windows, targets) at the wanted positions, else 0; the head runs once a position."""
        rows: dict[tuple[int, int], int] = {}
        picks: list[tuple[int, int, int, int, int]] = []  # row, token, text, window, place
        for text, windows in enumerate(wanted):
            for slot, window in enumerate(windows):
                first = len(window.ids) - len(window.targets)
                for place, token in enumerate(window.targets):
                    row = rows.setdefault((text, first + place), len(rows))
                    picks.append((row, token, text, slot, place))
        picks.sort()
        table = torch.tensor(picks).to(hidden.device, non_blocking=True)
        positions = torch.tensor(list(rows)).to(hidden.device, non_blocking=True)
        states = hidden[positions[:, 0], positions[:, 1]]
        scores = torch.zeros(len(wanted), *shape, device=hidden.device)
        bounds = np.searchsorted([pick[0] for pick in picks], range(0, len(rows) + HEAD_ROWS, HEAD_ROWS))
        for chunk, (start, stop) in enumerate(pairwise(bounds)):
            logits = self._logits(states[chunk * HEAD_ROWS : (chunk + 1) * HEAD_ROWS])
            row, token, text, slot, place = table[start:stop].T
            row = row - chunk * HEAD_ROWS
            scores[text, slot, place] = logits[row, token] - logits.logsumexp(dim=-1)[row]
        return scores

    def _continue(self, prompts: Sequence[Encoded]) -> list[tuple[int, ...]]:
        """Greedy continuations, up to and with the end token; batches of equal length, so that none is padded."""

        def forward(batch: list[int]) -> list[torch.Tensor]:
            step, _ = padded([prompts[i].ids for i in batch], 0, self.device)
            cache, chosen = None, []
            with torch.inference_mode():
                for _ in range(self.max_new_tokens):
                    out = self.model(input_ids=step, past_key_values=cache, use_cache=True, logits_to_keep=1)
                    cache = out.past_key_values
                    step = out.logits[:, -1:].argmax(dim=-1)
                    chosen.append(step)
            return [torch.cat(chosen, dim=1)]

        answers = self.batcher.run([len(p.ids) for p in prompts], forward, equal_lengths=True)[0].tolist()
        return [self._until_end(answer) for answer in answers]

    def _until_end(self, ids: list[int]) -> tuple[int, ...]:
        own = self.model.generation_config
        ends = own.eos_token_id if own is not None else self.tokenizer.eos_token_id
        stops = set(ends) if isinstance(ends, list) else {ends}
        for i, token in enumerate(ids):
            if token in stops:
                return tuple(ids[: i + 1])
        return tuple(ids)

    @property
    def _room(self) -> int:
        """Tokens a prompt may have, so that every continuation still fits."""
        longest = max((len(ids) for ids in self._candidate_ids), default=self.max_new_tokens)
        return self.identity.max_length - longest

    def _fill(self, text: Text) -> str:
        values = {"{text}": text[0], "{pair}": text[1] or ""}
        return re.sub(r"\{text\}|\{pair\}", lambda match: values[match[0]], self.prompt)

    def _cut(self, text: Text) -> Encoded:
        """The prompt around the longest beginning of the text that fits, found by bisection over its tokens."""
        ends = [span.stop for span in self.spell(text[0]).spans]
        low, high = 0, len(ends)
        best = self._encode_one(("", text[1]))
        while low < high:
            middle = (low + high + 1) // 2
            tried = self._encode_one((text[0][: ends[middle - 1]], text[1]))
            if len(tried.ids) <= self._room:
                low, best = middle, tried
            else:
                high = middle - 1
        return Encoded(best.ids, best.type_ids, truncated=True)

    def _encode_one(self, text: Text) -> Encoded:
        return self.encoded(self.tokenize([(self._fill(text), None)], cut=False), 0)

    def _continuation_ids(self, candidate: str) -> tuple[int, ...]:
        anchor = self._fill(("x", "x")).rsplit("\n", 1)[-1] or "x"
        before = self.tokenizer(anchor, add_special_tokens=False)["input_ids"]
        both = self.tokenizer(anchor + candidate, add_special_tokens=False)["input_ids"]
        if both[: len(before)] == before and len(both) > len(before):
            return tuple(both[len(before) :])
        return tuple(self.tokenizer(candidate, add_special_tokens=False)["input_ids"])

    def _head_gives_the_logits(self) -> bool:
        head = self.model.get_output_embeddings()
        if head is None:
            return False
        ids = torch.arange(min(8, self.model.config.vocab_size), device=self.device)[None]
        with torch.inference_mode():
            whole = self.model(input_ids=ids).logits
            parts = head(self.model.base_model(input_ids=ids).last_hidden_state)
        return whole.shape == parts.shape and torch.allclose(whole, parts, rtol=1e-4, atol=1e-4)
