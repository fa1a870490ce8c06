"""The plain values that go into a model and come out of it, on the host: texts, tokens, questions, statistics.

Dimension letters, here and in trailing comments everywhere: B batch, T tokens, L layers, H heads, V vocabulary,
K labels, N perturbations, S segments.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import Literal

import numpy as np

from auditor.errors import ModelError
from auditor.records.structure import Structure
from auditor.records.types import Span

Text = tuple[str, str | None]
"""A document as a tokenizer wants it: the text, and the second sentence where there is one."""


class UnreadableError(Exception):
    """The model itself fails on a text; says so in a sentence, with the model's own message."""

    kind = "unreadable"


class NoGradientError(Exception):
    """A model has no gradient of what it answers, or not from the baseline that was asked for; says why."""

    of_model = True
    """Whether it is so for every document."""

    def __init__(self, message: str, kind: str = "no-gradient") -> None:
        super().__init__(message)
        self.kind = kind


class FixedWeightsError(Exception):
    """A model has weights that cannot be exchanged for others; says why."""

    kind = "fixed-weights"


class UnseenAttentionError(ModelError):
    """A model does not show its attention, or not in the way that was asked for; says why."""

    def __init__(self, message: str, kind: str = "unseen-attention", *, of_model: bool = True) -> None:
        super().__init__(message)
        self.kind, self.of_model = kind, of_model


class UnseenActivationsError(Exception):
    """A model does not show what is inside of it; says why."""

    kind = "unseen-activations"


@dataclass(frozen=True, slots=True)
class Encoded:
    """Token ids of one text, on the host, special tokens included."""

    ids: tuple[int, ...]
    type_ids: tuple[int, ...] = ()
    truncated: bool = False
    """Whether the end of the text did not fit."""


@dataclass(frozen=True, eq=False)
class Sequences:
    """Token ids of B texts on the host, one text behind the other, special tokens included."""

    ids: np.ndarray
    """(ΣT,) int64."""
    lengths: np.ndarray
    """(B,) int64."""
    type_ids: np.ndarray | None = None
    """(ΣT,) int64, for models that have them."""
    truncated: np.ndarray | None = None
    """(B,) bool: whose end did not fit; None where all are whole."""

    @classmethod
    def of(cls, encoded: Sequence[Encoded]) -> "Sequences":
        """The texts, joined."""
        typed = any(text.type_ids for text in encoded)
        return cls(
            np.array([token for text in encoded for token in text.ids], dtype=np.int64),
            np.array([len(text.ids) for text in encoded], dtype=np.int64),
            np.array([kind for text in encoded for kind in text.type_ids], dtype=np.int64) if typed else None,
            np.array([text.truncated for text in encoded], dtype=bool),
        )

    @classmethod
    def join(cls, parts: "Sequence[Sequences]") -> "Sequences":
        """The texts of all parts, in order."""
        typed = bool(parts) and all(part.type_ids is not None for part in parts)
        return cls(
            np.concatenate([part.ids for part in parts] or [np.empty(0, np.int64)]),
            np.concatenate([part.lengths for part in parts] or [np.empty(0, np.int64)]),
            np.concatenate([part.type_ids for part in parts]) if typed else None,
            np.concatenate([part.cut for part in parts] or [np.empty(0, bool)]),
        )

    def take(self, indices: np.ndarray) -> "Sequences":
        """Some of the texts, in the order given."""
        at = ragged(self.starts[indices], self.lengths[indices])
        types = None if self.type_ids is None else self.type_ids[at]
        return Sequences(self.ids[at], self.lengths[indices], types, self.cut[indices])

    def with_stand_in(self, token: int) -> "Sequences":
        """The same texts, with one token in place of each that has none."""
        at = self.starts[self.lengths == 0]
        types = None if self.type_ids is None else np.insert(self.type_ids, at, 0)
        return Sequences(np.insert(self.ids, at, token), np.maximum(self.lengths, 1), types, self.truncated)

    @cached_property
    def starts(self) -> np.ndarray:
        """(B,) where each text begins in `ids`."""
        starts: np.ndarray = np.cumsum(self.lengths) - self.lengths
        return starts

    @property
    def costs(self) -> np.ndarray:
        """(B,) int64, tokens; see `auditor.models.capabilities.Inputs`."""
        return self.lengths

    @property
    def cut(self) -> np.ndarray:
        """(B,) bool: True for texts whose end did not fit."""
        return np.zeros(len(self.lengths), dtype=bool) if self.truncated is None else self.truncated

    def __len__(self) -> int:
        return len(self.lengths)

    def __getitem__(self, index: int) -> Encoded:
        return self._one(int(self.starts[index]), index)

    def __iter__(self) -> Iterator[Encoded]:
        return (self._one(start, index) for index, start in enumerate(self.starts.tolist()))

    def _one(self, start: int, index: int) -> Encoded:
        tokens = slice(start, start + int(self.lengths[index]))
        type_ids = () if self.type_ids is None else tuple(self.type_ids[tokens].tolist())
        truncated = self.truncated is not None and bool(self.truncated[index])
        return Encoded(tuple(self.ids[tokens].tolist()), type_ids, truncated)


