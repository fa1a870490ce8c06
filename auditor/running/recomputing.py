"""A sample of the documents of a finished run is measured again, with the model that the plan names.

Documents come from the evidence, probes and their parameters from the plan, so neither the corpus nor the configuration
is needed: only the model, of which every file must have the SHA-256 of the plan. Which documents, is drawn from a seed
and the id of the run, so that nobody who does not know the seed can say beforehand. Each probe is given the rows of
other probes that it reads from the evidence, and is judged alone. What counts as the same row stands in
`auditor.running.rechecking`; documents are measured in other batches than in the run, which rounding tells.
"""

import hashlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from pydantic import ValidationError

from auditor import corpus
from auditor.config import Config
from auditor.errors import ConfigError, ModelError
from auditor.probes.contract import Prepares, Row, Sitting, gathered, predecessors
from auditor.records.json_files import encode
from auditor.records.plan import Plan, PlannedModel
from auditor.records.run import DOCUMENTS, Run
from auditor.records.sums import Fault
from auditor.records.types import Document, Failure
from auditor.running import probe_selection, rechecking, sources
from auditor.running.appearance import Appearance
from auditor.running.loaded_models import LoadedModels
from auditor.running.preflight import Preflight
from auditor.running.progress import Progress
from auditor.running.worker import measure

if TYPE_CHECKING:
    from auditor.models import Checkpoint
    from auditor.probes.contract import AnyProbe


@dataclass(frozen=True, slots=True)
class Recomputed:
    """What came out."""

    faults: tuple[Fault, ...]
    """One for each probe and document that differ."""
    n_documents: int
    n_rows: int
    n_failed: int
    """Rows that could not be measured now, which say nothing."""


def recompute(run: Run, n: int, *, seed: int = 0, base: Path | None = None, progress: Progress) -> Recomputed:
    """Measures some documents of a run again and compares every row.

    Args:
        run: Complete.
        n: How many documents.
        seed: Of the draw.
        base: The folder to which the paths of the configuration are relative; by default the current one.
        progress: Told how far the work is.

    Raises:
        ModelError: A model is not there, or is not the one of the plan.
        ConfigError: The configuration in the plan is not understood by this version.
    """
    preflight = _preflight(run, base or Path())
    sample = draw([document.id for document in preflight.documents], n, f"{seed} {run.run_id}")
    models, faults, n_rows, n_failed = LoadedModels(preflight, progress), list[Fault](), 0, 0
    drawn = {name: ids & sample for name, ids in preflight.chosen.items()}
    progress.start({name: len(ids) for name, ids in drawn.items()})
    for probe in preflight.probes:
        asked = [document for document in preflight.documents if document.id in drawn[probe.name]]
        if not asked:
            continue
        before = _rows(run, probe, sample)
        now = measure(probe, models[probe.model], asked, _sitting(run, preflight, probe, models, sample))
        faults += _compared(probe.name, [before.get(d.id) for d in asked], now, run.plan.dtype)
        n_rows, n_failed = n_rows + len(now), n_failed + sum(isinstance(row, Failure) for row in now)
        progress.advance(probe.name, len(asked))
    return Recomputed(tuple(faults), len(sample), n_rows, n_failed)


def draw(ids: Sequence[str], n: int, key: str) -> frozenset[str]:
    """So many of the ids, or all: those with the smallest hashes of key and id."""
    ordered = sorted(ids, key=lambda one: hashlib.sha256(f"{key} {one}".encode("utf-8", "surrogatepass")).digest())
    return frozenset(ordered[:n])


