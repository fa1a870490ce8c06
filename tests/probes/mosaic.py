"""A medium that is no text: images of 3 × 3 patches, and a model that adds up what it sees."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Self

import numpy as np
import torch

from auditor.models.inputs import Question, UnreadableError
from auditor.records.explanations import Segment
from auditor.records.types import Document, Span
from tests.probes.stubs import identity

SIDE = 3


@dataclass(frozen=True, eq=False)
class Mosaics:
    """N images (N, 9), 0 where a patch is dark."""

    brightness: np.ndarray

    @property
    def costs(self) -> np.ndarray:
        return (self.brightness > 0).sum(axis=1)

    def __len__(self) -> int:
        return len(self.brightness)

    def take(self, indices: np.ndarray) -> Self:
        return type(self)(self.brightness[indices])

    @classmethod
    def join(cls, parts: Sequence[Self]) -> Self:
        return cls(np.concatenate([part.brightness for part in parts]))


class Eye:
    """Answers with 0.5 and the weighted sum of the patches; offers `Answers` and nothing else."""

    def __init__(self, weights: np.ndarray, *, least: int = 0) -> None:
        self.identity = identity(("dark", "bright"))
        self.weights = weights  # (9,)
        self.least = least
        self.batches: list[int] = []
        self.seen: list[bytes] = []

    def ask(self, documents: Sequence[Document]) -> list[Question]:
        return [Question(self.identity.labels)] * len(documents)

    def segment(
        self,
        document: Document,  # noqa: ARG002
        how: str,
        *,
        merge_equal: bool = True,
        most: int | None = None,
    ) -> tuple[str, tuple[Segment, ...]]:
        assert how == "auto"
        assert merge_equal
        if most is not None and most < SIDE**2:
            rows = [tuple(Span(SIDE * row + i, SIDE * row + i + 1) for i in range(SIDE)) for row in range(SIDE)]
            return "rows", tuple(Segment(f"row {i}", spans) for i, spans in enumerate(rows))
        return "patches", tuple(Segment(f"patch {i}", (Span(i, i + 1),)) for i in range(SIDE**2))

    def perturbed(self, document: Document, segments: Sequence[Segment], keep: np.ndarray) -> Mosaics:
        patches = np.tile(np.array([int(digit) for digit in document.text]) / 9, (len(keep), 1))
        for column, one in enumerate(segments):
            for span in one.spans:
                patches[:, span.start : span.stop] *= keep[:, column, None]
        return Mosaics(patches)

    def outputs(self, inputs: Mosaics, questions: Sequence[Question]) -> torch.Tensor:
        assert len(inputs) == len(questions)
        if inputs.costs.min() < self.least:
            raise UnreadableError(f"the model cannot see an image of {inputs.costs.min()} patches")
        self.batches.append(len(inputs))
        self.seen += [one.tobytes() for one in inputs.brightness]
        bright = 0.5 + inputs.brightness @ self.weights
        return torch.from_numpy(np.stack([1 - bright, bright], axis=1))

    def probabilities(self, outputs: torch.Tensor, question: Question) -> torch.Tensor:  # noqa: ARG002
        return outputs.double()
