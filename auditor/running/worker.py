"""The worker: measures the documents of one shard with every probe, and keeps what it finds."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import cached_property
from heapq import nlargest
from math import floor
from typing import TYPE_CHECKING, Any, Protocol

from auditor.errors import AuditorError, TooManyFailuresError
from auditor.probes.contract import Foresees
from auditor.records.proof import Proof
from auditor.records.run import Run
from auditor.records.types import Document, Failure
from auditor.running.executors.contract import Shard
from auditor.running.preflight import Preflight

if TYPE_CHECKING:
    from auditor.probes.contract import Probe


_PLACE = {"device", "dtype", "batch_tokens", "device_map", "compile"}
_OWN_SETTINGS = {"max_length", "multi_label", "prompt", "candidates", "max_new_tokens", "chat"}
"""Keys of [model] that say how the audited model is asked; a reference model is not."""
LONGEST = 8
"""Documents with the most characters among which the one with the most tokens is looked for."""


class Progress(Protocol):
    """Hears how far the work is."""

    def start(self, total_documents_by_probe: dict[str, int]) -> None:
        """The work begins: so many documents for each probe."""
        ...

    def say(self, text: str) -> None:
        """Something worth a line happened."""
        ...

    def advance(self, probe: str, documents: int) -> None:
        """So many more documents are done."""
        ...


@dataclass
class Worker:
    """Measures shards; models are loaded when the first shard needs them, once."""

    preflight: Preflight
    run: Run
    progress: Progress
    _models: dict[str | None, Any] = field(default_factory=dict)
    _foreseen: dict[str, "Probe"] = field(default_factory=dict)
    _settled: dict[str | None, tuple[Proof, ...]] = field(default_factory=dict)

    def __call__(self, shard: Shard) -> Counter[str]:
        """Measures what is missing of one shard and writes it; returns how much was computed for it."""
        before, failed = self._work(), self._failed
        documents = self.preflight.documents[shard.start : shard.stop]
        for probe in self.preflight.probes:
            asked = [document for document in documents if document.id in self._chosen[probe.name]]
            if not self.run.has(probe.name, shard.index):
                rows = self._measure(probe, asked) if asked else []
                self._settle()  # before the rows: where they are, nobody may load the model again
                self.run.write_shard(probe.name, probe.record, shard.index, rows)
                failed[probe.name] += [row for row in rows if isinstance(row, Failure)]
            self._stop_if_hopeless(probe)
            self.progress.advance(probe.name, len(asked))
        work = self._work()
        work.subtract(before)
        if work["halvings"]:
            self.progress.say(f"shard {shard.index}: out of memory on the device; batches were halved")
        return work

    def _measure(self, probe: "Probe", documents: Sequence[Document]) -> list[Any]:
        model, seed = self._model(probe.model), self.preflight.config.seed
        if probe.name not in self._foreseen:
            everything = [d for d in self.preflight.documents if d.id in self._chosen[probe.name]]
            chosen = probe.foresee(model, everything, seed) if isinstance(probe, Foresees) else probe
            self._foreseen[probe.name] = chosen
        return measure(self._foreseen[probe.name], model, documents, seed)

    def _work(self) -> Counter[str]:
        total = Counter[str]()
        for model in self._models.values():
            total.update(model.batcher.work)
        return total

    @cached_property
    def _chosen(self) -> dict[str, frozenset[str]]:
        return {probe.name: self.preflight.chosen(probe) for probe in self.preflight.probes}

    def _model(self, reference: str | None) -> Any:
        from auditor import models

        if reference not in self._models:
            config = self.preflight.config.model
            checkpoint = self.preflight.references[reference] if reference else self.preflight.checkpoint
            self.progress.say(f"loading {checkpoint.name}")
            place: dict[str, Any] = config.model_dump(include=_PLACE)
            own = {} if reference else config.model_dump(include=_OWN_SETTINGS)
            self._models[reference] = models.load(checkpoint, **place, **own, **self._lengths(reference))
        return self._models[reference]

    def _lengths(self, reference: str | None) -> dict[str, Any]:
        """The longest texts that a model will be asked about, and how much of them it will read at once."""
        asking = [probe for probe in self.preflight.probes if probe.model == reference]
        windows = [getattr(probe, "context_length", None) for probe in asking]
        documents = nlargest(LONGEST, self.preflight.documents, key=lambda d: len(d.text) + len(d.pair or ""))
        texts = [(document.text, document.pair) for document in documents if not document.is_blank]
        limits = [window for window in windows if window is not None]
        return {"texts": texts, "most_tokens": max(limits) if len(limits) == len(windows) else None}

    def _settle(self) -> None:
        """Keeps in the plan how the models are asked, as soon as that is proven."""
        for reference, model in self._models.items():
            proofs = tuple(model.proofs.values())
            if self._settled.get(reference) != proofs:
                self.run.settle(proofs)
                self._settled[reference] = proofs

    @cached_property
    def _failed(self) -> dict[str, list[Failure]]:
        """The failures of each probe so far; at first those that an interrupted run left behind."""
        return {
            probe.name: [row for row in self.run.read(probe.name, probe.record) if isinstance(row, Failure)]
            for probe in self.preflight.probes
        }

    def _stop_if_hopeless(self, probe: "Probe") -> None:
        """Raises as soon as more failed than the share `max_failures` of all the documents that the probe is given."""
        failed = self._failed[probe.name]
        asked, most = self.preflight.asked[probe.name], self.preflight.config.run.max_failures
        if failed and len(failed) / asked > most:
            last = failed[-1]
            raise TooManyFailuresError(
                f"probe {probe.name}: {len(failed)} of {asked} documents failed, a share of {len(failed) / asked:.3g}; "
                f"run.max_failures = {most:g} allows {floor(most * asked + 1e-9)} of {asked}; "
                f"the last was {last.document_id!r}: {last.message}; leave such documents out or raise max_failures"
            )


def measure(probe: "Probe", model: Any, documents: Sequence[Document], seed: int) -> list[Any]:
    """A record, or what stands for it, for each document, in order.

    A document on which the probe breaks is found by bisection, so that the others are measured all the same.
    """
    try:
        return list(probe.measure(model, documents, seed))
    except AuditorError:
        raise
    except Exception as error:
        if len(documents) == 1:
            text = str(error).strip().split("\n", 1)[0][:300]
            kind = getattr(error, "kind", type(error).__name__)
            return [Failure(documents[0].id, kind, text or type(error).__name__)]
    middle = len(documents) // 2
    return measure(probe, model, documents[:middle], seed) + measure(probe, model, documents[middle:], seed)
