"""What will be run, and on what: everything that an audit needs, read and found right; no weight is loaded yet."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import cached_property
from typing import TYPE_CHECKING, Any

from auditor import corpus, tasks
from auditor.config import Config, WaiverConfig
from auditor.corpus.sampling import sample
from auditor.probes.contract import Picks, gathered
from auditor.records.kinds import record_name
from auditor.records.proof import SelfCheck
from auditor.records.types import Document
from auditor.running import labelling
from auditor.running.appearance import Appearance
from auditor.running.executors.contract import Shard, cut

if TYPE_CHECKING:
    from auditor.models import Checkpoint
    from auditor.probes.contract import AnyProbe


@dataclass(frozen=True)
class Preflight:
    """What will be run, and on what."""

    config: Config
    corpus: corpus.Corpus
    checkpoint: "Checkpoint"
    probes: tuple["AnyProbe", ...]
    references: Mapping[str, "Checkpoint"]
    """Model name in a probe's table → its checkpoint."""
    device: str
    dtype: str
    notes: tuple[str, ...]
    appearance: Appearance
    left_out: Mapping[str, str]
    """Probe that runs by default → kind of reason why this model is not asked."""
    self_checks: tuple[SelfCheck, ...] = ()
    """What the probes gave on toy models."""
    waivers: tuple[WaiverConfig, ...] = ()

    @property
    def documents(self) -> tuple[Document, ...]:
        """The documents of the corpus, their labels named as the model names them."""
        return self.corpus.documents

    @property
    def task(self) -> tasks.Task:
        """The declaration of the audited model's task."""
        return tasks.task(self.checkpoint.task)

    @cached_property
    def asked(self) -> dict[str, int]:
        """Probe → number of documents it will be given."""
        return {name: len(ids) for name, ids in self.chosen.items()}

    @property
    def n_labelled(self) -> int:
        """Documents with a reference: with labels, or said to have none where a document may have several."""
        return sum(not document.unlabelled for document in self.documents) if self.corpus.label_values else 0

    def without_cache(self) -> "Preflight":
        """The same for several machines: rows of runs before are in an SQLite file, which a network cannot share."""
        run = self.config.run.model_copy(update={"cache": False})
        return replace(self, config=self.config.model_copy(update={"run": run}))

    @property
    def shards(self) -> tuple[Shard, ...]:
        """The parts in which the documents are measured and kept."""
        return cut(len(self.documents), self.config.run.shard_size)

    @cached_property
    def chosen(self) -> dict[str, frozenset[str]]:
        """Probe → ids of the documents it is given: where it gathers rows, among those of which there can be any.

        Probes of one record draw the same documents for the same `limit`, so that they can be compared. Those that a
        probe picks by name come to them. Where it is all of them, it is the same set for every probe.
        """
        return {probe.name: self._choose(probe) for probe in self.probes}

    def _choose(self, probe: "AnyProbe") -> frozenset[str]:
        documents = self.documents
        if sources := gathered(probe, self.probes):
            measured = frozenset[str]().union(*map(self._choose, sources))
            documents = tuple(document for document in documents if document.id in measured)
        drawn = sample(documents, probe.limit, self.config.seed, record_name(probe.record))
        picked = probe.ids if isinstance(probe, Picks) else ()
        chosen = frozenset([*(document.id for document in drawn), *picked])
        return self._all if chosen == self._all else chosen

    @cached_property
    def _all(self) -> frozenset[str]:
        return frozenset(document.id for document in self.documents)

    @property
    def lines(self) -> list[str]:
        """The facts, a line each, for people."""
        return [
            self.config.title,
            f"corpus   {self._corpus_line}",
            f"read as  {self.corpus.dialect}",
            f"model    {self._model_line}",
            *(f"probe    {self._probe_line(probe)}" for probe in self.probes),
            f"checks   {', '.join(self.config.checks) or 'none: the verdict will be that nothing is established'}",
            *(f"note     {note}" for note in self.notes),
        ]

    @property
    def _corpus_line(self) -> str:
        n, labels = len(self.documents), ", ".join(self.corpus.label_values[:8])
        counted = f" on {self.n_labelled:,} of them" if 0 < self.n_labelled < n else ""
        labelled = f"labels {labels}" if labels else "no labels"
        return f"{self.config.corpus.path}: {n:,} document{'s' * (n != 1)}, {labelled}{counted}"

    @property
    def _model_line(self) -> str:
        model = self.checkpoint
        labels = ", ".join(model.labels[:8]) if labelling.has_named_labels(model) else ""
        labelled = f", labels {labels}" if labels else ""
        return f"{model.name}: {model.model_class} for {model.task}{labelled}; {self.dtype} on {self.device}"

    def _probe_line(self, probe: "AnyProbe") -> str:
        reference = f", asked of {self.references[probe.model].name}" if probe.model else ""
        return f"{probe.name}: {self.asked[probe.name]} documents{reference}"

    def as_json(self) -> dict[str, Any]:
        """The facts as values of JSON, for machines."""
        return {
            "title": self.config.title,
            "task": self.checkpoint.task,
            "documents": len(self.documents),
            "dialect": self.corpus.dialect.as_json(),
            "shards": len(self.shards),
            "probes": self.asked,
            "left_out": dict(self.left_out),
            "checks": list(self.config.checks),
            "device": self.device,
            "dtype": self.dtype,
            "notes": list(self.notes),
        }
