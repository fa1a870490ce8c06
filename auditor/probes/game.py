"""A document as an explainer of masks asks about it: masks in, answers out, each distinct mask asked once."""

from collections.abc import Callable, Sequence
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
        ask([(self, masks)])
        return np.asarray(self.perturbed.values[[self._rows[mask.tobytes()] for mask in masks]])

    def unknown(self, masks: np.ndarray) -> Perturbed:
        """Those of the masks that have not been asked, each once."""
        known = self.perturbed
        new = [i for i, mask in enumerate(masks) if mask.tobytes() not in self._rows]
        return Perturbed(known.document, known.segments, known.question, distinct(masks[new])[0])

    def learn(self, new: Perturbed) -> None:
        """Adds what has been asked."""
        known, n = self.perturbed, len(self.perturbed.masks)
        known.masks = np.concatenate([known.masks, new.masks])
        known.values = np.concatenate([known.values, new.values])
        known.faults |= {n + row: reason for row, reason in new.faults.items()}
        self._rows |= {mask.tobytes(): n + row for row, mask in enumerate(new.masks)}


def ask(asked: Sequence[tuple[Game[B], np.ndarray]]) -> None:
    """Asks what is not known yet of the masks of all these documents, in one stream of batches."""
    new = [(game, unknown) for game, masks in asked if len((unknown := game.unknown(masks)).masks)]
    if new:
        evaluate(new[0][0].model, [unknown for _, unknown in new])
    for game, unknown in new:
        game.learn(unknown)


def expected_masks(n_segments: int, explain: Callable[[Callable[[np.ndarray], np.ndarray]], object]) -> np.ndarray:
    """(N, S) bool, with repetitions: what an explainer asks of a model that answers 0 to everything."""
    asked: list[np.ndarray] = [np.empty((0, n_segments), dtype=bool)]

    def nothing(masks: np.ndarray) -> np.ndarray:
        asked.append(masks)
        return np.zeros((len(masks), 1))

    explain(nothing)
    return np.concatenate(asked)
