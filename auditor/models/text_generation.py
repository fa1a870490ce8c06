r"""`AutoModelForCausalLM`: scores tokens, chooses among candidate continuations, or continues by itself.

The head is applied to the hidden states of the scored positions only, block by block (`auditor.models.head`), so that
the logits of a whole window (T × V floats) never exist. That is exact only where the model's logits are its head on its
last hidden states and nothing else; whether this holds is checked once, against the model's own logits, and otherwise
those are used.

A candidate's log-probability is Σ_i ln p(c_i | prompt, c_<i) over its tokens. Its tokens are what the tokenizer makes
of it behind the end of the prompt. Among the candidates the probabilities are normalised: softmax of these sums.
A free continuation has the mean, (1/n) Σ_i ln p(c_i | prompt, c_<i), of the greedy continuation of the undisturbed
prompt.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from functools import cache

import numpy as np
import torch
from transformers import BatchEncoding

from auditor.errors import ModelError
from auditor.models.batching import padded
from auditor.models.chat import ChatTemplate
from auditor.models.contract import Encoded, Question, Sequences, Text, Tokens, Window
from auditor.models.head import log_probabilities, of_logits
from auditor.models.layout import Rows
from auditor.models.prompt import Prompt
from auditor.models.text import Head, TextModel
from auditor.records.types import Document, Segment


@dataclass
class TextGeneration(TextModel):
    """A causal language model; offers `Classifies`, `Attends` and `Scores`.

    Attributes:
        prompt: What the model is asked; `{text}` and `{pair}` stand for the document.
        candidates: The continuations to choose from; None for the model's own.
        max_new_tokens: Tokens of a free continuation.
        chat: The template that the prompt goes through as a user's message; None where it is all that the model reads.
    """

    prompt: str = "{text}"
    candidates: tuple[str, ...] | None = None
    max_new_tokens: int = 20
    chat: ChatTemplate | None = None
    _candidate_ids: tuple[tuple[int, ...], ...] = field(default=(), init=False)

    def __post_init__(self) -> None:
        self._prompt = Prompt(self.prompt, self.chat)
        super().__post_init__()
        self._candidate_ids = tuple(self._continuation_ids(c) for c in self.candidates or ())
        self._require_room()
        self._head_is_all = self._head_gives_the_logits()

    def spell(self, text: str) -> Tokens:
        """The whole text as tokens, without special tokens and without a cut."""
        return self._places(self.tokenize([(text, None)], special=False, cut=False), 0, (text, None))

    def ask(self, documents: Sequence[Document]) -> list[Question]:
        """Which candidate; or, without candidates, how likely its own greedy continuation of each document is."""
        if self.candidates:
            return [Question(self.identity.labels, self._candidate_ids)] * len(documents)
        prompts = self.encode([(document.text, document.pair) for document in documents])
        return [Question(("continuation",), (ids,), free=True) for ids in self._continue(prompts)]

    def encode(self, texts: Sequence[Text]) -> Sequences:
        """The prompts around the texts; a text that is too long loses its end, the prompt never does.

        An empty text leaves the prompt around it, or, where there is none, the prefix token.
        """
        batch = self._tokenize_prompts([self._prompt.fill(text) for text in texts])
        whole = [self.encoded(batch, i) for i in range(len(texts))]
        over = [len(one.ids) - self._room for one in whole]
        found = [e if n <= 0 else self._cut(text, n) for e, text, n in zip(whole, texts, over, strict=True)]
        return self._readable(Sequences.of(found))

    def outputs(self, sequences: Sequences, questions: Sequence[Question]) -> torch.Tensor:
        """Log-probabilities (B, K) of the continuations behind each prompt; the mean over tokens for a free one."""
        windows = [
            Window(prompt.ids + continuation[:-1], continuation)
            for prompt, question in zip(sequences, questions, strict=True)
            for continuation in question.continuations
        ]
        scores = self.logprobs(windows)
        free = questions[0].free
        values = [row.mean() if free else row.sum() for row in scores]
        return torch.tensor(np.array(values), dtype=torch.float32).view(len(sequences), -1)

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
        rows: list[range] = []
        targets: list[list[int]] = []  # of each row, what is asked of it
        places: list[list[tuple[int, int]]] = [[] for _ in windows]  # of each window, row and slot of its targets
        for ids, own in by_ids.items():
            start = len(ids) - max(len(windows[i].targets) for i in own)
            first = len(targets) - start
            rows.append(range(start, len(ids)))
            targets += [[] for _ in rows[-1]]
            for i in own:
                for position, token in enumerate(windows[i].targets, len(ids) - len(windows[i].targets)):
                    places[i].append((first + position, len(targets[first + position])))
                    targets[first + position].append(token)
        sequences = Sequences.of([Encoded(ids) for ids in by_ids])
        scores = self._score(sequences, rows, targets).double().numpy()
        return [scores[tuple(zip(*own, strict=True))] for own in places]

    def _score(self, sequences: Sequences, rows: Sequence[range], targets: Sequence[Sequence[int]]) -> torch.Tensor:
        """Log-probabilities (R, slots) of the targets of each row; the head runs once a row."""
        width = max(len(own) for own in targets)
        wanted = torch.tensor([[*own, *[0] * (width - len(own))] for own in targets]).to(self.device)

        def of_states(states: torch.Tensor, index: torch.Tensor) -> torch.Tensor:
            self.batcher.n_head_rows += len(index)
            return log_probabilities(self.model.get_output_embeddings(), states, wanted[index])

        def of_whole_logits(logits: torch.Tensor, index: torch.Tensor) -> torch.Tensor:
            self.batcher.n_head_rows += len(index)
            return of_logits(logits, wanted[index])

        if self._head_is_all:
            return self.read(sequences, rows, of_states)
        return self._read_logits(sequences, rows, of_whole_logits)

    def _read_logits(self, sequences: Sequences, rows: Sequence[range], head: Head) -> torch.Tensor:
        """Like `read`, from the model's own logits, where its head alone does not give them."""
        wanted = Rows.listed(rows)

        def forward(batch: list[int]) -> list[torch.Tensor]:
            with self.computing():
                logits = self.model(**self.arguments([sequences[i] for i in batch])).logits.to(self.device)
            picked = torch.cat([logits[b, rows[i].start : rows[i].stop] for b, i in enumerate(batch)])
            return [head(picked, torch.from_numpy(wanted.of(batch)).to(self.device))]

        return self.batcher.padded(sequences.lengths.tolist(), forward, rows=wanted.counts.tolist())[0]

    def _continue(self, prompts: Sequences) -> list[tuple[int, ...]]:
        """Greedy continuations, up to and with the end token; batches of equal length, so that none is padded."""

        def forward(batch: list[int]) -> list[torch.Tensor]:
            step, _ = padded([prompts[i].ids for i in batch], 0, self.device)
            cache, chosen = None, []
            with self.computing():
                for _ in range(self.max_new_tokens):
                    out = self.model(input_ids=step, past_key_values=cache, use_cache=True, logits_to_keep=1)
                    cache = out.past_key_values
                    step = out.logits[:, -1:].argmax(dim=-1)
                    chosen.append(step)
            return [torch.cat(chosen, dim=1)]

        answers = self.batcher.padded(prompts.lengths.tolist(), forward, equal_lengths=True)[0].tolist()
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

    def assemble(self, document: Document, segments: Sequence[Segment], keep: np.ndarray) -> Sequences | None:
        """See `contract.Classifies`; None where the undisturbed prompt does not fit, or a chat template changes it."""
        pieces = self._prompt.pieces(document)
        if pieces is None:
            return None
        texts = ("".join(pieces), None)
        tokens = self._places(self._tokenize_prompts([texts[0]]), 0, texts)
        if len(tokens.spans) > self._room:
            return None
        places = self._prompt.places(pieces, segments)
        found = self._assembler.assemble(texts, tokens, places, keep, pieces)
        return None if found is None else self._readable(found)

    def _cut(self, text: Text, over: int) -> Encoded:
        """The prompt around the first n tokens of the text, and of the pair, for the largest n that fits.

        So the longer of the two is cut first. With n = 0 it fits: see `_require_room`. Mostly n is what is left when as
        many tokens go as there are `over`; where it is not, it is found by bisection.
        """
        fields = [
            (one, [0, *(span.stop for span in self.spell(one).spans)] if one else [0])
            for one in (text[0], text[1] or "")
        ]

        @cache
        def beginning(n: int) -> Encoded:
            own, pair = (field[: ends[n]] if n < len(ends) else field for field, ends in fields)
            return self._encode_one((own, pair))

        shorter, longer = sorted(len(ends) - 1 for _, ends in fields)
        left = shorter + longer - over
        likely = left - shorter if left >= 2 * shorter else left // 2
        best = beginning(_largest(lambda n: len(beginning(n).ids) <= self._room, longer, likely))
        return Encoded(best.ids, best.type_ids, truncated=True)

    def _require_room(self) -> None:
        """Refuses a prompt that leaves no token for a text.

        Raises:
            ModelError: If the prompt around nothing and the longest continuation fill what the model can see.
        """
        around, limit = len(self._encode_one(("", "")).ids), self.identity.max_length
        if around >= self._room:
            raise ModelError(
                f"{self.identity.name}: the prompt without a text has {around} tokens and the longest continuation "
                f"{limit - self._room}, but the model sees only {limit}: no room is left for a text; shorten the "
                + ("prompt or the candidates" if self.candidates else "prompt or max_new_tokens")
            )

    def _tokenize_prompts(self, prompts: Sequence[str]) -> BatchEncoding:
        """Whole prompts as tokens; a chat template has written the special tokens already."""
        return self.tokenize([(prompt, None) for prompt in prompts], special=self.chat is None, cut=False)

    def _encode_one(self, text: Text) -> Encoded:
        return self.encoded(self._tokenize_prompts([self._prompt.fill(text)]), 0)

    def _continuation_ids(self, candidate: str) -> tuple[int, ...]:
        anchor = self._prompt.fill(("x", "x")).rsplit("\n", 1)[-1] or "x"
        before = self.tokenizer(anchor, add_special_tokens=False)["input_ids"]
        both = self.tokenizer(anchor + candidate, add_special_tokens=False)["input_ids"]
        if both[: len(before)] == before and len(both) > len(before):
            return tuple(both[len(before) :])
        return tuple(self.tokenizer(candidate, add_special_tokens=False)["input_ids"])

    def _head_gives_the_logits(self) -> bool:
        head = self.model.get_output_embeddings()
        if not isinstance(head, torch.nn.Linear) or head.weight.is_meta:  # put away by accelerate until it is called
            return False
        ids = torch.arange(min(8, self.model.config.vocab_size), device=self.device)[None]
        with self.computing():
            whole = self.model(input_ids=ids).logits
            parts = head(self.model.base_model(input_ids=ids).last_hidden_state)
        return whole.shape == parts.shape and torch.allclose(whole, parts.to(whole.device), rtol=1e-4, atol=1e-4)


def _largest(fits: Callable[[int], bool], most: int, likely: int) -> int:
    """The largest number up to `most` that fits, as 0 does; asks about `likely` and the one behind it first."""
    low, high, first = 0, most + 1, [likely, likely + 1]
    while low + 1 < high:
        middle = first.pop(0) if first else (low + high) // 2
        if low < middle < high:
            low, high = (middle, high) if fits(middle) else (low, middle)
    return low
