"""Documents come in: a file becomes cleaned, named, sampled documents, and a document becomes segments.

    loading     the door: a file → the documents of an audit
    readers     a file → rows, whatever its format, encoding, delimiter and archive
    documents   rows → documents: text, pair, id and the columns to slice by
    sampling    a seeded sample, stratified by label
    labels      entries of the column of labels → labels of the model (`label_cells` reads an entry, `vocabulary` knows
                the names, `label_numbers` ids and vectors, `label_refusals` words the errors)
    segments    a document → the segments an explainer switches on and off; masks → the texts that remain
    words       the spans of words, in any script
    cleaning    replaces characters that no text may hold
    faults      errors that name the file and the line

A document is `auditor.records.types.Document`.
"""

from auditor.corpus.loading import Corpus, load
from auditor.corpus.readers import FORMATS, Dialect, is_remote
from auditor.corpus.sampling import sample
from auditor.corpus.segments import SEGMENTERS, perturb, segment
from auditor.corpus.vocabulary import Vocabulary

__all__ = [
    "FORMATS",
    "SEGMENTERS",
    "Corpus",
    "Dialect",
    "Vocabulary",
    "is_remote",
    "load",
    "perturb",
    "sample",
    "segment",
]
