"""A path becomes rows: files of many formats and dialects, folders of the package datasets, datasets of the hub.

opening     what a path is, how it is written, its rows
archives    gzip, Zstandard and zip around any of them
encodings   bytes → characters; `evidence` tells a right guess from a wrong one
text        lines
delimiters  what separates columns; `separated` reads CSV and TSV
objects     JSON Lines and JSON
tables      Parquet and Arrow; `classes` reads ids of classes by their names
saved       a folder written by `save_to_disk`; `hub` a dataset by its name
rows        what all of them give: `Row`, `Dialect`, `Source`
"""

from auditor.corpus.readers.archives import stem
from auditor.corpus.readers.opening import FORMATS, Options, is_remote, open_source
from auditor.corpus.readers.rows import DELIMITERS, ONE_COLUMN, Dialect, Row, Source

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
