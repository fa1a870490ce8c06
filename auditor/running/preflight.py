"""Everything that can be wrong is found here, before anything expensive starts: no weight is loaded.

The probes are built from their tables, the corpus is read, the checkpoints are found and fitted to the probes, labels
and checks are compared with what the model and the corpus can give.
"""

import dataclasses
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from auditor import corpus, findings, hub
from auditor.config import Config
from auditor.corpus.sampling import sample
from auditor.errors import ConfigError, ModelError
from auditor.findings import wording
from auditor.languages import plural, say, speaking
from auditor.languages.numbers import count
from auditor.records import disk
from auditor.records.types import Document
from auditor.running import appearance, labelling, probe_selection
from auditor.running.appearance import Appearance
from auditor.running.executors.contract import Shard, cut
from auditor.running.labelling import is_multi_label, labels_of

if TYPE_CHECKING:
    from auditor.models import Checkpoint
    from auditor.probes.contract import Probe


_SETTINGS = {"multi_label": "text-classification", "prompt": "text-generation", "candidates": "text-generation"}
"""Key of [model] → the one task that has it."""
_ARE_CAUSAL = {"text-generation": True, "fill-mask": False}
"""Task → whether its models are causal; classifiers may be either."""


@dataclass(frozen=True)
class Preflight:
    """What will be run, and on what."""

    config: Config
    corpus: corpus.Corpus
    checkpoint: "Checkpoint"
    probes: tuple["Probe", ...]
    references: Mapping[str, "Checkpoint"]
    """Model name in a probe's table → its checkpoint."""
    device: str
    dtype: str
    notes: tuple[str, ...]
    appearance: Appearance
    left_out: Mapping[str, str]
    """Probe that runs by default → kind of reason why this model is not asked."""

    @property
    def documents(self) -> tuple[Document, ...]:
        """Those of the corpus, with labels as the model calls them."""
        return self.corpus.documents

    @property
    def asked(self) -> dict[str, int]:
        """Probe → number of documents it will be given."""
        return {probe.name: min(probe.limit or len(self.documents), len(self.documents)) for probe in self.probes}

    @property
    def n_labelled(self) -> int:
        """Documents with a reference: with labels, or said to have none where a document may have several."""
        return sum(not document.unlabelled for document in self.documents) if self.corpus.label_values else 0

    @property
    def shards(self) -> tuple[Shard, ...]:
        """The parts in which the documents are measured and kept."""
        return cut(len(self.documents), self.config.run.shard_size)

    def chosen(self, probe: "Probe") -> frozenset[str]:
        """Ids of the documents the probe is given."""
        return frozenset(d.id for d in sample(self.documents, probe.limit, self.config.seed, probe.name))

    @property
    def lines(self) -> list[str]:
        """For people."""
        labels = ", ".join(self.checkpoint.labels[:8]) if self.checkpoint.task == "text-classification" else ""
        return [
            f"{self.config.title}",
            f"corpus   {self.config.corpus.path}: {len(self.documents):,} document{'s' * (len(self.documents) != 1)}, "
            + (f"labels {', '.join(self.corpus.label_values[:8])}" if self.corpus.label_values else "no labels")
            + (f" on {self.n_labelled:,} of them" if 0 < self.n_labelled < len(self.documents) else ""),
            f"read as  {self.corpus.dialect}",
            f"model    {self.checkpoint.name}: {self.checkpoint.model_class} for {self.checkpoint.task}"
            + (f", labels {labels}" if labels else "")
            + f"; {self.dtype} on {self.device}",
            *(
                f"probe    {probe.name}: {self.asked[probe.name]} documents"
                + (f", asked of {self.references[probe.model].name}" if probe.model else "")
                for probe in self.probes
            ),
            f"checks   {', '.join(self.config.checks) or 'none: the verdict will be that nothing is established'}",
            *(f"note     {note}" for note in self.notes),
        ]

    def as_json(self) -> dict[str, Any]:
        """For machines."""
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


