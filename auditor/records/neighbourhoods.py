"""The perturbations of a document and the model's answers to them, as arrays and as the bytes of a record.

What `Neighbourhood` says of its bytes is written and read here and nowhere else. From N masks and answers the surrogate
can be fitted again, with another kernel or another regression, and no evaluation of the model. Answers are kept in
single precision: a refit gives the stored weights up to about 1e-6 of the largest answer.
"""

from dataclasses import dataclass, replace

import numpy as np

from auditor.records.explanations import Explanation, Neighbourhood

ANSWER, COUNT = np.dtype("<f4"), np.dtype("<i4")


@dataclass(frozen=True, slots=True, eq=False)
class Perturbed:
    """N distinct perturbations of one document in the order of their evaluation, the undisturbed document first."""

    masks: np.ndarray
    """(N, S) bool, True where a segment is kept."""
    answers: np.ndarray
    """(N, K) float64, what the model says for each target; NaN where it cannot read the perturbation."""
    counts: np.ndarray
    """(N,) int, how often each was drawn."""
    units: np.ndarray
    """(N,) int; those that were drawn together share a number."""

    @classmethod
    def of(cls, masks: np.ndarray, answers: np.ndarray) -> "Perturbed":
        """Perturbations of which each was drawn once, by itself."""
        n = len(masks)
        return cls(masks, answers, np.ones(n, dtype=int), np.arange(n))

    def kept_in(self, neighbourhood: Neighbourhood) -> Neighbourhood:
        """The same neighbourhood with these masks and answers."""
        each_once, alone = (self.counts == 1).all(), (self.units == np.arange(len(self.units))).all()
        return replace(
            neighbourhood,
            masks=np.packbits(self.masks, axis=1).tobytes(),
            answers=self.answers.astype(ANSWER).tobytes(),
            counts=None if each_once else self.counts.astype(COUNT).tobytes(),
            units=None if alone else self.units.astype(COUNT).tobytes(),
        )


def unpack(explanation: Explanation) -> Perturbed | None:
    """The perturbations of a record that was read whole; None where they were not kept."""
    kept, n_segments = explanation.neighbourhood, len(explanation.segments)
    if kept is None or kept.masks is None or kept.answers is None:
        return None
    packed = np.frombuffer(kept.masks, np.uint8).reshape(-1, -(-n_segments // 8))
    masks = np.unpackbits(packed, axis=1, count=n_segments).astype(bool)
    answers = np.frombuffer(kept.answers, ANSWER).reshape(len(masks), len(explanation.targets)).astype(np.float64)
    counts = np.ones(len(masks), dtype=int) if kept.counts is None else np.frombuffer(kept.counts, COUNT).astype(int)
    units = np.arange(len(masks)) if kept.units is None else np.frombuffer(kept.units, COUNT).astype(int)
    return Perturbed(masks, answers, counts, units)
