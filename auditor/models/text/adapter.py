"""What every adapter of a text model shares: tokens with their places, states, attention, and what is proven of it."""

from abc import ABC
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Self

import numpy as np
from transformers import PreTrainedModel, PreTrainedTokenizerBase

from auditor.models.adapters import Loaded, Settings
from auditor.models.attention.reading import AttentionReader
from auditor.models.computing.batched_model import BatchedModel
from auditor.models.computing.batching import Batcher
from auditor.models.computing.observing import ActivationReader
from auditor.models.computing.proof import draw, lengths
from auditor.models.computing.proving import prove
from auditor.models.computing.randomising import randomised
from auditor.models.inputs import HeadMaps, HeadStatistics, HiddenStatistics, Identity, Insides, Sequences, Text, Tokens
from auditor.models.text.tokenising import Tokenising
from auditor.records.sanity import Part

PROVEN = 512
"""Tokens of the longest text of a proof where nobody says which texts will come."""


@dataclass
class TextModel(Tokenising, BatchedModel, ABC):
    """A text model on its device, with its tokenizer.

    Attributes:
        texts: The longest texts that will be asked about, so that what is proven covers them; None: nobody knows.
        most_tokens: No more tokens than this will be read at once, where that is known.
        compiles: Whether to compile the model.
    """

    model: PreTrainedModel
    tokenizer: PreTrainedTokenizerBase
    identity: Identity
    batcher: Batcher
    texts: Sequence[Text] | None = field(default=None, kw_only=True)
    most_tokens: int | None = field(default=None, kw_only=True)
    compiles: bool = field(default=False, kw_only=True)

    def __post_init__(self) -> None:
        self.prepare_model()
        self.prepare_tokens()
        self._reader = AttentionReader(self)
        self._activations = ActivationReader(self)
        self._prove(self._longest())

    @classmethod
    def adapt(cls, loaded: Loaded, settings: Settings) -> Self:
        """The adapter of a loaded model, its ways of asking proven.

        Raises:
            ModelError: The settings do not fit the model, or it cannot be asked.
        """
        return cls(
            loaded.model,
            loaded.tokenizer,
            loaded.identity,
            loaded.batcher,
            texts=settings.texts,
            most_tokens=settings.most_tokens,
            compiles=settings.compile,
        )

    def attention(self, tokens: Sequence[Tokens], punctuation: Sequence[Sequence[bool]]) -> list[HeadStatistics]:
        """Statistics of all heads over each text; see `capabilities.Attends`."""
        self.require_proof(Sequences.of([text.encoded for text in tokens]))
        return self._reader.statistics(tokens, punctuation)

    def attention_maps(self, tokens: Sequence[Tokens], n_keys: int) -> list[HeadMaps]:
        """The heaviest keys of all heads, one text at a time; see `capabilities.Attends`."""
        return self._reader.maps(tokens, n_keys)

    @property
    def insides(self) -> Insides:
        """What there is to be seen inside the model; see `capabilities.Observes`."""
        return self._activations.insides

    def hidden_states(self, tokens: Sequence[Tokens]) -> list[HiddenStatistics]:
        """What is in each text, reduced; see `capabilities.Observes`."""
        texts = [text.encoded for text in tokens]
        self.require_proof(Sequences.of(texts))
        return self._activations.read(texts)

    @contextmanager
    def randomising(self, seed: int) -> Iterator[Iterator[Part]]:
        """Draws weights anew, part by part; see `capabilities.Randomises`. What was proven in it is proven again."""
        proven = self._proven
        try:
            with randomised(self.model, self.stock.body, seed) as parts:
                yield parts
        finally:
            if self._proven > proven:
                self._prove(self._proven)

    def require_proof(self, sequences: Sequences) -> None:
        """Proves the ways of asking on longer texts, if some of these are longer than all before.

        Raises:
            ModelError: The model does not answer a text alike when it is asked twice.
        """
        longest = int(sequences.lengths.max(initial=0))
        if longest > self._proven:
            self._prove(longest)

    @property
    def proof_texts(self) -> Sequences:
        """The texts of the proof."""
        special = set(self.tokenizer.all_special_ids) | set(self.tokenizer.added_tokens_decoder)
        n_tokens = min(len(self.tokenizer), self.model.get_input_embeddings().weight.shape[0])
        ordinary = np.setdiff1d(np.arange(n_tokens), sorted(special))
        return draw(ordinary, self.frame, lengths(self.model.config.get_text_config(), self._proven), self._proven)

    def _prove(self, longest: int) -> None:
        self._proven = max(longest, len(self.frame[0].ids))
        self.proofs = {self.question_asked: prove(self)}

    def _longest(self) -> int:
        """Tokens of the longest text that will be asked about."""
        most = min(self.identity.max_length, self.most_tokens or self.identity.max_length)
        if self.texts is None:
            return min(most, PROVEN)
        return min(most, max(self._read_of(self.texts), default=1))

    def _read_of(self, texts: Sequence[Text]) -> list[int]:
        """How many tokens the model will read at once of each text."""
        return [len(one.ids) for one in self.tokenize(texts).encodings] if texts else []