def _preflight(run: Run, base: Path) -> Preflight:
    """What was run, from the plan and the evidence; the models are found, and none is loaded."""
    plan, config = run.plan, _config(run.plan, base)
    offline = sources.must_be_cached(config)
    audited = sources.find_audited(config, offline=offline)
    _require_same(plan.model, audited)
    probes = _probes(config, audited, plan)
    references = sources.find_references(config, probes, offline=offline)
    for name, reference in references.items():
        _require_same(plan.references[name], reference)
    documents = tuple(row for row in run.read(DOCUMENTS, Document) if isinstance(row, Document))
    return Preflight(
        config, _corpus(plan, documents), audited, probes, references, plan.device, plan.dtype, (), Appearance(), {}
    )


def _config(plan: Plan, base: Path) -> Config:
    """The configuration of the plan; a model that does not lie under the base may lie under the current folder."""
    tables = encode(dict(plan.configuration))
    tables["model"] |= {"dtype": plan.dtype, "lock": None, "revision": plan.model.revision}
    tables["probes"] = {name: encode(dict(probe.parameters)) for name, probe in plan.probes.items()}
    try:
        config = Config.model_validate(tables)
    except ValidationError as error:
        fault = error.errors()[0]
        key = ".".join(map(str, fault["loc"]))
        problem = fault["msg"].lower()
        raise ConfigError(f"plan.json: {key}: {problem}; recompute with the version that wrote it") from None
    names = {"model.name": plan.model.name, **{f"probes.{k}.model": p.model for k, p in plan.probes.items() if p.model}}
    elsewhere = {key for key, name in names.items() if not (base / name).is_dir() and Path(name).is_dir()}
    return config.with_origin(base / "audit.toml", frozenset(elsewhere))


def _probes(config: Config, audited: "Checkpoint", plan: Plan) -> tuple["AnyProbe", ...]:
    chosen = probe_selection.choose(config, audited.task)
    return tuple(probe for probe in chosen if probe.name in plan.probes)


def _corpus(plan: Plan, documents: tuple[Document, ...]) -> corpus.Corpus:
    kept = plan.corpus
    labels = tuple(sorted({label for document in documents for label in document.labels or ()}))
    return corpus.Corpus(
        Path(kept.path), kept.sha256, kept.dialect, documents, kept.columns, labels, kept.n_documents_in_file
    )


def _require_same(planned: PlannedModel, checkpoint: "Checkpoint") -> None:
    """Refuses a model that is not the one that was audited."""
    if dict(checkpoint.hashes) != dict(planned.files):
        names = sorted(
            n for n in {*planned.files, *checkpoint.hashes} if planned.files.get(n) != checkpoint.hashes.get(n)
        )
        raise ModelError(
            f"{checkpoint.name}: is not the model of the run: {', '.join(names[:5])} "
            f"{'differs' if len(names) == 1 else 'differ'}; recompute with the files that the plan names"
        )


def _sitting(
    run: Run, preflight: Preflight, probe: "AnyProbe", models: LoadedModels, sample: frozenset[str]
) -> Sitting[object]:
    by_name = {one.name: one for one in preflight.probes}
    earlier = {name: _rows(run, by_name[name], sample) for name in predecessors(probe, preflight.probes)}
    prepared, seed = None, preflight.config.seed
    if isinstance(probe, Prepares):
        chosen = preflight.chosen[probe.name]
        everything = [document for document in preflight.documents if document.id in chosen]
        prepared = probe.prepare(models[probe.model], everything, seed)
    return Sitting(seed, earlier, prepared, gathered(probe, preflight.probes))


def _rows(run: Run, probe: "AnyProbe", sample: frozenset[str]) -> dict[str, Row]:
    rows = run.read(probe.name, probe.record, whole=True)
    return {row.document_id: row for row in rows if row.document_id in sample}


def _compared(probe: str, before: Sequence[Row | None], now: Sequence[Row], dtype: str) -> Iterator[Fault]:
    for one, other in zip(before, now, strict=True):
        if one is None:
            yield Fault(f"evidence/{probe}", f"has no row of document {other.document_id!a}")
        elif told := rechecking.difference(one, other, dtype):
            yield Fault(f"evidence/{probe}", told)
