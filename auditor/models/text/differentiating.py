"""Gradients at the token embeddings of a text, as `auditor.models.capabilities.Differentiates` wants them.

What stands for a text that says nothing is the text with another embedding at each token but those that the tokenizer
puts around it: captum's users keep [CLS] and [SEP] and take [PAD] for the rest, in every place that a token had and
without masking it.

    pad     the padding token's      mask    the mask token's      eos    the end token's      zero    a vector of zeros
    auto    the first of these that the tokenizer has

Zeros come last: a model that normalises what it reads before any position is added (RMSNorm) answers the same all along
a line from zeros, the embedding of a padding token perhaps among them, but jumps at its first point. No number of
steps finds that; the completeness error says so.
"""

from abc import abstractmethod
from collections.abc import Sequence
from functools import cached_property
from typing import Final

from transformers import PreTrainedTokenizerBase

from auditor.models.computing.gradients import ZERO, DifferentiableModel, GradientReader, Lines
from auditor.models.inputs import Gradients, NoGradientError, Points, Question, Sequences, Tokens
from auditor.records.types import Document, Span

NOWHERE: Final = Span(0, 0)


class Differentiating(DifferentiableModel):
    """Gradients of a text model."""

    tokenizer: PreTrainedTokenizerBase

    @abstractmethod
    def read_as(self, documents: Sequence[Document]) -> list[Tokens]:
        """The tokens as which the model reads each document, their places in the document; special ones have none."""

    def gradients(
        self, documents: Sequence[Document], questions: Sequence[Question], points: Points, baseline: str = "auto"
    ) -> Gradients:
        """Gradients at the embeddings of the tokens; see `capabilities.Differentiates`."""
        name, token = self._baseline(baseline)
        read = self.read_as(documents)
        texts = Sequences.of([one.encoded for one in read])
        baselines = [
            [i if special else token for i, special in zip(one.encoded.ids, one.special, strict=True)] for one in read
        ]
        columns = self._gradient_reader.read(Lines(texts, baselines, questions), points)
        lengths = texts.lengths[points.documents]
        answers = columns.pop("answers")[lengths.cumsum() - lengths]
        parts = tuple(
            tuple(NOWHERE if special else span for span, special in zip(one.spans, one.special, strict=True))
            for one in read
        )
        return Gradients(name, parts, points, answers, **columns)

    def _baseline(self, name: str) -> tuple[str, int]:
        """Name and token id of a baseline.

        Raises:
            NoGradientError: The tokenizer has no such token.
        """
        rows = self.model.get_input_embeddings().weight.shape[0]
        ids = {one: getattr(self.tokenizer, f"{one}_token_id") for one in ("pad", "mask", "eos")} | {"zero": ZERO}
        known = {one: token for one, token in ids.items() if token is not None and token < rows}
        wanted = next(iter(known)) if name == "auto" else name
        if wanted not in known:
            raise NoGradientError(f"there is no baseline {wanted!r}; the model has {', '.join(known)}", "no-baseline")
        return wanted, int(known[wanted])

    @cached_property
    def _gradient_reader(self) -> GradientReader:
        return GradientReader(self)
