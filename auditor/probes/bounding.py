"""The bounds of one document's AOPC, found by asking the model: four searches, driven together for all documents.

The searches are those of `auditor.probes.attainable`: the most and the least that is lost without the segments that a
ranking puts first, and with nothing but these. What they ask next of all documents goes to the model in one stream;
what is known of a document is not asked again.

A document of which the model cannot read some set, or answers no number, has no bounds.
"""

from collections.abc import Sequence
from dataclasses import replace
from typing import Generic

import numpy as np

from auditor.models import Answers
from auditor.models.capabilities import B
from auditor.probes.attainable import Losses, Searching, is_exhaustive, search
from auditor.probes.game import Game, ask
from auditor.probes.perturbing import Perturbed
from auditor.records.explanations import Attainable

GOALS = ((False, 1), (False, -1), (True, 1), (True, -1))
"""Whether the sets are kept (sufficiency) or leave (comprehensiveness), and the sign: in the order of the record."""


class Bounds(Generic[B]):
    """The bounds of one document for one label, while they are searched and when they are found."""

    def __init__(self, model: Answers[B], perturbed: Perturbed, label: int, sizes: tuple[int, ...], width: int) -> None:
        """Begins the searches.

        Args:
            model: Asked about masks that are not known.
            perturbed: What is known; it stays as it is.
            label: Which of the K labels.
            sizes: Ascending.
            width: Of the beam.
        """
        self.game = Game(model, replace(perturbed, faults=dict(perturbed.faults)))
        self.label, self.n_known = label, len(perturbed.masks)
        self.ends: dict[int, Losses] = {}
        self.searches: dict[int, tuple[Searching, np.ndarray]] = {}
        for goal, (_, sign) in enumerate(GOALS):
            searching = search(len(perturbed.segments), sizes, sign, width)
            self.searches[goal] = searching, next(searching)

    @property
    def n_asked(self) -> int:
        """Masks that were evaluated beside those that were known."""
        return len(self.game.perturbed.masks) - self.n_known

    @property
    def masks(self) -> np.ndarray:
        """(N, S) bool: what is to be known before the searches go on; one does, at least."""
        return np.concatenate([sets if GOALS[goal][0] else ~sets for goal, (_, sets) in self.searches.items()])

    def advance(self) -> None:
        """Tells every search what it has asked; all end where the model has no answer."""
        if self.game.fault:
            self.searches.clear()
        for goal, (searching, sets) in list(self.searches.items()):
            try:
                self.searches[goal] = searching, searching.send(self._lost(sets, keeps=GOALS[goal][0]))
            except StopIteration as end:
                self.ends[goal] = end.value
                del self.searches[goal]

    def attainable(self, rankings: np.ndarray) -> Attainable | None:
        """The bounds, none of them narrower than what is known of some rankings; None where not all was answered.

        Args:
            rankings: (R, 2, sizes) what is lost by each, without the first segments and with nothing but these.
        """
        if len(self.ends) < len(GOALS):
            return None
        widest = [
            _widest([self.ends[goal], *map(tuple, rankings[:, int(keeps)].tolist())], sign)
            for goal, (keeps, sign) in enumerate(GOALS)
        ]
        return Attainable(is_exhaustive(len(self.game.perturbed.segments)), *widest)

    def _lost(self, sets: np.ndarray, *, keeps: bool) -> np.ndarray:
        values = self.game.perturbed.values[0, self.label] - self.game.answer(sets if keeps else ~sets)[:, self.label]
        return np.asarray(values)


def _widest(losses: Sequence[Losses], sign: int) -> Losses:
    """Of several rankings the one of the largest mean, or the smallest."""
    return max(losses, key=lambda one: sign * float(np.mean(one)))


def bound(sought: Sequence[Bounds[B]]) -> None:
    """All searches to their ends, what they ask in one stream."""
    while going := [one for one in sought if one.searches]:
        ask([(one.game, one.masks) for one in going])
        for one in going:
            one.advance()
