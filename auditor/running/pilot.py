"""About how long a run takes: every probe measures a few of its documents, in the order in which probes run.

Documents are tried in an order of which every beginning has short and long ones in proportion. Every probe takes the
first of its own in this order, so that one that reads the rows of others finds them. The first document is measured and
forgotten: what is done once is done there, such as the proof of fast ways of asking. How the rest follows is said in
`auditor.running.extrapolation`.

Where even one document would take longer than `PATIENCE`, by the pace at which its model answers, none is tried: every
evaluation is then taken to be made, at that pace. So it is for a probe that reads the rows of one that was not tried.
Nothing is estimated without a pace, or where such a probe does not say how often it asks.
"""

import time
from collections import Counter
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from auditor.probes.contract import Bounded, Evaluations, Prepares, Row, Sitting, gathered, predecessors
from auditor.records.types import Document
from auditor.running.cost import Cost, Estimate, ProbeCost
from auditor.running.extrapolation import Load, Pace, Tried, grown, spread
from auditor.running.loaded_models import LoadedModels
from auditor.running.preflight import Preflight
from auditor.running.progress import Progress
from auditor.running.worker import measure

if TYPE_CHECKING:
    from auditor.probes.contract import AnyProbe

PATIENCE = 60.0
"""Seconds that one document may take, if every evaluation is made; mostly it is a small part of them."""
MANY = 50
"""Evaluations of one document, above which the pace of the model is found out before."""
PERTURBED, REMOVED = 512, 0.2
"""The most perturbations of a document by which a pace is found, and the share of its segments they lack."""


def estimate(preflight: Preflight, progress: Progress) -> Cost:
    """Tries every probe on a few documents; nothing is written.

    Args:
        preflight: What is to be run.
        progress: Told what is tried.

    Raises:
        ModelError: A model cannot be loaded.
    """
    begun, pilot, costs = time.perf_counter(), _Pilot(preflight, progress), []
    for probe in preflight.probes:
        progress.say(f"trying {probe.name}")
        costs.append(pilot.cost(probe))
    return Cost(tuple(costs), pilot.once, time.perf_counter() - begun, preflight.device)


class _Pilot:
    """Tries one probe after the other; `once` is how many seconds went into what a run does once."""

    def __init__(self, preflight: Preflight, progress: Progress) -> None:
        self._preflight = preflight
        self._models = LoadedModels(preflight, progress)
        self._documents = spread([document for document in preflight.documents if not document.is_blank])
        self._rows: dict[str, dict[str, Row]] = {}
        self._paces: dict[str | None, Pace] = {}
        self.once = 0.0

    def cost(self, probe: "AnyProbe") -> ProbeCost:
        """What a probe costs."""
        begun, model = time.perf_counter(), self._models[probe.model]
        self.once += time.perf_counter() - begun
        chosen = self._preflight.chosen[probe.name]
        documents = [document for document in self._documents if document.id in chosen]
        stated = probe.evaluations(model, documents, self._preflight.probes) if isinstance(probe, Bounded) else None
        load = Load(documents, stated)
        return ProbeCost(probe.name, len(chosen), load.most, *self._estimate(probe, load))

    def _estimate(self, probe: "AnyProbe", load: Load) -> tuple[int, Estimate | None]:
        """How many documents were tried, and what follows for all."""
        weights = load.weights()
        if not weights.any():
            return 0, Estimate(0, 0, 0, 0.0)
        able = self._able(probe, load.documents) & (weights > 0)
        if not able.any() or self._is_slow(probe, load, int(able.argmax())):
            pace = self._paces.get(probe.model)
            return 0, pace.estimate(load) if pace else None
        n, tried = self._tried(probe, [load.documents[i] for i in np.flatnonzero(able).tolist()])
        return n, tried.times(float(weights.sum() / weights[able][:n].sum()))

    def _able(self, probe: "AnyProbe", documents: Sequence[Document]) -> np.ndarray:
        """(D,) bool: of which documents a probe finds all the rows that it reads."""
        earlier = [self._rows.get(name, {}) for name in predecessors(probe, self._preflight.probes)]
        return np.array([all(document.id in rows for rows in earlier) for document in documents], dtype=bool)

    def _is_slow(self, probe: "AnyProbe", load: Load, first: int) -> bool:
        """Whether the first document to be tried would take longer than anybody waits for an estimate."""
        stated = load.evaluations[first] if load.evaluations else Evaluations()
        if stated.forward + stated.backward <= MANY:
            return False
        if probe.model not in self._paces and (pace := self._pace(probe, load.documents[first])):
            self._paces[probe.model] = pace
        known = self._paces.get(probe.model)
        return known is not None and known.seconds * load.weights()[first] > PATIENCE

    def _pace(self, probe: "AnyProbe", document: Document) -> Pace | None:
        """The pace at which a model answers questions about a perturbed document; None where it answers none."""
        from auditor.models import Answers
        from auditor.probes.perturbing import Perturbed, evaluate

        model = self._models[probe.model]
        if not isinstance(model, Answers):
            return None
        segments, question = model.segment(document, "auto")[1], model.ask([document])[0]
        random = np.random.RandomState(self._preflight.config.seed)
        masks = random.random_sample((PERTURBED, len(segments))) >= REMOVED

        def ask(n: int) -> Tried:
            before, begun = self._models.work, time.perf_counter()
            evaluate(model, [Perturbed(document, segments, question, masks[:n])])
            return self._since(before, begun)

        self.once += ask(1).seconds
        n, tried = grown(ask, PERTURBED)
        return Pace.of(tried, Load([document], [Evaluations(n)]).weights().sum())

    def _tried(self, probe: "AnyProbe", documents: Sequence[Document]) -> tuple[int, Tried]:
        """How many documents were measured, and what these took."""
        begun = time.perf_counter()
        model, seed = self._models[probe.model], self._preflight.config.seed
        prepared = probe.prepare(model, documents, seed) if isinstance(probe, Prepares) else None
        first = self._measure(probe, documents[:1], prepared)
        seconds = time.perf_counter() - begun
        if first.seconds > PATIENCE:
            return 1, first
        n, tried = grown(lambda n: self._measure(probe, documents[:n], prepared), len(documents))
        self.once += max(seconds - tried.seconds / n, 0.0)
        return n, tried

    def _measure(self, probe: "AnyProbe", documents: Sequence[Document], prepared: object) -> Tried:
        names = predecessors(probe, self._preflight.probes)
        earlier = {name: self._rows.get(name, {}) for name in names}
        sources = gathered(probe, self._preflight.probes)
        sitting = Sitting[Any](self._preflight.config.seed, earlier, prepared, sources)
        before, begun = self._models.work, time.perf_counter()
        rows = measure(probe, self._models[probe.model], documents, sitting)
        self._rows[probe.name] = {row.document_id: row for row in rows}
        return self._since(before, begun)

    def _since(self, before: Counter[str], begun: float) -> Tried:
        """What was computed since then."""
        seconds, work = time.perf_counter() - begun, self._models.work
        work.subtract(before)
        return Tried(seconds, work)
