"""A document as an explainer of masks asks about it: masks in, answers out, each distinct mask asked once."""

from collections.abc import Callable
from typing import Generic

import numpy as np

from auditor.models import Answers
from auditor.models.capabilities import B
from auditor.probes.perturbing import Perturbed, distinct, evaluate
from auditor.records.types import Unmeasured


class Game(Generic[B]):
    """What the model says about one document; what has been asked already is not asked again."""

    def __init__(self, model: Answers[B], perturbed: Perturbed) -> None:
        """Begins with what is known.

        Args:
            model: Asked about masks that are not.
            perturbed: The masks that have been evaluated; those that are asked for later are added to it.
        """
        self.model, self.perturbed = model, perturbed
        self._rows = {mask.tobytes(): row for row, mask in enumerate(perturbed.masks)}

    @property
    def fault(self) -> Unmeasured | None:
        """Why not every mask that was asked for has a number."""
        return self.perturbed.fault

    def answer(self, masks: np.ndarray) -> np.ndarray:
        """(N, K) float64 in the unit of the question, to (N, S) bool masks."""
        keys = [mask.tobytes() for mask in masks]
        unknown = [i for i, key in enumerate(keys) if key not in self._rows]
        if unknown:
            self._ask(distinct(masks[unknown])[0])
        return np.asarray(self.perturbed.values[[self._rows[key] for key in keys]])

    def _ask(self, masks: np.ndarray) -> None:
        known = self.perturbed
        new = Perturbed(known.document, known.segments, known.question, masks)
        evaluate(self.model, [new])
        n = len(known.masks)
        known.masks = np.concatenate([known.masks, masks])
        known.values = np.concatenate([known.values, new.values])
        known.faults |= {n + row: reason for row, reason in new.faults.items()}
        self._rows |= {mask.tobytes(): n + row for row, mask in enumerate(masks)}


def foreseen(n_segments: int, explain: Callable[[Callable[[np.ndarray], np.ndarray]], object]) -> np.ndarray:
    """(N, S) bool, with repetitions: what an explainer asks of a model that answers 0 to everything."""
    asked: list[np.ndarray] = [np.empty((0, n_segments), dtype=bool)]

    def nothing(masks: np.ndarray) -> np.ndarray:
        asked.append(masks)
        return np.zeros((len(masks), 1))

    explain(nothing)
    return np.concatenate(asked)
