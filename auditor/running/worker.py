"""The worker: measures the documents of one shard with every probe, and keeps what it measures."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from itertools import chain
from typing import TYPE_CHECKING, Any, Final

from auditor.errors import AuditorError
from auditor.probes.contract import Prepares, Row, Sitting, gathered, predecessors
from auditor.records.proof import Proof
from auditor.records.run import Run
from auditor.records.types import Document, Failure
from auditor.running import memory
from auditor.running.executors.contract import Announce, AtWork, Receipt, Shard
from auditor.running.failures import Failures
from auditor.running.loaded_models import LoadedModels
from auditor.running.preflight import Preflight
from auditor.running.progress import Progress, Unheard
from auditor.running.reuse import Lookup, Reuse

if TYPE_CHECKING:
    from auditor.probes.contract import AnyProbe


LOST: Final = "worker-lost"
"""The kind of failure of a document that no worker survives."""


@dataclass(frozen=True, slots=True)
class WorkerFactory:
    """Makes the worker of a run where it is called; can be pickled, unless it is given a progress that cannot."""

    preflight: Preflight
    run: Run
    failures: Failures
    """What failed before, which every worker counts on from."""
    progress: Progress = field(default_factory=Unheard)

    def on_several_machines(self) -> "WorkerFactory":
        """See `auditor.running.executors.contract.Separable`: they do without rows of runs before."""
        return replace(self, preflight=self.preflight.without_cache())

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
    announce: Announce = lambda _: None
    """Hears what is done next."""
    _receipts: dict[int, Receipt] = field(default_factory=dict)
    _prepared: dict[str, object] = field(default_factory=dict)
    _settled: set[Proof] = field(default_factory=set)
    _described: set[str] = field(default_factory=set)
    _unsure: dict[tuple[str, int], frozenset[str]] = field(default_factory=dict)
    _models: LoadedModels = field(init=False)
    _reuse: Reuse = field(init=False)

    def __post_init__(self) -> None:
        self._models = LoadedModels(self.preflight, self.progress)
        self._reuse = Reuse(self.preflight, self.run)

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
        receipt.batch_tokens = self._models.batch_tokens
        self._unsure.clear()
        self._reuse.forget()
        memory.trim()
        return self._receipts.pop(shard.index)

    def _complete(self, probe: "AnyProbe", shard: Shard, receipt: Receipt) -> None:
        """Finds or measures, and writes, the rows of one probe, where they are not there yet."""
        documents = self.preflight.documents[shard.start : shard.stop]
        asked = [document for document in documents if document.id in self.preflight.chosen[probe.name]]
        if not self.run.has(probe.name, shard.index):
            receipt.failures[probe.name] = self._write(probe, asked, shard)
            self.failures.add(probe.name, receipt.failures[probe.name])
        else:
            self._take_over(probe, shard, receipt)
        receipt.asked[probe.name] = len(asked)
        self.failures.require_few(probe.name)
        self.progress.advance(probe.name, len(asked))

    def _take_over(self, probe: "AnyProbe", shard: Shard, receipt: Receipt) -> None:
        """What was written before: its failures count, where a worker was lost before it could say so."""
        if isinstance(probe, Prepares):
            self._reuse.recalled(probe, self._all_of(probe))  # for the keys of those that read its rows
        if shard.is_repeated:
            counted = {row.document_id for row in self.failures.by_probe[probe.name]}
            rows = self.run.read_shard(probe.name, probe.record, shard.index)
            new = [row for row in rows if isinstance(row, Failure) and row.document_id not in counted]
            receipt.failures[probe.name] = tuple(new)
            self.failures.add(probe.name, new)

    def _write(self, probe: "AnyProbe", asked: Sequence[Document], shard: Shard) -> tuple[Failure, ...]:
        """Writes the rows of one probe; returns the failures among them."""
        self.announce(AtWork(probe.name))
        prepared = self._prepare(probe) if asked else None
        unsure = self._unsure_of(predecessors(probe, self.preflight.probes), shard)
        lookup = self._reuse.look_up(probe, asked, unsure)
        self._recheck(probe, lookup, shard, prepared)
        new = self._measure_missing(probe, lookup.missing, shard, prepared) if lookup.missing else []
        self.announce(AtWork(probe.name))
        # before the rows: where they are, nobody may load the model again, nor count them
        self._settle(probe, lookup)
        self._reuse.note(probe, shard.index, lookup)
        self._unsure[probe.name, shard.index] = unsure | {row.document_id for row in new if isinstance(row, Failure)}
        if lookup.whole:
            self.run.write_bytes(probe.name, shard.index, lookup.whole.content)
            return ()
        content = self.run.write_shard(probe.name, probe.record, shard.index, lookup.merged(new))
        if new:
            self._reuse.keep(probe, lookup, new, content, self._models.proofs[probe.model])
            self._reuse.keep_structures(probe, self._models.structures)
        return tuple(row for row in new if isinstance(row, Failure))

    def _measure_missing(
        self, probe: "AnyProbe", documents: Sequence[Document], shard: Shard, prepared: object
    ) -> list[Row]:
        """A row for each document in order, a failure for what is fatal; group by group where that is asked."""
        fatal = {one.document_id: one.reason for one in shard.fatal if one.probe == probe.name}
        rows: dict[str, Row] = {name: Failure(name, LOST, reason) for name, reason in fatal.items()}
        self._models[probe.model]  # loaded before documents are named: a worker lost to that is lost to none of them
        for some in _grouped(probe, [document for document in documents if document.id not in fatal], shard):
            self.announce(AtWork(probe.name, tuple(document.id for document in some)))
            measured = self._measure(probe, some, shard, prepared)
            rows |= {document.id: row for document, row in zip(some, measured, strict=True)}
        return [rows[document.id] for document in documents]

    def _measure(self, probe: "AnyProbe", documents: Sequence[Document], shard: Shard, prepared: object) -> list[Row]:
        sources = gathered(probe, self.preflight.probes)
        sitting = Sitting(self.preflight.config.seed, self._earlier(probe, shard), prepared, sources)
        return measure(probe, self._models[probe.model], documents, sitting)

    def _prepare(self, probe: "AnyProbe") -> object:
        """What a probe prepares from all of its documents; kept from before, or computed once."""
        if isinstance(probe, Prepares) and probe.name not in self._prepared:
            everything = self._all_of(probe)
            value = self._reuse.recalled(probe, everything)
            if value is None:
                value = probe.prepare(self._models[probe.model], everything, self.preflight.config.seed)
                self._reuse.keep_prepared(probe, everything, value)
            self._prepared[probe.name] = value
        return self._prepared.get(probe.name)

    def _all_of(self, probe: "AnyProbe") -> list[Document]:
        return [document for document in self.preflight.documents if document.id in self.preflight.chosen[probe.name]]

    def _recheck(self, probe: "AnyProbe", lookup: Lookup, shard: Shard, prepared: object) -> None:
        """Measures some of the rows that were found again.

        Raises:
            VerificationError: They are others now.
        """
        for due in self._reuse.due(probe, lookup, shard.index):
            self._reuse.require_same(probe, due, self._measure(probe, due.documents, shard, prepared))

    def _unsure_of(self, probes: Sequence[str], shard: Shard) -> frozenset[str]:
        """Ids of the documents of which a row of these probes is a failure, or follows from one."""
        failed = (self._failed(name, shard) for name in probes) if self._reuse.is_on else ()
        return frozenset[str]().union(*failed)

    def _failed(self, name: str, shard: Shard) -> frozenset[str]:
        if (name, shard.index) not in self._unsure:
            probe = next(one for one in self.preflight.probes if one.name == name)
            rows = self.run.read_shard(name, probe.record, shard.index)  # written before the run was interrupted
            failed_here = frozenset(row.document_id for row in rows if isinstance(row, Failure))
            self._unsure[name, shard.index] = failed_here | self._unsure_of(
                predecessors(probe, self.preflight.probes), shard
            )
        return self._unsure[name, shard.index]

    def _earlier(self, probe: "AnyProbe", shard: Shard) -> dict[str, dict[str, Row]]:
        """The rows of the same shard that a probe reads, from the run: probes are in order, so they are written."""
        records = {one.name: one.record for one in self.preflight.probes}
        return {
            name: {row.document_id: row for row in self.run.read_shard(name, records[name], shard.index)}
            for name in predecessors(probe, self.preflight.probes)
        }

    def _settle(self, probe: "AnyProbe", lookup: Lookup) -> None:
        """Keeps what the models are made of, and in the plan how they are asked: now, or for rows that are reused."""
        kept = self._reuse.structures(probe, lookup)
        if lookup.chunks and not kept:
            self._models[probe.model]  # is described when it is loaded
        structures = [*self._models.structures, *kept]
        if not {one.model for one in structures} <= self._described:
            self.run.describe(structures)
            self._described.update(one.model for one in structures)
        proofs = {proof: None for proof in [*chain(*self._models.proofs.values()), *self._reuse.proofs(probe, lookup)]}
        if not proofs.keys() <= self._settled:
            self.run.settle(list(proofs))
            self._settled.update(proofs)


def _grouped(probe: "AnyProbe", documents: Sequence[Document], shard: Shard) -> Iterator[Sequence[Document]]:
    """The groups that are asked for, as far as their documents are among these; then all others together."""
    rest = {document.id: document for document in documents}
    for group in shard.groups:
        if group.probe == probe.name and (some := [rest.pop(name) for name in group.document_ids if name in rest]):
            yield some
    if rest:
        yield list(rest.values())


def measure(probe: "AnyProbe", model: Any, documents: Sequence[Document], sitting: Sitting[Any]) -> list[Row]:
    """A record, or what stands for it, for each document, in order.

    A document on which the probe breaks is found by bisection, so that the others are measured all the same.

    Raises:
        DeviceLostError: The device cannot be used by this process any more, whatever is measured.
    """
    try:
        return list(probe.measure(model, documents, sitting))
    except AuditorError:
        raise
    except Exception as error:
        _require_device(error)
        if len(documents) == 1:
            text = str(error).strip().split("\n", 1)[0][:300]
            kind = getattr(error, "kind", type(error).__name__)
            return [Failure(documents[0].id, kind, text or type(error).__name__)]
    middle = len(documents) // 2
    return measure(probe, model, documents[:middle], sitting) + measure(probe, model, documents[middle:], sitting)


def _require_device(error: Exception) -> None:
    from auditor import models

    models.require_device(error)
