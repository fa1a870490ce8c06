"""The worker: measures the documents of one shard with every probe, and keeps what it measures."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import cached_property
from heapq import nlargest
from typing import TYPE_CHECKING, Any

from auditor.errors import AuditorError
from auditor.probes.contract import Prepares, Row, Sitting, gathered, predecessors
from auditor.records.proof import Proof
from auditor.records.run import Run
from auditor.records.types import Document, Failure
from auditor.running.executors.contract import Receipt, Shard
from auditor.running.failures import Failures
from auditor.running.preflight import Preflight
from auditor.running.progress import Progress, Unheard

if TYPE_CHECKING:
    from auditor.models import Adapter
    from auditor.probes.contract import AnyProbe


_DEVICE_SETTINGS = {"device", "dtype", "batch_tokens", "device_map", "compile"}
_AUDITED_SETTINGS = {"max_length", "multi_label", "prompt", "candidates", "max_new_tokens", "chat"}
"""Keys of [model] that say how the audited model is asked; a reference model is not."""
LONGEST = 8
"""Documents with the most characters among which the one with the most tokens is looked for."""


@dataclass(frozen=True, slots=True)
class WorkerFactory:
    """Makes the worker of a run where it is called; can be pickled, unless it is given a progress that cannot."""

    preflight: Preflight
    run: Run
    failures: Failures
    """What failed before, which every worker counts on from."""
    progress: Progress = field(default_factory=Unheard)

    def __call__(self) -> "Worker":
        """A new worker, without a loaded model."""
        return Worker(self.preflight, self.run, self.failures.copy(), self.progress)


@dataclass
class Worker:
    """Measures shards; models are loaded when the first shard needs them, once."""

    preflight: Preflight
    run: Run
    failures: Failures
    progress: Progress
    _receipts: dict[int, Receipt] = field(default_factory=dict)
    _models: dict[str | None, "Adapter"] = field(default_factory=dict)
    _prepared: dict[str, object] = field(default_factory=dict)
    _settled: dict[str | None, tuple[Proof, ...]] = field(default_factory=dict)

    def __call__(self, shard: Shard) -> Receipt:
        """Measures what is missing of one shard and writes it; a second attempt goes on where the first one broke."""
        receipt, before = self._receipts.setdefault(shard.index, Receipt()), self._work()
        try:
            for probe in self.preflight.probes:
                if probe.name not in receipt.asked:
                    self._complete(probe, shard, receipt)
        finally:
            receipt.work.update(self._work())
            receipt.work.subtract(before)
        return self._receipts.pop(shard.index)

    def _complete(self, probe: "AnyProbe", shard: Shard, receipt: Receipt) -> None:
        """Measures and writes the rows of one probe, where they are not there yet."""
        documents = self.preflight.documents[shard.start : shard.stop]
        asked = [document for document in documents if document.id in self._chosen[probe.name]]
        if not self.run.has(probe.name, shard.index):
            rows = self._measure(probe, asked, shard) if asked else []
            self._settle()  # before the rows: where they are, nobody may load the model again
            self.run.write_shard(probe.name, probe.record, shard.index, rows)
            receipt.failures[probe.name] = tuple(row for row in rows if isinstance(row, Failure))
            self.failures.add(probe.name, receipt.failures[probe.name])
        receipt.asked[probe.name] = len(asked)
        self.failures.require_few(probe.name)
        self.progress.advance(probe.name, len(asked))

    def _measure(self, probe: "AnyProbe", documents: Sequence[Document], shard: Shard) -> list[Row]:
        model, seed = self._model(probe.model), self.preflight.config.seed
        if isinstance(probe, Prepares) and probe.name not in self._prepared:
            everything = [d for d in self.preflight.documents if d.id in self._chosen[probe.name]]
            self._prepared[probe.name] = probe.prepare(model, everything, seed)
        sources = gathered(probe, self.preflight.probes)
        sitting = Sitting(seed, self._earlier(probe, shard), self._prepared.get(probe.name), sources)
        return measure(probe, model, documents, sitting)

    def _earlier(self, probe: "AnyProbe", shard: Shard) -> dict[str, dict[str, Row]]:
        """The rows of the same shard that a probe reads, from the run: probes are in order, so they are written."""
        records = {one.name: one.record for one in self.preflight.probes}
        return {
            name: {row.document_id: row for row in self.run.read_shard(name, records[name], shard.index)}
            for name in predecessors(probe, self.preflight.probes)
        }

    def _work(self) -> Counter[str]:
        total = Counter[str]()
        for model in self._models.values():
            total.update(model.batcher.work)
        return total

    @cached_property
    def _chosen(self) -> dict[str, frozenset[str]]:
        return {probe.name: self.preflight.chosen(probe) for probe in self.preflight.probes}

    def _model(self, reference: str | None) -> "Adapter":
        from auditor import models

        if reference not in self._models:
            config = self.preflight.config.model
            checkpoint = self.preflight.references[reference] if reference else self.preflight.checkpoint
            self.progress.say(f"loading {checkpoint.name}")
            settings: dict[str, Any] = config.model_dump(include=_DEVICE_SETTINGS)
            settings |= {} if reference else config.model_dump(include=_AUDITED_SETTINGS)
            self._models[reference] = models.load(checkpoint, **settings, **self._lengths(reference))
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
        """Writes into the plan how the models are asked, as soon as that is proven."""
        for reference, model in self._models.items():
            proofs = tuple(model.proofs.values())
            if self._settled.get(reference) != proofs:
                self.run.settle(proofs)
                self._settled[reference] = proofs


def measure(probe: "AnyProbe", model: Any, documents: Sequence[Document], sitting: Sitting[Any]) -> list[Row]:
    """A record, or what stands for it, for each document, in order.

    A document on which the probe breaks is found by bisection, so that the others are measured all the same.
    """
    try:
        return list(probe.measure(model, documents, sitting))
    except AuditorError:
        raise
    except Exception as error:
        if len(documents) == 1:
            text = str(error).strip().split("\n", 1)[0][:300]
            kind = getattr(error, "kind", type(error).__name__)
            return [Failure(documents[0].id, kind, text or type(error).__name__)]
    middle = len(documents) // 2
    return measure(probe, model, documents[:middle], sitting) + measure(probe, model, documents[middle:], sitting)
