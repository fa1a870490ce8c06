"""How the inside of a text model is read: in batches, in the fastest way that shows what is in a text alone.

What is seen in the texts of the proof, batch by batch, is held against what is seen in each of them alone, in the model
as transformers built it: norms and ratios up to rounding, and which units are active but for one in a thousand, which
may lie on the threshold. What is seen in the shortest of them alone is held against the hidden states that the model
itself gives out, but for the last, behind which some models have a norm.
"""

import math
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace

import numpy as np
import torch

from auditor.models.computing.batched_model import BatchedModel
from auditor.models.computing.batching import Way
from auditor.models.computing.hidden_states import (
    Observer,
    Places,
    UnseenUnitsError,
    observed,
    places,
    reduced,
)
from auditor.models.computing.precision import HALF
from auditor.models.computing.proof import Truth
from auditor.models.inputs import Encoded, HiddenStatistics, Insides, UnreadableError, UnseenActivationsError
from auditor.records.proof import Proof

QUESTION = "activations"
TOLERANCE = 1e-3
HALF_TOLERANCE = 0.1


class ActivationReader:
    """Reads what is inside one model."""

    def __init__(self, model: BatchedModel) -> None:
        self._model = model
        self._settled: tuple[Truth, tuple[Way, Insides] | UnseenActivationsError] | None = None
        """By which truth which way was proven and what it shows, or why nothing is shown."""
        self._unseen_units = ""

    @property
    def insides(self) -> Insides:
        """What there is to be seen; see `capabilities.Observes`."""
        return self._proven[1]

    def read(self, texts: Sequence[Encoded]) -> list[HiddenStatistics]:
        """What is in each text; see `capabilities.Observes`."""
        way, _ = self._proven
        with self._model.stock.uncompiled():
            return self._read(texts, way)

    def _read(self, texts: Sequence[Encoded], way: Way) -> list[HiddenStatistics]:
        lengths = [len(text.ids) for text in texts]
        where = self._places()

        def forward(batch: list[int]) -> list[torch.Tensor]:
            of_batch = [lengths[i] for i in batch]
            with self._observing(where, of_batch) as observer, self._model.reading(of_batch):
                self._model.states([texts[i] for i in batch])
            return observer.columns

        with self._model.asking(way):
            columns = self._model.batcher.padded(lengths, forward, way=way)
        return _by_text(columns)

    @contextmanager
    def _observing(self, where: Places, lengths: Sequence[int]) -> Iterator[Observer]:
        of_batch = torch.tensor(lengths)[:, None]
        valid = (torch.arange(max(lengths)) < of_batch).to(self._model.device, non_blocking=True)
        observer = Observer(valid, len(where.layers), sees_units=bool(where.activations))
        with observed(where, observer):
            yield observer

    def _places(self) -> Places:
        """As the model is now: what makes it faster exchanges activation functions."""
        where = places(self._model.body, self._model.model.config)
        return replace(where, activations=(), unseen=self._unseen_units) if self._unseen_units else where

    @property
    def _proven(self) -> tuple[Way, Insides]:
        truth = self._model.truth
        if self._settled is None or self._settled[0] is not truth:
            with self._model.stock.uncompiled():
                self._settled = truth, self._proven_by(truth)
        if isinstance(self._settled[1], UnseenActivationsError):
            raise self._settled[1]
        return self._settled[1]

    def _proven_by(self, truth: Truth) -> tuple[Way, Insides] | UnseenActivationsError:
        try:
            return self._prove(truth)
        except UnseenActivationsError as reason:
            return reason

    def _prove(self, truth: Truth) -> tuple[Way, Insides]:
        """The fastest way that shows what is in a text alone.

        Raises:
            UnseenActivationsError: None does.
        """
        model, texts = self._model, list(truth.texts)
        if truth.states is None:
            raise UnseenActivationsError("no part of the model gives hidden states")
        expected, insides = self._alone(texts)
        shortest = int(np.argmin(truth.texts.lengths))
        self._require_layers(texts[shortest], expected[shortest])
        tolerance = HALF_TOLERANCE if model.model.dtype in HALF else TOLERANCE
        with model.batcher.uncounted():
            model.batcher.padding = math.inf
            for way in (*model.ways, Way.ALONE):
                try:
                    difference = apart(self._read(texts, way), expected)
                except (UnreadableError, UnseenActivationsError):
                    continue
                if difference <= tolerance:
                    model.proofs[QUESTION] = self._proof(truth, way, difference)
                    return way, insides
        raise UnseenActivationsError(f"a model of type {model.kind} does not show twice alike what is inside of it")

    def _alone(self, texts: Sequence[Encoded]) -> tuple[list[HiddenStatistics], Insides]:
        """What is in each text alone, in the model as transformers built it; its units where they can be seen."""
        try:
            seen = [self._alone_in(text) for text in texts]
        except UnseenUnitsError as reason:
            self._unseen_units = str(reason)
            seen = [self._alone_in(text) for text in texts]
        return [statistics for statistics, _ in seen], seen[0][1]

    def _alone_in(self, text: Encoded) -> tuple[HiddenStatistics, Insides]:
        model = self._model
        with model.stock.as_built():
            where = self._places()
            with self._observing(where, [len(text.ids)]) as observer, model.computing():
                model.stock.ask(model.stock_arguments(text))
        statistics = _by_text([column.cpu() for column in observer.columns])[0]
        kind = type(where.activations[0]).__name__ if where.activations else ""
        return statistics, Insides(len(where.layers), observer.width, observer.n_units, kind, where.unseen)

    def _require_layers(self, text: Encoded, statistics: HiddenStatistics) -> None:
        """Refuses layers that are not those whose states the model itself gives out.

        Raises:
            UnseenActivationsError: They are not, or it gives out none.
        """
        model = self._model
        with model.stock.as_built(), model.computing():
            given = model.body(**model.stock_arguments(text), output_hidden_states=True)
            states = getattr(given, "hidden_states", None) or ()
            valid = torch.ones(1, len(text.ids), dtype=torch.bool, device=model.device)
            norms = [float(reduced(one.to(model.device), valid)[0]) for one in states[: len(statistics.norms) - 1]]
        if len(states) != len(statistics.norms):
            raise UnseenActivationsError("the model gives out no hidden states that could be held against those found")
        tolerance = HALF_TOLERANCE if model.model.dtype in HALF else TOLERANCE
        if not np.allclose(norms, statistics.norms[:-1], rtol=tolerance):
            raise UnseenActivationsError("the layers that were found are not those whose states the model gives out")

    def _proof(self, truth: Truth, way: Way, difference: float) -> Proof:
        longest, name = int(truth.texts.lengths.max()), self._model.identity.name
        return Proof(name, QUESTION, way, None, way, difference, "share", len(truth.texts), longest, truth.reset)


def _by_text(columns: Sequence[torch.Tensor]) -> list[HiddenStatistics]:
    norms, ratios, dimensions, units = (column.numpy() for column in columns)
    return [
        HiddenStatistics(*of_text)
        for of_text in zip(norms.astype(float), ratios.astype(float), dimensions, units, strict=True)
    ]


def apart(given: Sequence[HiddenStatistics], expected: Sequence[HiddenStatistics]) -> float:
    """The greatest difference of a norm or of a greatest ratio, as a share of it, or the share of units that differ."""
    pairs = [(a, b) for one, other in zip(given, expected, strict=True) for a, b in _compared(one, other)]
    shares = [float(np.max(np.abs(a - b) / np.maximum(np.abs(b), 1e-9))) for a, b in pairs]
    bits = [np.unpackbits(one.active ^ other.active) for one, other in zip(given, expected, strict=True)]
    flipped = float(np.mean(np.concatenate(bits))) if sum(map(len, bits)) else 0.0
    return max([*shares, flipped])


def _compared(one: HiddenStatistics, other: HiddenStatistics) -> list[tuple[np.ndarray, np.ndarray]]:
    return [(one.norms, other.norms), (one.ratios[:, 0], other.ratios[:, 0])]