def check(config: Config) -> Preflight:
    """Looks at everything the audit needs.

    Raises:
        AuditorError: The first kind of fault found; all faults of the probes' tables at once.
    """
    offline = _require_hub(config)
    from auditor import models

    disk.require_room(Path(config.run.output))
    look = appearance.read(config)
    checkpoint = _find(config, "model.name", config.model.name, task=config.model.task, offline=offline)
    chosen = probe_selection.choose(config, checkpoint.task)
    probes, left_out = probe_selection.without_hidden(config, checkpoint, chosen)
    references = {
        p.model: _find(config, f"probes.{p.name}.model", p.model, task=probe_selection.task_for(p), offline=offline)
        for p in probes
        if p.model
    }
    _check_settings(config, checkpoint)
    device = models.device_for(config.model.device)
    dtype = str(models.dtype_for(config.model.dtype, checkpoint, device)).removeprefix("torch.")
    preflight = Preflight(
        config, _load(config, checkpoint), checkpoint, probes, references, str(device), dtype, (), look, left_out
    )
    _check_names(preflight)
    with speaking(config.report.language):
        return dataclasses.replace(preflight, notes=tuple(_notes(preflight)))


def _load(config: Config, checkpoint: "Checkpoint") -> corpus.Corpus:
    vocabulary = labelling.vocabulary_of(config, checkpoint)
    settings = config.corpus.model_dump(exclude={"path"})
    path = config.corpus.path if corpus.is_remote(config.corpus.path) else config.locate("corpus.path")
    return corpus.load(path, **settings, seed=config.seed, vocabulary=vocabulary)


def _require_hub(config: Config) -> bool:
    """Whether models must come from the cache, since the hub does not answer; asked before torch is imported.

    Raises:
        ModelError: If one of them is not there.
    """
    revisions = {"model.name": config.model.revision}
    revisions |= {
        f"probes.{name}.model": None for name, own in config.probes.items() if isinstance(own.get("model"), str)
    }
    ids = {source: revisions[key] for key in revisions if isinstance(source := config.source(key), str)}
    if not ids or hub.is_offline() or hub.answers():
        return False
    for name, revision in ids.items():
        if hub.cached(name, revision) is None:
            raise ModelError(hub.out_of_reach(name))
    return True


def _find(config: Config, key: str, name: str, task: str | None, *, offline: bool) -> "Checkpoint":
    from auditor import models

    audited = key == "model.name"
    source, revision = config.source(key), config.model.revision if audited else None
    if isinstance(source, Path):
        name, revision = hub.snapshot_of(source) or (name, None)
    return models.find(
        name,
        source if isinstance(source, Path) else None,
        task=task,
        revision=revision,
        trust_remote_code=config.model.trust_remote_code and audited,
        offline=offline,
    )


def _check_settings(config: Config, checkpoint: "Checkpoint") -> None:
    """Refuses settings of [model] that belong to another task than the checkpoint's, and a choice among one label."""
    for key, task in _SETTINGS.items():
        if getattr(config.model, key) is not None and checkpoint.task != task:
            raise ConfigError(
                f"{config.origin}: model.{key}: is not for {checkpoint.task}, which {checkpoint.name} does"
            )
    if config.model.chat:
        _check_chat(config, checkpoint)
    several = checkpoint.task != "text-classification" or is_multi_label(config, checkpoint)
    if not several and len(checkpoint.labels) < 2:
        raise ModelError(
            f"{checkpoint.name}: expected two labels or more to choose among, found {len(checkpoint.labels)} "
            "(num_labels in config.json): the probability of the only one is always 1; audit a model with more labels, "
            "or set multi_label = true in [model] if its one output is the logit of a yes-or-no label"
        )


def _check_chat(config: Config, checkpoint: "Checkpoint") -> None:
    from auditor import models

    if checkpoint.task != "text-generation":
        raise ConfigError(f"{config.origin}: model.chat: is not for {checkpoint.task}, which {checkpoint.name} does")
    models.check_chat(checkpoint)


