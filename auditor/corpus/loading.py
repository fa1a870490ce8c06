"""The door of the corpus: a file, a folder or a dataset of the hub becomes the documents of an audit."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from auditor.corpus.documents import Roles, read_documents
from auditor.corpus.faults import fault
from auditor.corpus.readers import Dialect, Options, open_source
from auditor.corpus.sampling import sample
from auditor.records.types import Document


@dataclass(frozen=True, slots=True)
class Corpus:
    """The documents of an audit and where they come from."""

    path: Path
    sha256: str
    """Of the file's bytes; of a folder, of the list of its files' sums; of a dataset of the hub, of its rows."""
    dialect: Dialect
    """How it is written."""
    documents: tuple[Document, ...]
    columns: tuple[str, ...]
    """Every column of the file, in the order in which they appear."""
    label_values: tuple[str, ...]
    """The distinct reference labels of these documents, sorted; empty where the corpus has none."""
    n_documents: int
    """Documents in the file: more than `documents` where a limit was set."""


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
    id: str | None = None,
    metadata: Sequence[str] | None = None,
    limit: int | None = None,
    seed: int = 0,
) -> Corpus:
    """Read and clean a corpus.

    Args:
        path: One file of JSON Lines, JSON, CSV, TSV, Parquet, Arrow or plain text, also in gzip, Zstandard or zip; a
            folder that the package datasets saved; or a dataset of the hub, hf://datasets/OWNER/NAME[@REVISION].
        format: One of `FORMATS`; None goes by the suffix.
        encoding: Of a file of text, as Python names it; None has it recognised.
        delimiter: Of CSV and TSV: comma, semicolon, tab, pipe, the character itself, or "none" where there is one
            column; None has it recognised.
        split: Of a dataset in splits.
        text: The column of the document's text.
        pair: The column of the second sentence, where the task compares two.
        label: The column of the reference labels: a string, a whole number, a boolean, or a list of these. None takes
            the column "label" if there is one; "" takes none.
        id: The column of the ids. None takes the column "id" if there is one, "" takes none; without, a document
            is called after the file and its line.
        metadata: The columns to slice by; None takes every other scalar column with 2 to 12 distinct values.
        limit: At most this many documents: a seeded sample, stratified by label, in the order of the file.
        seed: Of that sample.

    Raises:
        ConfigError: there is no such format, encoding or delimiter, or the corpus is of a kind that has none.
        CorpusError: the file cannot be read, holds no document, or a row is not what it must be; names file and line.
    """
    roles = Roles(text, pair, label, id, None if metadata is None else tuple(metadata))
    source = open_source(path, Options(format, encoding, delimiter, split))
    documents, columns = read_documents(source.path, source.rows(), roles)
    if not documents:
        raise fault(source.path, "", "holds no documents; expected at least one row")
    chosen = sample(documents, limit, seed, "corpus")
    labels = sorted({name for document in chosen for name in document.labels})
    return Corpus(source.path, source.sha256, source.dialect, chosen, columns, tuple(labels), len(documents))
