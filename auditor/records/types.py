"""What was found about each document: plain facts, kept as frozen dataclasses.

Facts only: every mean, interval, ranking and verdict is derived from these by `auditor.findings`. The field types
are restricted to what `auditor.records.schema` can turn into Arrow columns: str, int, float, bool, bytes, other record
dataclasses, tuples of these, `dict[str, str]`, and `… | None`.

Dimension letters: L layers, H heads, T tokens, S segments, K labels.
"""

from dataclasses import dataclass, field
from typing import ClassVar

MISSING = "(missing)"
"""The value of a metadata column where a document has none."""


@dataclass(frozen=True, slots=True)
class Document:
    """One document as it was read and cleaned; what the model sees."""

    id: str
    text: str
    pair: str | None = None
    """The second sentence, where the task compares two."""
    labels: tuple[str, ...] = ()
    """Reference labels: one for single-label tasks, any number for multi-label, empty where the corpus has none."""
    metadata: dict[str, str] = field(default_factory=dict)
    """Columns to slice by."""
    n_cleaned: int = 0
    """Characters replaced by U+FFFD when the text was read: NUL, C0 controls, lone surrogates."""
    unlabelled: bool = False
    """Whether nothing is said about its labels: where a document may have several, it then is in no score, while a
    document without labels has the empty set as its reference."""

    @property
    def is_blank(self) -> bool:
        """Whether there is nothing to ask a model about."""
        return not self.text.strip()

    @property
    def n_bytes(self) -> int:
        """Length of the text in UTF-8."""
        return len(self.text.encode("utf-8"))


@dataclass(frozen=True, slots=True)
class Failure:
    """A document that a probe could not measure."""

    document_id: str
    kind: str
    """`blank`, `non-finite`, `too-many-segments`, `worker-lost`, or the name of the exception."""
    message: str


@dataclass(frozen=True, slots=True)
class NotMeasurable:
    """A document in which there is nothing for a probe to measure: no fault of the model, the probe or the text."""

    document_id: str
    kind: str
    """The reason: `no-segments`, `unreadable-perturbations`, `one-token`, `nothing-to-score`, or another probe's."""
    message: str


Unmeasured = Failure | NotMeasurable
"""What stands in the place of a record that a document does not have."""


@dataclass(frozen=True, slots=True)
class Span:
    """A stretch of a document: characters `start` to `stop` of its text, or of its second sentence."""

    start: int
    stop: int
    field: str = "text"
    """`text` or `pair`."""


@dataclass(frozen=True, slots=True)
class Prediction:
    """What the model answers for one document (probe `prediction`)."""

    document_id: str
    labels: tuple[str, ...]
    """K labels in the model's order, or the candidate continuations; empty for a free continuation."""
    logits: tuple[float, ...]
    """K logits; for candidates the log-probability of each continuation given the prompt."""
    probabilities: tuple[float, ...]
    """K probabilities: softmax, sigmoid for multi-label, or normalised among the candidates."""
    predicted: tuple[str, ...]
    """The arg max; for multi-label every label with probability of at least one half."""
    entropy: float
    """Nats, of the softmax; the mean over labels of the binary entropies for multi-label; of a free continuation 0."""
    n_tokens: int
    truncated: bool
    """Whether the model saw only the beginning of the document."""
    continuation: str | None = None
    """The model's own greedy continuation, where there are no candidates."""
    mean_logprob: float | None = None
    """Mean log-probability of the tokens of that continuation, nats."""
    special_tokens: tuple[str, ...] = ()
    """Special tokens of the tokenizer that stand in the document literally, such as `[MASK]`, in order."""


@dataclass(frozen=True, slots=True)
class AttentionMap:
    """Where every query of every head looks in one document, as far as its heaviest keys say it.

    Each row of L·H·T, layers first, then heads, then queries, has `n_keys` places for the keys with the largest
    weights, heaviest first and earlier keys first among equals. A place without a key has the weight 0.
    """

    LEAST_TOKENS: ClassVar[int] = 8
    """Of documents with fewer there is no map: it would show nothing."""

    rank: int
    """Which in the order of the draw, from 0."""
    n_tokens: int
    """T: the tokens of the document, or of a causal model's long document the first ones, which see no others."""
    n_keys: int
    keys: bytes
    """L·H·T·n_keys positions of keys, a byte each."""
    weights: bytes
    """L·H·T·n_keys weights, a byte each: the weight times 255, rounded. A key that rounds to 0 is left out."""
    kept: tuple[float, ...]
    """L·H entries: the weight of the keys that are kept, before rounding, mean over the queries."""