def _check_names(preflight: Preflight) -> None:
    """Refuses checks of numbers that this run cannot give."""
    config = preflight.config
    known = _names(preflight, labelled=bool(preflight.corpus.label_values))
    with_labels = _names(preflight, labelled=True)
    faults = []
    for name, bound in config.checks.items():
        if name not in known:
            near = findings.nearest(name, known)
            hint = f"did you mean {' or '.join(near)}" if near else f"there are {', '.join(sorted(known)[:8])} …"
            if name in with_labels:
                hint = "the corpus has no labels; name their column with --label-column or corpus.label"
            faults.append(f"{config.origin}: checks.{name}: this run cannot give such a number; {hint}")
        elif fault := findings.fault_of(name, findings.Bound(**bound.model_dump())):
            faults.append(f"{config.origin}: checks.{name}: {fault}")
    if faults:
        raise ConfigError("\n".join(faults))


def _names(preflight: Preflight, *, labelled: bool) -> set[str]:
    """Every number that this run could give, had the corpus labels or not."""
    config, checkpoint = preflight.config, preflight.checkpoint
    prospect = findings.Prospect(
        probes=frozenset(probe.name for probe in preflight.probes),
        labels=tuple(labels_of(config, checkpoint)),
        labelled=labelled,
        multi_label=is_multi_label(config, checkpoint),
        candidates=checkpoint.task == "text-generation",
        causal=_ARE_CAUSAL.get(checkpoint.task),
    )
    return findings.names(prospect, findings.sliceable(preflight.documents))


def _dialect_notes(dialect: corpus.Dialect) -> Iterator[str]:
    """What was guessed or translated when the file was read."""
    if dialect.encoding_is_guessed:
        yield say(
            "The encoding of the corpus was guessed from its bytes: {encoding}; corpus.encoding states another.",
            encoding=dialect.encoding,
        )
    for column, classes in dialect.numbered.items():
        yield say(
            "The column {column} holds ids of classes; the names that the corpus gives them were read: {classes}.",
            column=column,
            classes=classes,
        )


def _notes(preflight: Preflight) -> Iterator[str]:
    """What the report must say about the input, in its language."""
    config, n, of = preflight.config, len(preflight.documents), preflight.corpus.n_documents
    yield from labelling.notes_on(preflight.corpus.reading)
    yield from _dialect_notes(preflight.corpus.dialect)
    if n < of:
        yield plural(
            of,
            "The corpus is a seeded sample of {chosen} of {n} document, stratified by label.",
            "The corpus is a seeded sample of {chosen} of {n} documents, stratified by label.",
            chosen=count(n),
        )
    if 0 < preflight.n_labelled < n:
        yield plural(
            n - preflight.n_labelled,
            "{n} of {documents} documents has no reference label: it is in no score.",
            "{n} of {documents} documents have no reference label: they are in no score.",
            documents=count(n),
        )
    for probe in preflight.probes:
        if probe.model:
            names = {"probe": wording.probe(probe.name), "model": preflight.references[probe.model].name}
            yield say("The {probe} probe asked the reference model {model}, not the audited one.", **names)
    if "attention" in preflight.left_out:
        yield say(
            "Attention was not measured: models of the class {architecture} do not show it.",
            architecture=preflight.checkpoint.model_class,
        )
    writes = preflight.checkpoint.task == "text-generation"
    if writes and preflight.checkpoint.has_chat_template and not config.model.chat:
        yield say("The tokenizer has a chat template, which was not applied to the prompts: chat = true does that.")
    cleaned = sum(document.n_cleaned > 0 for document in preflight.documents)
    if cleaned:
        yield plural(
            cleaned,
            "Control characters or broken Unicode were replaced in {n} document when it was read.",
            "Control characters or broken Unicode were replaced in {n} documents when they were read.",
        )
    code, revision = preflight.checkpoint.code_sha256, preflight.checkpoint.revision
    if code and revision:
        yield say("Code that came with the model was run (revision {revision}).", revision=revision)
    elif code:
        yield say("Code that came with the model was run (SHA-256 {hash}).", hash=code)
