"""Toy models for self-checks: a document of S segments, and an answer that is any function of which are kept."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Self

import numpy as np
import torch

from auditor.models.inputs import Identity, Question
from auditor.records.explanations import Segment
from auditor.records.types import Document, Span

DOCUMENT = Document("toy", "toy")
QUESTION = Question(("toy",))


@dataclass(frozen=True, eq=False)
class Masks:
    """N perturbed documents, (N, S) bool: what is kept."""

    kept: np.ndarray

    @property
    def costs(self) -> np.ndarray:
        """(N,) 1 for each."""
        return np.ones(len(self.kept), dtype=np.int64)

    def __len__(self) -> int:
        return len(self.kept)

    def take(self, indices: np.ndarray) -> Self:
        """Some of them."""
        return type(self)(self.kept[indices])

    @classmethod
    def join(cls, parts: Sequence[Self]) -> Self:
        """All of them."""
        return cls(np.concatenate([part.kept for part in parts]))


@dataclass(eq=False)
class Toy:
    """Answers with a function of the segments that are kept; offers `Answers`.

    Attributes:
        n_segments: S.
        function: From masks (N, S) to answers (N,).
    """

    n_segments: int
    function: Callable[[np.ndarray], np.ndarray]

    def __post_init__(self) -> None:
        self.identity = Identity("toy", "toy", "Toy", QUESTION.labels, False, 0, self.n_segments, "cpu", "float64")

    def ask(self, documents: Sequence[Document]) -> list[Question]:
        """What its only answer is."""
        return [QUESTION] * len(documents)

    def segment(
        self,
        document: Document,  # noqa: ARG002
        how: str,
        *,
        merge_equal: bool = True,  # noqa: ARG002
        most: int | None = None,  # noqa: ARG002
    ) -> tuple[str, tuple[Segment, ...]]:
        """S segments, whatever is asked for."""
        return how, tuple(Segment(str(i), (Span(i, i + 1),)) for i in range(self.n_segments))

    def perturbed(self, document: Document, segments: Sequence[Segment], keep: np.ndarray) -> Masks:  # noqa: ARG002
        """The masks themselves."""
        return Masks(keep)

    def outputs(self, inputs: Masks, questions: Sequence[Question]) -> torch.Tensor:  # noqa: ARG002
        """(N, 1) the answers."""
        return torch.from_numpy(self.function(inputs.kept).astype(np.float64))[:, None]

    def probabilities(self, outputs: torch.Tensor, question: Question) -> torch.Tensor:  # noqa: ARG002
        """The answers as they are."""
        return outputs


def linear(n_segments: int) -> tuple[np.ndarray, Toy]:
    """Weights (S,) of both signs, of different sizes, and the model that adds up those that are kept."""
    weights = np.where(np.arange(n_segments) % 3 == 1, -1.0, 1.0) / np.arange(2, n_segments + 2)
    return weights, Toy(n_segments, lambda kept: 0.25 + kept @ weights)


def conjunction(n_segments: int, n_needed: int) -> Toy:
    """A model that answers 1 where the first p segments are all kept, else 0."""
    return Toy(n_segments, lambda kept: np.asarray(kept[:, :n_needed].all(axis=1)))
