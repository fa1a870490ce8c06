"""The labels of the audited model, and what the report must say about how those of the corpus were understood."""

from collections.abc import Iterable, Iterator, Mapping
from typing import TYPE_CHECKING

from auditor import tasks
from auditor.config import Config
from auditor.corpus.faults import quote
from auditor.corpus.labels import Reading
from auditor.corpus.vocabulary import Labels, Vocabulary
from auditor.errors import ConfigError
from auditor.languages import plural, say
from auditor.languages.numbers import count, separator

if TYPE_CHECKING:
    from auditor.models import Checkpoint

_MOST_LISTED = 12


def labels_of(config: Config, checkpoint: "Checkpoint") -> Labels:
    """The labels that the audited model chooses among; empty where it chooses among none."""
    match tasks.task(checkpoint.task).labels:
        case "checkpoint":
            return checkpoint.labels
        case "candidates":
            return tuple(candidate.strip() for candidate in config.model.candidates or ())
        case "none":
            return ()


def has_own_labels(checkpoint: "Checkpoint") -> bool:
    """Whether the labels, with their ids, are those of the checkpoint."""
    return tasks.task(checkpoint.task).labels == "checkpoint"


def is_multi_label(config: Config, checkpoint: "Checkpoint") -> bool:
    """Whether a document may have several labels."""
    if not has_own_labels(checkpoint):
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
    vocabulary = Vocabulary(labels, is_multi_label(config, checkpoint), has_ids=has_own_labels(checkpoint))
    faults = [f"{config.origin}: {fault}" for fault in vocabulary.faults(table)]
    if faults:
        raise ConfigError("\n".join(faults))
    return vocabulary


def notes_on(reading: Reading) -> Iterator[str]:
    """What was not simply a name of a label, in the language of the report."""
    if reading.ids:
        yield say("Numbers in the corpus were read as the model's label ids: {ids}.", ids=_pairs(reading.ids))
    if reading.names:
        yield say(
            "Numbers in the corpus were read as names of the model's labels, not as label ids: {numbers}.",
            numbers=_pairs(reading.names),
        )
    if reading.vectors:
        yield say(
            "Lists of 0 and 1 in the corpus were read as vectors, in the model's order of labels: {labels}.",
            labels=_listed(reading.vectors),
        )
    if reading.mapped:
        yield say("Labels were read as [corpus.labels] says: {labels}.", labels=_pairs(_joined(reading.mapped)))
    if reading.n_respelt:
        yield plural(
            reading.n_respelt,
            "{n} label is written differently from the model's and was taken for it: {labels}.",
            "{n} labels are written differently from the model's and were taken for them: {labels}.",
            labels=_pairs(reading.respelt),
        )
    if reading.unused:
        yield say("[corpus.labels] names what never occurs in the corpus: {values}.", values=_listed(reading.unused))


def _joined(mapped: Mapping[str, Labels]) -> dict[str, str]:
    return {value: " + ".join(labels) or say("no label") for value, labels in mapped.items()}


def _pairs(pairs: Mapping[str, str]) -> str:
    return _cut([f"{_shown(value)} = {_shown(label)}" for value, label in pairs.items()])


def _listed(values: Iterable[str]) -> str:
    return _cut([_shown(value) for value in values])


def _shown(text: str) -> str:
    """In quotation marks where blanks would not be seen, and cut short."""
    shown = quote(text)
    return shown if text != text.strip() or not text or shown[-2:-1] == "…" else shown[1:-1]


def _cut(parts: list[str]) -> str:
    more = len(parts) - _MOST_LISTED
    listed = separator().join(parts[:_MOST_LISTED])
    return say("{listed} and {n} more", listed=listed, n=count(more)) if more > 0 else listed
