"""The worker: measures the documents of one shard with every probe, and keeps what it measures."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import TYPE_CHECKING, Any

from auditor.errors import AuditorError
from auditor.probes.contract import Prepares, Row, Sitting, gathered, predecessors
from auditor.records.proof import Proof
from auditor.records.run import Run
from auditor.records.types import Document, Failure
from auditor.running.executors.contract import Receipt, Shard
from auditor.running.failures import Failures
from auditor.running.loaded_models import LoadedModels
from auditor.running.preflight import Preflight
from auditor.running.progress import Progress, Unheard

if TYPE_CHECKING:
    from auditor.probes.contract import AnyProbe


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
    _prepared: dict[str, object] = field(default_factory=dict)
    _settled: dict[str | None, tuple[Proof, ...]] = field(default_factory=dict)
    _models: LoadedModels = field(init=False)

    def __post_init__(self) -> None:
        self._models = LoadedModels(self.preflight, self.progress)

    def __call__(self, shard: Shard) -> Receipt:
        """Measures what is missing of one shard and writes it; a second attempt goes on where the first one broke."""
        receipt, before = self._receipts.setdefault(shard.index, Receipt()), self._models.work
        try:
            for probe in self.preflight.probes:
                if probe.name not in receipt.asked:
                    self._complete(probe, shard, receipt)
        finally:
            receipt.work.update(self._models.work)
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
        model, seed = self._models[probe.model], self.preflight.config.seed
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

    @cached_property
    def _chosen(self) -> dict[str, frozenset[str]]:
        return {probe.name: self.preflight.chosen(probe) for probe in self.preflight.probes}

    def _settle(self) -> None:
        """Keeps what the models are made of, and in the plan how they are asked, as soon as that is known."""
        self.run.describe(self._models.structures)
        for reference, proofs in self._models.proofs.items():
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
