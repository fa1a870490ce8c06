r"""`AutoModelForCausalLM`: scores tokens, chooses among candidate continuations, or continues by itself.

The head is applied to the hidden states of the scored positions only, block by block (`auditor.models.computing.head`),
so that the logits of a whole window (T × V floats) never exist. That is exact only where the model's logits are its
head on its last hidden states and nothing else; whether this holds is checked once, against the model's own logits, and
otherwise those are used.

A candidate's log-probability is Σ_i ln p(c_i | prompt, c_<i) over its tokens. Its tokens are what the tokenizer makes
of it behind the end of the prompt. Among the candidates the probabilities are normalised: softmax of these sums.
A free continuation has the mean, (1/n) Σ_i ln p(c_i | prompt, c_<i), of the greedy continuation of the undisturbed
prompt.
"""

import inspect
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from functools import cache, cached_property
from typing import Any, Self

import numpy as np
import torch
from transformers import BatchEncoding, PreTrainedModel, PreTrainedTokenizerBase

from auditor.errors import ModelError
from auditor.models.adapters import Loaded, Settings
from auditor.models.computing.batched_model import Head
from auditor.models.computing.head import log_probabilities, of_logits
from auditor.models.computing.layout import Rows
from auditor.models.inputs import Encoded, Question, Sequences, Text, Tokens, Window
from auditor.models.text.adapter import TextModel
from auditor.models.text.chat import ChatTemplate, chat_template
from auditor.models.text.continuations import Continuations
from auditor.models.text.differentiating import NOWHERE
from auditor.models.text.explained import ExplainedContinuations
from auditor.models.text.perturbing import Perturbing
from auditor.models.text.prompt import Prompt
from auditor.models.text.scored import Scored
from auditor.records.explanations import Segment
from auditor.records.types import Document

COMPARED = 64
"""Log-probabilities of each text that a proof compares."""
N_CAUSAL = 5
"""Tokens, at least, of the text on which a model must not see what comes."""


