"""Everything that can be wrong is found here, before anything expensive starts: no weight is loaded.

The probes are built from their tables, the corpus is read, the checkpoints are found and fitted to the probes, labels
and checks are compared with what the model and the corpus can give. Probes that can are held against toy models.
"""

import dataclasses
from pathlib import Path
from typing import TYPE_CHECKING

from auditor import corpus
from auditor.config import Config, read_waivers
from auditor.languages import speaking
from auditor.records import disk
from auditor.running import appearance, labelling, locking, probe_selection, resources, sealing, sources
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
    executor_named(config.run.executor, resources.asked(config))
    offline = sources.must_be_cached(config)
    disk.require_room(Path(config.run.output))
    look = appearance.read(config)
    sealing.seal_of(config)
    locking.require_code(config)
    waivers = read_waivers(config.locate("waivers")) if config.waivers else ()
    checkpoint = sources.find_audited(config, offline=offline)
    chosen = probe_selection.choose(config, checkpoint.task)
    probes, left_out = probe_selection.without_hidden(config, checkpoint, chosen)
    references = sources.find_references(config, probes, offline=offline)
    locking.require(config, locking.by_key(checkpoint, probes, references))
    require_settings(config, checkpoint)
    device, dtype = _device_and_dtype(config, checkpoint)
    documents = _load(config, checkpoint)
    preflight = Preflight(config, documents, checkpoint, probes, references, device, dtype, (), look, left_out)
    require_documents(preflight)
    require_numbers(preflight)
    checked = self_checked(probes)
    with speaking(config.report.language):
        notes = tuple(notes_on(preflight))
        return dataclasses.replace(preflight, notes=notes, self_checks=checked, waivers=waivers)


def _device_and_dtype(config: Config, checkpoint: "Checkpoint") -> tuple[str, str]:
    from auditor import models

    device = models.device_for(config.model.device)
    return str(device), str(models.dtype_for(config.model.dtype, checkpoint, device)).removeprefix("torch.")


def _load(config: Config, checkpoint: "Checkpoint") -> corpus.Corpus:
    vocabulary = labelling.vocabulary_of(config, checkpoint)
    settings = config.corpus.model_dump(exclude={"path"})
    path = config.corpus.path if corpus.is_remote(config.corpus.path) else config.locate("corpus.path")
    return corpus.load(path, **settings, seed=config.seed, vocabulary=vocabulary)
