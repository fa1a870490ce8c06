"""What a task adapter offers: capabilities.

An adapter adapts one `AutoModelFor…` class. It never analyses: probes do. A probe names the capabilities it needs,
an adapter has them or not. What goes in and out is in `auditor.models.inputs`, with the letters of the dimensions.
"""

from collections.abc import Sequence
from typing import Protocol, runtime_checkable

import numpy as np
import torch

from auditor.models.inputs import (
    Cloze,
    HeadMaps,
    HeadStatistics,
    Identity,
    Question,
    Sequences,
    Spelling,
    Text,
    Tokens,
    Window,
)
from auditor.records.types import Document, Segment


class Reads(Protocol):
    """Reads texts through a tokenizer."""

    identity: Identity

    def special_tokens(self, texts: Sequence[Text]) -> list[tuple[str, ...]]:
        """Names of the tokenizer's special tokens that stand literally in each text, in order, however long it is."""
        ...


@runtime_checkable
class Classifies(Reads, Protocol):
    """Chooses among labels: a classification head, candidate continuations, or its own continuation."""

    def tokens(self, texts: Sequence[Text]) -> list[Tokens]:
        """Tokens with their places in the text, cut to what the model can see."""
        ...

    def ask(self, documents: Sequence[Document]) -> list[Question]:
        """Fixes what is asked about each document; generates where the model must speak first."""
        ...

    def encode(self, texts: Sequence[Text]) -> Sequences:
        """Turns texts into token ids, prompt included, cut to what the model can see.

        A text that leaves the model nothing to read (empty, no prompt, no special tokens) becomes the model's prefix
        token alone: BOS, else EOS.

        Raises:
            ValueError: If there is such a text and the tokenizer has neither.
        """
        ...

    def assemble(self, document: Document, segments: Sequence[Segment], keep: np.ndarray) -> Sequences | None:
        """Token ids of the texts that remain of a document when segments are switched off, without tokenising each.

        Args:
            document: What is perturbed.
            segments: Its S segments.
            keep: (N, S) bool, False where a segment is switched off.

        Returns:
            The N texts as `encode` would give them, empty ones included; None where that is not certain for this
            tokenizer and document.
        """
        ...

    def outputs(self, sequences: Sequences, questions: Sequence[Question]) -> torch.Tensor:
        """Answers each text: K logits, K log-probabilities of the candidates, or one mean log-probability (nats).

        Returns:
            (B, K) float32 on the host, in order; a row does not depend on batch or neighbours.
        """
        ...

    def probabilities(self, outputs: torch.Tensor, question: Question) -> torch.Tensor:
        """Turns outputs (…, K) into what is explained, float64: softmax, sigmoid, or the log-probability itself."""
        ...

    def continuation(self, question: Question) -> str | None:
        """The text of a free continuation; None where labels are given."""
        ...


@runtime_checkable
class Attends(Reads, Protocol):
    """Lets every head's attention be reduced to statistics while it is computed."""

    @property
    def causal(self) -> bool:
        """Whether no token sees those behind it, so that the beginning of a text is attended to as if it were all."""
        ...

    def tokens(self, texts: Sequence[Text]) -> list[Tokens]:
        """Tokens with their places, as `attention` wants them."""
        ...

    def attention(self, tokens: Sequence[Tokens], punctuation: Sequence[Sequence[bool]]) -> list[HeadStatistics]:
        """Statistics of all heads over each text, in order.

        Raises:
            ModelError: If not every layer routed its attention through the registered function.
        """
        ...

    def attention_maps(self, tokens: Sequence[Tokens], n_keys: int) -> list[HeadMaps]:
        """The heaviest keys of all heads over each of a few short texts (256 tokens at most), in order.

        Raises:
            ModelError: As `attention`.
        """
        ...


@runtime_checkable
class Scores(Reads, Protocol):
    """Gives the log-probability of tokens."""

    @property
    def prefix(self) -> tuple[int, str] | None:
        """Id and text of the token that gives the first one its context: BOS, else EOS; None where there is neither."""
        ...

    def spell(self, text: str) -> Tokens:
        """The whole text as tokens, without special tokens and without a cut."""
        ...

    def logprobs(self, windows: Sequence[Window]) -> list[np.ndarray]:
        """Natural log-probabilities of the targets of each window, float64, in order."""
        ...


@runtime_checkable
class FillsMasks(Reads, Protocol):
    """Gives the log-probability of tokens that it does not see, from those on both sides."""

    def spellings(self, texts: Sequence[str]) -> list[Spelling]:
        """The whole texts as tokens, special tokens around them, without a cut."""
        ...

    def fill(self, clozes: Sequence[Cloze]) -> list[np.ndarray]:
        """Natural log-probability of the first hidden token of every gap, float64, in order; equal ones asked once."""
        ...