@dataclass
class TextGeneration(TextModel, Perturbing, ExplainedContinuations):
    """A causal language model; offers `Answers`, `Classifies`, `Differentiates`, `ShowsAttention`, `Attends`, `Scores`.

    Attributes:
        prompt: What the model is asked; `{text}` and `{pair}` stand for the document.
        candidates: The continuations to choose from; None for the model's own.
        max_new_tokens: Tokens of a free continuation.
        chat: The template that the prompt goes through as a user's message; None where it is all that the model reads.
    """

    question_asked = "log-probabilities"
    unit = "nats"
    tolerance = 1e-4

    prompt: str = "{text}"
    candidates: tuple[str, ...] | None = None
    max_new_tokens: int = 20
    chat: ChatTemplate | None = None
    _candidate_ids: tuple[tuple[int, ...], ...] = field(default=(), init=False)

    def __post_init__(self) -> None:
        self._prompt = Prompt(self.prompt, self.chat)
        self._candidate_ids = tuple(self._continuation_ids(c) for c in self.candidates or ())
        self._require_room()
        super().__post_init__()
        self._require_causality()
        self._continuations = Continuations(self, _ends(self.model, self.tokenizer), self.max_new_tokens, self._room)

    @classmethod
    def adapt(cls, loaded: Loaded, settings: Settings) -> Self:
        """With the candidates as labels, and the chat template tried out; see `TextModel.adapt`."""
        labels = tuple(candidate.strip() for candidate in settings.candidates or ())
        return cls(
            loaded.model,
            loaded.tokenizer,
            replace(loaded.identity, labels=labels, multi_label=False, chat=settings.chat),
            loaded.batcher,
            settings.prompt,
            tuple(settings.candidates or ()) or None,
            settings.max_new_tokens,
            chat_template(loaded.identity.name, loaded.tokenizer) if settings.chat else None,
            texts=settings.texts,
            most_tokens=settings.most_tokens,
            compiles=settings.compile,
        )

    def stock_arguments(self, text: Encoded) -> dict[str, Any]:
        """Without the logits that nobody compares, where the model can leave them out."""
        keeps = "logits_to_keep" in inspect.signature(self.model.forward).parameters
        return super().stock_arguments(text) | ({"logits_to_keep": COMPARED} if keeps else {})

    def of_logits(self, text: Encoded, logits: torch.Tensor) -> torch.Tensor:
        """Log-probabilities (R, 1) of the targets of a text of the proof, see `_targets`, from its logits."""
        targets = torch.tensor(_targets(text), device=logits.device)
        return of_logits(logits[-len(targets) :], targets)

    def answers(self, texts: Sequences) -> torch.Tensor:
        """Log-probabilities (R, 1) of the targets of all texts of the proof, computed in batches."""
        targets = [_targets(text) for text in texts]
        rows = [range(len(text.ids) - len(tokens), len(text.ids)) for text, tokens in zip(texts, targets, strict=True)]
        return self._score(texts, rows, [one for tokens in targets for one in tokens])

    @property
    def packed_ways(self) -> Sequence[Callable[[Sequences], torch.Tensor]]:
        """The same, for `read` packs by itself."""
        return [self.answers] if self._head_is_all else []

    def _read_of(self, texts: Sequence[Text]) -> list[int]:
        behind = self.identity.max_length - self._room
        prompts = [len(self._encode_one(text).ids) + behind for text in texts]
        return prompts + [len(self.spell(text).encoded.ids) + 1 for text, _ in texts]

    def spell(self, text: str) -> Tokens:
        """The whole text as tokens, without special tokens and without a cut."""
        return self._places(self.tokenize([(text, None)], special=False, cut=False), 0, (text, None))

    def ask(self, documents: Sequence[Document]) -> list[Question]:
        """One question for each document: which candidate; without candidates, its own greedy continuation."""
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
        cut = [e if n <= 0 else self._cut(text, n)[1] for e, text, n in zip(whole, texts, over, strict=True)]
        return self._readable(Sequences.of(cut))

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

    def read_as(self, documents: Sequence[Document]) -> list[Tokens]:
        """The tokens of each prompt; those of the document have places in it. See `Differentiating`."""
        return [self._read_as((document.text, document.pair)) for document in documents]

    def _read_as(self, text: Text) -> Tokens:
        kept = self._cut(text, over)[0] if (over := len(self._encode_one(text).ids) - self._room) > 0 else text
        prompt = self._prompt.fill(kept)
        tokens = self._places(self._tokenize_prompts([prompt]), 0, (prompt, None))
        if not tokens.spans:
            return Tokens(self.encode([text])[0], ("",), (NOWHERE,), (True,))
        places = self._prompt.places(kept, tokens.spans)
        return replace(tokens, spans=places, special=tuple(span == NOWHERE for span in places))

    def continuation(self, question: Question) -> str | None:
        """The text of the free continuation; None where the model chose among candidates."""
        if not question.free:
            return None
        return str(self.tokenizer.decode(list(question.continuations[0]), skip_special_tokens=False))

    def logprobs(self, windows: Sequence[Window]) -> list[np.ndarray]:
        """Natural log-probabilities of the targets of each window, float64; equal inputs are computed once."""
        scored = Scored.of(windows)
        scores = self._score(scored.sequences, scored.rows, scored.targets).double().numpy()
        return [scores[tuple(zip(*cells, strict=True))] for cells in scored.places]

    def _score(self, sequences: Sequences, rows: Sequence[range], targets: Sequence[Sequence[int]]) -> torch.Tensor:
        """Log-probabilities (R, slots) of the targets of each row; the head runs once a row."""
        width = max(len(tokens) for tokens in targets)
        padded = torch.tensor([[*tokens, *[0] * (width - len(tokens))] for tokens in targets]).to(self.device)

        def of_states(states: torch.Tensor, index: torch.Tensor) -> torch.Tensor:
            self.batcher.n_head_rows += len(index)
            return log_probabilities(self.model.get_output_embeddings(), states, padded[index])

        def of_whole_logits(logits: torch.Tensor, index: torch.Tensor) -> torch.Tensor:
            self.batcher.n_head_rows += len(index)
            return of_logits(logits, padded[index])

        if self._head_is_all:
            return self.read(sequences, rows, of_states)
        return self._read_logits(sequences, rows, of_whole_logits)

    def _read_logits(self, sequences: Sequences, rows: Sequence[range], head: Head) -> torch.Tensor:
        """Like `read`, from the model's own logits, where its head alone does not give them."""
        self.require_proof(sequences)
        positions = Rows.listed(rows)
        lengths = sequences.lengths.tolist()

        def forward(batch: list[int]) -> list[torch.Tensor]:
            with self.reading([lengths[i] for i in batch]):
                logits = self.logits([sequences[i] for i in batch])
            picked = torch.cat([logits[b, rows[i].start : rows[i].stop] for b, i in enumerate(batch)])
            return [head(picked, torch.from_numpy(positions.of(batch)).to(self.device))]

        return self.batcher.padded(lengths, forward, way=self.way, rows=positions.counts.tolist())[0]

    def _continue(self, prompts: Sequences) -> list[tuple[int, ...]]:
        """Greedy continuations, up to and with the end token."""
        self.require_proof(prompts)
        return self._continuations.of(prompts)

    @property
    def _room(self) -> int:
        """Tokens a prompt may have, so that every continuation still fits."""
        longest = max((len(ids) for ids in self._candidate_ids), default=self.max_new_tokens)
        return self.identity.max_length - longest

    def assemble(self, document: Document, segments: Sequence[Segment], keep: np.ndarray) -> Sequences | None:
        """See `Perturbing`; None where the undisturbed prompt does not fit, or a chat template changes it."""
        pieces = self._prompt.pieces(document)
        if pieces is None:
            return None
        texts = ("".join(pieces), None)
        tokens = self._places(self._tokenize_prompts([texts[0]]), 0, texts)
        if len(tokens.spans) > self._room:
            return None
        occurrences = self._prompt.occurrences(pieces, segments)
        sequences = self._assembler.assemble(texts, tokens, occurrences, keep, pieces)
        return None if sequences is None else self._readable(sequences)

    def _cut(self, text: Text, over: int) -> tuple[Text, Encoded]:
        """The first n tokens of the text, and of the pair, for the largest n that fits; and the prompt around them.

        So the longer of the two is cut first. With n = 0 it fits: see `_require_room`. Mostly n is what is left when as
        many tokens go as there are `over`; where it is not, it is found by bisection.
        """
        fields = [
            (one, [0, *(span.stop for span in self.spell(one).spans)] if one else [0])
            for one in (text[0], text[1] or "")
        ]

        @cache
        def beginning(n: int) -> tuple[Text, Encoded]:
            first, pair = (field[: ends[n]] if n < len(ends) else field for field, ends in fields)
            return (first, pair), replace(self._encode_one((first, pair)), truncated=True)

        shorter, longer = sorted(len(ends) - 1 for _, ends in fields)
        left = shorter + longer - over
        likely = left - shorter if left >= 2 * shorter else left // 2
        return beginning(_largest(lambda n: len(beginning(n)[1].ids) <= self._room, longer, likely))

    def _require_causality(self) -> None:
        """Refuses a model that sees the tokens it is asked for.

        Raises:
            ModelError: What it says of a token changes with those behind it.
        """
        texts = self.truth.texts
        text = next((text for text in texts if len(text.ids) > N_CAUSAL), texts[int(texts.lengths.argmax())])
        n = (len(text.ids) + 1) // 2
        beginning = Encoded(text.ids[:n], text.type_ids[:n])
        with self.stock.as_built():
            given = []
            for one in (text, beginning):
                with self.reading([len(one.ids)]):
                    given.append(self.stock.ask(self.stock.arguments(one, self.device))[1][:n])
        if not self.close(given[0], given[1]):
            raise ModelError(
                f"{self.identity.name}: a model of type {self.kind} sees the tokens behind the one it is asked for, so "
                'its log-probabilities say nothing; ask it as a masked model (task = "fill-mask") or audit a causal one'
            )

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

    @cached_property
    def _head_is_all(self) -> bool:
        return self._head_gives_the_logits()

    def _head_gives_the_logits(self) -> bool:
        head = self.model.get_output_embeddings()
        if not isinstance(head, torch.nn.Linear) or head.weight.is_meta:  # put away by accelerate until it is called
            return False
        text = self.truth.texts[0]
        with self.computing():
            states, whole = self.stock.ask(self.stock.arguments(text, self.device))
            parts = whole[:0] if states is None else head(states).to(whole.device)
        return whole.shape == parts.shape and torch.allclose(whole, parts, rtol=1e-4, atol=1e-4)


def _ends(model: PreTrainedModel, tokenizer: PreTrainedTokenizerBase) -> list[int]:
    """Tokens that end a continuation."""
    settings = model.generation_config
    ends = settings.eos_token_id if settings is not None else tokenizer.eos_token_id
    several = ends if isinstance(ends, list) else [ends]
    return [end for end in several if end is not None]


def _targets(text: Encoded) -> list[list[int]]:
    """Targets of the last positions of a text of the proof: the next token; of the last one, the first token."""
    return [[token] for token in (*text.ids[1:], text.ids[0])[-COMPARED:]]


def _largest(fits: Callable[[int], bool], most: int, likely: int) -> int:
    """The largest number up to `most` that fits, as 0 does; asks about `likely` and the one behind it first."""
    low, high, first = 0, most + 1, [likely, likely + 1]
    while low + 1 < high:
        middle = first.pop(0) if first else (low + high) // 2
        if low < middle < high:
            low, high = (middle, high) if fits(middle) else (low, middle)
    return low
