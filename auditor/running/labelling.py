"""The labels of the audited model, and what those of the corpus are held against."""

from typing import TYPE_CHECKING

from auditor import tasks
from auditor.config import Config
from auditor.corpus.vocabulary import Labels, Vocabulary
from auditor.errors import ConfigError

if TYPE_CHECKING:
    from auditor.models import Checkpoint


def labels_of(config: Config, checkpoint: "Checkpoint") -> Labels:
    """The labels that the audited model chooses among; empty where it chooses among none."""
    match tasks.task(checkpoint.task).labels:
        case "checkpoint":
            return checkpoint.labels
        case "candidates":
            return tuple(candidate.strip() for candidate in config.model.candidates or ())
        case "none":
            return ()


def has_named_labels(checkpoint: "Checkpoint") -> bool:
    """Whether the labels, with their ids, are those of the checkpoint."""
    return tasks.task(checkpoint.task).labels == "checkpoint"


def is_multi_label(config: Config, checkpoint: "Checkpoint") -> bool:
    """Whether a document may have several labels."""
    if not has_named_labels(checkpoint):
        return False
    return checkpoint.multi_label if config.model.multi_label is None else config.model.multi_label


def vocabulary_of(config: Config, checkpoint: "Checkpoint") -> Vocabulary | None:
    """What the labels of the corpus are held against; None where the model chooses among none.

    Raises:
        ConfigError: `[corpus.labels]` names labels that the model does not have: all of them at once.
    """
    table, labels = config.corpus.labels or {}, labels_of(config, checkpoint)
    if not labels:
        if table:
            raise ConfigError(f"{config.origin}: corpus.labels: the model chooses among no labels; leave the table out")
        return None
    vocabulary = Vocabulary(labels, is_multi_label(config, checkpoint), has_ids=has_named_labels(checkpoint))
    faults = [f"{config.origin}: {fault}" for fault in vocabulary.faults(table)]
    if faults:
        raise ConfigError("\n".join(faults))
    return vocabulary
