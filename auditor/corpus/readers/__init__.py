"""Reads the rows of a corpus: files of many formats, folders of the package datasets, datasets of the hub.

opening     a path → a `Source`: chooses the reader
archives    gzip, Zstandard and zip around any of them
encodings   detects the encoding of a text file; `evidence` scores a guess
text        the lines of a text file
delimiters  detects the delimiter; `separated` reads CSV and TSV
objects     JSON Lines and JSON
tables      Parquet and Arrow; `classes` replaces ids of classes by their names
saved       a folder written by `save_to_disk`; `hub` a dataset by its name
rows        what every reader returns: `Row`, `Source`
"""

from auditor.corpus.readers.archives import stem
from auditor.corpus.readers.opening import FORMATS, Options, is_remote, open_source
from auditor.corpus.readers.rows import DELIMITERS, Row, Source
from auditor.records.dialect import ONE_COLUMN, Dialect

__all__ = [
    "DELIMITERS",
    "FORMATS",
    "ONE_COLUMN",
    "Dialect",
    "Options",
    "Row",
    "Source",
    "is_remote",
    "open_source",
    "stem",
]
