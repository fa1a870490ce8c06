"""Everything that can be wrong is found here, before anything expensive starts: no weight is loaded.

The probes are built from their tables, the corpus is read, the checkpoints are found and fitted to the probes, labels
and checks are compared with what the model and the corpus can give. Probes that can are held against toy models.
"""

import dataclasses
from pathlib import Path
from typing import TYPE_CHECKING

from auditor import corpus
from auditor.config import Config
from auditor.languages import speaking
from auditor.records import disk
from auditor.running import appearance, labelling, locking, probe_selection, sealing, sources
from auditor.running.executors import executor_named
from auditor.running.fitting import require_documents, require_numbers, require_settings
from auditor.running.notes import notes_on
from auditor.running.preflight import Preflight
from auditor.running.self_checking import self_checked

if TYPE_CHECKING:
    from auditor.models import Checkpoint


def check(config: Config) -> Preflight:
    """Looks at everything the audit needs.

    Raises:
        AuditorError: The first kind of fault found; all faults of the probes' tables at once.
    """
    executor_named(config.run.executor)
    offline = sources.must_be_cached(config)
    disk.require_room(Path(config.run.output))
    look = appearance.read(config)
    sealing.seal_of(config)
    locking.require_code(config)
    checkpoint = sources.find_audited(config, offline=offline)
    chosen = probe_selection.choose(config, checkpoint.task)
    probes, left_out = probe_selection.without_hidden(config, checkpoint, chosen)
    references = {
        probe.model: sources.find_reference(
            config, probe.name, probe.model, probe_selection.task_for(probe), offline=offline
        )
        for probe in probes
        if probe.model
    }
    by_key = {locking.key_of(probe.name): references[probe.model] for probe in probes if probe.model}
    locking.require(config, {"model.name": checkpoint, **by_key})
    require_settings(config, checkpoint)
    device, dtype = _device_and_dtype(config, checkpoint)
    documents = _load(config, checkpoint)
    preflight = Preflight(config, documents, checkpoint, probes, references, device, dtype, (), look, left_out)
    require_documents(preflight)
    require_numbers(preflight)
    checked = self_checked(probes)
    with speaking(config.report.language):
        return dataclasses.replace(preflight, notes=tuple(notes_on(preflight)), self_checks=checked)


def _device_and_dtype(config: Config, checkpoint: "Checkpoint") -> tuple[str, str]:
    from auditor import models

    device = models.device_for(config.model.device)
    return str(device), str(models.dtype_for(config.model.dtype, checkpoint, device)).removeprefix("torch.")


def _load(config: Config, checkpoint: "Checkpoint") -> corpus.Corpus:
    vocabulary = labelling.vocabulary_of(config, checkpoint)
    settings = config.corpus.model_dump(exclude={"path"})
    path = config.corpus.path if corpus.is_remote(config.corpus.path) else config.locate("corpus.path")
    return corpus.load(path, **settings, seed=config.seed, vocabulary=vocabulary)
