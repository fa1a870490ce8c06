"""What a task adapter offers: capabilities, and the plain values that go in and out.

An adapter adapts one `AutoModelFor…` class. It never analyses: probes do. A probe names the capabilities it needs,
an adapter has them or not.

Dimension letters, here and in trailing comments everywhere: B batch, T tokens, L layers, H heads, V vocabulary,
K labels, N perturbations, S segments.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Protocol, runtime_checkable

import numpy as np
import torch

from auditor.records.types import Document, Span

Text = tuple[str, str | None]
"""A document as a tokenizer wants it: the text, and the second sentence where there is one."""


@dataclass(frozen=True, slots=True)
class Encoded:
    """Token ids of one text, on the host, special tokens included."""

    ids: tuple[int, ...]
    type_ids: tuple[int, ...] = ()
    truncated: bool = False
    """Whether the end of the text did not fit."""


@dataclass(frozen=True, slots=True)
class Tokens:
    """The tokens of one text with their places in it; T entries each."""

    encoded: Encoded
    texts: tuple[str, ...]
    """What each token stands for; the token's own name for special tokens."""
    spans: tuple[Span, ...]
    special: tuple[bool, ...]


@dataclass(frozen=True, slots=True)
class Question:
    """What is asked about one document and stays the same for all its perturbations."""

    labels: tuple[str, ...]
    continuations: tuple[tuple[int, ...], ...] = ()
    """Token ids scored after the prompt, one tuple per label; empty where a classification head answers."""
    free: bool = False
    """Whether the one continuation is the model's own; its output is then a mean log-probability."""


@dataclass(frozen=True, slots=True)
class Window:
    """A stretch of tokens given to a language model, of which the last `len(targets)` positions are scored.

    The token at input position `len(ids) − len(targets) + i` predicts `targets[i]`.
    """

    ids: tuple[int, ...]
    targets: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class HeadStatistics:
    """Attention statistics of one text: L × H arrays of float64 by name, and `received` with T entries."""

    by_name: dict[str, np.ndarray]
    received: np.ndarray
    causal: bool


@dataclass(frozen=True, slots=True)
class Identity:
    """Facts about a loaded model for the plan and the provenance page."""

    name: str
    task: str
    model_class: str
    labels: tuple[str, ...]
    multi_label: bool
    n_parameters: int
    max_length: int
    device: str
    dtype: str
    hashes: dict[str, str] = field(default_factory=dict)


@runtime_checkable
class Classifies(Protocol):
    """Chooses among labels: a classification head, candidate continuations, or its own continuation."""

    identity: Identity

    def tokens(self, texts: Sequence[Text]) -> list[Tokens]:
        """Tokens with their places in the text, cut to what the model can see."""
        ...

    def ask(self, documents: Sequence[Document]) -> list[Question]:
        """Fixes what is asked about each document; generates where the model must speak first."""
        ...

    def encode(self, texts: Sequence[Text]) -> list[Encoded]:
        """Turns texts into token ids, prompt included, cut to what the model can see."""
        ...

    def outputs(self, encoded: Sequence[Encoded], questions: Sequence[Question]) -> torch.Tensor:
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
class Attends(Protocol):
    """Lets every head's attention be reduced to statistics while it is computed."""

    identity: Identity

    def tokens(self, texts: Sequence[Text]) -> list[Tokens]:
        """Tokens with their places, as `attention` wants them."""
        ...

    def attention(self, tokens: Sequence[Tokens], punctuation: Sequence[Sequence[bool]]) -> list[HeadStatistics]:
        """Statistics of all heads over each text, in order.

        Raises:
            ModelError: If not every layer routed its attention through the registered function.
        """
        ...


@runtime_checkable
class Scores(Protocol):
    """Gives the log-probability of tokens."""

    identity: Identity

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
