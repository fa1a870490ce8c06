"""Loads a corpus: a file, a folder or a dataset of the hub becomes the documents of an audit."""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

from auditor.corpus.documents import Roles, Table, read_documents
from auditor.corpus.faults import fault
from auditor.corpus.labels import Reading, match, written
from auditor.corpus.readers import Dialect, Options, open_source
from auditor.corpus.sampling import sample
from auditor.corpus.vocabulary import Vocabulary
from auditor.records.types import Document


@dataclass(frozen=True, slots=True)
class Corpus:
    """The documents of an audit, and the file they were read from."""

    path: Path
    sha256: str
    """Of the file's bytes; of a folder, of the list of its files' sums; of a dataset of the hub, of its rows."""
    dialect: Dialect
    """Format, compression, encoding and delimiter of the file."""
    documents: tuple[Document, ...]
    columns: tuple[str, ...]
    """Every column of the file, in the order in which they appear."""
    label_values: tuple[str, ...]
    """The distinct reference labels of these documents, sorted; empty where the corpus has none."""
    n_documents: int
    """The number of documents in the file; greater than `len(documents)` where a limit was set."""
    reading: Reading = field(default_factory=Reading)
    """How the labels of the whole file were read."""


def load(
    path: str | Path,
    *,
    format: str | None = None,
    encoding: str | None = None,
    delimiter: str | None = None,
    split: str | None = None,
    text: str = "text",
    pair: str | None = None,
    label: str | None = None,
    label_separator: str | None = None,
    labels: Mapping[str, Sequence[str]] | None = None,
    id: str | None = None,
    metadata: Sequence[str] | None = None,
    limit: int | None = None,
    seed: int = 0,
    vocabulary: Vocabulary | None = None,
) -> Corpus:
    """Reads and cleans a corpus; the source is as `open_source` takes it, `Options` and `Roles` explain its keys.

    `label_separator` stands between several labels in one string. Labels are mapped to those of the `vocabulary`, also
    by the table `labels` (written value → labels), or kept as they are written where it is None. Of more documents than
    `limit`, a sample is drawn with `seed`, stratified by label, in the order of the file.

    Raises:
        ConfigError: As `open_source`; or a label is none of the vocabulary, or may mean several (`corpus.labels`).
        CorpusError: the file cannot be read, holds no document, or a row is not what it must be; names file and line.
    """
    roles = Roles(text, pair, label, id, None if metadata is None else tuple(metadata))
    source = open_source(path, Options(format, encoding, delimiter, split))
    table = read_documents(source.path, source.rows(), roles)
    if not table.documents:
        raise fault(source.path, "", "holds no documents; expected at least one row")
    known = vocabulary.with_table(labels) if vocabulary and labels else vocabulary
    documents, reading = _labelled(source.path, table, roles.label_column, label_separator, known)
    sampled = sample(documents, limit, seed, "corpus")
    names = tuple(sorted({name for document in sampled for name in document.labels}))
    return Corpus(source.path, source.sha256, source.dialect, sampled, table.columns, names, len(documents), reading)


def _labelled(
    path: Path, table: Table, column: str, separator: str | None, vocabulary: Vocabulary | None
) -> tuple[list[Document], Reading]:
    """The documents with their labels, and how these were read; of the whole file, for samples are stratified."""
    if vocabulary is None:
        labels_of, reading = {cell: written(cell, separator) for cell in set(table.cells)}, Reading()
    else:
        labels_of, reading = match(path, column, Counter(table.cells), vocabulary, separator)
    labels = [labels_of[cell] for cell in table.cells]
    documents = [
        document if names is None else replace(document, labels=names, unlabelled=False)
        for document, names in zip(table.documents, labels, strict=True)
    ]
    return documents, reading