def ragged(starts: np.ndarray, lengths: np.ndarray) -> np.ndarray:
    """The ranges start … start + length − 1, one behind the other: (ΣT,) int64."""
    ends = np.cumsum(lengths)
    total = int(ends[-1]) if len(ends) else 0
    places: np.ndarray = np.arange(total) + np.repeat(starts - (ends - lengths), lengths)
    return places


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

    @property
    def unit(self) -> str:
        """Unit of an explanation: `probability`, or `log-probability` for a free continuation."""
        return "log-probability" if self.free else "probability"


@dataclass(frozen=True, slots=True, eq=False)
class Points:
    """N points at which a gradient is wanted, each on the straight line from the baseline of a document to itself."""

    documents: np.ndarray
    """(N,) int64: which document."""
    labels: np.ndarray
    """(N,) int64: which label of its question."""
    positions: np.ndarray
    """(N,) float64: 0 at the baseline, 1 at the document."""


@dataclass(frozen=True, slots=True, eq=False)
class Gradients:
    """Gradients of N answers with respect to the parts of a document, each part reduced to a few numbers.

    A document x is read as T parts with an embedding e_t each (D,), its baseline as T others b_t; g_t = ∂f/∂e_t.
    """

    baseline: str
    """Which baseline was taken."""
    parts: tuple[tuple[Span, ...], ...]
    """For each document, where its T parts stand; an empty span for what the model adds, such as special tokens."""
    points: Points
    answers: np.ndarray
    """(N,) float64: f at each point, in the unit of the question."""
    norms: np.ndarray
    """(ΣT,) float64: ‖g_t‖₂, point by point."""
    inputs: np.ndarray
    """(ΣT,) float64: g_t · e_t, with the embedding of the document wherever the point is."""
    changes: np.ndarray
    """(ΣT,) float64: g_t · (e_t − b_t)."""


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
    layers: tuple[int, ...] = ()
    """L entries: which layers of the model these are, from 0."""
    others: tuple[str, ...] = ()
    """The layers that do not attend: number, and the class of what mixes tokens there."""


Pooling = Literal["first", "last", "mean"]
"""Where an answer is read: from the state of the first token, of the last one, or from the mean of all."""


@dataclass(frozen=True, slots=True, eq=False)
class PartAttention:
    """What the place where the answer is read gets, by attention, of each part of a document."""

    parts: tuple[Span, ...]
    """Where the T parts stand; an empty span for what the model adds, such as special tokens."""
    values: np.ndarray
    """(T,) float64, ≥ 0, sums to 1."""


@dataclass(frozen=True, slots=True, eq=False)
class HeadEffects:
    """What one answer has to do with each of L × H heads."""

    parts: tuple[Span, ...]
    """Where the T parts of the document stand; an empty span for what the model adds."""
    answer: float
    """f of the model as it is, in the unit of the question."""
    without: np.ndarray
    """(L, H) float64: f where that head is switched off."""
    received: np.ndarray
    """(L, H, T) float64: the weight that each part receives, mean over the queries; sums to 1."""


@dataclass(frozen=True, slots=True)
class HeadMaps:
    """The heaviest keys of every query of one text; see `auditor.models.attention.maps`."""

    keys: np.ndarray
    """(L, H, T, n) uint8."""
    weights: np.ndarray
    """(L, H, T, n) uint8, 255 is 1."""
    kept: np.ndarray
    """(L, H) float64, mass of these keys, mean over queries."""


@dataclass(frozen=True, slots=True, eq=False)
class HiddenStatistics:
    """The hidden states of one text, reduced; see `auditor.models.computing.hidden_states`."""

    norms: np.ndarray
    """(L + 1,) float64."""
    ratios: np.ndarray
    """(L + 1, K) float64."""
    dimensions: np.ndarray
    """(L + 1, K) int64."""
    active: np.ndarray
    """(L, ⌈F / 8⌉) uint8, a bit for each hidden unit; (L, 0) where these are not seen."""


@dataclass(frozen=True, slots=True)
class Insides:
    """What there is to be seen inside a model."""

    n_layers: int
    width: int
    """D, of a hidden state."""
    n_units: int = 0
    """F, hidden units of each feed-forward layer; 0 where they are not seen."""
    activation: str = ""
    """Class of the activation function."""
    unseen_units: str = ""
    """Why the units are not seen; empty where they are."""


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
    structure: Structure | None = None
    """What it is made of; None where nobody looked."""
    chat: bool = False
    """Whether prompts go through the tokenizer's chat template."""


@dataclass(frozen=True, slots=True)
class Spelling:
    """A whole text as a masked language model reads it, however long."""

    tokens: Tokens
    """Special tokens are those around the text, and those that stand in it literally."""
    frame: tuple[int, int]
    """How many of the tokens stand before the text, and how many behind it."""
    words: tuple[int, ...]
    """T entries: which word of the tokenizer each token belongs to, −1 for none; empty where it knows no words."""


@dataclass(frozen=True, slots=True)
class Cloze:
    """A text with gaps, each filled on its own: for (start, stop) the tokens start … stop − 1 are hidden."""

    text: Encoded
    gaps: tuple[tuple[int, int], ...]