@dataclass(frozen=True, slots=True)
class AttentionStatistics:
    """Statistics of every attention head over one document (probe `attention`).

    Every tuple of floats below, except `received`, has L·H entries, layer by layer, and is a mean over the
    document's query positions.
    """

    document_id: str
    n_layers: int
    n_heads: int
    n_tokens: int
    causal: bool
    truncated: bool
    entropy: tuple[float, ...]
    """Nats, unsmoothed."""
    uniform_entropy: float
    """What uniform attention would have: ln T, or the mean of ln(i+1) for causal heads. Nats."""
    distance: tuple[float, ...]
    """Mean |i − j| weighted by attention, in tokens."""
    self_share: tuple[float, ...]
    previous_share: tuple[float, ...]
    next_share: tuple[float, ...]
    first_share: tuple[float, ...]
    """Mass on the first token (sink, k = 1); causal heads leave out query 0."""
    first4_share: tuple[float, ...]
    """Mass on the first four tokens (sink, k = 4); causal heads leave out the queries that see nothing else."""
    special_share: tuple[float, ...]
    """Mass on special tokens such as [CLS] and [SEP]."""
    punctuation_share: tuple[float, ...]
    received: tuple[float, ...]
    """T entries: attention each token receives, averaged over queries, heads and layers."""
    tokens: tuple[str, ...]
    spans: tuple[Span, ...]
    """T entries; special tokens have an empty span."""
    map: AttentionMap | None = None
    """For the few documents drawn to be shown head by head."""
    layers: tuple[int, ...] = ()
    """L entries: which layers of the model these are, from 0; empty where they are all."""
    other_layers: tuple[str, ...] = ()
    """The layers that do not attend: number from 0, and the class of what mixes tokens there."""
    special_tokens: tuple[str, ...] = ()
    """Special tokens of the tokenizer that stand in the document literally, such as `[MASK]`, in order."""


@dataclass(frozen=True, slots=True)
class Perplexity:
    """How a language model scores one document (probe `perplexity`)."""

    document_id: str
    model: str
    tokens: tuple[str, ...]
    """The scored tokens, each as the text it stands for."""
    spans: tuple[Span, ...]
    logprobs: tuple[float, ...]
    """Natural log-probability of each scored token given the tokens before it."""
    n_bytes: int
    """UTF-8 bytes of the scored text."""
    n_words: int
    """White-space separated words of the scored text."""
    context_length: int
    stride: int
    prefix: str
    """The token that gives the first one its context (BOS or EOS); empty where there is none. Where a text begins with
    it, it is the prefix: neither put before it a second time nor scored."""
    method: str = "rolling windows"
    """Every token is scored once; the last window keeps its full left context."""
    special_tokens: tuple[str, ...] = ()
    """Special tokens of the tokenizer that stand in the document literally, such as `[MASK]`, in order."""

    @property
    def nll(self) -> float:
        """Sum of the negative log-likelihoods, nats."""
        return -sum(self.logprobs)


@dataclass(frozen=True, slots=True)
class PseudoPerplexity:
    """How a masked language model scores one document, token by hidden token (probe `pseudo_perplexity`)."""

    document_id: str
    model: str
    tokens: tuple[str, ...]
    """The scored tokens, each as the text it stands for; no special tokens."""
    spans: tuple[Span, ...]
    words: tuple[int, ...]
    """Which word each token belongs to, counted from 0 as they are scored."""
    logprobs: tuple[float, ...]
    """Natural log-probability of each scored token given the tokens on both sides that were not hidden with it."""
    variant: str
    """`within-word`: the later tokens of the same word are hidden too; `original`: only the token itself is."""
    context_length: int
    """Tokens the model saw at once at most, special tokens included."""
    special_tokens: tuple[str, ...] = ()
    """Special tokens of the tokenizer that stand in the document literally, such as `[MASK]`, in order."""

    @property
    def nll(self) -> float:
        """Sum of the negative pseudo-log-likelihoods, nats."""
        return -sum(self.logprobs)


ScoredTokens = Perplexity | PseudoPerplexity
"""Records that say how surprising each token is."""
