"""What a task adapter offers: capabilities.

An adapter adapts one `AutoModelFor…` class. It never analyses: probes do. A probe names the capabilities it needs,
an adapter has them or not. What goes in and out is in `auditor.models.inputs`, with the letters of the dimensions.
"""

from collections.abc import Iterator, Sequence
from contextlib import AbstractContextManager
from typing import Protocol, Self, TypeVar, runtime_checkable

import numpy as np
import torch

from auditor.models.inputs import (
    Cloze,
    Gradients,
    HeadEffects,
    HeadMaps,
    HeadStatistics,
    HiddenStatistics,
    Identity,
    Insides,
    PartAttention,
    Points,
    Question,
    Sequences,
    Spelling,
    Text,
    Tokens,
    Window,
)
from auditor.records.explanations import Segment
from auditor.records.sanity import Part
from auditor.records.types import Document


class Inputs(Protocol):
    """N perturbed documents as a model wants them; what is in them concerns the adapter that made them and no probe."""

    @property
    def costs(self) -> np.ndarray:
        """(N,) int64: how much there is to compute for each, such as its tokens."""
        ...

    def __len__(self) -> int:
        """N."""
        ...

    def take(self, indices: np.ndarray) -> Self:
        """Some of them, in the order given."""
        ...

    @classmethod
    def join(cls, parts: Sequence[Self]) -> Self:
        """All of one or more parts, in order; of several documents if need be."""
        ...


B = TypeVar("B", bound=Inputs)


@runtime_checkable
class Answers(Protocol[B]):
    """Answers questions about documents of which parts are switched off: what an explainer needs, in any medium."""

    identity: Identity

    def ask(self, documents: Sequence[Document]) -> list[Question]:
        """Fixes what is asked about each document; generates where the model must speak first."""
        ...

    def segment(
        self, document: Document, how: str, *, merge_equal: bool = True, most: int | None = None
    ) -> tuple[str, tuple[Segment, ...]]:
        """Divides a document into what is switched on and off together.

        Args:
            document: What is explained.
            how: A kind of segments, or `auto`: what suits the document.
            merge_equal: Whether equal segments are one that stands at several positions.
            most: For `auto`: coarser segments are taken where there would be more than this.

        Returns:
            The kind that was taken, and S segments; S is 0 where there is nothing to switch off.
        """
        ...

    def perturbed(self, document: Document, segments: Sequence[Segment], keep: np.ndarray) -> B:
        """What remains of a document when segments are switched off; called in a second thread.

        Args:
            document: What is perturbed.
            segments: Its S segments.
            keep: (N, S) bool, False where a segment is switched off.

        Returns:
            N inputs, in order; all-True rows give the document itself.
        """
        ...

    def outputs(self, inputs: B, questions: Sequence[Question], /) -> torch.Tensor:
        """Answers each input: K logits, K log-probabilities of the candidates, or one mean log-probability (nats).

        Returns:
            (N, K) float32 on the host, in order; a row does not depend on batch or neighbours.

        Raises:
            UnreadableError: The model itself fails on one of them.
        """
        ...

    def probabilities(self, outputs: torch.Tensor, question: Question) -> torch.Tensor:
        """Turns outputs (…, K) into what is explained, float64: softmax, sigmoid, or the log-probability itself."""
        ...


@runtime_checkable
class Differentiates(Answers[B], Protocol[B]):
    """Gives gradients of its answers at the embeddings of the parts as which it reads a document, in any medium."""

    def gradients(
        self, documents: Sequence[Document], questions: Sequence[Question], points: Points, baseline: str = "auto"
    ) -> Gradients:
        """Gradients of what `probabilities` gives for a label, at points between a baseline and the document.

        Args:
            documents: D documents.
            questions: What `ask` gave for each.
            points: Where, N of them.
            baseline: What stands for a document that says nothing, by a name that the adapter knows, or `auto`: what
                is usual for the model. Parts that the model adds to every document are the same in it.

        Raises:
            NoGradientError: The model has none, or no such baseline.
            UnreadableError: The model itself fails on one of them.
        """
        ...


