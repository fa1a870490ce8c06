"""What the report must say about how the labels of the corpus were understood, in its language."""

from collections.abc import Iterable, Iterator, Mapping

from auditor.corpus.faults import quote
from auditor.corpus.labels import Reading
from auditor.corpus.vocabulary import Labels
from auditor.languages import plural, say
from auditor.languages.numbers import count, separator

_MOST_LISTED = 12


def notes_on(reading: Reading) -> Iterator[str]:
    """Sentences on entries of the label column that were not simply names of labels, in the language of the report."""
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
    """A label for people, cut short; in quotation marks where it is empty, cut, or begins or ends with blanks."""
    shown = quote(text)
    return shown if text != text.strip() or not text or shown[-2:-1] == "…" else shown[1:-1]


def _cut(parts: list[str]) -> str:
    more = len(parts) - _MOST_LISTED
    listed = separator().join(parts[:_MOST_LISTED])
    return say("{listed} and {n} more", listed=listed, n=count(more)) if more > 0 else listed
