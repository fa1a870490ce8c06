"""Documents come in: a file becomes cleaned, named, sampled documents, and a document becomes segments.

    loading     the door: a file → the documents of an audit
    readers     a file → rows, whatever its format, encoding, delimiter and archive
    documents   rows → documents: which column is what, labels, ids, columns to slice by
    sampling    a seeded, stratified part of them
    labels      what is written in the column of labels becomes labels of the model (`label_cells`: what is written;
                `vocabulary`: names; `label_numbers`: ids and vectors; `label_refusals`: what is not guessed)
    segments    what an explainer switches off, and the texts that remain
    words       where words begin and end, in any script
    cleaning    what a text may not hold
    faults      how a fault is worded: the file, the line, what to do

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