@runtime_checkable
class Randomises(Answers[B], Protocol[B]):
    """Answers as if it had learnt nothing: its weights can be drawn anew, part by part from the output down."""

    def randomising(self, seed: int) -> AbstractContextManager[Iterator[Part]]:
        """While the block runs, weights are drawn anew; at its end they are bit for bit what they were.

        Args:
            seed: Of the draws, which depend on nothing else but the names and statistics of the weights.

        Returns:
            Inside the block, an iterator: with each part that it gives, the weights of this part have been drawn, those
            of the parts before it too; at most `records.sanity.MOST_PARTS`.

        Raises:
            FixedWeightsError: Some weights cannot be exchanged.
        """
        ...


class Reads(Protocol):
    """Reads texts through a tokenizer."""

    identity: Identity

    def special_tokens(self, texts: Sequence[Text]) -> list[tuple[str, ...]]:
        """Names of the tokenizer's special tokens that stand literally in each text, in order, however long it is."""
        ...


@runtime_checkable
class Classifies(Answers[Sequences], Reads, Protocol):
    """Chooses among labels for a text: a classification head, candidate continuations, or its own continuation."""

    def tokens(self, texts: Sequence[Text]) -> list[Tokens]:
        """Tokens with their places in the text, cut to what the model can see."""
        ...

    def encode(self, texts: Sequence[Text]) -> Sequences:
        """Turns texts into token ids, prompt included, cut to what the model can see.

        A text that leaves the model nothing to read (empty, no prompt, no special tokens) becomes the model's prefix
        token alone: BOS, else EOS.

        Raises:
            ValueError: If there is such a text and the tokenizer has neither.
        """
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
            UnseenAttentionError: If not every layer routed its attention through the registered function.
        """
        ...

    def attention_maps(self, tokens: Sequence[Tokens], n_keys: int) -> list[HeadMaps]:
        """The heaviest keys of all heads over each of a few short texts (256 tokens at most), in order.

        Raises:
            UnseenAttentionError: As `attention`.
        """
        ...


@runtime_checkable
class Observes(Reads, Protocol):
    """Lets its hidden states be reduced to a few numbers while they are computed."""

    def tokens(self, texts: Sequence[Text]) -> list[Tokens]:
        """Tokens with their places, as `hidden_states` wants them."""
        ...

    @property
    def insides(self) -> Insides:
        """What there is to be seen.

        Raises:
            UnseenActivationsError: Nothing: the model's layers cannot be told apart, or another way of reading them
                does not give what a text alone gives.
        """
        ...

    def hidden_states(self, tokens: Sequence[Tokens]) -> list[HiddenStatistics]:
        """What is in each text, in order, by one forward pass each.

        Raises:
            UnseenActivationsError: As `insides`.
            UnreadableError: The model itself fails on one of them.
        """
        ...


@runtime_checkable
class ShowsAttention(Answers[B], Protocol[B]):
    """Shows what its attention has to do with its answers, in any medium."""

    @property
    def most_heads(self) -> int | None:
        """How many heads all layers have together, at most; None where its configuration does not say."""
        ...

    def attention_of_answers(self, documents: Sequence[Document], *, rolls_out: bool) -> list[PartAttention]:
        """What the place where an answer is read gets of each part, over all layers and heads.

        Args:
            documents: What is answered.
            rolls_out: Whether attention is followed from layer to layer (rollout), or averaged over them.

        Raises:
            UnseenAttentionError: Not every layer shows its attention, or there are others; or a document is too long.
            UnreadableError: The model itself fails on one of them.
        """
        ...

    def head_effects(
        self, documents: Sequence[Document], questions: Sequence[Question], labels: Sequence[int]
    ) -> list[HeadEffects]:
        """One answer to each document, with all heads and without each of them.

        Args:
            documents: What is answered.
            questions: What `ask` gave for each.
            labels: Which label of each question.

        Raises:
            UnseenAttentionError: Not every layer that attends shows its attention.
            UnreadableError: The model itself fails on one of them.
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
